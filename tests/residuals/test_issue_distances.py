"""Distances to the nearest samples, and below which they are near duplicates, against plain pairs and counts."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from mlx.residuals.issues.neighbors import distances_between, nearest
from mlx.stats.near_duplicates import near_threshold


def test_sparse_rows_have_the_distances_of_dense_ones() -> None:
    generator = np.random.default_rng(0)
    dense = (generator.random((60, 30)) < 0.1).astype(float)
    for queries, same in ((dense, True), (dense[:7], False)):
        found = nearest(csr_array(queries), csr_array(dense), 3, same=same)[0]
        np.testing.assert_allclose(found, nearest(queries, dense, 3, same=same)[0], atol=1e-12)


def test_the_distance_between_large_rows_does_not_overflow() -> None:
    rows = 1e200 * np.array([[0.0, 1], [0, 1], [3, 5]])
    np.testing.assert_allclose(distances_between(rows, rows[[1, 2, 2]]), [0, 5e200, 0], rtol=1e-15)


@pytest.mark.parametrize(("n", "dimension"), [(1000, 2.0), (1000, 12.0), (50_000, 3.0)])
def test_the_threshold_expects_at_most_half_a_false_one(n: int, dimension: float) -> None:
    found = near_threshold(n, 2.0, dimension)
    assert found.factor == pytest.approx(min(0.13, (-np.log2(1 - 0.5 / n)) ** (1 / dimension)), rel=1e-12)
    assert found.distance == 2 * found.factor
    assert found.expected_false == pytest.approx(n * (1 - 2 ** -(found.factor**dimension)), rel=1e-6)
    assert found.expected_false <= 0.5 * (1 + 1e-9)
    if found.factor < 0.13:
        assert found.expected_false == pytest.approx(0.5, rel=1e-9)


def test_evenly_spread_samples_have_as_many_false_ones_as_expected() -> None:
    generator, n, found = np.random.default_rng(0), 400, []
    for _ in range(60):
        x = generator.random((n, 2))
        gaps = np.abs(x[:, None] - x)
        squares = (np.minimum(gaps, 1 - gaps) ** 2).sum(axis=2)  # on a torus, which has no edges
        distances = np.sqrt(squares[~np.eye(n, dtype=bool)].reshape(n, n - 1).min(axis=1))
        found.append(int((distances < near_threshold(n, float(np.median(distances)), 2.0).distance).sum()))
    assert np.mean(found) == pytest.approx(0.5, abs=0.35)  # both samples of a pair are near: sd of a count is 1
