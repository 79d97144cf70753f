"""Nearest neighbors and class matrices against all pairs, written out."""

import numpy as np
import pytest
from representations import KINDS, exact_distances, representation
from sklearn.metrics.pairwise import cosine_similarity

from mlx.residuals.similarity.class_matrices import class_matrices, mean_similarity_matrix
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift
from mlx.residuals.similarity.neighbors import neighbor_similarity


def lifted(rows, n):
    return lift(directions_of("layer", rows, n))


@pytest.mark.parametrize("k", [1, 5, 200])
@pytest.mark.parametrize("kind", KINDS)
def test_neighbor_similarity_is_the_mean_of_the_k_largest(kind, k):
    rows, labels, _ = representation(kind)
    found, distance = exact_distances(rows)
    np.fill_diagonal(distance, np.inf)
    similarity = neighbor_similarity(lifted(rows, labels.size), n_neighbours=k)
    if k >= found.size:
        assert np.isnan(similarity).all()
        return
    expected = 1 - np.sort(distance, axis=1)[:, :k].mean(axis=1).astype(float)
    np.testing.assert_allclose(similarity[found], expected, atol=1e-12)
    assert np.isnan(np.delete(similarity, found)).all()


def test_neighbors_of_collapsed_rows_are_the_right_ones():
    rows, labels, _ = representation("collapsed")
    _, distance = exact_distances(rows)
    np.fill_diagonal(distance, np.inf)
    matrix = class_matrices(lifted(rows, labels.size), np.zeros(labels.size, int), 1, max_samples=0)[0]
    np.testing.assert_array_equal(matrix.nearest, distance.argmin(axis=1))


@pytest.mark.parametrize("k", [0, -3])
def test_no_neighbors_are_refused(k):
    with pytest.raises(ValueError, match="n_neighbours: expected at least 1"):
        neighbor_similarity(lifted(np.eye(3), 3), n_neighbours=k)


@pytest.mark.parametrize("kind", KINDS)
def test_matrices_of_small_classes_hold_every_pair_and_of_large_ones_the_means_over_blocks(kind):
    rows, labels, _ = representation(kind)
    found, distance = exact_distances(rows)
    place = np.searchsorted(found, np.arange(labels.size))
    matrices = class_matrices(lifted(rows, labels.size), labels, 5, max_samples=30, n_blocks=4)
    assert [matrix.label for matrix in matrices] == [0, 1, 2, 3, 4]
    assert [matrix.rows.size for matrix in matrices] == [(labels[found] == label).sum() for label in range(5)]
    assert {matrix.is_whole for matrix in matrices} == {True, False}
    for matrix in matrices[:3]:
        np.testing.assert_array_equal(matrix.rows, found[labels[found] == matrix.label])
        exact = 1 - distance[np.ix_(place[matrix.rows], place[matrix.rows])].astype(float)
        np.fill_diagonal(exact, np.nan)
        np.testing.assert_allclose(matrix.nearest_similarity, np.nanmax(exact, axis=1), atol=1e-12)
        if matrix.is_whole:
            np.fill_diagonal(exact, 1)
            assert (np.diag(matrix.similarity) == 1).all()
            expected = exact
        else:
            cuts = [slice(a, b) for a, b in zip(matrix.starts, [*matrix.starts[1:], None], strict=True)]
            expected = [[np.nanmean(exact[a, b]) for b in cuts] for a in cuts]
        np.testing.assert_allclose(matrix.similarity, expected, atol=1e-12)
        np.testing.assert_array_equal(matrix.similarity, matrix.similarity.T)


def test_a_class_of_one_has_a_matrix_of_one_and_no_neighbor():
    matrix = class_matrices(lifted(np.eye(3), 3), np.array([0, 1, 1]), 2, max_samples=9)[0]
    assert matrix.similarity.tolist() == [[1.0]]
    assert (matrix.nearest.tolist(), np.isnan(matrix.nearest_similarity).tolist()) == ([-1], [True])


def test_mean_similarities_between_classes_are_means_over_their_pairs():
    rows, labels, _ = representation("plain")
    exact = cosine_similarity(rows)
    np.fill_diagonal(exact, np.nan)
    found = mean_similarity_matrix(lifted(rows, labels.size), np.arange(labels.size), np.minimum(labels, 2), 3)
    members = [np.minimum(labels, 2) == label for label in range(3)]
    expected = [[np.nanmean(exact[np.ix_(a, b)]) for b in members] for a in members]
    np.testing.assert_allclose(found, expected, atol=1e-12)
