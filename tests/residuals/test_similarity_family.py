"""Every similarity measure against the same written out over all pairs, and against scikit-learn."""

import numpy as np
import pytest
from representations import KINDS, exact_directions, exact_distances, representation
from scipy import sparse
from sklearn.metrics import silhouette_samples

from mlx.residuals.similarity.class_similarity import similarity_family
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift

TOLERANCE = {"collapsed": 1e-9}
"""Of silhouettes, which divide distances; all else to 1e-12."""


def family(rows, labels, true, **options):
    return similarity_family(lift(directions_of("layer", rows, len(labels))), labels, true, 4, **options)


def mean_distances(rows, labels, n_classes):
    """Mean distance of every row with a direction to each class, itself left out; NaN where nobody is."""
    found, distance = exact_distances(rows)
    others = (labels[found][:, None] == np.arange(n_classes)).astype(np.longdouble)
    count = others.sum(axis=0)[None] - others
    return found, np.divide(distance @ others, count, out=np.full(count.shape, np.nan, np.longdouble), where=count > 0)


@pytest.mark.parametrize("kind", KINDS)
def test_each_measure_equals_its_definition_over_all_pairs(kind):
    rows, pred, _ = representation(kind)
    true = np.roll(pred, 5)
    found = family(rows, pred, true)
    where, distance = mean_distances(rows, pred, 4)
    m, own = np.arange(where.size), pred[where]
    a = distance[m, own]
    distance[m, own] = np.inf
    b = np.nanmin(distance, axis=1)
    expected = {
        "predicted": 1 - a,
        "true": 1 - mean_distances(rows, true, 4)[1][m, true[where]],
        "overall": 1 - mean_distances(rows, np.zeros_like(pred), 1)[1][:, 0],
        "margin": b - a,
    }
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(found, name)[where], values.astype(float), atol=1e-12, err_msg=name)
        assert np.isnan(np.delete(getattr(found, name), where)).all()
    silhouette = np.nan_to_num(((b - a) / np.maximum(a, b)).astype(float))
    np.testing.assert_allclose(found.silhouette[where], silhouette, atol=1e-11)
    _, u = exact_directions(rows)
    rest = np.stack([u[own == label].sum(axis=0) for label in range(4)])[own] - u
    with np.errstate(invalid="ignore"):
        cosine = (u * rest).sum(axis=1) / np.sqrt((rest**2).sum(axis=1))
    cosine[np.sqrt((rest**2).sum(axis=1)) < 1e-9] = np.nan  # others that cancel have no centroid
    np.testing.assert_allclose(found.centroid[where], cosine.astype(float), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_silhouettes_equal_those_of_scikit_learn(kind):
    rows, pred, _ = representation(kind)
    where, directions = exact_directions(rows)
    expected = silhouette_samples(directions.astype(float), pred[where], metric="cosine")
    tolerance = 1e-7 if kind == "collapsed" else 1e-11  # scikit-learn's 1 − s has lost the digits
    np.testing.assert_allclose(family(rows, pred, pred).silhouette[where], expected, atol=tolerance)


def test_one_class_has_no_margin_and_no_silhouette_and_others_that_cancel_no_centroid():
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [2.0, 0.0]])
    labels = np.array([1, 1, 1, 2])
    found = family(rows, labels, labels)
    assert np.isnan(found.centroid).tolist() == [True, False, False, True]
    alone = family(rows[:3], labels[:3], labels[:3])
    assert np.isnan(alone.margin).all()
    assert np.isnan(alone.silhouette).all()


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_array])
def test_one_direction_alone_has_a_silhouette_of_zero_and_no_noise(form):
    rows = np.outer(np.random.default_rng(0).exponential(size=40), [0.3, 0.0, 0.7, 0.1])
    labels = np.arange(40) % 3
    assert (family(form(rows), labels, labels).silhouette == 0).all()


@pytest.mark.parametrize("kind", ["plain", "collapsed", "sparse"])
def test_block_size_changes_nothing_beyond_rounding(kind):
    rows, pred, _ = representation(kind)
    whole = family(rows, pred, pred)
    for block_bytes in (1, 1000):
        parts = family(rows, pred, pred, block_bytes=block_bytes)
        for name in vars(whole):
            np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), atol=1e-13, err_msg=name)


def test_a_memory_mapped_file_gives_the_same_bits_as_memory(tmp_path):
    rows, pred, _ = representation("float32", n=3000)
    np.save(tmp_path / "layer.npy", rows)
    mapped = family(np.load(tmp_path / "layer.npy", mmap_mode="r"), pred, pred)
    for name, values in vars(family(rows, pred, pred)).items():
        np.testing.assert_array_equal(getattr(mapped, name), values)
    exact = family(rows.astype(np.float64), pred, pred)
    np.testing.assert_array_equal(mapped.margin, exact.margin)
