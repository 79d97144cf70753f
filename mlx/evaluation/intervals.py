"""Metrics of a classifier with their intervals.

An interval is given where simulation shows that it covers: what follows from the confusion counts needs ten errors, ten
correct predictions and five samples of every class in the test set; the area under the ROC curve ten of every class;
losses a mean that does not depend on a few samples. Calibration errors have none.
"""

from collections.abc import Sequence

import numpy as np

from mlx.core.array_types import Counts, Floats
from mlx.core.streams import stream
from mlx.evaluation.confusion import bootstrap_errors, confusion_metrics
from mlx.evaluation.settings import EvaluationSettings
from mlx.results.metrics import Estimate
from mlx.stats.calibration_scores import CalibrationScores
from mlx.stats.gates import ValidationErrors, expected_errors
from mlx.stats.interval import Interval, share_interval
from mlx.stats.mean_intervals import mean_interval
from mlx.stats.proportions import wilson_interval
from mlx.stats.row_scores import why_infinite
from mlx.stats.status import OK, Reason, Status

MIN_EACH = 10
MIN_IN_CLASS = 5
MIN_IN_CLASS_ROC = 10
TOP_K = 5

CONFUSION_STREAM = 1
"""Number of the random stream; part of every result."""


def confusion_estimates(
    confusion: Counts, settings: EvaluationSettings, validation: ValidationErrors | None = None
) -> dict[str, Estimate]:
    """Return what follows from the confusion counts, with intervals.

    Accuracy has Wilson's; the rest a bootstrap's standard error, normal on the logit scale, for Cohen's kappa
    and Matthews' correlation of (1 + x)/2, as both may be negative.
    """
    n, hits = int(confusion.sum()), int(np.trace(confusion))
    support = confusion.sum(axis=1)
    generator = stream(settings.seed, CONFUSION_STREAM)
    errors = bootstrap_errors(confusion, n_bootstrap=settings.n_bootstrap, generator=generator)
    why_missing = _why_no_interval(expected_errors(n - hits, n, validation), n, int(support[support > 0].min()))
    estimates = {}
    for name, value in confusion_metrics(confusion).items():
        if name == "accuracy":
            interval = _proportion(hits, n, settings).interval
        elif not why_missing.is_ok:
            interval = Interval.missing(why_missing)
        elif name in {"cohen_kappa", "matthews_corrcoef"}:
            interval = share_interval((1 + value) / 2, errors[name] / 2, settings.confidence)
            interval = interval.on_scale(lambda share: 2 * share - 1)
        else:
            interval = share_interval(value, errors[name], settings.confidence)
        estimates[name] = Estimate(value, interval)
    return estimates


def _why_no_interval(wrong: float, n: int, n_rarest: int) -> Status:
    """Why what follows from the confusion counts has no interval, for `wrong` expected errors of n samples."""
    if wrong < MIN_EACH:
        return Reason.FEW_EXPECTED_ERRORS(MIN_EACH)
    if n - wrong < MIN_EACH:
        return Reason.FEW_CORRECT(MIN_EACH)
    return OK if n_rarest >= MIN_IN_CLASS else Reason.CLASS_TOO_SMALL(MIN_IN_CLASS)


def _proportion(successes: int, n: int, settings: EvaluationSettings) -> Estimate:
    return Estimate(successes / n, wilson_interval(successes, n, settings.confidence))


def mean_loss(losses: Floats, settings: EvaluationSettings) -> Estimate:
    """Return the mean of losses (n_samples,) with its interval."""
    if not (status := why_infinite(losses)).is_ok:
        return Estimate.missing(status)
    return Estimate(float(losses.mean()), mean_interval(losses, settings.confidence))


def top_k_accuracy(scores: CalibrationScores, n_classes: int, settings: EvaluationSettings) -> Estimate | None:
    """Return top-5 accuracy with its interval, where there are more classes than five."""
    if n_classes <= TOP_K:
        return None
    return _proportion(int((scores.rank < TOP_K).sum()), scores.rank.size, settings)


def mean_area(areas: Sequence[float], influence: Floats, support: Counts, settings: EvaluationSettings) -> Estimate:
    """Return the mean area under the ROC curves of all classes against their rest, with its interval.

    Parameters
    ----------
    areas
        n_classes areas, NaN where undefined.
    influence
        (n_samples,), summed over the classes that have an area.
    support
        (n_classes,), samples of each class.
    settings
        The confidence level.
    """
    defined = ~np.isnan(areas)
    if not defined.any():
        return Estimate.missing(Reason.ONE_CLASS_TESTED())
    n, mean = influence.size, float(np.mean(np.asarray(areas)[defined]))
    fewest = int(np.minimum(support, n - support)[defined].min())
    if fewest < MIN_IN_CLASS_ROC:
        return Estimate(mean, Interval.missing(Reason.CLASS_OR_REST_TOO_SMALL(MIN_IN_CLASS_ROC)))
    error = float(np.sqrt(influence @ influence)) / n / int(defined.sum())
    return Estimate(mean, share_interval(mean, error, settings.confidence, df=fewest - 1.0))
