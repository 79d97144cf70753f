"""Sums over the samples of a class without each of them in turn, in closed form.

A similarity a_i is a mean over all classmates, so that all a_i share the same samples. Deleting (or
resampling) rows of the finished table (a_i, H_i) would leave that out: its intervals are too narrow. Here a
deleted sample is also missing from the mean of every other sample. Within a class let μ be the mean direction,
v_i = u_i − μ and β_i = v_i·μ, so that a_i = (n β_i + constant) / (n − 1). Without sample j

    a_i − 1 = p_i + k_j,   p_i = ((n−1) β_i − v_i·v_j) / (n−2),   k_j = −((n−1) w + β_j) / (n−2),

with w = 1 − ‖μ‖² the mean of ‖v‖². The sums of p, p² and p·H over i ≠ j need v_j·Σ β_i v_i, v_j·Σ H_i v_i
and v_jᵀ(VᵀV)v_j: O(n·d²) for all j, and nothing cancels where all directions are nearly alike.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.block_sums import Sums, joined, summed
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit
from mlx.residuals.similarity.directions import Directions, dense
from mlx.residuals.similarity.lift import SumDirections
from mlx.stats.correlation import in_own_unit


@dataclass(frozen=True)
class LeaveOneOutSums:
    """Sums over the samples of one class that stay when one of its n is deleted, each (n,) but ``n``.

    Attributes
    ----------
    n
        Samples of the class before the deletion, at least 3.
    shift
        k_j: what every a − 1 of the class has in common.
    x, xx
        Σ p and Σ p².
    y, yy, xy
        Σ H, Σ H² and Σ p·H, with H centered in the class, in units of 2^exponent.
    exponent
        See there.
    """

    n: int
    shift: Floats
    x: Floats
    xx: Floats
    y: Floats
    yy: Floats
    xy: Floats
    exponent: int

    def in_unit(self, exponent: int) -> "LeaveOneOutSums":
        """Return the same with entropies in units of 2^exponent."""
        step = exponent - self.exponent
        y, yy, xy = in_unit(self.y, step), in_unit(self.yy, 2 * step), in_unit(self.xy, step)
        return LeaveOneOutSums(self.n, self.shift, self.x, self.xx, y, yy, xy, exponent)

    def centered(self) -> tuple[Floats, Floats, Floats]:
        """Sums of squares of a, of H, and of products, about the means of the class: each (n,)."""
        m = self.n - 1
        return self.xx - self.x**2 / m, self.yy - self.y**2 / m, self.xy - self.x * self.y / m


def delete_each(units: Directions, rows: Integers, entropy: Floats, *, map: OrderedMap = in_order) -> LeaveOneOutSums:
    """Sums of one class without each of its samples.

    Parameters
    ----------
    units, rows
        Directions, and which n ≥ 3 of them are the class.
    entropy
        (n,), entropies of those rows.
    map
        How blocks of rows are summed.
    """
    n = rows.size
    scaled, exponent = in_own_unit(entropy)
    y = scaled - scaled.mean()
    blocks = list(row_blocks(n, units.n_features))
    deviations = _Deviations(units, rows, summed(SumDirections(units, rows), blocks, map=map)[0] / n)
    beta, length = joined(_Measure(deviations), blocks, map=map)
    beta -= beta.mean()
    weighted, gram = summed(_Weigh(deviations, np.stack([beta, y])), blocks, map=map)
    to_beta, to_y, fourth = joined(_Project(deviations, weighted, gram), blocks, map=map)
    size = n - 2
    return LeaveOneOutSums(
        n=n,
        shift=-((n - 1) * length.mean() + beta) / size,
        x=(length - (n - 1) * beta) / size,
        xx=((n - 1) ** 2 * (beta @ beta - beta**2) - 2 * (n - 1) * (to_beta - beta * length) + fourth - length**2)
        / size**2,
        y=-y,
        yy=y @ y - y**2,
        xy=((n - 1) * (beta @ y - beta * y) - to_y + y * length) / size,
        exponent=exponent,
    )


@dataclass(frozen=True)
class _Deviations:
    """v = u − μ of the rows of a class."""

    units: Directions
    rows: Integers
    mean: Floats

    @property
    def by_rows(self) -> bool:
        """Whether the Gram matrix of rows is smaller than that of columns."""
        return self.rows.size < self.mean.size

    def of(self, block: slice) -> Floats:
        """Return those of a block of the rows (m, n_features)."""
        deviations: Floats = dense(self.units.take(self.rows[block])) - self.mean
        return deviations


@dataclass(frozen=True)
class _Measure:
    """v_i·μ and ‖v_i‖² (2, m)."""

    deviations: _Deviations
    doing: ClassVar[str] = "deleting each sample"

    def __call__(self, block: slice) -> Floats:
        v = self.deviations.of(block)
        return np.stack([v @ self.deviations.mean, np.einsum("ij,ij->i", v, v)])


@dataclass(frozen=True)
class _Weigh:
    """Σ β_i v_i and Σ y_i v_i, (2, n_features), with β and y (2, n), and VᵀV, unless the Gram matrix is of rows."""

    deviations: _Deviations
    weights: Floats
    doing: ClassVar[str] = "deleting each sample"

    def __call__(self, block: slice) -> Sums:
        v = self.deviations.of(block)
        return self.weights[:, block] @ v, np.empty((0, 0)) if self.deviations.by_rows else v.T @ v


@dataclass(frozen=True)
class _Project:
    """v_j·Σ β_i v_i, v_j·Σ y_i v_i and Σ_i (v_i·v_j)², (3, m)."""

    deviations: _Deviations
    weighted: Floats
    gram: Floats
    doing: ClassVar[str] = "deleting each sample"

    def __call__(self, block: slice) -> Floats:
        v = self.deviations.of(block)
        return np.stack([*(self.weighted @ v.T), self._fourth(v)])

    def _fourth(self, v: Floats) -> Floats:
        if not self.deviations.by_rows:
            found: Floats = np.einsum("ij,ij->i", v @ self.gram, v)
            return found
        total = np.zeros(len(v))
        for block in row_blocks(self.deviations.rows.size, self.deviations.mean.size):
            total += ((v @ self.deviations.of(block).T) ** 2).sum(axis=1)
        return total
