"""Measures the runs of a cell on the test samples that they share."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from math import inf

import numpy as np

from mlx.core.array_types import Floats
from mlx.evaluation.calibration import equal_width_bins
from mlx.evaluation.settings import EvaluationSettings
from mlx.pipeline.model_outputs import ModelOutputs
from mlx.results.comparison import Metric
from mlx.runs.compared_model import MEASURES, ComparedModel, Measured
from mlx.runs.compared_regression import measure_regressions
from mlx.stats.gates import why_too_few
from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason, Status
from mlx.studies.values import MetricValues

MIN_EXPECTED_ERRORS = 4
"""Fewest expected errors, and expected correct predictions, of each run for an interval of accuracy over seeds."""


def measure_cell(
    outputs: Sequence[ModelOutputs], *, n_bins: int | None = None, groups: Groups | None = None
) -> dict[Metric, MetricValues]:
    """Measure every metric of the task of the runs of one cell.

    Parameters
    ----------
    outputs
        What each run recorded of its test samples, in the order of the seeds. Where the runs do not share their test
        samples, the values have no influences: inference is by split or data.
    n_bins
        Bins of the calibration error; by default those of the evaluation.
    groups
        Which of the samples belong together; None where each is its own. Samples are then replaced by their groups.
    """
    n_bins = EvaluationSettings().n_bins if n_bins is None else n_bins
    shared = len({samples_of(one) for one in outputs}) == 1
    regression = outputs[0].task == "regression"
    found = _regressions(outputs, shared=shared) if regression else _classifiers(outputs, n_bins, groups, shared=shared)
    samples, agree = samples_of(outputs[0]) if shared else "", shared and _agree(outputs)
    return {
        metric: _by_group(replace(values, samples=samples, agree=agree), groups) for metric, values in found.items()
    }


def measure_ensemble(
    outputs: ModelOutputs, scores: Mapping[str, Floats], n_bins: int, groups: Groups | None = None
) -> dict[str, MetricValues]:
    """Measure one classifier that is made of others, by what its probabilities say, and by further scores of failure.

    Parameters
    ----------
    outputs
        Of the ensemble on the test samples.
    scores
        (n,) each, by name, higher where it is less certain.
    n_bins
        Bins of the calibration error.
    groups
        Which of the samples belong together; None where each is its own.
    """
    n = len(outputs.y_true)
    model = ComparedModel(outputs, np.arange(n), n_bins, groups)
    measured = {Metric.ACCURACY: _accuracy(model)}
    measured |= {metric: model.measure(metric) for metric in MEASURES if metric not in OF_LAYERS}
    measured[Metric.ECE], bias = _ece(model)
    values = {str(metric): _together(metric, [one], n, shared=True) for metric, one in measured.items()}
    values[Metric.ECE] = replace(values[Metric.ECE], bias=np.array([bias]))
    values[Metric.ACCURACY] = replace(values[Metric.ACCURACY], is_proportion=True)
    rankings = {f"error_auroc_{name}": model.measure_ranking(score) for name, score in scores.items()}
    values |= {name: _together(Metric.ERROR_AUROC, [one], n, shared=True) for name, one in rankings.items()}
    return {name: _by_group(one, groups) for name, one in values.items()}


OF_LAYERS = frozenset({Metric.PEARSON_WITHIN})
"""Metrics of a representation, of which an ensemble has none."""


def _agree(outputs: Sequence[ModelOutputs]) -> bool:
    """Whether all runs predict the same, as those of a model without randomness do."""
    predicted = [one.y_pred if one.probabilities is None else one.probabilities for one in outputs]
    return all(np.array_equal(each, predicted[0]) for each in predicted[1:])


def samples_of(outputs: ModelOutputs) -> str:
    """Return what identifies the test samples of a run: their rows in the raw data, and their targets."""
    rows, targets = (np.ascontiguousarray(values) for values in (outputs.index, outputs.y_true))
    return sha256(rows.astype(np.int64).tobytes() + targets.astype(np.float64).tobytes()).hexdigest()


def _by_group(values: MetricValues, groups: Groups | None) -> MetricValues:
    if groups is None or not values.n_samples:
        return values
    why = groups.why_too_few if values.why.is_ok else values.why
    by_group = values.table.by_group(groups).influence
    return replace(values, influence=by_group, why=why, is_proportion=False, n_carrying=inf)


def _classifiers(
    outputs: Sequence[ModelOutputs], n_bins: int, groups: Groups | None, *, shared: bool
) -> Mapping[Metric, MetricValues]:
    found: dict[Metric, list[Measured]] = {metric: [] for metric in (Metric.ACCURACY, *MEASURES)}
    biases = []
    for one in outputs:
        model = ComparedModel(one, np.arange(len(one.y_true)), n_bins, groups)
        found[Metric.ACCURACY].append(_accuracy(model))
        for metric in MEASURES:
            found[metric].append(model.measure(metric))
        found[Metric.ECE][-1], bias = _ece(model)
        biases.append(bias)
    n = len(outputs[0].y_true)
    values = {metric: _together(metric, measured, n, shared=shared) for metric, measured in found.items()}
    values[Metric.ECE] = replace(values[Metric.ECE], bias=np.array(biases))
    values[Metric.ACCURACY] = replace(values[Metric.ACCURACY], is_proportion=shared)
    return values


def _regressions(outputs: Sequence[ModelOutputs], *, shared: bool) -> Mapping[Metric, MetricValues]:
    found: dict[Metric, list[Measured]] = {Metric.MAE: [], Metric.RMSE: [], Metric.R2: []}
    for one in outputs:
        true, predicted = (np.asarray(values, dtype=np.float64) for values in (one.y_true, one.y_pred))
        measured = measure_regressions(true, (predicted,))
        for metric, each in measured.models[0].items():
            estimate = float(measured.as_they_are(metric, each.estimate))
            influence = measured.as_they_are(metric, each.influence)
            if not (np.isfinite(influence).all() and not np.isinf(estimate)):
                estimate, influence, each = float("nan"), np.empty(0), replace(each, why=Reason.BEYOND_RANGE())
            found[metric].append(replace(each, estimate=estimate, influence=influence))
    n = len(outputs[0].y_true)
    return {metric: _together(metric, measured, n, shared=shared) for metric, measured in found.items()}


def _together(metric: Metric, measured: Sequence[Measured], n: int, *, shared: bool) -> MetricValues:
    """Put the metrics of all runs into one, with the reason of the first run that has one."""
    reasons = sorted((one for one in measured if not one.why.is_ok), key=lambda one: not np.isnan(one.estimate))
    why: Status = reasons[0].why if reasons else OK
    influence = np.zeros((len(measured), n if shared else 0))
    if shared and all(one.influence.size == n for one in measured):
        influence = np.stack([one.influence - one.estimate if one.is_mean else one.influence for one in measured])
    estimates, carrying = np.array([one.estimate for one in measured]), min(one.n_carrying for one in measured)
    return MetricValues(metric, estimates, influence, why, n_carrying=carrying)


def _accuracy(model: ComparedModel) -> Measured:
    """Share of correct predictions; few errors have no interval over seeds."""
    right: Floats = (~model.error).astype(np.float64)
    why = why_too_few(int(model.error.sum()), model.n, model.recorded.validation, MIN_EXPECTED_ERRORS)
    return Measured(float(right.mean()), right, why, is_mean=True)


def _ece(model: ComparedModel) -> tuple[Measured, float]:
    """ECE with influences at the signs of its bins as they are, and the mean of what noise adds at most.

    The ECE of the population is the largest of Σ_b s_b·E[d 1_b] over signs s, with d = confidence − correct. The signs
    that attain it, fixed, have in the sample at most the estimate: so an upper limit by the influences d·s − ECE holds.
    Noise adds at most Σ_b |noise_b|, whose mean, √(2/π)·Σ_b sd_b/n, is taken off the lower limit.
    """
    confidence = np.minimum(model.scores.confidence, 1.0)
    bins = equal_width_bins(confidence, ~model.error, n_bins=model.n_bins)
    place = np.clip(np.searchsorted(bins.upper, confidence, side="left"), 0, model.n_bins - 1)
    gap = confidence - ~model.error
    signed = gap * np.sign(np.nan_to_num(bins.confidence - bins.accuracy))[place]
    centered = gap - np.nan_to_num(bins.confidence - bins.accuracy)[place]
    noise = np.sqrt(np.bincount(place, weights=centered**2, minlength=model.n_bins)).sum() / model.n
    return Measured(float(signed.mean()), signed, is_mean=True), float(np.sqrt(2 / np.pi) * noise)
