"""Mean cosine similarities of samples to their classes in O(n·d), without the n × n matrix.

Every mean follows from the sum of unit vectors S of the group: Σ_j u_i·u_j = u_i·S, of which u_i·u_i = 1
is the sample itself. The sums are taken of lifted vectors, which keep the digits that directions nearly the
same differ by. Representations are read in blocks of rows and may be larger than memory, or sparse.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import BLOCK_BYTES, row_blocks
from mlx.core.ordered_map import OrderedMap, in_groups, in_order
from mlx.residuals.similarity.directions import Rows
from mlx.residuals.similarity.lift import CenteredDirections, swap_constant_terms
from mlx.residuals.similarity.own_part import OwnPart, own_part
from mlx.residuals.similarity.sums import GroupSums, sum_groups
from mlx.stats.groups import Groups

NO_DIRECTION = 1e-7
"""A sum of unit vectors shorter than this, relative to their number, is rounding and has no direction."""

NO_DISTANCE = {"dense": 1e-26, "sparse": 1e-13}
"""Mean cosine distances below this are rounding: all are the same direction. Sparse ones aren't centered."""


@dataclass(frozen=True)
class SimilarityFamily:
    """How alike every sample is to others; each (n_samples,), NaN where undefined, higher is more alike.

    All are NaN for a row without direction.

    Attributes
    ----------
    predicted
        Mean cosine similarity to the others of its predicted class, (u_i·S_c − 1)/(n_c − 1), in [−1, 1]. NaN
        for the only member.
    true
        The same by true class.
    overall
        The same over all samples.
    centroid
        Cosine between u_i and the sum of the others predicted alike, cos(u_i, S_c − u_i), in [−1, 1]: unlike
        the mean it doesn't fall where the class is spread. NaN for the only member, or if the others cancel.
    margin
        ``predicted`` less the largest mean similarity to another predicted class, in [−2, 2]; below 0 the
        sample is nearer to another class. NaN for the only member and if there is no other class.
    silhouette
        (b − a)/max(a, b) with a the mean cosine distance to the others predicted alike and b the smallest mean
        distance to another predicted class, in [−1, 1]; 0 for the only member (Rousseeuw 1987). NaN if there
        is no other class.
    """

    predicted: Floats
    true: Floats
    overall: Floats
    centroid: Floats
    margin: Floats
    silhouette: Floats


def similarity_family(
    lifted: CenteredDirections,
    y_pred: Integers,
    y_true: Integers,
    n_classes: int,
    *,
    groups: Groups | None = None,
    block_bytes: int = BLOCK_BYTES,
    map: OrderedMap = in_order,
) -> SimilarityFamily:
    """Compute every similarity in two passes over the rows, O(n·d·K).

    Parameters
    ----------
    lifted
        n_samples directions.
    y_pred, y_true
        (n_samples,), labels in 0 … n_classes − 1.
    n_classes
        Number of classes K.
    groups
        Samples that belong together: all but the cosine to the centroid compares a sample with other groups' only.
    block_bytes
        Memory of one block of rows; changes nothing beyond the last rounding.
    map
        How groups of blocks are summed, and then compared with the sums.
    """
    kinds = np.stack([y_pred, y_true + n_classes, np.full_like(y_pred, 2 * n_classes)])
    own_parts = [own_part(lifted, labels, groups, block_bytes=block_bytes) for labels in kinds]
    rows = lifted.units.defined
    n_groups = 2 * n_classes + 1
    none = GroupSums(np.zeros((n_groups, lifted.width)))

    def tasks(beside: int) -> Iterator[list[_Block]]:
        blocks = row_blocks(rows.size, max(beside, lifted.units.row_entries + 2), block_bytes)
        return ([_Block.of(rows[block], kinds, own_parts) for block in group] for group in in_groups(blocks))

    sums = reduce(add, map(_SumKinds(lifted, none), tasks(0)), none)
    found = np.full((6, y_pred.size), np.nan)
    done = 0
    for part in map(_Compare(lifted, n_classes, sums), tasks(n_groups)):
        found[:, rows[done : done + part.shape[1]]] = part
        done += part.shape[1]
    return SimilarityFamily(*found)


@dataclass(frozen=True)
class _Block:
    """Rows with their labels of each kind (3, m), and what their own groups add to the sums over these."""

    rows: Integers
    kinds: Integers
    own: list[OwnPart]

    @classmethod
    def of(cls, rows: Integers, kinds: Integers, own: list[OwnPart]) -> "_Block":
        return cls(rows, kinds[:, rows], [part.take(rows) for part in own])


