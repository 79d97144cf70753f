"""The metrics of a classifier with their intervals: the content of ``metrics/evaluation.json``.

An interval ``x_low``, ``x_high`` is None where none covers: what follows from the confusion counts needs ten
errors, ten correct predictions and five samples of every class in the test set; the area under the ROC curve
ten of every class; losses a mean that does not hang on a few samples. Calibration errors never have one. Beside
each None stands ``x_status``, which says why.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from mlx.core.array_types import Counts, Floats
from mlx.core.log_scores import infinite_status
from mlx.core.streams import stream
from mlx.evaluation.calibration import (
    debiased_calibration_error,
    ece_if_calibrated,
    expected_calibration_error,
    maximum_calibration_error,
    root_mean_square_calibration_error,
)
from mlx.evaluation.calibration_tests import excess_surprise_test, spiegelhalter_test
from mlx.evaluation.confusion import bootstrap_errors, confusion_metrics
from mlx.evaluation.settings import EvaluationSettings
from mlx.stats.calibration_scores import CalibrationScores
from mlx.stats.interval import Interval, share_interval
from mlx.stats.mean_intervals import mean_interval
from mlx.stats.proportions import wilson_interval
from mlx.stats.status import OK, Reason, Status

Metrics = dict[str, float | int | str | None]

MIN_EACH = 10
MIN_IN_CLASS = 5
MIN_IN_CLASS_ROC = 10
TOP_K = 5

CONFUSION_STREAM, CALIBRATION_STREAM = 1, 2
"""Random streams that don't disturb each other, from one seed. The numbers are part of every result."""


def with_interval(name: str, estimate: float | None, interval: Interval) -> Metrics:
    """Return a metric and the ends of its interval under the keys that a metrics file expects.

    Where one of them is None, ``<name>_status`` says why.
    """
    given = interval.why_missing.is_ok
    low, high = (interval.low, interval.high) if given else (None, None)
    status = interval.why_missing if estimate is None else interval.status
    metrics: Metrics = {name: estimate, f"{name}_low": low, f"{name}_high": high}
    return metrics if given else metrics | {f"{name}_status": str(status)}


def counted_metrics(confusion: Counts, settings: EvaluationSettings) -> Metrics:
    """Return what follows from the confusion counts, with intervals.

    Accuracy has Wilson's; the rest a bootstrap's standard error, normal on the logit scale, for Cohen's kappa
    and Matthews' correlation of (1 + x)/2, as both may be negative.
    """
    n, hits = int(confusion.sum()), int(np.trace(confusion))
    support = confusion.sum(axis=1)
    generator = stream(settings.seed, CONFUSION_STREAM)
    errors = bootstrap_errors(confusion, n_bootstrap=settings.n_bootstrap, generator=generator)
    why_undefined = _why_no_interval(hits, n - hits, int(support[support > 0].min()))
    metrics: Metrics = {"n": n, "confidence": settings.confidence}
    for name, estimate in confusion_metrics(confusion).items():
        if name == "accuracy":
            interval = Interval(*wilson_interval(hits, n, settings.confidence), settings.confidence)
        elif not why_undefined.is_ok:
            interval = Interval.missing(why_undefined)
        elif name in {"cohen_kappa", "matthews_corrcoef"}:
            interval = share_interval((1 + estimate) / 2, errors[name] / 2, settings.confidence)
            interval = interval.on_scale(lambda share: 2 * share - 1)
        else:
            interval = share_interval(estimate, errors[name], settings.confidence)
        metrics |= with_interval(name, estimate, interval)
    return metrics


def _why_no_interval(n_right: int, n_wrong: int, n_rarest: int) -> Status:
    """Why what follows from the confusion counts has no interval."""
    if n_wrong < MIN_EACH:
        return Reason.FEW_ERRORS(MIN_EACH)
    if n_right < MIN_EACH:
        return Reason.FEW_CORRECT(MIN_EACH)
    return OK if n_rarest >= MIN_IN_CLASS else Reason.CLASS_TOO_SMALL(MIN_IN_CLASS)


