"""Ranks of millions of values in place, and of more than memory holds by counting them in bins."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers

N_CELLS = 1 << 14


def rank_in_place(values: Floats, tolerance: float) -> None:
    """Replace values (n,) by their ranks less the mean rank; ties, chained within ``tolerance``, share theirs."""
    order = np.argsort(values)
    last = np.append(np.flatnonzero(np.diff(values[order]) > tolerance), values.size - 1)
    sizes = np.diff(last, prepend=-1)
    values[order] = np.repeat(last - (sizes - 1) / 2 - (values.size - 1) / 2, sizes)


@dataclass(frozen=True)
class Bins:
    """A monotone map from values to bins, about equally filled: even cells, each with its share of the bins.

    Attributes
    ----------
    low, per_unit
        Where the first cell begins, and cells per unit.
    start, width
        (n_cells,), first bin and number of bins of each cell.
    """

    low: float
    per_unit: float
    start: Integers
    width: Floats

    @property
    def size(self) -> int:
        """Number of bins."""
        return int(self.start[-1] + self.width[-1])

    def of(self, values: Floats) -> Integers:
        """Bin (n,) of each value; those beyond the sample's range are in the first or the last cell."""
        place = (values - self.low) * self.per_unit
        np.clip(place, 0.0, self.start.size * (1 - 1e-15), out=place)
        cell = place.astype(np.intp)
        place -= cell
        place *= self.width.take(cell, mode="clip")
        found = place.astype(np.intp)
        found += self.start.take(cell, mode="clip")
        return found


def bins_from(sample: Floats, n_bins: int) -> Bins:
    """Lay about ``n_bins`` bins by a sample of the values that will be counted."""
    low, high = float(sample.min()), float(sample.max())
    per_unit = N_CELLS / (high - low) if high > low else 0.0
    cells = np.minimum(((sample - low) * per_unit).astype(np.intp), N_CELLS - 1)
    width = 1.0 + np.floor(np.bincount(cells, minlength=N_CELLS) * (max(0, n_bins - N_CELLS) / sample.size))
    start = np.append(0, np.cumsum(width)[:-1]).astype(np.intp)
    return Bins(low, per_unit, start, width)


class BinCounts:
    """Counts values by bin, adds up their weights, and notes which bins hold different ones; filled block by block.

    Parameters
    ----------
    bins
        Where values go.
    tolerance
        Values this close are the same.
    """

    def __init__(self, bins: Bins, tolerance: float) -> None:
        self.bins, self.tolerance = bins, tolerance
        self.counts = np.zeros(bins.size, dtype=np.int64)
        self.weights = np.zeros(bins.size)
        self._first = np.full(bins.size, np.nan)
        self._mixed = np.zeros(bins.size, dtype=bool)

    def add(self, values: Floats, weights: Floats | None = None) -> None:
        """Count more values (n,), each with a weight where given."""
        where = self.bins.of(values)
        self.counts += np.bincount(where, minlength=self.counts.size)
        if weights is not None:
            self.weights += np.bincount(where, weights, minlength=self.counts.size)
        unsettled = ~self._mixed.take(where)
        if not unsettled.any():
            return
        where, values = where[unsettled], values[unsettled]
        new = np.isnan(self._first[where])
        self._first[where[new]] = values[new]
        self._mixed[where[np.abs(values - self._first[where]) > self.tolerance]] = True

    def merge(self, other: "BinCounts") -> None:
        """Add what was counted in the same bins of other values."""
        self.counts += other.counts
        self.weights += other.weights
        self._mixed |= other._mixed | (np.abs(self._first - other._first) > self.tolerance)
        self._first = np.where(np.isnan(self._first), other._first, self._first)

    def ranks(self) -> tuple[Floats, float, float]:
        """Return how values rank, and what the bins leave out.

        Returns
        -------
        tuple
            Midrank of each bin less the mean rank (n_bins,); the sum of squared ranks, less their mean, of all
            values; and the share of it inside bins, ε. A bin that holds one value only loses nothing; in all
            others no two values are taken to be tied, so that ε is never too small.
        """
        count = self.counts.astype(np.float64)
        midranks = np.cumsum(count) - count / 2 - count.sum() / 2
        between = float(count @ midranks**2)
        inside = float(np.where(self._mixed, count * (count**2 - 1) / 12, 0.0).sum())
        total = between + inside
        return midranks, total, inside / total if total > 0 else 0.0
