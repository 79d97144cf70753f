"""Metrics of a classifier with their intervals.

An interval is given where simulation shows that it covers, by gates that the predictions of the test set do not decide:
the expected errors and correct predictions, and the sizes of the classes. Calibration errors have none.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from mlx.core.array_types import Counts, Flags, Floats, Integers
from mlx.evaluation.confusion import confusion_metrics, margins
from mlx.evaluation.confusion_errors import Slopes, SmoothedEstimate, smoothed_estimates
from mlx.evaluation.design import (
    MIN_EXPECTED,
    MIN_EXPECTED_AREAS,
    MIN_EXPECTED_CURVE,
    MIN_IN_CLASS,
    Design,
)
from mlx.results.metrics import Estimate
from mlx.stats.calibration_scores import CalibrationScores
from mlx.stats.groups import proportion_by_group
from mlx.stats.interval import Interval, share_interval
from mlx.stats.mean_intervals import mean_interval
from mlx.stats.proportions import wilson_interval
from mlx.stats.row_scores import why_infinite
from mlx.stats.status import Reason, Status

TOP_K = 5

IN_SMALL_CLASSES = "conservative in many small classes"
OF_COMMON_CLASSES = "conservative where common classes alone have errors"
OF_FEW_LOSSES = "conservative in some 100 samples and fewer"
"""What is said of an interval that covers more than its level."""

OF_SMALL_CLASSES = {"weighted_f1", "cohen_kappa", "matthews_corrcoef", "roc_auc", "average_precision"}
"""Metrics whose intervals are conservative with many small classes."""

FEW_LOSSES = 150
"""Samples below which the correction for skewness makes the interval of a mean loss conservative."""

OF_EQUAL_CLASSES = {"balanced_accuracy", "macro_recall"}
"""Metrics in which rare classes have the weight of common ones."""


def confusion_estimates(confusion: Counts, y_true: Integers, y_pred: Integers, design: Design) -> dict[str, Estimate]:
    """Return what follows from the confusion counts of labels and predictions (n_samples,), with intervals.

    Accuracy, and weighted recall, which equals it, have Wilson's; the others Wilson's for as many samples as give a
    proportion the same standard error. Cohen's kappa and Matthews' correlation x may be negative, so the proportion is
    (1 + x)/2.
    """

    def effect(slopes: Slopes) -> float:
        return design.effect(slopes.influence(y_true, y_pred))

    smoothed = smoothed_estimates(confusion, effect) if design.small(MIN_IN_CLASS).is_ok else {}
    accuracy = _proportion(y_true == y_pred, design)
    estimates = {}
    for name, value in confusion_metrics(*margins(confusion)).items():
        if name in {"accuracy", "weighted_recall"}:
            estimates[name] = accuracy
        elif not (why := _why_no_interval(name, design)).is_ok:
            estimates[name] = Estimate(value, Interval.missing(why))
        elif name in {"cohen_kappa", "matthews_corrcoef"}:
            half = SmoothedEstimate((1 + smoothed[name].value) / 2, smoothed[name].error / 2)
            interval = _interval_of_share(half, design).on_scale(lambda share: 2 * share - 1)
            estimates[name] = Estimate(value, _noting_conservative(interval, name, design))
        else:
            of_equal = MIN_EXPECTED if name in OF_EQUAL_CLASSES else 0.0
            interval = _interval_of_share(smoothed[name], design, of_equal=of_equal)
            estimates[name] = Estimate(value, _noting_conservative(interval, name, design))
    return estimates


def _noting_conservative(interval: Interval, name: str, design: Design) -> Interval:
    """Return an interval whose method says where it is conservative, by the sizes of the classes."""
    said = ""
    if name in OF_EQUAL_CLASSES and design.effective_of_equal_classes < design.n / 2:
        said = OF_COMMON_CLASSES
    elif name in OF_SMALL_CLASSES and not design.why_biased().is_ok:
        said = IN_SMALL_CLASSES
    return _labeled(interval, said)


def _labeled(interval: Interval, said: str) -> Interval:
    if not said or not interval.why_missing.is_ok:
        return interval
    return replace(interval, method="; ".join(filter(None, (said, interval.method))))


def _interval_of_share(
    estimate: SmoothedEstimate, design: Design, *, of_equal: float = 0.0, loss: bool = False
) -> Interval:
    wilson = partial(effective_wilson_interval, estimate, design)
    return design.given(wilson, MIN_EXPECTED, of_equal=of_equal, loss=loss)


def _why_no_interval(name: str, design: Design) -> Status:
    if name in OF_EQUAL_CLASSES:
        return design.few_of_equal_classes(MIN_EXPECTED, MIN_IN_CLASS)
    status = design.small(MIN_IN_CLASS)
    return design.why_biased() if name == "weighted_precision" and status.is_ok else status


def effective_wilson_interval(estimate: SmoothedEstimate, design: Design, level: float) -> Interval:
    """Wilson's interval of a share for the number of samples that gives a proportion the same standard error.

    By group, it is divided by (t_{G−1}/t_{n−1})², as that of a proportion is.
    """
    share, error = estimate.value, estimate.error
    if not 0 < share < 1:
        return Interval.missing(Reason.AT_END_OF_RANGE())
    if not np.isfinite(error) or error == 0:
        return Interval.missing(Reason.NO_SPREAD())
    n = share * (1 - share) / error**2 / design.inflation(level)
    return wilson_interval(share * n, n, level)


def _proportion(successes: Flags, design: Design) -> Estimate:
    share = float(successes.mean())
    if not (why := design.few_in_groups).is_ok:
        return Estimate(share, Interval.missing(why))
    if design.groups is not None:
        return Estimate(share, proportion_by_group(successes, design.groups, design.confidence).interval)
    return Estimate(share, wilson_interval(int(successes.sum()), successes.size, design.confidence))


def mean_surprise(surprises: Floats, design: Design) -> Estimate:
    """Return the log loss with its interval."""
    if not (status := why_infinite(surprises)).is_ok:
        return Estimate.missing(status)
    interval = Interval.missing(design.few)
    if design.few.is_ok:
        mean = partial(mean_interval, surprises, groups=design.groups)
        interval = design.given(mean, MIN_EXPECTED, loss=True)
        interval = _labeled(interval, OF_FEW_LOSSES if design.n < FEW_LOSSES else "")
    return Estimate(float(surprises.mean()), interval)


def mean_brier(scores: Floats, design: Design) -> Estimate:
    """Return the Brier score with its interval: half of it is a share, as no score is above 2."""
    mean = float(scores.mean())
    interval = Interval.missing(design.few)
    if design.few.is_ok:
        effect = design.effect(scores - mean)
        half = SmoothedEstimate(mean / 2, float(scores.std(ddof=1)) / 2 / np.sqrt(scores.size / effect))
        interval = _interval_of_share(half, design, loss=True).on_scale(lambda share: 2 * share)
    return Estimate(mean, interval)


def top_k_accuracy(scores: CalibrationScores, design: Design) -> Estimate | None:
    """Return top-5 accuracy with its interval, where there are more classes than five."""
    return None if design.support.size <= TOP_K else _proportion(scores.rank < TOP_K, design)


def mean_area(areas: Sequence[float], influence: Floats, design: Design) -> Estimate:
    """Return the mean area under the ROC curves of all classes against their rest, with its interval.

    The interval is smoothed by half an error, as that of an area of error detection is, in every class; by group, with
    as many samples as those of a class are worth by the design effect.

    Parameters
    ----------
    areas
        n_classes areas, NaN where undefined.
    influence
        (n_samples,), summed over the classes that have an area.
    design
        Class sizes, errors and level.
    """
    known = ~np.isnan(areas)
    if not known.any():
        return Estimate.missing(Reason.ONE_CLASS_TESTED())
    area = np.asarray(areas)[known]
    mean = float(np.mean(area))
    if not (why := design.few_of_areas()).is_ok:
        return Estimate(mean, Interval.missing(why))
    worth = 1 / design.effect(influence)
    positives, negatives = design.support[known] * worth, (design.n - design.support[known]) * worth
    smoothed = (area * positives * negatives + 0.5) / (positives * negatives + 1)
    added = (smoothed * (1 - smoothed) / 3 * (1 / positives**2 + 1 / negatives**2)).sum()
    error = float(np.sqrt(design.variance(influence) + added)) / area.size
    df = design.freedom(influence)
    return Estimate(mean, _interval_of_areas("roc_auc", float(smoothed.mean()), error, df, design))


def mean_average_precision(values: Sequence[float], influence: Floats, design: Design) -> Estimate:
    """Return the mean average precision of all classes against their rest, with its jackknife interval.

    Parameters
    ----------
    values
        n_classes average precisions, NaN where undefined.
    influence
        (n_samples,), by the jackknife, summed over the classes; its mean is minus the bias.
    design
        Class sizes, errors and level.
    """
    known = ~np.isnan(values)
    if known.sum() < 2:
        return Estimate.missing(Reason.ONE_CLASS_TESTED())
    mean = float(np.mean(np.asarray(values)[known]))
    if not (why := design.few_of_areas()).is_ok:
        return Estimate(mean, Interval.missing(why))
    influence = influence / known.sum()
    deviation = influence - influence.mean()
    error = float(np.sqrt(design.variance(deviation)))
    if design.groups is None:
        error *= float(np.sqrt(design.n / (design.n - 1)))
    unbiased = mean + float(influence.mean())
    return Estimate(mean, _interval_of_areas("average_precision", unbiased, error, design.freedom(deviation), design))


def _interval_of_areas(name: str, mean: float, error: float, df: float, design: Design) -> Interval:
    share = partial(share_interval, mean, error, df=df)
    return _noting_conservative(design.given(share, MIN_EXPECTED_AREAS, of_equal=MIN_EXPECTED_CURVE), name, design)
