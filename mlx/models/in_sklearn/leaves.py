"""In which leaf of each tree does a sample fall? As one-hot rows, whose cosine is the proximity of a forest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class LeafColumns:
    """A column for each leaf of T trees, tree by tree.

    Each row has T ones, one for each tree. So the cosine similarity of two rows is the share of trees
    in which both samples fall into the same leaf: the proximity of Breiman's random forests (Breiman &
    Cutler, "Random forests", 2001, section "Proximities").

    Attributes
    ----------
    starts : (T,) number of the first node of each tree, all nodes in one row.
    columns : (n_nodes,) of each leaf; of no meaning for other nodes.
    n_leaves : how many columns there are.
    """

    starts: Array
    columns: Array
    n_leaves: int

    @classmethod
    def of(cls, is_leaf: Sequence[Array]) -> "LeafColumns":
        """Number the leaves of trees of which `is_leaf` tells for each node whether it is one."""
        sizes = [len(nodes) for nodes in is_leaf]
        starts = np.cumsum([0, *sizes[:-1]])
        counts = np.cumsum(np.concatenate(is_leaf), dtype=np.int32)
        return cls(starts, counts - 1, int(counts[-1]))

    def one_hot(self, leaves: Array) -> "csr_array[Any]":
        """Return (m, n_leaves) float32 for ``leaves`` (m, T), numbers of nodes within each tree."""
        from scipy.sparse import csr_array

        m, n_trees = leaves.shape
        columns = self.columns[leaves + self.starts].ravel()
        ends = np.arange(0, (m + 1) * n_trees, n_trees, dtype=columns.dtype)
        return csr_array((np.ones(columns.size, np.float32), columns, ends), shape=(m, self.n_leaves))


def refuse_links(left: Array, right: Array, feature: Array, is_leaf: Array, n_features: int) -> None:
    """Raise `ValueError` where a walk down a tree could leave it, go round in it, or read a feature that is none.

    Parameters
    ----------
    left, right, feature, is_leaf : (n_nodes,) of one tree. scikit-learn numbers children after their parents.
    """
    n = len(is_leaf)
    inner = np.flatnonzero(~is_leaf)
    for children in (left[inner], right[inner]):
        if not ((children > inner) & (children < n)).all():
            raise ValueError("a tree whose branches lead out of it")
    if n == 0 or not ((feature[inner] >= 0) & (feature[inner] < n_features)).all():
        raise ValueError("a tree that asks for a feature that is none")
