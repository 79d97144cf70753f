"""Neural collapse, CKA, intrinsic dimension and principal components against their definitions."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.decomposition import PCA

from mlx.core.errors import DataError
from mlx.residuals.geometry import cka, components
from mlx.residuals.geometry.cka import debiased_cka
from mlx.residuals.geometry.collapse import neural_collapse
from mlx.residuals.geometry.components import principal_components
from mlx.residuals.geometry.dimension import intrinsic_dimension


def simplex(n_classes=5, n_features=8, per_class=20):
    corners = np.eye(n_classes) - 1 / n_classes
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(n_features, n_features)))[0][:n_classes]
    y = np.repeat(np.arange(n_classes), per_class)
    return 3 + (corners @ turn)[y], y, (corners @ turn).T


def test_a_perfect_simplex_has_collapsed():
    representation, y, weights = simplex()
    found = neural_collapse(representation, y, y, weights=2 * weights)
    assert found.nc1 < 1e-20
    assert found.nc4 == 0
    assert max(found.nc2_norms, found.nc2_angles, found.nc2_simplex, found.nc3) < 1e-14
    assert str(found.status) == "ok"


def test_neural_collapse_follows_its_definition():
    generator = np.random.default_rng(1)
    y = generator.integers(4, size=120)
    h = generator.normal(size=(120, 7)) + 2 * generator.normal(size=(4, 7))[y]
    pred, weights = generator.integers(4, size=120), generator.normal(size=(7, 4))
    centers = np.stack([h[y == c].mean(axis=0) for c in range(4)])
    m = centers - centers.mean(axis=0)
    within = (h - centers[y]).T @ (h - centers[y]) / 120
    cosines = [m[a] @ m[b] / np.linalg.norm(m[a]) / np.linalg.norm(m[b]) for a in range(4) for b in range(a)]
    lengths = np.linalg.norm(m, axis=1)
    found = neural_collapse(h, y, pred, weights=weights)
    assert found.nc1 == pytest.approx(np.trace(within @ np.linalg.pinv(m.T @ m / 4)) / 4, rel=1e-9)
    assert found.nc2_norms == pytest.approx(lengths.std() / lengths.mean())
    assert found.nc2_angles == pytest.approx(np.std(cosines))
    assert found.nc2_simplex == pytest.approx(np.mean(np.abs(np.array(cosines) + 1 / 3)))
    gap = weights / np.linalg.norm(weights) - m.T / np.linalg.norm(m)
    assert found.nc3 == pytest.approx(np.linalg.norm(gap))
    nearest = ((h[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    assert found.nc4 == (nearest != pred).mean()


def test_collapse_that_is_undefined_says_why():
    h, y, _ = simplex()
    assert str(neural_collapse(h, np.zeros_like(y), y).status) == "fewer than two classes"
    assert str(neural_collapse(np.ones_like(h), y, y).status) == "a class center coincides with the center of all"
    assert str(neural_collapse(h, y, y).status) == "no nc3 (no weights of a last layer)"


def hsic(k, m):
    n = len(k)
    k, m = k - np.diag(np.diag(k)), m - np.diag(np.diag(m))
    mixed = k.sum() * m.sum() / (n - 1) / (n - 2) - 2 / (n - 2) * (k.sum(axis=0) @ m.sum(axis=0))
    return (np.trace(k @ m) + mixed) / n / (n - 3)


@pytest.mark.parametrize(("n", "d_x", "d_y"), [(60, 5, 7), (30, 90, 40), (25, 40, 300)])
def test_cka_agrees_with_the_definition_over_pairs_dense_and_sparse(n, d_x, d_y, monkeypatch):
    monkeypatch.setattr(cka, "row_blocks", lambda rows, *_: (slice(i, min(i + 7, rows)) for i in range(0, rows, 7)))
    generator = np.random.default_rng(n)
    x = generator.normal(size=(n, d_x)) + 3
    y = np.maximum(x @ generator.normal(size=(d_x, d_y)), 0) * (generator.random((n, d_y)) < 0.3)
    k, m = x @ x.T, y @ y.T
    expected = hsic(k, m) / np.sqrt(hsic(k, k) * hsic(m, m))
    for left in (x, sparse.csr_array(x)):
        for right in (y, sparse.csr_matrix(y)):
            assert debiased_cka(left, right).cka == pytest.approx(expected, abs=1e-11)
    assert debiased_cka(x, 5 * x @ np.linalg.qr(generator.normal(size=(d_x, d_x)))[0] - 2).cka == pytest.approx(1)


def test_cka_of_unrelated_layers_is_zero_on_average_though_features_outnumber_samples():
    generator = np.random.default_rng(0)
    values = [debiased_cka(*generator.normal(size=(2, 30, 200))).cka for _ in range(200)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200)


def test_cka_that_is_undefined_says_why():
    x = np.random.default_rng(0).normal(size=(10, 3))
    assert str(debiased_cka(x, np.full((10, 2), 0.1)).status) == "constant representation"
    assert str(debiased_cka(x[:3], x[:3]).status) == "too few samples (n < 4)"
    with pytest.raises(DataError, match="same samples"):
        debiased_cka(x, x[:5])
    x[4, 1] = np.nan
    for bad in (x, sparse.csr_array(x)):
        with pytest.raises(DataError, match="row 4: a value is not finite"):
            debiased_cka(bad, np.ones((10, 1)))


@pytest.mark.slow
@pytest.mark.parametrize("dimension", [1, 2, 5, 10])
@pytest.mark.parametrize("n", [300, 1500])
@pytest.mark.parametrize("shape", ["cube", "sphere"])
def test_the_band_holds_the_known_dimension_of_a_shape_in_a_larger_space(dimension, n, shape):
    held = 0
    for seed in range(10):
        generator = np.random.default_rng([seed, n])
        points = generator.random((n, dimension)) if shape == "cube" else generator.normal(size=(n, dimension + 1))
        if shape == "sphere":
            points /= np.linalg.norm(points, axis=1, keepdims=True)
        turn = np.linalg.qr(generator.normal(size=(20, 20)))[0][: points.shape[1]]
        found = intrinsic_dimension(points @ turn + 5, seed=0)
        held += found.low <= dimension <= found.high
        assert found.high - found.low < 0.9 * dimension
    assert held >= 9


def test_dimension_leaves_out_duplicates_and_says_when_too_few_are_left():
    points = np.random.default_rng(0).random((150, 2))
    once, twice = (
        intrinsic_dimension(points, seed=1),
        intrinsic_dimension(np.concatenate([points, points[:40]]), seed=1),
    )
    assert (twice.n, twice.n_duplicates) == (150, 40)
    assert (twice.low, twice.high) == (once.low, once.high)
    whole = (points * 100).astype(np.uint8)
    assert intrinsic_dimension(whole, seed=1) == intrinsic_dimension(whole.astype(float), seed=1)
    few = intrinsic_dimension(np.ones((200, 3)), seed=0)
    assert (few.n, str(few.status)) == (1, "fewer than 100 samples of different position")
    grid = np.stack(np.meshgrid(np.arange(15.0), np.arange(15.0)), axis=-1).reshape(-1, 2)
    assert str(intrinsic_dimension(grid, seed=0).status) == "neighbors are equally far (values on a grid)"


@pytest.mark.parametrize(("shape", "dense"), [((300, 12), 2048), ((40, 200), 2048), ((60, 50), 20)])
def test_principal_components_agree_with_scikit_learn(shape, dense, monkeypatch):
    monkeypatch.setattr(components, "DENSE", dense)
    generator = np.random.default_rng(0)
    x = generator.normal(size=(shape[0], 4)) * [5, 3, 2, 1] @ generator.normal(size=(4, shape[1])) + 100
    found, expected = principal_components(x, n_components=3), PCA(3).fit(x)
    np.testing.assert_allclose(found.variance_ratio, expected.explained_variance_ratio_, rtol=1e-9)
    np.testing.assert_allclose(np.abs(found.coordinates), np.abs(expected.transform(x)), atol=1e-8)
    assert all(axis[np.abs(axis).argmax()] > 0 for axis in found.axes)
    np.testing.assert_array_equal(principal_components(x, n_components=3).coordinates, found.coordinates)


def test_components_beyond_the_data_are_zero():
    found = principal_components(np.arange(6.0)[:, None], n_components=2)
    assert found.coordinates[:, 1].tolist() == [0] * 6
    assert found.variance_ratio.tolist() == [1, 0]
    assert str(principal_components(np.full((5, 2), 0.1)).status) == "constant representation"
