"""Dependence between the scores of samples through the class means that similarities are measured against."""

from dataclasses import dataclass, replace
from functools import reduce
from operator import add
from typing import Any, ClassVar

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.block_sums import Sums, joined, summed
from mlx.core.checks import row_blocks
from mlx.core.ordered_map import OrderedMap, in_order, within_task
from mlx.residuals.similarity.directions import Directions, dense
from mlx.stats.groups import Groups, variance_by_group
from mlx.stats.influence import EstimateWithInfluence


@dataclass(frozen=True)
class ClassMeanDependence:
    """A score that is a sum of signed mean similarities to groups, and so depends on every sample in them.

    Attributes
    ----------
    units
        Directions of n_samples rows.
    members
        (n_samples,), the group each sample belongs to: its predicted class.
    terms
        One ``(sign, groups, similarity)`` a mean in the score: groups (n_samples,), which group each sample
        is compared with, and similarity (n_samples,), its mean similarity to it, NaN where undefined.
    map
        How blocks of rows are summed; in another process, one after the other.
    """

    units: Directions
    members: Integers
    terms: tuple[tuple[float, Integers, Floats], ...]
    map: OrderedMap = in_order

    def __getstate__(self) -> dict[str, Any]:
        """Leave out what belongs to this process."""
        return vars(self) | {"map": within_task}

    def influence(self, gradient: Floats, rows: Integers) -> Floats:
        """Influence through the shared means, of a statistic of the given rows: (len(rows),).

        Parameters
        ----------
        gradient
            (len(rows),), of the statistic by the score.
        rows
            Samples that have a score.
        """
        n_groups = 1 + max(int(labels.max()) for labels in (self.members, *(term[1] for term in self.terms)))
        weights = [(sign * gradient, groups[rows]) for sign, groups, _ in self.terms]
        totals = np.zeros(n_groups)
        for (own, of), (*_, similarity) in zip(weights, self.terms, strict=True):
            totals += np.bincount(of, weights=own * similarity[rows], minlength=n_groups)
        blocks, members = list(row_blocks(rows.size, self.units.n_features)), self.members[rows]
        (sums,) = summed(_SumWeighted(self.units, rows, weights, n_groups), blocks, map=self.map)
        moved = joined(_Multiply(self.units, rows, members, sums), blocks, map=self.map)
        sizes = np.bincount(self.members[self.units.defined], minlength=n_groups)
        result: Floats = (moved - totals[members]) / sizes[members]
        return result


@dataclass(frozen=True)
class _SumWeighted:
    """Sums directions (n_groups, n_features), each time with weights (n_rows,) and by groups (n_rows,)."""

    units: Directions
    rows: Integers
    weights: list[tuple[Floats, Integers]]
    n_groups: int
    doing: ClassVar[str] = "summing by class"

    def __call__(self, block: slice) -> Sums:
        directions = dense(self.units.take(self.rows[block]))
        parts = (_gather(own[block], of[block], self.n_groups) @ directions for own, of in self.weights)
        total: Floats = reduce(add, parts)
        return (total,)


@dataclass(frozen=True)
class _Multiply:
    """Products (m,) of directions with the sum of their group."""

    units: Directions
    rows: Integers
    members: Integers
    sums: Floats
    doing: ClassVar[str] = "comparing with classes"

    def __call__(self, block: slice) -> Floats:
        directions, sums = dense(self.units.take(self.rows[block])), self.sums[self.members[block]]
        products: Floats = np.einsum("ij,ij->i", directions, sums)
        return products


@dataclass(frozen=True)
class _FindNearest:
    """The nearest other class of each row, and its mean similarity to it, (2, m)."""

    units: Directions
    rows: Integers
    members: Integers
    sums: Floats
    sizes: Integers
    doing: ClassVar[str] = "comparing with classes"

    def __call__(self, block: slice) -> Floats:
        rows, present = self.rows[block], self.sizes > 0
        means = np.full((rows.size, self.sizes.size), -np.inf)
        means[:, present] = (self.units.take(rows) @ self.sums[present].T) / self.sizes[present]
        means[np.arange(rows.size), self.members[rows]] = -np.inf
        return np.stack([means.argmax(axis=1).astype(np.float64), means.max(axis=1)])


def _gather(weights: Floats, groups: Integers, n_groups: int) -> Any:
    """Matrix (n_groups, m) that adds up weighted rows by group."""
    starts = np.arange(weights.size + 1)
    return sparse.csc_array((weights, groups, starts), shape=(n_groups, weights.size))


def dependence_of_similarity(
    units: Directions, y_pred: Integers, similarity: Floats, *, sign: float, map: OrderedMap = in_order
) -> ClassMeanDependence:
    """Return what ``sign`` times the mean similarity (n_samples,) to the predicted class shares."""
    return ClassMeanDependence(units, y_pred, ((sign, y_pred, similarity),), map)


def dependence_of_margin(
    units: Directions, y_pred: Integers, similarity: Floats, *, sign: float, map: OrderedMap = in_order
) -> ClassMeanDependence:
    """Return what ``sign`` times the margin shares: similarity to the own class less that to the nearest other.

    Parameters
    ----------
    units
        Directions of n_samples rows, of at least two predicted classes.
    y_pred
        (n_samples,), predicted labels.
    similarity
        (n_samples,), mean similarity to the others of the predicted class.
    """
    rows, n_groups = units.defined, int(y_pred.max()) + 1
    blocks = list(row_blocks(rows.size, units.n_features))
    (sums,) = summed(_SumWeighted(units, rows, [(np.ones(rows.size), y_pred[rows])], n_groups), blocks, map=map)
    sizes = np.bincount(y_pred[rows], minlength=n_groups)
    nearest, other = np.zeros(y_pred.size, dtype=np.intp), np.full(y_pred.size, np.nan)
    nearest[rows], other[rows] = joined(_FindNearest(units, rows, y_pred, sums, sizes), blocks, map=map)
    return ClassMeanDependence(units, y_pred, ((sign, y_pred, similarity), (-sign, nearest, other)), map)


def with_shared(
    found: EstimateWithInfluence, shared: ClassMeanDependence | None, rows: Integers | None = None
) -> EstimateWithInfluence:
    """Return a statistic with the influence of every sample through what its score shares, if anything.

    ``rows`` (n,) are the samples in ``shared`` that the statistic is of; all by default.
    """
    if shared is None:
        return found
    rows = np.arange(found.influence.size) if rows is None else rows
    return replace(found, influence=found.influence + shared.influence(found.gradient(), rows))


def standard_error(found: EstimateWithInfluence, groups: Groups | None = None) -> float:
    """Standard error of a statistic with all influence of every sample, or of every group of samples."""
    influence = found.influence
    if groups is not None:
        return float(np.sqrt(variance_by_group(influence, groups)))
    return float(np.sqrt(influence @ influence)) / influence.size
