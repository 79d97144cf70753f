"""Similarities in linear time against all pairs, one by one."""

import numpy as np
import pytest
from similarities import group_similarity

from mlx.core.errors import DataError
from mlx.residuals.similarity import directions as units
from mlx.residuals.similarity.directions import directions_of


def brute_force(representation, labels):
    norms = np.linalg.norm(representation, axis=1)
    found = np.full(len(labels), np.nan)
    for i in np.flatnonzero(norms > 0):
        others = [j for j in np.flatnonzero(norms > 0) if j != i and labels[j] == labels[i]]
        if others:
            cosines = [representation[i] @ representation[j] / norms[i] / norms[j] for j in others]
            found[i] = np.mean(cosines)
    return found


@pytest.mark.parametrize("n_features", [1, 2, 64])
@pytest.mark.parametrize("n_groups", [1, 3, 60])
def test_group_similarity_equals_the_mean_over_all_pairs(n_features, n_groups):
    generator = np.random.default_rng(n_features)
    representation = generator.normal(size=(90, n_features)) + 0.5
    representation[[3, 40]] = 0
    labels = generator.integers(n_groups, size=90)
    found = group_similarity(directions_of("layer", representation, 90), labels)
    np.testing.assert_allclose(found, brute_force(representation, labels), atol=1e-12)


def test_block_size_changes_nothing_beyond_rounding():
    generator = np.random.default_rng(0)
    labels = generator.integers(4, size=500)
    units = directions_of("layer", generator.normal(size=(500, 8)), 500)
    whole = group_similarity(units, labels)
    for block_bytes in (1, 1000, 5000):
        np.testing.assert_allclose(group_similarity(units, labels, block_bytes=block_bytes), whole, atol=1e-13)


def test_rows_too_many_to_keep_are_computed_again(monkeypatch, tmp_path):
    generator = np.random.default_rng(0)
    representation = generator.normal(size=(300, 8)).astype(np.float32)
    np.save(tmp_path / "layer.npy", representation)
    labels = generator.integers(4, size=300)
    kept = group_similarity(directions_of("layer", representation, 300), labels)
    monkeypatch.setattr(units, "KEEP_BYTES", 0)
    mapped = np.load(tmp_path / "layer.npy", mmap_mode="r")
    np.testing.assert_array_equal(group_similarity(directions_of("layer", mapped, 300), labels), kept)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_the_scale_of_a_row_doesnt_matter(scale):
    representation = np.random.default_rng(0).normal(size=(20, 3))
    labels = np.zeros(20, dtype=int)
    small, large = (group_similarity(directions_of("x", representation * s, 20), labels) for s in (1.0, scale))
    np.testing.assert_allclose(small, large, atol=1e-14)


def test_collapsed_features_keep_their_digits():
    generator = np.random.default_rng(0)
    representation = 1 + 2e-4 * generator.normal(size=(80, 16))
    labels = np.zeros(80, dtype=int)
    found = group_similarity(directions_of("x", representation, 80), labels)
    exact = 1 - found
    units = representation / np.linalg.norm(representation, axis=1, keepdims=True)
    distance = ((units[:, None] - units[None]) ** 2).sum(axis=2).sum(axis=1) / 2 / 79
    assert np.corrcoef(exact, distance)[0, 1] == pytest.approx(1, abs=1e-8)


def test_what_cannot_be_measured_is_refused_with_its_row():
    representation = np.ones((5, 2), dtype=np.float32)
    representation[3, 1] = np.inf
    with pytest.raises(DataError, match="penultimate: row 3: a value is not finite"):
        directions_of("penultimate", representation, 5)
    with pytest.raises(DataError, match=r"penultimate: expected shape \(4, any\), found \(5, 2\)"):
        directions_of("penultimate", representation, 4)
    with pytest.raises(DataError, match="expected real numbers"):
        directions_of("penultimate", np.array([["a"]]), 1)
