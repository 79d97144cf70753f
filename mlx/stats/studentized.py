"""Studentized correlations under permutation: Pearson's and Spearman's, each over the standard error of its sum.

A permutation test of a correlation itself rejects too often where the null hypothesis holds but the spread of one
variable depends on the other. With the statistic T = Σ φ_i / √Σ φ_i², it is exact where the variables are exchangeable,
and has its size in large samples wherever they are uncorrelated (DiCiccio & Romano 2017). φ_i is the influence of
sample i on the sum of products: for Pearson (x_i − x̄)(y_i − ȳ); for Spearman, with ranks in place of values, also what
the sample does to the ranks of all others, (1/n) Σ_j (1[x_i ≤ x_j] − F(x_j)) (G(y_j) − ½), and the same of y.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from scipy.special import ndtr

from mlx.core.array_types import Floats, Integers
from mlx.stats.permutation import random_orders

NEGLIGIBLE = 0.05
"""Largest share n·max(x)²·max(y)²/(Σx² Σy²) of few samples at which the normal distribution replaces permutations."""

MANY_SAMPLES = 200_000
"""Samples beyond which a test that is nearly normal is not permuted."""

SMALLEST_P = 1e-6
"""Below this, the normal distribution is an order of magnitude at best: a p-value is printed as "< 1e-6"."""


FEWEST_BOUNDED = 1000
"""Samples from which a bound of Spearman's standard error decides nearly all permutations."""

BOUND_MARGIN, TINY = 1e-9, 1e-100
"""More than rounding changes a bound, and a bound that says nothing."""


@dataclass(frozen=True)
class Stratum:
    """Samples among which y is permuted, or that are ranked together.

    Attributes
    ----------
    x, y
        (2, n), values and midranks, centered; x in increasing order of x, and y in that of y.
    places
        (n,), place of every sample's own y in the order of y.
    x_ties, y_ties
        First place, and the one after the last, of the run of ties that each is in; (2, n).
    """

    x: Floats
    y: Floats
    places: Integers
    x_ties: Integers
    y_ties: Integers

    @classmethod
    def of(cls, x: Floats, y: Floats, x_ranks: Floats, y_ranks: Floats) -> Self:
        """Put centered values and ranks, x and y (2, n), in order of the midranks (n,) over all n samples.

        The values must be of a size at which their products can be squared (`mlx.core.scale`), the ranks shares of
        n + 1.
        """
        by_x, by_y = np.argsort(x_ranks, kind="stable"), np.argsort(y_ranks, kind="stable")
        places = np.empty_like(by_y)
        places[by_y] = np.arange(by_y.size)
        return cls(x[:, by_x], y[:, by_y], places[by_x], _ties(x_ranks[by_x]), _ties(y_ranks[by_y]))

    @property
    def n(self) -> int:
        """Number of samples."""
        return self.places.size

    @property
    def squares(self) -> tuple[Floats, Floats]:
        """Sums of squares of x and of y, (2,) each."""
        return np.einsum("sn,sn->s", self.x, self.x), np.einsum("sn,sn->s", self.y, self.y)

    def observed(self) -> Floats:
        """Σ φ and Σ φ² of the data, as `permuted` returns them."""
        return self.sums(self.places[None])

    def permuted(self, n_permutations: int, generator: np.random.Generator, *, least: float = 0.0) -> Floats:
        """Σ φ and Σ φ² under random permutations of y.

        Parameters
        ----------
        n_permutations, generator
            How many, and where they are drawn from.
        least
            Where Spearman's statistic is smaller than this in any case, its Σ φ² may be a lower bound: that takes half
            the time, and is all that a test needs whose observed statistic is ``least``.

        Returns
        -------
        Floats
            (2, 2, n_permutations): first of Pearson, then of Spearman.
        """
        found = np.empty((2, 2, n_permutations))
        for where, orders in random_orders(self.n, n_permutations, generator):
            found[..., where] = self.sums(orders, least)
        return found

    def sums(self, orders: Integers, least: float = 0.0) -> Floats:
        """Σ φ and Σ φ² (2, 2, m) where each sample, in the order of x, has the y at a place (m, n) in its order."""
        return np.array([self._sums_of_values(orders), self._sums_of_ranks(orders, least)])

    def _sums_of_values(self, orders: Integers) -> tuple[Floats, Floats]:
        products = _taken(self.y[0], orders)
        return products @ self.x[0], np.square(products, out=products) @ self._x_squares[0]

    def _sums_of_ranks(self, orders: Integers, least: float = 0.0) -> tuple[Floats, Floats]:
        ranks = _taken(self.y[1], orders)
        total = ranks @ self.x[1]
        if least == 0 or self.n < FEWEST_BOUNDED:
            return total, self._squared_influence(ranks, orders)
        squares = self._least_squared_influence(ranks, orders)
        unsure = np.flatnonzero(np.abs(total) >= least * (1 - BOUND_MARGIN) * np.sqrt(squares))
        if unsure.size:
            squares[unsure] = self._squared_influence(ranks[unsure], orders[unsure])
        return total, squares

    @cached_property
    def _has_ties(self) -> bool:
        return bool((self.x_ties[1] - self.x_ties[0] > 1).any() or (self.y_ties[1] - self.y_ties[0] > 1).any())

    @cached_property
    def _x_squares(self) -> Floats:
        squares: Floats = self.x**2
        return squares

    def _squared_influence(self, ranks: Floats, orders: Integers) -> Floats:
        """Σ φ² (m,) of Spearman, given the ranks (m, n) of y at the places; they are overwritten."""
        flat = orders + np.arange(0, orders.size, self.n)[:, None]
        inverse = np.empty(orders.shape)
        inverse.ravel()[flat] = self.x[1]
        influence = _taken(_added_before(inverse, self.y_ties), flat, out=inverse)
        influence += _added_before(ranks, self.x_ties)
        influence -= influence.mean(axis=1, keepdims=True)
        influence *= -0.5 / self.n
        ranks *= self.x[1]
        influence += ranks
        found: Floats = np.einsum("mn,mn->m", influence, influence)
        return found

    def _least_squared_influence(self, ranks: Floats, orders: Integers) -> Floats:
        """Lower bound (m,) of Σ φ² of Spearman: √Σ φ² ≥ √Σ (x y)² − (M_x + M_y)/√n.

        M is the largest absolute value of any sum of first ranks, which is at most that at the end of a block and what
        the ranks of a block may add.
        """
        inverse = np.empty(orders.shape)
        for row, order in zip(inverse, orders, strict=True):
            row[order] = self.x[1]
        length = max(1, round(self.n**0.5 / 2))
        influence = np.zeros(len(orders))
        for values, largest in zip((ranks, inverse), np.abs([self.y[1], self.x[1]]).max(axis=1), strict=True):
            ends = np.add.reduceat(values, np.arange(0, self.n, length), axis=1).cumsum(axis=1)
            influence += np.abs(ends).max(axis=1) + length * largest
        products = np.square(ranks, out=inverse) @ self._x_squares[1]
        root = np.sqrt(products) - influence / self.n**0.5
        found: Floats = np.square(root.clip(TINY))
        return found


