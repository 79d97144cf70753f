"""Figures of a report that put plots of the analyzes together: each takes what it needs from the inputs, or none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from mlx.plots.comparison import plot_layers
from mlx.plots.coverage import plot_risk_coverage
from mlx.plots.curves import plot_learning_curves, plot_precision_recall, recorded_quantities
from mlx.plots.embedding import plot_representation_map
from mlx.plots.factors import plot_factor_effects, plot_weak_slices
from mlx.plots.images import plot_residual_images
from mlx.plots.inputs import ReportInputs
from mlx.plots.matrix import plot_similarity_matrix
from mlx.plots.regression import plot_leverage
from mlx.plots.reliability import plot_temperature
from mlx.plots.settings import ReportSettings
from mlx.plots.style import COLUMN, PAGE, figure, styled
from mlx.plots.text import class_labels, fixed, fixed_or_below, number, with_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame


def figure_of(ax: Axes) -> Figure:
    """Return the Figure that a plot function made for its Axes."""
    return cast("Figure", ax.figure)


@styled
def learning_curves(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """Loss above one more recorded quantity."""
    if not len(inputs.history):
        return None
    quantities = recorded_quantities(inputs.history)
    single = len(inputs.history) == 1
    made = figure(COLUMN, (1.25 if single else 2.0) * len(quantities))
    panels = list(made.subplots(len(quantities), 1, squeeze=False)[:, 0])
    for k, (ax, quantity) in enumerate(zip(panels, quantities, strict=True)):
        plot_learning_curves(inputs.history, quantity=quantity, ax=ax)
        if k and not single:  # legend, epoch and best epoch are those of the panel above
            ax.set_title("")
            ax.get_legend().remove()
        elif not single and len(panels) > 1:
            ax.set_xlabel("")
    made.align_ylabels(panels)
    return made


def precision_recall(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """Precision over recall of every class."""
    table = inputs.curves.get("precision_recall")
    if table is None or not len(table):
        return None
    # The table has class numbers beside names, which a CSV file may have lost.
    return figure_of(plot_precision_recall(table, class_names=inputs.class_names))


def risk_coverage(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """Risk over coverage of entropy and of the first layer's scores."""
    table = inputs.curves.get("risk_coverage")
    if table is None or not len(table):
        return None
    layers = table["layer"].fillna("")
    first = [layer for layer in dict.fromkeys(layers) if layer][:1]
    return figure_of(
        plot_risk_coverage(
            table[layers.isin(["", *first])],
            len(inputs.samples),
            areas=_areas(inputs.tests, first),
            level=inputs.confidence,
        )
    )


def _areas(tests: DataFrame | None, layers: list[str]) -> dict[str, str]:
    if tests is None or not {"name", "layer", "statistic", "estimate", "low", "high"} <= set(tests):
        return {}
    rows = tests[(tests["statistic"] == "aurc") & tests["layer"].fillna("").isin(["", *layers])]
    return {
        str(row["name"]).removeprefix("error by "): _area(row["estimate"], row["low"], row["high"])
        for row in rows.to_dict("records")
    }


def _area(value: float, low: float, high: float) -> str:
    known = with_interval(value, low, high, 3)
    return f"{fixed_or_below(value, 3)}{known.removeprefix(fixed(value, 3))}"


def temperature(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """Entropy under temperature scaling."""
    table = inputs.curves.get("temperature")
    return None if table is None else figure_of(plot_temperature(table, n_classes=len(inputs.class_names)))


@styled
def representation_map(inputs: ReportInputs, settings: ReportSettings, kind: str, title: str) -> Figure | None:
    """Draw three maps side by side: by class, by correctness, by entropy."""
    s = inputs.samples
    if not {f"{kind}_1", f"{kind}_2"} <= set(s) or not np.isfinite(s[f"{kind}_1"]).any():
        return None
    names = _axis_names(inputs, kind, title)
    made = figure(PAGE, 2.9)
    for ax, by, column in zip(
        made.subplots(1, 3), ("class", "correct", "entropy"), ("y_true", "correct", "entropy"), strict=True
    ):
        plot_representation_map(s[[f"{kind}_1", f"{kind}_2"]], by=by, values=s[column], class_names=inputs.class_names,
                                axis_names=names, max_points=settings.max_points, ax=ax)  # fmt: skip
        if by != "class":
            ax.set_ylabel("")
    return made


def _axis_names(inputs: ReportInputs, kind: str, title: str) -> tuple[str, str]:
    if kind != "pca":
        return f"{title} 1 (no unit)", f"{title} 2 (no unit)"
    shares: dict[str, float] = {}
    if inputs.tests is not None and {"name", "statistic"} <= set(inputs.tests):
        rows = inputs.tests[inputs.tests["statistic"] == "variance_share"]
        for row in rows.to_dict("records"):
            shares.setdefault(str(row["name"]), float(row["estimate"]))
    first, second = (
        f"PC {k} ({fixed(100 * shares[name], 0)} % of variance)" if (name := f"principal component {k}") in shares
        else f"PC {k} (units of the layer)" for k in (1, 2)
    )  # fmt: skip
    return first, second


def similarity_matrix(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """Similarities across classes."""
    if inputs.overview is None or not len(inputs.overview):
        return None
    shown = inputs.samples[inputs.samples["overview"] >= 0].sort_values("overview")
    return figure_of(
        plot_similarity_matrix(inputs.overview, shown["y_pred"], inputs.class_names, images=inputs.overview_images)
    )


def residual_images(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """What is left of the most confidently wrong images without the class they were taken for."""
    if inputs.residual_images is None or inputs.residual_references is None or inputs.residual_rows is None:
        return None
    shown = inputs.samples.iloc[inputs.residual_rows]
    names = class_labels(inputs.class_names, width=8)
    titles = [f"{names[t]}\n→ {names[p]}" for t, p in zip(shown["y_true"], shown["y_pred"], strict=True)]
    return figure_of(plot_residual_images(inputs.residual_images, inputs.residual_references, titles))


def factor_effects(inputs: ReportInputs, settings: ReportSettings, target: str) -> Figure | None:  # noqa: ARG001
    """Effects of the factors on one target."""
    factors: Any = inputs.tables.get("factors")
    if factors is None or not len(factors):
        return None
    rows = factors[(factors["target"] == target) & ~factors["statistic"].eq("error_rate")]
    return figure_of(plot_factor_effects(factors, target=target)) if rows["estimate"].notna().any() else None


def weak_slices(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """Return the slices with the most errors."""
    slices = inputs.tables.get("slices")
    return None if slices is None or not len(slices) else figure_of(plot_weak_slices(slices))


def layers(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:  # noqa: ARG001
    """Compare layers, where there are several."""
    tests = inputs.tests
    if tests is None or not {"name", "layer", "low", "high"} <= set(tests):
        return None
    named = tests.loc[tests["name"] == "similarity and entropy", "layer"]
    return figure_of(plot_layers(tests)) if len(named.unique()) > 1 else None


def leverage(inputs: ReportInputs, settings: ReportSettings) -> Figure | None:
    """Leverage of the test samples of a linear regression."""
    s = inputs.samples
    if not {"index", "leverage", "standardised"} <= set(s) or not s["leverage"].notna().any():
        return None
    n, p = (number(inputs.residuals, key) for key in ("n_training", "n_coefficients"))
    return figure_of(
        plot_leverage(
            s["leverage"],
            s["standardised"],
            index=s["index"],
            mean_leverage=p / n if n > 0 and p > 0 else None,
            max_points=settings.max_points,
        )
    )
