"""Does a confidence of 80 % mean right in 80 % of the cases? Reliability table and calibration error."""

import numpy as np
import numpy.typing as npt
import pandas as pd

RELIABILITY_COLUMNS = ("bin", "lower", "upper", "count", "confidence", "accuracy")


def reliability_table(
    confidence: npt.NDArray[np.float64], correct: npt.NDArray[np.bool_], *, n_bins: int
) -> pd.DataFrame:
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
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    # A row may exceed 1 by its rounding; it belongs to the last bin.
    bins = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, n_bins - 1)
    count = np.bincount(bins, minlength=n_bins)
    total = np.full(n_bins, np.nan)
    np.copyto(total, count, where=count > 0)
    return pd.DataFrame(
        {
            "bin": np.arange(n_bins),
            "lower": edges[:-1],
            "upper": edges[1:],
            "count": count,
            "confidence": np.bincount(bins, weights=confidence, minlength=n_bins) / total,
            "accuracy": np.bincount(bins, weights=correct, minlength=n_bins) / total,
        },
        columns=list(RELIABILITY_COLUMNS),
    )


def expected_calibration_error(reliability: pd.DataFrame) -> float:
    """ECE: count-weighted mean of |accuracy − confidence| over the bins, in [0, 1], lower is better.

    Source: Naeini, Cooper & Hauskrecht (2015). Biased upwards: a perfectly calibrated model has not 0.
    """
    filled = reliability[reliability["count"] > 0]
    gap = (filled["accuracy"] - filled["confidence"]).abs()
    return float((gap * filled["count"]).sum() / filled["count"].sum())
