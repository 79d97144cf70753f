"""The residuals analysis of a regression: the residual of each sample, and a summary of all."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import ndtri

from mlx.core.array_types import Array, Floats, Scores
from mlx.core.checks import finite_column
from mlx.core.errors import DataError
from mlx.core.linear_fit import LinearFit
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import exponent_of, in_unit, unit_sized
from mlx.residuals.errors.factor_choice import chosen_columns
from mlx.residuals.regression.classical_tests import Numbers, memory_tests, spread_tests
from mlx.residuals.regression.failures import ResidualFactors, analyze_residual_factors
from mlx.residuals.regression.leverage import Leverage, coefficients_of, leverage_of, no_leverage
from mlx.residuals.regression.shape import shape_of
from mlx.residuals.regression.spread import MIN_SAMPLES, correlate_spread
from mlx.residuals.sets.coverage import headline_of_sets
from mlx.residuals.sets.regression import PredictionIntervals, RegressionOutputs, prediction_intervals
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.directions import Representation, directions_of
from mlx.results.regression_residuals import RegressionResiduals, RegressionSamples
from mlx.results.regression_summary import RegressionSummary
from mlx.stats.correlation import is_constant, merge_ties, midranks
from mlx.stats.duplicates import Duplicates, find_duplicates
from mlx.stats.grouping import choose_groups, names_of
from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason

RELATIVE_TOLERANCE = 1e-12
"""Values closer than this, relative to the largest target or prediction, are equal up to rounding."""

NO_FIT = "not the predictions of a linear regression"
"""Why there is no training design, where nothing else is said."""

NOT_BY_GROUP: Numbers = dict.fromkeys(("normality_p", "breusch_pagan_p", "white_p", "ljung_box_p"))
"""p-values that are not given where samples belong together."""


@dataclass(frozen=True)
class _Residuals:
    """Residuals (n,) in units of 2^exponent, in which neither a difference nor its square overflows."""

    true: Floats
    pred: Floats

    @cached_property
    def exponent(self) -> int:
        return max(exponent_of(self.true), exponent_of(self.pred)) + 1

    @cached_property
    def fitted(self) -> Floats:
        return in_unit(self.pred, self.exponent)

    @cached_property
    def error(self) -> Floats:
        return in_unit(self.true, self.exponent) - self.fitted

    @cached_property
    def tolerance(self) -> float:
        largest = max(np.abs(in_unit(self.true, self.exponent)).max(), np.abs(self.fitted).max())
        return RELATIVE_TOLERANCE * float(largest)

    @cached_property
    def is_constant(self) -> bool:
        return is_constant(self.error, self.tolerance)

    @cached_property
    def deviation(self) -> Floats:
        return np.zeros_like(self.error) if self.is_constant else self.error - self.error.mean()

    @cached_property
    def sd(self) -> float | None:
        return root_mean_square(self.deviation, self.error.size - 1) if self.error.size > 1 else None

    def in_y(self, value: Floats) -> Floats:
        """Return a value in units of y."""
        return in_unit(value, -self.exponent)


def analyze_regression(
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    *,
    index: npt.ArrayLike,
    settings: ResidualsSettings,
    design: Scores | None = None,
    fit: LinearFit | None = None,
    without_fit: str = NO_FIT,
    representation: "Representation | None" = None,
    factors: pd.DataFrame | None = None,
    groups: npt.ArrayLike | None = None,
    features: Sequence[str] = (),
    validation: RegressionOutputs | None = None,
    training: RegressionOutputs | None = None,
    chosen_by_validation: bool | None = None,
    map: OrderedMap = in_order,
) -> RegressionResiduals:
    """Describe the residuals of a regression: center, spread, shape, and whether the spread is constant.

    Parameters
    ----------
    y_true, y_pred
        (n_samples,), targets and predictions in one unit; (n_samples, 1) is flattened.
    index
        (n_samples,), what identifies each sample, in the order of the data.
    settings
        Seed, resamples and confidence, for the correlation of spread with prediction; confidence for the intervals.
    design
        (n_samples, n_features), the inputs of a linear regression; needed with `fit`.
    fit
        What the linear regression keeps of its training samples; None for another model.
    without_fit
        Why there is no `fit`, for the status.
    representation
        (n_samples, n_features); samples of the same representation and prediction are exact duplicates.
    factors
        What is known of each sample, a column a factor, n_samples rows; ``settings.groups`` may name one.
    features
        Names of the features of `design`.
    groups
        (n_samples,), labels of which samples belong together; by default what ``settings.groups`` names.
    validation, training
        Outputs for the samples of other parts, which calibrate and scale prediction intervals; with `representation`.
    chosen_by_validation
        Whether validation samples chose the epoch whose weights the model has.
    map
        How independent tasks are run; changes nothing in the result.

    Raises
    ------
    DataError
        If there is no sample, the shapes differ, or a value is not finite (with its row).
    """
    true, pred, identity = _columns(y_true, y_pred, index)
    place = _leverage(design, pred, fit, settings.confidence, without_fit)
    residuals = _Residuals(true, pred)
    duplicates = None if representation is None else _duplicates(representation, pred)
    chosen = choose_groups(settings.groups, groups, factors, duplicates or Duplicates(np.arange(pred.size)))
    summary = _summary(residuals, identity, place, fit, duplicates, chosen, settings, map)
    known, shown = _explained(factors, residuals, settings, chosen, map)
    intervals = PredictionIntervals()
    if validation is not None and representation is not None and settings.conformal.alpha:
        outputs = RegressionOutputs(true, pred, identity, representation)
        how: dict[str, Any] = {"groups": chosen, "chosen_by_validation": chosen_by_validation}
        intervals = prediction_intervals(outputs, validation, training, known.looks, settings, **how)
        summary = replace(summary, of_intervals=headline_of_sets(intervals.coverage, settings.confidence))
    return RegressionResiduals(
        _samples(residuals, identity, place), coefficients_of(fit, settings.confidence, features), summary,
        {str(name): shown[name].to_numpy() for name in shown}, known.factors, known.slices, known.tests,
        prediction_sets=intervals.coverage, sample_intervals=intervals.samples,
    )  # fmt: skip


def _columns(y_true: npt.ArrayLike, y_pred: npt.ArrayLike, index: npt.ArrayLike) -> tuple[Floats, Floats, Array]:
    true, pred = finite_column("y_true", y_true), finite_column("y_pred", y_pred)
    identity = np.asarray(index)
    if true.size == 0 or not true.shape == pred.shape == identity.shape:
        raise DataError(
            f"residuals: expected y_true, y_pred and index of one shape (n,), "
            f"found {true.shape}, {pred.shape} and {identity.shape}"
        )
    return true, pred, identity


def _explained(
    factors: pd.DataFrame | None,
    residuals: _Residuals,
    settings: ResidualsSettings,
    groups: Groups | None,
    map: OrderedMap,
) -> tuple[ResidualFactors, pd.DataFrame]:
    """Relate the residuals to the factors, if there are any; return also the factors that are shown."""
    explaining, shown = chosen_columns(factors, settings.factors, settings.groups)
    if not len(explaining.columns):
        return ResidualFactors(), shown
    errors = residuals.in_y(merge_ties(residuals.error, residuals.tolerance))
    return analyze_residual_factors(explaining, errors, settings=settings, groups=groups, map=map), shown


def _leverage(design: Scores | None, pred: Floats, fit: LinearFit | None, level: float, without_fit: str) -> Leverage:
    if fit is None or design is None:
        return no_leverage(pred.size, without_fit)
    return leverage_of(design, pred, fit, level)


def _duplicates(representation: Representation, pred: Floats) -> Duplicates:
    rows = directions_of("representation", representation, pred.size).representation
    return find_duplicates(rows, pred[:, None])


def _samples(residuals: _Residuals, index: Array, place: Leverage) -> RegressionSamples:
    error, sd = residuals.error, residuals.sd
    residual = residuals.in_y(error)
    return RegressionSamples(
        index=index,
        y_true=residuals.true,
        y_pred=residuals.pred,
        residual=residual,
        abs_residual=np.abs(residual),
        standardised=residuals.deviation / sd if sd else np.full(error.shape, np.nan),
        normal_quantile=ndtri((midranks(error) - 0.375) / (error.size + 0.25)),
        leverage=place.leverage,
        prediction_low=place.low,
        prediction_high=place.high,
    )


def _summary(
    residuals: _Residuals,
    index: Array,
    place: Leverage,
    fit: LinearFit | None,
    duplicates: Duplicates | None,
    groups: Groups | None,
    settings: ResidualsSettings,
    map: OrderedMap,
) -> RegressionSummary:
    error = residuals.error
    scaled = {"residual_mean": error.mean(), "residual_sd": residuals.sd, "rmse": root_mean_square(error, error.size)}
    center: Numbers = {k: None if v is None else float(residuals.in_y(v)) for k, v in scaled.items()}
    shape, shape_status = shape_of(unit_sized(residuals.deviation), constant=residuals.is_constant)
    spread, spread_status = correlate_spread(error, residuals.fitted, residuals.tolerance, groups, settings, map=map)
    finite = all(np.isfinite(value) for value in center.values() if value)
    by_group = OK if groups is None else Reason.NO_CLASSICAL_BY_GROUP()
    repeated = 0 if duplicates is None else duplicates.count_between(groups)
    of_duplicates = Reason.DUPLICATE_SAMPLES(repeated, error.size) if repeated else OK
    of_size = OK if finite else Reason.BEYOND_LARGEST_NUMBER()
    statuses = (shape_status, spread_status, by_group, of_size, of_duplicates)
    return RegressionSummary(
        n=error.size,
        confidence=settings.confidence,
        status=tuple(status for status in statuses if not status.is_ok),
        leverage_status=place.status,
        prediction_status=place.interval_status,
        n_duplicates=None if duplicates is None else duplicates.count,
        **names_of(settings.groups, groups),
        **center,
        **({**shape, **_classical(residuals, index)} | ({} if groups is None else NOT_BY_GROUP)),
        **spread,
        **_placed(place, residuals.true, fit),
    )


def root_mean_square(values: Floats, n: int) -> float:
    """√(Σ v²/n) of values whose squares may underflow."""
    exponent = exponent_of(values)
    own = in_unit(values, exponent)
    return float(in_unit(np.sqrt(own @ own / n), -exponent))


def _classical(residuals: _Residuals, index: Array) -> Numbers:
    if residuals.error.size < MIN_SAMPLES or residuals.is_constant:
        return {}
    found = memory_tests(residuals.error, index)
    constant = is_constant(residuals.fitted, residuals.tolerance)
    return found if constant else found | spread_tests(residuals.error, residuals.fitted)


def _placed(place: Leverage, true: Floats, fit: LinearFit | None) -> Numbers:
    """Summarize where the samples lie in the training design."""
    known = place.leverage[np.isfinite(place.leverage)]
    bounded = np.isfinite(place.low) & np.isfinite(place.high)
    inside = (place.low <= true) & (true <= place.high)
    return {
        "n_training": fit.n if fit else None,
        "n_coefficients": fit.axes.rank + 1 if fit else None,
        "leverage_mean": float(known.mean()) if known.size else None,
        "leverage_max": float(known.max()) if known.size else None,
        "prediction_coverage": float(inside[bounded].mean()) if bounded.any() else None,
    }
