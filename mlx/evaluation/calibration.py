"""Does a confidence of 80 % mean right in 80 % of the cases? Reliability tables and calibration errors."""

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.streams import stream
from mlx.evaluation.settings import EvaluationSettings
from mlx.results.evaluation_tables import ReliabilityBins
from mlx.results.metrics import Estimate
from mlx.stats.interval import NAN, Interval
from mlx.stats.status import Reason

CALIBRATION_STREAM = 2
"""Number of the random stream; part of every result."""


def equal_width_bins(confidence: Floats, correct: Flags, *, n_bins: int) -> ReliabilityBins:
    """Mean confidence and accuracy in ``n_bins`` equal-width bins (lower, upper]; 0 falls into the first.

    Parameters
    ----------
    confidence
        (n_samples,), probability given to the predicted class, in [0, 1].
    correct
        (n_samples,), whether the prediction was right.
    n_bins
        At least 1.
    """
    return _binned(confidence, correct, np.linspace(0.0, 1.0, n_bins + 1))


def equal_mass_bins(confidence: Floats, correct: Flags, *, n_bins: int) -> ReliabilityBins:
    """Return the same in up to ``n_bins`` bins of equally many samples.

    Equal confidences share a bin, so that the order of the rows never matters; where there are many, bins
    are fewer. A bin's ``upper`` is its largest confidence, its ``lower`` that of the bin before.
    """
    ordered = np.sort(confidence)
    last = np.ceil(np.arange(1, n_bins + 1) * ordered.size / n_bins).astype(np.intp) - 1
    edges = np.unique(ordered[np.maximum(last, 0)])
    return _binned(confidence, correct, np.concatenate([[0.0 if edges[0] > 0 else -1.0], edges]))


def _binned(confidence: Floats, correct: Flags, edges: Floats) -> ReliabilityBins:
    n_bins = edges.size - 1
    bins = _bins(confidence, edges)
    count = np.bincount(bins, minlength=n_bins)
    total = np.full(n_bins, np.nan)
    np.copyto(total, count, where=count > 0)
    return ReliabilityBins(
        bin=np.arange(n_bins),
        lower=np.maximum(edges[:-1], 0.0),
        upper=edges[1:],
        count=count,
        confidence=np.bincount(bins, weights=confidence, minlength=n_bins) / total,
        accuracy=np.bincount(bins, weights=correct, minlength=n_bins) / total,
    )


def _bins(confidence: Floats, edges: Floats) -> Integers:
    # A row may exceed 1 by its rounding; it belongs to the last bin.
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, edges.size - 2)


def expected_calibration_error(reliability: ReliabilityBins) -> float:
    """ECE: count-weighted mean of |accuracy − confidence| over the bins, in [0, 1], lower is better.

    Source: Naeini, Cooper & Hauskrecht (2015). Biased upwards: a perfectly calibrated model has not 0, see
    `ece_if_calibrated`. It has no interval: near 0 its law is that of a sum of absolute noise, which no
    resampling of the data centers on the truth.
    """
    gap, count = _gaps(reliability)
    return float((np.abs(gap) * count).sum() / count.sum())


def root_mean_square_calibration_error(reliability: ReliabilityBins) -> float:
    """Root of the count-weighted mean of (accuracy − confidence)² over the bins, in [0, 1], biased upwards."""
    gap, count = _gaps(reliability)
    return float(np.sqrt((gap**2 * count).sum() / count.sum()))


def maximum_calibration_error(reliability: ReliabilityBins) -> float:
    """MCE: largest |accuracy − confidence| of any bin, in [0, 1], biased upwards."""
    return float(np.abs(_gaps(reliability)[0]).max())


def debiased_calibration_error(reliability: ReliabilityBins) -> float:
    """Root-mean-square calibration error less its noise, in [0, 1] (Kumar, Liang & Ma 2019).

    From the squared gap of each bin the sampling variance accuracy·(1 − accuracy)/(count − 1) is taken off;
    bins of one sample, of which nothing is known, are left out. 0 where noise alone explains the gaps.
    """
    filled = reliability.count > 1
    count, accuracy = reliability.count[filled], reliability.accuracy[filled]
    gap = accuracy - reliability.confidence[filled]
    square = ((gap**2 - accuracy * (1 - accuracy) / (count - 1)) * count).sum() / reliability.count.sum()
    return float(np.sqrt(max(0.0, square)))


def _gaps(reliability: ReliabilityBins) -> tuple[Floats, Floats]:
    filled = reliability.count > 0
    return (reliability.accuracy - reliability.confidence)[filled], reliability.count[filled].astype(np.float64)


def ece_if_calibrated(confidence: Floats, *, n_bins: int, n_draws: int, generator: np.random.Generator) -> Floats:
    """ECE (n_draws,) of labels drawn from the confidences themselves: what noise alone makes of it at this n.

    Parameters
    ----------
    confidence
        (n_samples,), probability given to the predicted class.
    n_bins
        Equal-width bins.
    n_draws
        Sets of labels.
    generator
        Where they are drawn from.
    """
    order = np.argsort(confidence, kind="stable")
    chance = np.minimum(confidence[order], 1.0)
    bins = _bins(chance, np.linspace(0.0, 1.0, n_bins + 1))
    starts = np.unique(bins, return_index=True)[1]
    expected = np.add.reduceat(chance, starts)
    errors = np.empty(n_draws)
    for draws in row_blocks(n_draws, chance.size):
        right = generator.random((draws.stop - draws.start, chance.size)) < chance
        found = np.add.reduceat(right, starts, axis=1, dtype=np.float64)
        errors[draws] = np.abs(found - expected).sum(axis=1) / chance.size
    return errors


def calibration_errors(
    confidence: Floats,
    by_width: ReliabilityBins,
    by_mass: ReliabilityBins,
    settings: EvaluationSettings,
    *,
    by_group: bool = False,
) -> dict[str, float | Estimate | str]:
    """Return every calibration error, and the mean and p-value under perfect calibration of the first.

    Parameters
    ----------
    confidence
        (n_samples,), probability given to the predicted class.
    by_width, by_mass
        Its bins of equal width, and of equally many samples.
    settings
        Bins, draws and seed.
    by_group
        Whether samples belong together: the errors of labels that are drawn independently are then another's.
    """
    ece = expected_calibration_error(by_width)
    no_interval = Interval.missing(Reason.BIASED_CALIBRATION())
    return {
        "ece": Estimate(ece, no_interval),
        **(_NOT_BY_GROUP if by_group else _chance_of(ece, confidence, settings)),
        "ece_equal_mass": expected_calibration_error(by_mass),
        "rmsce": root_mean_square_calibration_error(by_width),
        "rmsce_debiased": Estimate(debiased_calibration_error(by_width), no_interval),
        "mce": maximum_calibration_error(by_width),
    }


_NOT_BY_GROUP: dict[str, float | str] = {
    "ece_if_calibrated": NAN,
    "ece_p": NAN,
    "ece_if_calibrated_status": str(Reason.NOT_BY_GROUP()),
    "ece_p_status": str(Reason.NOT_BY_GROUP()),
}


def _chance_of(ece: float, confidence: Floats, settings: EvaluationSettings) -> dict[str, float]:
    generator = stream(settings.seed, CALIBRATION_STREAM)
    drawn = ece_if_calibrated(confidence, n_bins=settings.n_bins, n_draws=settings.n_bootstrap, generator=generator)
    reached = int((drawn >= ece - 1e-12).sum())
    return {"ece_if_calibrated": float(drawn.mean()), "ece_p": (1 + reached) / (1 + drawn.size)}
