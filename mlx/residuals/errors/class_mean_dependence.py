"""Dependence between the scores of samples through the class means that similarities are measured against."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
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
    """

    units: Directions
    members: Integers
    terms: tuple[tuple[float, Integers, Floats], ...]

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
        sums, totals = np.zeros((n_groups, self.units.n_features)), np.zeros(n_groups)
        for sign, groups, similarity in self.terms:
            weights, of = sign * gradient, groups[rows]
            totals += np.bincount(of, weights=weights * similarity[rows], minlength=n_groups)
            for block in row_blocks(rows.size, self.units.n_features):
                sums += _gather(weights[block], of[block], n_groups) @ dense(self.units.take(rows[block]))
        members = self.members[rows]
        moved = np.empty(rows.size)
        for block in row_blocks(rows.size, self.units.n_features):
            moved[block] = np.einsum("ij,ij->i", dense(self.units.take(rows[block])), sums[members[block]])
        sizes = np.bincount(self.members[self.units.defined], minlength=n_groups)
        result: Floats = (moved - totals[members]) / sizes[members]
        return result


def _gather(weights: Floats, groups: Integers, n_groups: int) -> Any:
    """Matrix (n_groups, m) that adds up weighted rows by group."""
    starts = np.arange(weights.size + 1)
    return sparse.csc_array((weights, groups, starts), shape=(n_groups, weights.size))


def dependence_of_similarity(
    units: Directions, y_pred: Integers, similarity: Floats, *, sign: float
) -> ClassMeanDependence:
    """Return what ``sign`` times the mean similarity (n_samples,) to the predicted class shares."""
    return ClassMeanDependence(units, y_pred, ((sign, y_pred, similarity),))


def dependence_of_margin(
    units: Directions, y_pred: Integers, similarity: Floats, *, sign: float
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
    sums = np.zeros((n_groups, units.n_features))
    for where, block in units.blocks(rows):
        sums += _gather(np.ones(where.size), y_pred[where], n_groups) @ dense(block)
    sizes = np.bincount(y_pred[rows], minlength=n_groups)
    present = sizes > 0
    nearest, other = np.zeros(y_pred.size, dtype=np.intp), np.full(y_pred.size, np.nan)
    for where, block in units.blocks(rows):
        means = np.full((where.size, n_groups), -np.inf)
        means[:, present] = (block @ sums[present].T) / sizes[present]
        means[np.arange(where.size), y_pred[where]] = -np.inf
        nearest[where] = means.argmax(axis=1)
        other[where] = means.max(axis=1)
    return ClassMeanDependence(units, y_pred, ((sign, y_pred, similarity), (-sign, nearest, other)))


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
