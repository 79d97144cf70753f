"""Average precision: its value, and the value without each sample in turn."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats


@dataclass(frozen=True)
class AveragePrecision:
    """Average precision of a score, with its jackknife.

    Attributes
    ----------
    value
        Σ (R_k − R_{k−1}) P_k over the distinct scores, in [0, 1]; higher is better.
    without
        (n_samples,), the value without each sample; ``value`` where the only positive would be left out.
    """

    value: float
    without: Floats

    @property
    def influence(self) -> Floats:
        """Influence (n_samples,) of each sample, (n − 1)(value − value without it); its mean is minus the bias."""
        found: Floats = (self.without.size - 1) * (self.value - self.without)
        return found


def average_precision(positive: Flags, score: Floats) -> AveragePrecision:
    """Average the precision at the thresholds of the positives, in O(n log n).

    Tied scores share one threshold, as in scikit-learn. Leaving out a sample changes the counts at its own and at all
    lower thresholds by one, so that every sum without it follows from cumulated sums.

    Parameters
    ----------
    positive
        (n_samples,), of which at least one is true.
    score
        (n_samples,), finite.
    """
    n, n_positive = positive.size, int(positive.sum())
    order = np.argsort(-score, kind="stable")
    y, ranked = positive[order].astype(np.float64), score[order]
    last = np.append(np.flatnonzero(np.diff(ranked)), n - 1)
    hits, called = np.cumsum(y)[last], last + 1.0
    found = np.diff(hits, prepend=0.0)
    value = float((found * hits / called).sum() / n_positive)
    if n_positive == 1:
        return AveragePrecision(value, np.full(n, value))
    own = np.searchsorted(last, np.arange(n))
    fewer = np.maximum(called - 1, 1.0)  # of one sample, nothing is left at its threshold: its term is 0
    above = np.concatenate([[0.0], np.cumsum(found * hits / called)])[own]
    at = (found[own] - y) * (hits[own] - y) / fewer[own]
    below = _sums_after(found * hits / fewer)[own] - y * _sums_after(found / fewer)[own]
    without = np.empty(n)
    without[order] = (above + at + below) / (n_positive - y)
    return AveragePrecision(value, without)


def _sums_after(values: Floats) -> Floats:
    """Return the sum of the values after each."""
    return np.append(np.cumsum(values[::-1])[::-1][1:], 0.0)
