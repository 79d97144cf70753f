"""Metrics of a classifier with their intervals.

An interval is given where simulation shows that it covers, by gates that the predictions of the test set do not decide:
the expected errors and correct predictions, and the sizes of the classes. Calibration errors have none.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Counts, Floats
from mlx.evaluation.confusion import confusion_metrics, margins
from mlx.evaluation.confusion_errors import SmoothedEstimate, smoothed_estimates
from mlx.evaluation.settings import EvaluationSettings
from mlx.results.metrics import Estimate
from mlx.stats.calibration_scores import CalibrationScores
from mlx.stats.gates import ValidationErrors, expected_errors, why_too_few
from mlx.stats.interval import Interval, degrees_of_freedom, share_interval
from mlx.stats.mean_intervals import mean_interval
from mlx.stats.proportions import wilson_interval
from mlx.stats.row_scores import why_infinite
from mlx.stats.status import OK, Reason, Status

MIN_EXPECTED = 10
"""Fewest expected errors, and fewest expected correct predictions."""

MIN_EXPECTED_CURVE = 5
"""Fewest expected errors of equally weighted classes for a mean over curves."""

MIN_IN_CLASS = 8
MIN_IN_CLASS_CURVE = 10
"""Fewest test samples of each class for what follows from the confusion counts, and from a curve."""

MIN_MEAN_SIZE = 20
"""Fewest test samples for each class for the weighted precision, whose bias is their inverse."""

TOP_K = 5


@dataclass(frozen=True)
class Design:
    """What decides which intervals are given, and their level.

    Attributes
    ----------
    support
        (n_classes,), test samples of each class.
    errors
        Wrong predictions.
    validation
        Errors on the validation samples, or None.
    confidence
        Level of the intervals.
    """

    support: Counts
    errors: int
    validation: ValidationErrors | None
    confidence: float

    @classmethod
    def of(cls, confusion: Counts, settings: EvaluationSettings, validation: ValidationErrors | None) -> "Design":
        """Return the design of a test set with these counts, row true, column predicted."""
        return cls(confusion.sum(axis=1), int(confusion.sum() - np.trace(confusion)), validation, settings.confidence)

    @property
    def n(self) -> int:
        """Test samples."""
        return int(self.support.sum())

    @property
    def few(self) -> Status:
        """`OK`, or that too few errors or correct predictions are expected."""
        return why_too_few(self.errors, self.n, self.validation, MIN_EXPECTED)

    def small(self, least: int) -> Status:
        """`OK`, or that too few errors are expected, or that a class of the test set has fewer than ``least``."""
        fewest = int(self.support[self.support > 0].min())
        return Reason.CLASS_TOO_SMALL(least) if self.few.is_ok and fewest < least else self.few

    def few_of_equal_classes(self, least: int, least_in_class: int) -> Status:
        """`OK`, or that fewer than ``least`` errors are expected where all classes count the same, or one is small.

        Rare classes then decide. With n_c samples of class c, an equal error rate in all classes gives their mean the
        skewness of a proportion of (Σ 1/n_c)³/(Σ 1/n_c²)² samples.
        """
        if not (status := self.small(least_in_class)).is_ok:
            return status
        inverse = 1.0 / self.support[self.support > 0]
        effective = inverse.sum() ** 3 / (inverse**2).sum() ** 2
        wrong = effective * expected_errors(self.errors, self.n, self.validation) / self.n
        return OK if min(wrong, effective - wrong) >= least else Reason.FEW_EXPECTED_OF_EQUAL_CLASSES(least)


def confusion_estimates(confusion: Counts, design: Design) -> dict[str, Estimate]:
    """Return what follows from the confusion counts, with intervals.

    Accuracy, and weighted recall, which equals it, have Wilson's; the others Wilson's for as many samples as give a
    proportion the same standard error. Cohen's kappa and Matthews' correlation x may be negative, so the proportion is
    (1 + x)/2.
    """
    smoothed = smoothed_estimates(confusion) if design.small(MIN_IN_CLASS).is_ok else {}
    accuracy = _proportion(design.n - design.errors, design.n, design.confidence)
    estimates = {}
    for name, value in confusion_metrics(*margins(confusion)).items():
        if name in {"accuracy", "weighted_recall"}:
            estimates[name] = accuracy
        elif not (why := _why_no_interval(name, design)).is_ok:
            estimates[name] = Estimate(value, Interval.missing(why))
        elif name in {"cohen_kappa", "matthews_corrcoef"}:
            half = SmoothedEstimate((1 + smoothed[name].value) / 2, smoothed[name].error / 2)
            interval = effective_wilson_interval(half, design.confidence)
            estimates[name] = Estimate(value, interval.on_scale(lambda share: 2 * share - 1))
        else:
            estimates[name] = Estimate(value, effective_wilson_interval(smoothed[name], design.confidence))
    return estimates


def _why_no_interval(name: str, design: Design) -> Status:
    if name in {"balanced_accuracy", "macro_recall"}:
        return design.few_of_equal_classes(MIN_EXPECTED, MIN_IN_CLASS)
    status = design.small(MIN_IN_CLASS)
    if name == "weighted_precision" and status.is_ok and design.n < MIN_MEAN_SIZE * (design.support > 0).sum():
        return Reason.CLASSES_TOO_SMALL(MIN_MEAN_SIZE)
    return status


def effective_wilson_interval(estimate: SmoothedEstimate, level: float) -> Interval:
    """Wilson's interval of a share for the number of samples that gives a proportion the same standard error."""
    share, error = estimate.value, estimate.error
    if not 0 < share < 1:
        return Interval.missing(Reason.AT_END_OF_RANGE())
    if not np.isfinite(error) or error == 0:
        return Interval.missing(Reason.NO_SPREAD())
    n = share * (1 - share) / error**2
    return wilson_interval(share * n, n, level)


