"""Prediction intervals of a regression, calibrated on validation residuals: of equal width, and scaled by sample."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Array, Floats, Indices
from mlx.core.scale import in_unit, safe_exponents
from mlx.residuals.geometry.layer_geometry import filled
from mlx.residuals.sets.coverage import Sets, covered_groups
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.directions import Representation
from mlx.results.prediction_sets import Looked, Looks, SetCoverage, SetMethod, suffixes_of
from mlx.results.regression_intervals import SampleIntervals
from mlx.stats.conformal import threshold
from mlx.stats.groups import Groups
from mlx.stats.nearest import nearest_neighbors
from mlx.stats.status import OK, Reason, Status
from mlx.stats.validation_outputs import validation_halves

MOST_NEIGHBORS, SHARE_OF_NEIGHBORS = 50, 20
"""Training neighbors by which the spread at a sample is estimated: a twentieth of all, at most so many."""


@dataclass(frozen=True)
class RegressionOutputs:
    """Outputs of a regression for the n samples of a part of the data.

    Attributes
    ----------
    y_true, y_pred, index
        (n,).
    representation
        (n, n_features), of the first layer.
    groups
        (n,), labels of which samples belong together; None where each is its own.
    """

    y_true: Floats
    y_pred: Floats
    index: Indices
    representation: Representation
    groups: Array | None = None

    @property
    def residual_size(self) -> Floats:
        """Absolute residuals (n,)."""
        with np.errstate(over="ignore"):
            return np.asarray(np.abs(np.asarray(self.y_true, np.float64) - self.y_pred))


@dataclass(frozen=True)
class PredictionIntervals:
    """The coverage of the intervals of each alpha, and those of each sample by the suffix of their columns."""

    coverage: tuple[SetCoverage, ...] = ()
    samples: tuple[tuple[str, SampleIntervals], ...] = ()


def prediction_intervals(
    test: RegressionOutputs,
    validation: RegressionOutputs,
    training: RegressionOutputs | None,
    looks: Sequence[Looks],
    settings: ResidualsSettings,
    *,
    groups: Groups | None = None,
    chosen_by_validation: bool | None = None,
) -> PredictionIntervals:
    """Make the intervals of ``settings.conformal.alpha`` for test samples, and measure whom they cover.

    Parameters
    ----------
    test, validation, training
        Outputs for each part; without training samples there are no normalized intervals.
    looks
        Groups of test samples by factors and slices.
    settings
        Alphas, and confidence.
    groups
        Which test samples belong together; None where each is its own.
    chosen_by_validation
        Whether validation samples chose the epoch whose weights the model has.
    """
    _, calibrates = validation_halves(np.asarray(validation.index), validation.groups)
    own, size = validation.residual_size[calibrates], test.residual_size
    spreads, why = _spreads(training, validation, test)
    rows: list[SetCoverage] = []
    samples = []
    for alpha, suffix in zip(settings.conformal.alpha, suffixes_of(settings.conformal.alpha), strict=True):
        ends = []
        for method, (of_validation, of_test), status in (
            (SetMethod.ABSOLUTE, (np.ones(own.size), np.ones(size.size)), OK),
            (SetMethod.NORMALIZED, (spreads[0][calibrates], spreads[1]), why),
        ):
            bound = threshold(own / of_validation, alpha)
            half = bound.value * of_test if bound.status.is_ok and status.is_ok else np.full(size.size, np.nan)
            ends += [test.y_pred - half, test.y_pred + half]
            row = SetCoverage(alpha=alpha, method=method, kind=Looked.ALL, n=size.size, n_calibration=own.size)
            if not status.is_ok:
                rows.append(replace(row, status=status))
                continue
            rows += covered_groups(
                Sets(alpha, size <= half, 2 * half, (bound,)),
                looks,
                row,
                level=settings.confidence,
                groups=groups,
                chosen_by_validation=chosen_by_validation,
            )
        samples.append((suffix, SampleIntervals(*ends)))
    return PredictionIntervals(tuple(rows), tuple(samples))


def _spreads(
    training: RegressionOutputs | None, validation: RegressionOutputs, test: RegressionOutputs
) -> tuple[tuple[Floats, Floats], Status]:
    """Return the expected absolute residual σ̂(x) > 0 of validation and test samples, from training samples alone.

    It is the mean over the nearest training samples in the first layer, whose features are scaled to a standard
    deviation of 1, and over one more sample with the mean of all.
    """
    ones = np.ones(validation.residual_size.size), np.ones(test.residual_size.size)
    if training is None:
        return ones, Reason.NO_TRAINING()
    layers = [filled(part.representation) for part in (training, validation, test)]
    size = training.residual_size
    k = min(MOST_NEIGHBORS, size.size // SHARE_OF_NEIGHBORS)
    if k < 1:
        return ones, Reason.TOO_FEW_TRAINING(SHARE_OF_NEIGHBORS)
    if any(layer is None for layer in layers):
        return ones, Reason.SPARSE_LAYER()
    mean = float(size.mean())
    if not (np.isfinite(mean) and mean > 0):
        return ones, Reason.CONSTANT("training residuals")
    unit = safe_exponents(np.asarray(layers[0], np.float64))
    known, *others = (in_unit(layer, unit) if unit.any() else np.asarray(layer, np.float64) for layer in layers)
    center, scale = known.mean(axis=0), known.std(axis=0)
    scale[scale == 0] = 1.0
    found = []
    for other in others:
        near = nearest_neighbors((known - center) / scale, k, queries=(other - center) / scale)
        found.append((size[near.rows].sum(axis=1) + mean) / (k + 1))
    return (found[0], found[1]), OK