def permuted_alike(strata: Sequence[Stratum], n_permutations: int, generator: np.random.Generator) -> Floats:
    """Σ φ and Σ φ² (n_strata, 2, 2, n_permutations) of strata of one size under the same permutations of each.

    Without ties, Spearman's depend on the permutation alone, and are computed once for all of them. Their ranks must be
    on one scale.
    """
    found = np.empty((len(strata), 2, 2, n_permutations))
    for where, orders in random_orders(strata[0].n, n_permutations, generator):
        of_ranks: tuple[Floats, Floats] | None = None
        for place, stratum in enumerate(strata):
            found[place, 0, :, where] = stratum._sums_of_values(orders)
            if stratum._has_ties:
                found[place, 1, :, where] = stratum._sums_of_ranks(orders)
                continue
            of_ranks = of_ranks or stratum._sums_of_ranks(orders)
            found[place, 1, :, where] = of_ranks
    return found


def _taken(values: Floats, orders: Integers, out: Floats | None = None) -> Floats:
    """Return values at places that are all valid, which needs no buffer."""
    return np.take(values, orders, out=np.empty(orders.shape) if out is None else out, mode="clip")


def _ties(ranks: Floats) -> Integers:
    return np.stack([np.searchsorted(ranks, ranks, side) for side in ("left", "right")])


def _added_before(other: Floats, ties: Integers) -> Floats:
    """Sum `other` (m, n) over lower ranks twice, and over equal ones once; `other` is in the order of the ranks.

    Less its mean and times −½, this is the influence of samples, times n, on those ranks.
    """
    if (ties[1] - ties[0] == 1).all():
        found: Floats = np.cumsum(other, axis=1)
        found *= 2
        found -= other
        return found
    sums = np.zeros((len(other), other.shape[1] + 1))
    np.cumsum(other, axis=1, out=sums[:, 1:])
    found = sums.take(ties[0], axis=1)
    found += sums.take(ties[1], axis=1)
    return found


def studentized(sums: Floats) -> Floats:
    """T = Σ φ / √Σ φ² of sums (…, 2, m), which may be added up over strata; 0 where nothing varies."""
    total, square = np.moveaxis(sums, -2, 0)
    scale = np.sqrt(square)
    statistic: Floats = np.divide(total, scale, out=np.zeros(total.shape), where=scale > 0)
    return statistic


def normal_p_value(statistic: float) -> float:
    """Two-sided p-value of a statistic that is standard normal under the null hypothesis."""
    return float(2 * ndtr(-abs(statistic)))


def is_nearly_normal(x: Floats, y: Floats) -> bool:
    """Whether no few samples carry Σ x_i y_i, both (n,) centered: its permutation distribution is then normal."""
    squares = float(x @ x) * float(y @ y)
    largest = float(np.abs(x).max()) ** 2 * float(np.abs(y).max()) ** 2
    return squares > 0 and x.size * largest < NEGLIGIBLE * squares