def scored_metrics(scores: CalibrationScores, n_classes: int, settings: EvaluationSettings) -> Metrics:
    """Return log loss and Brier score with intervals, and top-5 accuracy where there are more classes than five."""
    metrics: Metrics = {}
    for name, values in (("log_loss", scores.surprise), ("brier", scores.brier)):
        if infinite := infinite_status(values):
            metrics |= with_interval(name, None, Interval.missing(Status.parse(infinite)))
        else:
            metrics |= with_interval(name, float(values.mean()), mean_interval(values, settings.confidence))
    if n_classes > TOP_K:
        hits, n = int((scores.rank < TOP_K).sum()), scores.rank.size
        interval = Interval(*wilson_interval(hits, n, settings.confidence), settings.confidence)
        metrics |= with_interval(f"top_{TOP_K}_accuracy", hits / n, interval)
    return metrics


def area_metrics(
    areas: Sequence[float | None], influence: Floats, support: Counts, settings: EvaluationSettings
) -> Metrics:
    """Return the mean area under the ROC curves of all classes against their rest, with its interval.

    Parameters
    ----------
    areas
        n_classes areas, None where undefined.
    influence
        (n_samples,), summed over the classes that have an area.
    support
        (n_classes,), samples of each class.
    settings
        The confidence level.
    """
    defined = [area for area in areas if area is not None]
    if not defined:
        return with_interval("roc_auc", None, Interval.missing(Reason.ONE_CLASS_TESTED()))
    n, mean = influence.size, float(np.mean(defined))
    sizes = np.minimum(support, n - support)[[area is not None for area in areas]]
    fewest = int(sizes.min())
    if fewest < MIN_IN_CLASS_ROC:
        return with_interval("roc_auc", mean, Interval.missing(Reason.CLASS_OR_REST_TOO_SMALL(MIN_IN_CLASS_ROC)))
    error = float(np.sqrt(influence @ influence)) / n / len(defined)
    return with_interval("roc_auc", mean, share_interval(mean, error, settings.confidence, df=fewest - 1.0))


def calibration_metrics(
    confidence: Floats,
    scores: CalibrationScores,
    tables: tuple[pd.DataFrame, pd.DataFrame],
    settings: EvaluationSettings,
) -> Metrics:
    """Return calibration errors, that of a calibrated model beside them, and two tests of calibration.

    Parameters
    ----------
    confidence
        (n_samples,), probability given to the predicted class.
    scores
        Scores of the same samples.
    tables
        Reliability in equal-width and in equal-mass bins.
    settings
        Bins, draws and seed.
    """
    by_width, by_mass = tables
    generator = stream(settings.seed, CALIBRATION_STREAM)
    drawn = ece_if_calibrated(confidence, n_bins=settings.n_bins, n_draws=settings.n_bootstrap, generator=generator)
    ece = expected_calibration_error(by_width)
    reached = int((drawn >= ece - 1e-12).sum())
    expected_errors = float(np.maximum(1 - confidence, 0.0).sum())
    spiegelhalter = spiegelhalter_test(scores, expected_errors)
    excess = excess_surprise_test(scores, expected_errors)
    metrics: Metrics = {
        "ece": ece,
        "ece_if_calibrated": float(drawn.mean()),
        "ece_p": (1 + reached) / (1 + drawn.size),
        "ece_equal_mass": expected_calibration_error(by_mass),
        "rmsce": root_mean_square_calibration_error(by_width),
        "rmsce_debiased": debiased_calibration_error(by_width),
        "mce": maximum_calibration_error(by_width),
        "spiegelhalter_z": spiegelhalter.z,
        "spiegelhalter_p": spiegelhalter.p,
        "excess_surprise_z": excess.z,
        "excess_surprise_p": excess.p,
    }
    for name, test in (("spiegelhalter", spiegelhalter), ("excess_surprise", excess)):
        for key, value in ((f"{name}_z", test.z), (f"{name}_p", test.p)):
            metrics |= {f"{key}_status": test.status} if value is None else {}
    return metrics
