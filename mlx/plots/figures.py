"""Which pictures a report has, and from what each is drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, cast

from mlx.plots.confusion import plot_confusion
from mlx.plots.curves import plot_learning_curves, plot_reliability, plot_roc
from mlx.plots.entropy import plot_entropy_histogram
from mlx.plots.images import plot_sample_cards, plot_sample_grid
from mlx.plots.inputs import ReportInputs
from mlx.plots.panels import plot_similarity_entropy_by_class
from mlx.plots.regression import plot_residual_histogram, plot_residual_qq, plot_residuals_fitted
from mlx.plots.settings import ReportSettings
from mlx.plots.similarity import plot_similarity_entropy, statistics_text
from mlx.plots.table import plot_class_scatter, plot_target_histogram
from mlx.plots.text import class_labels, fixed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

Draw = Callable[[ReportInputs, ReportSettings], "Figure | None"]


def draw_report(inputs: ReportInputs, settings: ReportSettings) -> Iterator[tuple[str, Figure]]:
    """Yield the name and Figure of every picture that `inputs` has the data for, in reading order.

    Names: samples, learning_curves; for classification confusion, roc, reliability, entropy_histogram,
    similarity_entropy, similarity_entropy_by_class, uncertain_samples (images only); for regression
    residuals_fitted, residual_qq, residual_histogram. A figure is drawn when it is asked for, so that
    one at a time is in memory.
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


def _figure(ax: Axes) -> Figure:
    return cast("Figure", ax.figure)


def _samples(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    X, y = inputs.grid_inputs, inputs.grid_targets
    if y is None or not len(y):
        return None
    if inputs.task == "regression":
        return _figure(plot_target_histogram(y))
    if X is None:
        return None
    if X.ndim > 2:
        return plot_sample_grid(X, y, inputs.class_names, images_per_class=settings.images_per_class)
    return _figure(plot_class_scatter(X, y, inputs.class_names, max_points=settings.max_points))


def _learning_curves(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    return plot_learning_curves(inputs.history) if len(inputs.history) else None


def _confusion(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    return None if inputs.confusion is None else _figure(plot_confusion(inputs.confusion, inputs.class_names))


def _roc(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    if inputs.roc is None or not len(inputs.roc):
        return None
    return _figure(plot_roc(inputs.roc, class_names=inputs.class_names))


def _reliability(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    return None if inputs.reliability is None else _figure(plot_reliability(inputs.reliability))


def _entropy_histogram(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    s = inputs.samples
    n_classes = len(inputs.class_names)
    return _figure(plot_entropy_histogram(s["entropy"], s["correct"], n_classes=n_classes))


def _similarity_entropy(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    s = inputs.samples
    text = "" if inputs.pooled is None else statistics_text(inputs.pooled, int(s["similarity"].notna().sum()))
    return _figure(
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
    return plot_similarity_entropy_by_class(inputs.samples, classes, max_points=settings.max_points)


def _uncertain_samples(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    if inputs.card_images is None or inputs.card_rows is None or not len(inputs.card_rows):
        return None
    shown = inputs.samples.iloc[inputs.card_rows]
    names = class_labels(inputs.class_names, width=12)
    titles = [
        f"{names[int(t)]}\n→ {names[int(p)]}\n{fixed(h)} nats"
        for t, p, h in zip(shown["y_true"], shown["y_pred"], shown["entropy"], strict=True)
    ]
    wrong = ~shown["correct"].to_numpy(bool)
    return plot_sample_cards(inputs.card_images, titles, groups=inputs.card_groups, wrong=wrong)


def _residuals_fitted(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    s = inputs.samples
    return _figure(plot_residuals_fitted(s["y_pred"], s["residual"], max_points=settings.max_points))


def _residual_qq(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    return _figure(plot_residual_qq(inputs.samples["residual"], max_points=settings.max_points))


def _residual_histogram(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    return _figure(plot_residual_histogram(inputs.samples["residual"]))


FIGURES: dict[str, dict[str, Draw]] = {
    "classification": {
        "samples": _samples,
        "learning_curves": _learning_curves,
        "confusion": _confusion,
        "roc": _roc,
        "reliability": _reliability,
        "entropy_histogram": _entropy_histogram,
        "similarity_entropy": _similarity_entropy,
        "similarity_entropy_by_class": _by_class,
        "uncertain_samples": _uncertain_samples,
    },
    "regression": {
        "samples": _samples,
        "learning_curves": _learning_curves,
        "residuals_fitted": _residuals_fitted,
        "residual_qq": _residual_qq,
        "residual_histogram": _residual_histogram,
    },
}
