"""Metrics of one classifier on the shared samples, each with the influence of every sample on it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from typing import Any

import numpy as np

from mlx.core.array_types import Array, Flags, Floats
from mlx.core.scale import in_unit
from mlx.core.streams import stream
from mlx.evaluation.calibration import equal_width_bins, expected_calibration_error
from mlx.pipeline.model_outputs import ModelOutputs
from mlx.residuals.association.by_group import resampled_by_group
from mlx.residuals.association.delete_one import LARGEST, is_small_enough, pooled_pearson
from mlx.residuals.association.layer import Layer, why_no_correlation, why_no_spread
from mlx.residuals.association.resampling import MOST_DELETIONS
from mlx.residuals.errors.risk_coverage import curve_areas
from mlx.residuals.similarity.class_similarity import similarity_family
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift
from mlx.results.comparison import Metric
from mlx.stats.auroc import placements
from mlx.stats.calibration_scores import CalibrationScores, calibration_scores
from mlx.stats.correlation import in_own_unit, merge_entropies
from mlx.stats.correlation_intervals import MIN_MEAN_CLASS_SIZE
from mlx.stats.gates import LEAST_COMPARED, expected_errors, why_too_few
from mlx.stats.groups import Groups
from mlx.stats.paired import rarer_kind
from mlx.stats.prediction_scores import PredictionScores, prediction_scores
from mlx.stats.row_scores import why_infinite
from mlx.stats.status import OK, Reason, Status

NAN = float("nan")

AREAS_OF_ERRORS = (Metric.ERROR_AUROC, Metric.ERROR_AURC, Metric.ERROR_AUGRC)

MIN_EXPECTED = {
    Metric.LOG_LOSS: 40,
    Metric.BRIER: 10,
    Metric.ROC_AUC: 20,
    **dict.fromkeys(AREAS_OF_ERRORS, LEAST_COMPARED),
}
"""Fewest expected errors, and expected correct predictions, of both models for a test to hold its level."""

MIN_IN_CLASS = 20
"""Fewest samples of a class, and of the others, for a test of the area under the ROC curves."""


@dataclass(frozen=True)
class Measured:
    """A metric of one model.

    Attributes
    ----------
    estimate
        The metric; NaN where it is undefined.
    influence
        (n,), of every sample, mean 0; of a mean the values themselves.
    why
        Why it is undefined or has no test; `OK` where it has one.
    is_mean
        Whether the metric is a mean over samples.
    n_carrying
        How many samples, or groups, carry most of its variance; infinite where all do.
    """

    estimate: float
    influence: Floats
    why: Status = OK
    is_mean: bool = False
    n_carrying: float = inf


NO_INFLUENCE = np.empty(0)


@dataclass(frozen=True)
class ComparedModel:
    """A classifier on the samples that it is compared on.

    Attributes
    ----------
    recorded
        Its outputs on all its test samples.
    rows
        (n,), those to compare on.
    n_bins
        Bins of the calibration error.
    groups
        Which of these samples belong together; None where each is its own.
    """

    recorded: ModelOutputs
    rows: Array
    n_bins: int
    groups: Groups | None = None

    @property
    def n(self) -> int:
        """Number of samples."""
        return len(self.rows)

    @cached_property
    def y_true(self) -> Array:
        """Labels (n,)."""
        return self.recorded.y_true[self.rows]

    @cached_property
    def y_pred(self) -> Array:
        """Predicted labels (n,)."""
        return self.recorded.y_pred[self.rows]

    @cached_property
    def error(self) -> Flags:
        """Whether each prediction is wrong, (n,)."""
        return np.asarray(self.y_true != self.y_pred)

    @cached_property
    def probabilities(self) -> Floats:
        """Probabilities (n, n_classes)."""
        assert self.recorded.probabilities is not None, "a classifier"
        return np.asarray(self.recorded.probabilities[self.rows])

    @cached_property
    def _logits(self) -> Floats | None:
        return None if self.recorded.logits is None else np.asarray(self.recorded.logits[self.rows])

    @cached_property
    def scores(self) -> PredictionScores:
        """Scores of each prediction, by its logits where there are any."""
        return prediction_scores(self.probabilities, self._logits, self.y_true, self.y_pred)

    @cached_property
    def entropy(self) -> Floats:
        """Entropies (n,) as the analysis ranks them: those that differ by no more than rounding are tied."""
        return merge_entropies(self.scores.entropy)

    @cached_property
    def losses(self) -> CalibrationScores:
        """Losses of each prediction, as ``evaluation.json`` has their means."""
        return calibration_scores(self.probabilities, self._logits, self.y_true)

    @property
    def expected_errors(self) -> float:
        """Errors that the validation samples predict; without any, those on the compared samples."""
        return expected_errors(int(self.error.sum()), self.n, self.recorded.validation)

    def measure(self, metric: Metric) -> Measured:
        """Measure what `MEASURES` has, or report why there is no test of it."""
        return self._gated(metric, MEASURES[metric](self))

    def measure_ranking(self, score: Floats) -> Measured:
        """Measure how well another score than entropy, (n,), ranks the errors: the AUROC, higher is better."""
        return self._gated(Metric.ERROR_AUROC, _error_auroc(self, score))

    def _gated(self, metric: Metric, measured: Measured) -> Measured:
        if not measured.why.is_ok or metric not in MIN_EXPECTED:
            return measured
        errors = int(self.error.sum())
        why = why_too_few(errors, self.n, self.recorded.validation, MIN_EXPECTED[metric], self.groups)
        if not why.is_ok:
            return Measured(measured.estimate, NO_INFLUENCE, why)
        if metric not in AREAS_OF_ERRORS:
            return measured
        return replace(measured, n_carrying=rarer_kind(self.error, self.groups))


def _log_loss(model: ComparedModel) -> Measured:
    if not (why := why_infinite(model.losses.surprise)).is_ok:
        return Measured(NAN, NO_INFLUENCE, why)
    return _mean(model.losses.surprise)


def _mean(values: Floats) -> Measured:
    return Measured(float(values.mean()), values, is_mean=True)


def _roc_auc(model: ComparedModel) -> Measured:
    """Mean over the classes in the test set of the area of each against the rest."""
    support = np.bincount(model.y_true, minlength=model.probabilities.shape[1])
    tested = np.flatnonzero((support > 0) & (support < model.n))
    if not tested.size:
        return Measured(NAN, NO_INFLUENCE, Reason.ONE_CLASS_TESTED())
    mean, influence = 0.0, np.zeros(model.n)
    for label in tested:
        one = _area(model.y_true == label, np.asarray(model.probabilities[:, label], dtype=np.float64))
        mean += one.estimate / tested.size
        influence += one.influence / tested.size
    if np.minimum(support, model.n - support)[tested].min() < MIN_IN_CLASS:
        return Measured(mean, NO_INFLUENCE, Reason.CLASS_OR_REST_TOO_SMALL(MIN_IN_CLASS))
    return Measured(mean, influence)


def _area(positive: Flags, score: Floats) -> Measured:
    """AUROC θ with φ = (V10 − θ)·n/m of the m positives, and (V01 − θ)·n/k of the others."""
    placed = placements(positive, score)
    influence = np.empty(positive.size)
    for kind, place in ((positive, placed.above), (~positive, placed.below)):
        influence[kind] = (place - placed.area) * positive.size / place.size
    return Measured(placed.area, influence)


def _error_auroc(model: ComparedModel, score: Floats | None = None) -> Measured:
    if model.error.all() or not model.error.any():
        return Measured(NAN, NO_INFLUENCE, Reason.ALL_WRONG() if model.error[0] else Reason.NO_ERRORS())
    return _area(model.error, model.entropy if score is None else score)


def _curve_area(name: str) -> Callable[[ComparedModel], Measured]:
    def measure(model: ComparedModel) -> Measured:
        areas = curve_areas(model.error, model.entropy)
        influence = areas.influence[name]
        return Measured(getattr(areas, name), influence - influence.mean())

    return measure


def _pearson_within(model: ComparedModel) -> Measured:
    """Correlation of similarity in the first layer with entropy, within predicted class.

    The influence of a sample is n − 1 times what its deletion takes away, from the similarities of classmates as well.
    """
    name, representation = next(iter(model.recorded.layers.items()))
    units, n_classes = directions_of(name, representation[model.rows], model.n), model.probabilities.shape[1]
    family = similarity_family(lift(units), model.y_pred, model.y_true, n_classes, groups=model.groups)
    layer = Layer(units, family.predicted, model.scores.entropy, model.y_pred, name, model.groups)
    classes = [
        own for label in range(n_classes) if (own := layer.members(label)).size > 1 and layer.has_similarity(own)
    ]
    rows = np.concatenate([*classes, np.empty(0, dtype=np.intp)])
    why = why_no_correlation(layer, rows)
    if not why.is_ok or not (why := why_no_spread(layer, classes)).is_ok:
        return Measured(NAN, NO_INFLUENCE, why)
    estimate, fewest = _within(layer, classes), MIN_MEAN_CLASS_SIZE["pearson"]
    sizes = [own.size if model.groups is None else model.groups.take(own).count for own in classes]
    if sum(size**2 for size in sizes) / sum(sizes) < fewest:
        small = Reason.CLASSES_TOO_SMALL if model.groups is None else Reason.FEW_GROUPS_IN_CLASS
        return Measured(estimate, NO_INFLUENCE, small(fewest))
    influence = np.zeros(model.n)
    if model.groups is not None:
        if model.groups.count > MOST_DELETIONS:
            return Measured(estimate, NO_INFLUENCE, Reason.MANY_GROUPS(MOST_DELETIONS))
        influence[rows] = _influence_by_group(layer, classes, model.groups.take(rows), estimate, model.n)
    elif not is_small_enough(units, classes):
        return Measured(estimate, NO_INFLUENCE, Reason.TOO_WIDE(LARGEST))
    else:
        without = pooled_pearson(units, classes, layer.entropy, layer.similarity)[1]
        influence[rows] = (model.n - 1) * (estimate - without)
    if np.isnan(influence).any():
        return Measured(estimate, NO_INFLUENCE, Reason.FEW_CARRY_THE_SPREAD())
    return Measured(estimate, influence - influence.mean())


def _influence_by_group(layer: Layer, classes: list[Any], groups: Groups, estimate: float, n: int) -> Floats:
    """Influences of samples, of which those of a group are equal and give its jackknife the variance by group."""
    assert layer.groups is not None, "asked by group"
    no_blocks = stream(0)  # drawn from for more groups than there are deletions
    (_, within), _ = resampled_by_group(layer, classes, layer.groups, 0, no_blocks, lambda _: no_blocks)
    taken: Floats = (estimate - within[0].ravel()) * n * (groups.count - 1) / groups.count
    return (taken / groups.sizes)[groups.codes]


def _within(layer: Layer, classes: list[Any]) -> float:
    """Pearson's correlation of deviations from the means of the classes, each centered in its own unit."""
    scaled = [in_own_unit(layer.entropy[rows]) for rows in classes]
    unit = max(exponent for _, exponent in scaled)
    x = np.concatenate([layer.similarity[rows] - layer.similarity[rows].mean() for rows in classes])
    y = np.concatenate([in_unit(h - h.mean(), unit - exponent) for h, exponent in scaled])
    return float(np.clip(x @ y / np.sqrt(x @ x) / np.sqrt(y @ y), -1, 1))


def _ece(model: ComparedModel) -> Measured:
    bins = equal_width_bins(model.scores.confidence, ~model.error, n_bins=model.n_bins)
    return Measured(expected_calibration_error(bins), NO_INFLUENCE, Reason.BIASED_BY_BINNING())


MEASURES: Mapping[Metric, Callable[[ComparedModel], Measured]] = {
    Metric.LOG_LOSS: _log_loss,
    Metric.BRIER: lambda model: _mean(model.losses.brier),
    Metric.ROC_AUC: _roc_auc,
    Metric.ERROR_AUROC: _error_auroc,
    Metric.ERROR_AURC: _curve_area("aurc"),
    Metric.ERROR_AUGRC: _curve_area("augrc"),
    Metric.PEARSON_WITHIN: _pearson_within,
    Metric.ECE: _ece,
}
"""Metrics of a classifier beside accuracy, in the order of the table."""
