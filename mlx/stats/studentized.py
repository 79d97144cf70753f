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
from typing import Self, TypeVar

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


Number = TypeVar("Number", Floats, Integers)

BOUND_ROUNDING = 1e-6
"""Share of a lower bound by which rounding may have made it too large, and much more."""

LARGEST_SUM = 61
"""No sum of the ranks of all samples reaches 2^61 of the units in which they are whole numbers."""


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

    def permuted(self, n_permutations: int, generator: np.random.Generator, least: Floats | float = 0.0) -> Floats:
        """Σ φ and Σ φ² (2, 2, n_permutations) under random permutations of y: first of Pearson, then of Spearman.

        Where Spearman's T can't reach `least`, one number or (n_permutations,), a lower bound stands for its Σ φ²,
        which takes half the time. It needs ranks that are centered over all samples.
        """
        found, least = np.empty((2, 2, n_permutations)), np.broadcast_to(least, n_permutations)
        for where, orders in random_orders(self.n, n_permutations, generator):
            found[:, :, where] = self._sums_of_values(orders), self._least_sums_of_ranks(orders, least[where])
        return found

    def sums(self, orders: Integers) -> Floats:
        """Σ φ and Σ φ² (2, 2, m) where each sample, in the order of x, has the y at a place (m, n) in its order."""
        return np.array([self._sums_of_values(orders), self.sums_of_ranks(orders)])

    def _sums_of_values(self, orders: Integers) -> tuple[Floats, Floats]:
        products = _taken(self.y[0], orders)
        return products @ self.x[0], np.square(products, out=products) @ self.squares_of_x[0]

    def _least_sums_of_ranks(self, orders: Integers, least: Floats) -> tuple[Floats, Floats]:
        if not least.any():
            return self.sums_of_ranks(orders)
        products = _taken(self.fixed_y, orders)
        total = products @ self.x[1]
        squares = np.square(products, out=products) @ self.squares_of_x[1]
        total, squares = self.bounded(total, squares)
        near = may_reach(total, squares, least)
        if near.size:
            total[near], squares[near] = self.sums_of_ranks(orders[near])
        return total, squares

    def bounded(self, total: Floats, squares: Floats) -> tuple[Floats, Floats]:
        """Return Σ φ of ranks and a lower bound of Σ φ², (m,) each, of Σ p and Σ p² with p = x·`fixed_y`.

        With φ = p − (a + b)/2n, where a sums y over lower ranks x twice and over equal ones once, and b likewise x,
        Σ p·a = Σ x (Y² − Y'²) for the sums Y of y upto, and Y' before, each rank x: this is at most 0, as x ascends.
        So Σ φ² ≥ Σ p² − 4 (n + 1)/n² (Σ p)², the last of which is what centering a and b takes away.
        """
        squares = (squares - 4 * (self.n + 1) / self.n**2 * total**2) * (1 - BOUND_ROUNDING)
        return np.ldexp(total, self._exponent), np.ldexp(squares, 2 * self._exponent)

    def sums_of_ranks(self, orders: Integers) -> tuple[Floats, Floats]:
        """Return Spearman's Σ φ and Σ φ² (m,) where each sample, in the order of x, has the y at a place (m, n)."""
        x, y = self._fixed
        flat = orders + np.arange(0, orders.size, self.n)[:, None]
        at_y = np.empty(orders.size, dtype=np.int64)
        at_y[flat.ravel()] = np.tile(x, len(orders))
        of_y = _taken(y, orders)
        added = _taken(_added_before(at_y, self.y_ties), flat)
        added += _added_before(of_y.ravel(), self.x_ties).reshape(orders.shape)
        influence = added.astype(np.float64)
        influence -= (influence @ np.full(self.n, 1 / self.n))[:, None]
        products = of_y.astype(np.float64)
        total = products @ self.x[1]
        products *= -2 * self.n * self.x[1]
        influence += products
        squares = np.vecdot(influence, influence) / (2 * self.n) ** 2
        return np.ldexp(total, self._exponent), np.ldexp(squares, 2 * self._exponent)

    @cached_property
    def _fixed(self) -> tuple[Integers, Integers]:
        """Ranks x and y (n,) as whole multiples of 2^`_exponent`: sums of these are exact, and added up fast."""
        x, y = np.rint(np.ldexp(np.stack([self.x[1], self.y[1]]), -self._exponent)).astype(np.int64)
        return x, y

    @cached_property
    def fixed_y(self) -> Floats:
        """Ranks y (n,) in units in which their sums are exact."""
        return self._fixed[1].astype(np.float64)

    @cached_property
    def squares_of_x(self) -> Floats:
        """Squares of x, (2, n)."""
        squares: Floats = self.x**2
        return squares

    @property
    def _exponent(self) -> int:
        return self.n.bit_length() - LARGEST_SUM

    @cached_property
    def _has_ties(self) -> bool:
        return bool((self.x_ties[1] - self.x_ties[0] > 1).any() or (self.y_ties[1] - self.y_ties[0] > 1).any())


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
                found[place, 1, :, where] = stratum.sums_of_ranks(orders)
                continue
            of_ranks = of_ranks or stratum.sums_of_ranks(orders)
            found[place, 1, :, where] = of_ranks
    return found


def may_reach(total: Floats, squares: Floats, least: Floats) -> Integers:
    """Return which T, of Σ φ and a lower bound of Σ φ² (m,), may reach ``least`` (m,)."""
    with np.errstate(invalid="ignore"):  # infinity times a bound of 0, which says nothing
        return np.flatnonzero(~(total**2 < least**2 * squares))


def _taken(values: Number, orders: Integers) -> Number:
    """Return values at places that are all valid, which needs no buffer."""
    return np.take(values, orders, out=np.empty(orders.shape, values.dtype), mode="clip")


def _ties(ranks: Floats) -> Integers:
    return np.stack([np.searchsorted(ranks, ranks, side) for side in ("left", "right")])


def _added_before(others: Integers, ties: Integers) -> Integers:
    """Sum `others` over lower ranks twice, and over equal ones once; they are in the order of the ranks (n,).

    Less its mean and times −½, this is the influence of samples, times n, on those ranks. Of several rows, one after
    the other, each also has the sums of those before: a constant, near 0.
    """
    sums = np.empty(others.size + 1, dtype=np.int64)
    sums[0] = 0
    np.cumsum(others, out=sums[1:])
    if (ties[1] - ties[0] == 1).all():
        return sums[:-1] + sums[1:]
    rows = np.arange(0, others.size, ties.shape[1])[:, None]
    found = _taken(sums, ties[0] + rows)
    found += _taken(sums, ties[1] + rows)
    return found.ravel()


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