def _proportion(successes: int, n: int, level: float) -> Estimate:
    return Estimate(successes / n, wilson_interval(successes, n, level))


def mean_surprise(surprises: Floats, design: Design) -> Estimate:
    """Return the log loss with its interval, Student's t on the log scale."""
    if not (status := why_infinite(surprises)).is_ok:
        return Estimate.missing(status)
    interval = Interval.missing(design.few)
    if design.few.is_ok:
        interval = mean_interval(surprises, design.confidence, least_effective=0.0)
    return Estimate(float(surprises.mean()), interval)


def mean_brier(scores: Floats, design: Design) -> Estimate:
    """Return the Brier score with its interval: half of it is a share, as no score is above 2."""
    mean = float(scores.mean())
    interval = Interval.missing(design.few)
    if design.few.is_ok:
        half = SmoothedEstimate(mean / 2, float(scores.std(ddof=1)) / 2 / np.sqrt(scores.size))
        interval = effective_wilson_interval(half, design.confidence).on_scale(lambda share: 2 * share)
    return Estimate(mean, interval)


def top_k_accuracy(scores: CalibrationScores, n_classes: int, settings: EvaluationSettings) -> Estimate | None:
    """Return top-5 accuracy with its interval, where there are more classes than five."""
    if n_classes <= TOP_K:
        return None
    return _proportion(int((scores.rank < TOP_K).sum()), scores.rank.size, settings.confidence)


def mean_area(areas: Sequence[float], influence: Floats, design: Design) -> Estimate:
    """Return the mean area under the ROC curves of all classes against their rest, with its interval.

    The interval is smoothed by half an error, as that of an area of error detection is, in every class.

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
    area, positives = np.asarray(areas)[known], design.support[known]
    mean = float(np.mean(area))
    if not (why := design.few_of_equal_classes(MIN_EXPECTED_CURVE, MIN_IN_CLASS_CURVE)).is_ok:
        return Estimate(mean, Interval.missing(why))
    negatives = design.n - positives
    smoothed = (area * positives * negatives + 0.5) / (positives * negatives + 1)
    added = (smoothed * (1 - smoothed) / 3 * (1 / positives**2 + 1 / negatives**2)).sum()
    error = float(np.sqrt(influence @ influence / design.n**2 + added)) / area.size
    df = degrees_of_freedom(influence)
    return Estimate(mean, share_interval(float(smoothed.mean()), error, design.confidence, df=df))


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
    if not (why := design.few_of_equal_classes(MIN_EXPECTED_CURVE, MIN_IN_CLASS_CURVE)).is_ok:
        return Estimate(mean, Interval.missing(why))
    influence = influence / known.sum()
    deviation = influence - influence.mean()
    error = float(np.sqrt(deviation @ deviation / (design.n * (design.n - 1))))
    unbiased = mean + float(influence.mean())
    df = degrees_of_freedom(deviation)
    return Estimate(mean, share_interval(unbiased, error, design.confidence, df=df))
