"""What a Brier score is made of: how far probabilities are off, how much they tell, and how hard it is."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Integers, Scores
from mlx.core.checks import row_blocks


@dataclass(frozen=True)
class BrierDecomposition:
    """Brier = reliability − resolution + uncertainty + within_bin_variance − within_bin_covariance, exactly.

    Attributes
    ----------
    reliability
        Mean squared gap between predicted and observed frequency over bins; 0 is calibrated.
    resolution
        Mean squared distance of a bin's frequency to that of the class; higher tells more.
    uncertainty
        Σ_k f_k (1 − f_k) of the class frequencies f: the score of always predicting them.
    within_bin_variance, within_bin_covariance
        What binning leaves over: the variance of the predictions inside their bins, and twice their
        covariance with the outcome (Stephenson, Coelho & Jolliffe 2008).
    """

    reliability: float
    resolution: float
    uncertainty: float
    within_bin_variance: float
    within_bin_covariance: float


def decompose_brier(probabilities: Scores, y_true: Integers, *, n_bins: int) -> BrierDecomposition:
    """Decompose the Brier score, class by class against the rest, and add the classes up.

    Parameters
    ----------
    probabilities
        (n_samples, n_classes); may be memory-mapped.
    y_true
        (n_samples,), class labels.
    n_bins
        Equal-width bins (lower, upper] of every class's probability.
    """
    n, n_classes = probabilities.shape
    edges = np.linspace(0.0, 1.0, n_bins + 1)
    sums = np.zeros((5, n_classes * n_bins))
    for rows in row_blocks(n, n_classes):
        p = np.asarray(probabilities[rows], dtype=np.float64)
        outcome = y_true[rows, None] == np.arange(n_classes)
        bins = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, n_bins - 1)
        cells = (bins + np.arange(n_classes) * n_bins).ravel()
        for row, weights in enumerate((np.ones_like(p), p, outcome, p * p, p * outcome)):
            sums[row] += np.bincount(cells, weights=weights.ravel(), minlength=n_classes * n_bins)
    count, predicted, observed, square, product = sums.reshape(5, n_classes, n_bins)
    size = np.maximum(count, 1)
    mean_p, mean_o = predicted / size, observed / size
    frequency = observed.sum(axis=1, keepdims=True) / n
    return BrierDecomposition(
        reliability=float((count * (mean_p - mean_o) ** 2).sum()) / n,
        resolution=float((count * (mean_o - frequency) ** 2).sum()) / n,
        uncertainty=float((frequency * (1 - frequency)).sum()),
        within_bin_variance=float((square - count * mean_p**2).sum()) / n,
        within_bin_covariance=2 * float((product - count * mean_p * mean_o).sum()) / n,
    )
