"""Does a confidence of 80 % mean right in 80 % of the cases? Reliability tables and calibration errors."""

import numpy as np
import pandas as pd

from mlx.core.array_types import Flags, Floats, Integers
from mlx.core.checks import row_blocks

RELIABILITY_COLUMNS = ("bin", "lower", "upper", "count", "confidence", "accuracy")


def reliability_table(confidence: Floats, correct: Flags, *, n_bins: int) -> pd.DataFrame:
    """Mean confidence and accuracy in ``n_bins`` equal-width bins (lower, upper]; 0 falls into the first.

    Parameters
    ----------
    confidence
        (n_samples,), probability given to the predicted class, in [0, 1].
    correct
        (n_samples,), whether the prediction was right.
    n_bins
        At least 1.

    Returns
    -------
    DataFrame
        One row a bin, `RELIABILITY_COLUMNS`. A bin with count 0 has no confidence and no accuracy (NaN).
    """
    return _table(confidence, correct, np.linspace(0.0, 1.0, n_bins + 1))


def equal_mass_reliability_table(confidence: Floats, correct: Flags, *, n_bins: int) -> pd.DataFrame:
    """Return the same in up to ``n_bins`` bins of equally many samples.

    Equal confidences share a bin, so that the order of the rows never matters; where there are many, bins
    are fewer. A bin's ``upper`` is its largest confidence, its ``lower`` that of the bin before.
    """
    ordered = np.sort(confidence)
    last = np.ceil(np.arange(1, n_bins + 1) * ordered.size / n_bins).astype(np.intp) - 1
    edges = np.unique(ordered[np.maximum(last, 0)])
    return _table(confidence, correct, np.concatenate([[0.0 if edges[0] > 0 else -1.0], edges]))


def _table(confidence: Floats, correct: Flags, edges: Floats) -> pd.DataFrame:
    n_bins = edges.size - 1
    bins = _bins(confidence, edges)
    count = np.bincount(bins, minlength=n_bins)
    total = np.full(n_bins, np.nan)
    np.copyto(total, count, where=count > 0)
    return pd.DataFrame(
        {
            "bin": np.arange(n_bins),
            "lower": np.maximum(edges[:-1], 0.0),
            "upper": edges[1:],
            "count": count,
            "confidence": np.bincount(bins, weights=confidence, minlength=n_bins) / total,
            "accuracy": np.bincount(bins, weights=correct, minlength=n_bins) / total,
        },
        columns=list(RELIABILITY_COLUMNS),
    )


def _bins(confidence: Floats, edges: Floats) -> Integers:
    # A row may exceed 1 by its rounding; it belongs to the last bin.
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, edges.size - 2)


def expected_calibration_error(reliability: pd.DataFrame) -> float:
    """ECE: count-weighted mean of |accuracy − confidence| over the bins, in [0, 1], lower is better.

    Source: Naeini, Cooper & Hauskrecht (2015). Biased upwards: a perfectly calibrated model has not 0, see
    `ece_if_calibrated`. It has no interval: near 0 its law is that of a sum of absolute noise, which no
    resampling of the data centers on the truth.
    """
    gap, count = _gaps(reliability)
    return float((np.abs(gap) * count).sum() / count.sum())


def root_mean_square_calibration_error(reliability: pd.DataFrame) -> float:
    """Root of the count-weighted mean of (accuracy − confidence)² over the bins, in [0, 1], biased upwards."""
    gap, count = _gaps(reliability)
    return float(np.sqrt((gap**2 * count).sum() / count.sum()))


def maximum_calibration_error(reliability: pd.DataFrame) -> float:
    """MCE: largest |accuracy − confidence| of any bin, in [0, 1], biased upwards."""
    return float(np.abs(_gaps(reliability)[0]).max())


def debiased_calibration_error(reliability: pd.DataFrame) -> float:
    """Root-mean-square calibration error less its noise, in [0, 1] (Kumar, Liang & Ma 2019).

    From the squared gap of each bin the sampling variance accuracy·(1 − accuracy)/(count − 1) is taken off;
    bins of one sample, of which nothing is known, are left out. 0 where noise alone explains the gaps.
    """
    filled = reliability[reliability["count"] > 1]
    count, accuracy = filled["count"].to_numpy(float), filled["accuracy"].to_numpy(float)
    gap = accuracy - filled["confidence"].to_numpy(float)
    square = ((gap**2 - accuracy * (1 - accuracy) / (count - 1)) * count).sum() / reliability["count"].sum()
    return float(np.sqrt(max(0.0, square)))


def _gaps(reliability: pd.DataFrame) -> tuple[Floats, Floats]:
    filled = reliability[reliability["count"] > 0]
    gap = filled["accuracy"].to_numpy(float) - filled["confidence"].to_numpy(float)
    return gap, filled["count"].to_numpy(float)


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