@dataclass(frozen=True)
class _SumKinds:
    """Sums blocks by every kind of label."""

    doing: ClassVar[str] = "summing by class"
    lifted: CenteredDirections
    none: GroupSums

    def __call__(self, blocks: list[_Block]) -> GroupSums:
        sums = self.none
        for block in blocks:
            vectors = self.lifted.take(block.rows)
            for labels in block.kinds:
                sums += sum_groups(vectors, labels, len(self.none.totals))
        return sums


@dataclass(frozen=True)
class _Compare:
    """Every similarity (6, m) of the rows of some blocks."""

    doing: ClassVar[str] = "comparing with classes"
    lifted: CenteredDirections
    n_classes: int
    sums: GroupSums

    def __call__(self, blocks: list[_Block]) -> Floats:
        sums, lifted, n_classes = self.sums, self.lifted, self.n_classes
        of_classes, swapped = GroupSums(sums.totals[:n_classes]), swap_constant_terms(sums.totals).T
        parts = []
        for block in blocks:
            vectors, y_pred = lifted.take(block.rows), block.kinds[0]
            products = vectors @ swapped
            means = [
                _group_means(lifted, products, labels, sums, own)
                for labels, own in zip(block.kinds, block.own, strict=True)
            ]
            products = products[:, :n_classes]
            cosines = _centroid_cosines(lifted, vectors, products, y_pred, of_classes)
            parts.append(np.stack([*means, cosines, *_separation(lifted, products, y_pred, of_classes, block.own[0])]))
        return np.concatenate(parts, axis=1)


def _group_means(
    lifted: CenteredDirections, products: Floats, labels: Integers, sums: GroupSums, own: OwnPart
) -> Floats:
    """Mean similarity (m,) to the others of the own class, from ⟨w_i, W_c⟩ (m, n_classes)."""
    means = _own_means(products, labels, sums, own) + lifted.offset
    clipped: Floats = means.clip(-1.0, 1.0)
    return clipped


def _own_means(products: Floats, labels: Integers, sums: GroupSums, own: OwnPart) -> Floats:
    others = sums.sizes[labels] - own.sizes
    total = products[np.arange(labels.size), labels] - own.products
    means: Floats = np.divide(total, others, out=np.full(labels.size, np.nan), where=others > 0)
    return means


def _centroid_cosines(
    lifted: CenteredDirections, block: Rows, products: Floats, labels: Integers, sums: GroupSums
) -> Floats:
    """cos(u_i, S_c − u_i) (m,) with ‖S_c − u_i‖² = ‖S_c‖² − 2 u_i·S_c + 1."""
    others = sums.sizes[labels] - 1
    to_others = products[np.arange(labels.size), labels] - lifted.own + others * lifted.offset
    squares = np.einsum("cw,cw->c", sums.totals, swap_constant_terms(sums.totals)) + sums.sizes**2 * lifted.offset
    lengths = np.sqrt(np.maximum(squares[labels] - 2 * to_others - 1, 0.0))
    # Where the others nearly cancel, so do the digits of this difference: take their sum itself.
    for row in np.flatnonzero((lengths < 0.03) & (others > 0)):
        rest = sums.totals[labels[row], :-2] - block[[row], :-2].sum(axis=0) + others[row] * lifted.center
        lengths[row] = np.linalg.norm(rest)
    defined = lengths > NO_DIRECTION * others
    cosines = np.divide(to_others, lengths, out=np.full(labels.size, np.nan), where=defined & (others > 0))
    clipped: Floats = cosines.clip(-1.0, 1.0)
    return clipped


def _separation(
    lifted: CenteredDirections, products: Floats, labels: Integers, sums: GroupSums, part: OwnPart
) -> tuple[Floats, Floats]:
    """Margin and silhouette (m,) of a block."""
    sizes, m = sums.sizes, np.arange(labels.size)
    means = np.divide(products, sizes, out=np.full(products.shape, -np.inf), where=sizes > 0)
    means[m, labels] = -np.inf
    other = means.max(axis=1)
    other[np.isinf(other)] = np.nan
    own = _own_means(products, labels, sums, part)
    # Distances are 1 − s = own − ⟨w, w⟩, without a difference of numbers near 1.
    a, b = lifted.own - own, lifted.own - other
    largest = np.fmax(a, b)
    rounding = NO_DISTANCE["sparse" if lifted.units.is_sparse else "dense"]
    silhouette = np.divide(b - a, largest, out=np.zeros(labels.size), where=largest > rounding)
    silhouette[sizes[labels] == part.sizes] = 0.0
    silhouette[np.isnan(other)] = np.nan
    return own - other, silhouette.clip(-1.0, 1.0)
