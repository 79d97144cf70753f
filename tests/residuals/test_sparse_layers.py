"""A sparse layer, such as the leaves of a forest, is analyzed as the same numbers in a dense array are."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from tables_of import analyze_classification

from mlx.residuals import ResidualsSettings


def leaves(n, n_trees, n_leaves, generator):
    """One-hot leaf membership (n, n_trees·n_leaves): one entry a tree."""
    columns = generator.integers(n_leaves, size=(n, n_trees)) // 2 + np.arange(n_trees) * n_leaves
    starts = np.arange(0, n * n_trees + 1, n_trees)
    return sparse.csr_array((np.ones(n * n_trees), columns.ravel(), starts), shape=(n, n_trees * n_leaves))


@pytest.mark.slow
def test_the_tables_of_a_sparse_layer_are_those_of_the_dense_one(tmp_path):
    generator = np.random.default_rng(0)
    n = 150
    probabilities = generator.dirichlet(np.ones(3), size=n)
    sparse.save_npz(tmp_path / "leaves.npz", leaves(n, 20, 12, generator))
    layer = sparse.load_npz(tmp_path / "leaves.npz")
    tables = [
        analyze_classification(
            {"leaves": representation},
            logits=None,
            probabilities=probabilities,
            y_true=np.arange(n) % 3,
            y_pred=probabilities.argmax(axis=1),
            class_names=["a", "b", "c"],
            index=np.arange(n),
            settings=ResidualsSettings(n_permutations=99),
        )
        for representation in (layer, layer.toarray())
    ]
    for name in ("samples", "classes", "tests"):
        # Of several samples just as near, either may be the nearest.
        pair = (getattr(table, name).drop(columns="nearest", errors="ignore") for table in tables)
        pd.testing.assert_frame_equal(*pair, check_exact=False, atol=1e-9)
