"""Metrics of regressions on the same samples, each with the influence of every sample on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats
from mlx.core.scale import exponent_of, in_unit, is_rounding
from mlx.results.comparison import Metric
from mlx.runs.compared_model import NO_INFLUENCE, Measured
from mlx.stats.status import OK, Reason, Status

NAN = float("nan")

MIN_SAMPLES = {Metric.RMSE: 30, Metric.R2: 200}
"""Fewest samples for a test of a root of a mean, or of a ratio of means, whose influence is only their linear part."""


@dataclass(frozen=True)
class MeasuredRegressions:
    """Metrics of several regressions in a common unit, so that no difference or square of errors overflows.

    Attributes
    ----------
    models
        A mapping for each model; errors in units of 2^exponent, R² as it is.
    exponent
        Of the unit of the errors.
    """

    models: tuple[Mapping[Metric, Measured], ...]
    exponent: int

    def as_they_are(self, metric: Metric, values: npt.ArrayLike) -> Floats:
        """Return values of a metric, or of its influence, in the unit of the targets; infinite beyond their range."""
        return in_unit(values, 0 if metric is Metric.R2 else -self.exponent)


def measure_regressions(true: Floats, predictions: Sequence[Floats]) -> MeasuredRegressions:
    """Measure models by their predictions, (n,) each, of targets (n,)."""
    unit = max(map(exponent_of, (true, *predictions))) + 1
    target = in_unit(true, unit)
    errors = [target - in_unit(predicted, unit) for predicted in predictions]
    step = max(map(exponent_of, errors))
    sizes = [np.abs(in_unit(error, step)) for error in errors]
    models = tuple(
        {
            Metric.MAE: Measured(float(size.mean()), size, is_mean=True),
            Metric.RMSE: _rmse(size**2),
            Metric.R2: _r2(target, size**2, step),
        }
        for size in sizes
    )
    return MeasuredRegressions(models, unit + step)


def _rmse(squares: Floats) -> Measured:
    """√m of the mean m of squared errors, with φ = (e² − m)/(2·√m)."""
    mean = float(squares.mean())
    root = float(np.sqrt(mean))
    return Measured(root, (squares - mean) / (2 * root or 1.0), _few(Metric.RMSE, squares))


def _r2(target: Floats, squares: Floats, step: int) -> Measured:
    """1 − m/v, v the mean of d² = (y − ȳ)², with φ = −(e² − m·d²/v)/v; squared errors in units of 2^(2·step)."""
    if is_rounding(target):
        return Measured(NAN, NO_INFLUENCE, Reason.CONSTANT("target"))
    deviations = target - target[0]  # without rounding, where all are near
    deviations -= deviations.mean()
    own = exponent_of(deviations)
    deviations = in_unit(deviations, own) ** 2
    ratio, variance = float(squares.mean() / deviations.mean()), float(deviations.mean())
    influence = in_unit((squares - ratio * deviations) / variance, 2 * (own - step))
    return Measured(1 - float(in_unit(ratio, 2 * (own - step))), -influence, _few(Metric.R2, squares))


def _few(metric: Metric, values: Floats) -> Status:
    return OK if values.size >= MIN_SAMPLES[metric] else Reason.TOO_FEW(MIN_SAMPLES[metric])
