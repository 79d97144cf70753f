"""One-hot encoded leaves of the samples in each tree, whose cosine similarity is the proximity of a forest."""

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

    Each row has a one for each tree, so that the cosine similarity of two rows is the share of trees
    in which both samples fall into the same leaf: the proximity of Breiman's random forests (Breiman &
    Cutler, "Random forests", 2001, section "Proximities").

    Attributes
    ----------
    starts
        (T,) index of the first node of each tree among all nodes.
    columns
        (n_nodes,) the column of each leaf; undefined for other nodes.
    n_leaves
        Number of columns.
    """

    starts: Array
    columns: Array
    n_leaves: int

    @classmethod
    def of(cls, is_leaf: Sequence[Array]) -> "LeafColumns":
        """Number the leaves of trees, given for each tree which of its nodes are leaves."""
        sizes = [len(nodes) for nodes in is_leaf]
        starts = np.cumsum([0, *sizes[:-1]])
        counts = np.cumsum(np.concatenate(is_leaf), dtype=np.int32)
        return cls(starts, counts - 1, int(counts[-1]))

    def one_hot(self, leaves: Array) -> "csr_array[Any]":
        """Return (m, n_leaves) float32 for ``leaves`` (m, T), indices of nodes within each tree."""
        from scipy.sparse import csr_array

        m, n_trees = leaves.shape
        columns = self.columns[leaves + self.starts].ravel()
        ends = np.arange(0, (m + 1) * n_trees, n_trees, dtype=columns.dtype)
        return csr_array((np.ones(columns.size, np.float32), columns, ends), shape=(m, self.n_leaves))


def check_tree_links(left: Array, right: Array, feature: Array, is_leaf: Array, n_features: int) -> None:
    """Raise `ValueError` if a traversal of a tree could leave it, not end, or read a feature that does not exist.

    Parameters
    ----------
    left, right, feature, is_leaf
        (n_nodes,) of one tree, in which children have larger indices than their parents.
    """
    n = len(is_leaf)
    inner = np.flatnonzero(~is_leaf)
    for children in (left[inner], right[inner]):
        if not ((children > inner) & (children < n)).all():
            raise ValueError("a tree whose branches lead out of it")
    if n == 0 or not ((feature[inner] >= 0) & (feature[inner] < n_features)).all():
        raise ValueError("a tree that splits on a feature that does not exist")
