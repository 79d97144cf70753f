"""Figures of a report on a regression: each is drawn from the report, or None without the data for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from mlx.plots.factors import effects_on, plot_factor_effects, plot_weak_slices
from mlx.plots.regression import plot_leverage, plot_residual_histogram, plot_residual_qq, plot_residuals_fitted
from mlx.plots.report.inputs import RegressionReport
from mlx.plots.report.shared import issue_counts, issue_images, learning_curves, samples, set_coverage
from mlx.results.questions import FactorTarget

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _residuals_fitted(report: RegressionReport) -> Axes:
    s = report.samples
    return plot_residuals_fitted(s["y_pred"], s["residual"], max_points=report.settings.max_points)


def _residual_qq(report: RegressionReport) -> Axes:
    return plot_residual_qq(report.samples["residual"], max_points=report.settings.max_points)


def _residual_histogram(report: RegressionReport) -> Axes:
    return plot_residual_histogram(report.samples["residual"])


def _leverage(report: RegressionReport) -> Axes | None:
    s = report.samples
    if "leverage" not in s or not s["leverage"].notna().any():
        return None
    n, p = report.residuals.summary.n_training, report.residuals.summary.n_coefficients
    return plot_leverage(
        s["leverage"],
        s["standardised"],
        index=s["index"],
        mean_leverage=p / n if n and p else None,
        max_points=report.settings.max_points,
    )


def _factor_effects(report: RegressionReport, target: str) -> Axes | None:
    effects = report.residuals.factors
    return plot_factor_effects(effects, target=target) if effects_on(target, effects) else None


def _slices(report: RegressionReport) -> Axes | None:
    return plot_weak_slices(report.residuals.slices) if report.residuals.slices else None


FIGURES: Mapping[str, Callable[[RegressionReport], Axes | Figure | None]] = {
    "samples": samples,
    "learning_curves": learning_curves,
    "residuals_fitted": _residuals_fitted,
    "residual_qq": _residual_qq,
    "residual_histogram": _residual_histogram,
    "leverage": _leverage,
    "prediction_sets": set_coverage,
    "factor_effects_abs_residual": partial(_factor_effects, target=FactorTarget.ABS_RESIDUAL),
    "factor_effects_residual": partial(_factor_effects, target=FactorTarget.RESIDUAL),
    "large_residual_slices": _slices,
    "issue_counts": issue_counts,
    "issue_images": issue_images,
}
