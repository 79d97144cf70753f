"""Which pictures a report has, and from what each is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING

from mlx.plots import findings
from mlx.plots.confusion import plot_confusion
from mlx.plots.curves import plot_roc
from mlx.plots.entropy import plot_entropy_histogram
from mlx.plots.findings import figure_of
from mlx.plots.images import plot_sample_cards, plot_sample_grid
from mlx.plots.inputs import ReportInputs
from mlx.plots.panels import similarity_entropy_panels
from mlx.plots.regression import plot_residual_histogram, plot_residual_qq, plot_residuals_fitted
from mlx.plots.reliability import plot_reliability
from mlx.plots.settings import ReportSettings
from mlx.plots.similarity import plot_similarity_entropy, statistics_text
from mlx.plots.table import plot_class_counts, plot_class_scatter, plot_target_histogram
from mlx.plots.text import class_labels, fixed_or_below

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

Draw = Callable[[ReportInputs, ReportSettings], "Figure | None"]


def draw_report(inputs: ReportInputs, settings: ReportSettings) -> Iterator[tuple[str, Figure]]:
    """Yield the name and Figure of every picture that `inputs` has the data for, in reading order.

    Names are those of `FIGURES`. A figure is drawn when it is asked for, so that one at a time is in memory.
    """
    for name, draw in FIGURES[inputs.task].items():
        made = draw(inputs, settings)
        if made is not None:
            yield name, made


def first_layer(classes: DataFrame) -> DataFrame:
    """Return the rows of the first layer in a classes table; all of them where there is no such column."""
    if "layer" not in classes or not len(classes):
        return classes
    first: DataFrame = classes.loc[classes["layer"] == classes["layer"].iloc[0]]
    return first


def _samples(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    X, y = inputs.grid_inputs, inputs.grid_targets
    if y is None or not len(y):
        return None
    if inputs.task == "regression":
        return figure_of(plot_target_histogram(y))
    if X is None:
        return None
    if X.ndim > 2:
        return figure_of(plot_sample_grid(X, y, inputs.class_names, images_per_class=settings.images_per_class))
    return figure_of(plot_class_scatter(X, y, inputs.class_names, max_points=settings.max_points))


def _class_counts(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    if inputs.targets is None or not len(inputs.targets):
        return None
    return figure_of(plot_class_counts(inputs.targets, inputs.class_names))


def _confusion(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    return None if inputs.confusion is None else figure_of(plot_confusion(inputs.confusion, inputs.class_names))


def _roc(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    if inputs.roc is None or not len(inputs.roc):
        return None
    return figure_of(plot_roc(inputs.roc, class_names=inputs.class_names))


def _reliability(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    return (
        None
        if inputs.reliability is None
        else figure_of(plot_reliability(inputs.reliability, level=inputs.evaluation_confidence))
    )


def _entropy_histogram(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    s = inputs.samples
    n_classes = len(inputs.class_names)
    return figure_of(plot_entropy_histogram(s["entropy"], s["correct"], n_classes=n_classes))


def _similarity_entropy(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    s = inputs.samples
    text = "" if inputs.pooled is None else statistics_text(inputs.pooled, int(s["similarity"].notna().sum()))
    return figure_of(
        plot_similarity_entropy(
            s["similarity"], s["entropy"], s["correct"], statistics=text, max_points=settings.max_points
        )
    )


def _by_class(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    if inputs.classes is None or not len(inputs.classes):
        return None
    classes = first_layer(inputs.classes)
    # A table read from CSV may have lost a name such as "NA".
    classes = classes.assign(name=[inputs.class_names[int(k)] for k in classes["class"]])
    return similarity_entropy_panels(inputs.samples, classes, max_points=settings.max_points)


def _uncertain_samples(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    if inputs.card_images is None or inputs.card_rows is None or not len(inputs.card_rows):
        return None
    shown = inputs.samples.iloc[inputs.card_rows]
    names = class_labels(inputs.class_names, width=12)
    titles = [
        f"{names[int(t)]}\n→ {names[int(p)]}\n{fixed_or_below(h)} nats"
        for t, p, h in zip(shown["y_true"], shown["y_pred"], shown["entropy"], strict=True)
    ]
    wrong = ~shown["correct"].to_numpy(bool)
    return figure_of(plot_sample_cards(inputs.card_images, titles, groups=inputs.card_groups, wrong=wrong))


def _residuals_fitted(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    s = inputs.samples
    return figure_of(plot_residuals_fitted(s["y_pred"], s["residual"], max_points=settings.max_points))


def _residual_qq(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    return figure_of(plot_residual_qq(inputs.samples["residual"], max_points=settings.max_points))


def _residual_histogram(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    return figure_of(plot_residual_histogram(inputs.samples["residual"]))


FIGURES: dict[str, dict[str, Draw]] = {
    "classification": {
        "samples": _samples,
        "class_counts": _class_counts,
        "learning_curves": findings.learning_curves,
        "confusion": _confusion,
        "roc": _roc,
        "precision_recall": findings.precision_recall,
        "reliability": _reliability,
        "temperature": findings.temperature,
        "entropy_histogram": _entropy_histogram,
        "risk_coverage": findings.risk_coverage,
        "similarity_entropy": _similarity_entropy,
        "similarity_entropy_by_class": _by_class,
        "layers": findings.layers,
        "similarity_matrix": findings.similarity_matrix,
        "map_pca": partial(findings.representation_map, kind="pca", title="PC"),
        "map_tsne": partial(findings.representation_map, kind="tsne", title="t-SNE"),
        "map_umap": partial(findings.representation_map, kind="umap", title="UMAP"),
        "factor_effects": partial(findings.factor_effects, target="error"),
        "factor_effects_entropy": partial(findings.factor_effects, target="entropy"),
        "weak_slices": findings.weak_slices,
        "uncertain_samples": _uncertain_samples,
        "residual_images": findings.residual_images,
    },
    "regression": {
        "samples": _samples,
        "learning_curves": findings.learning_curves,
        "residuals_fitted": _residuals_fitted,
        "residual_qq": _residual_qq,
        "residual_histogram": _residual_histogram,
        "leverage": findings.leverage,
    },
}
