"""Scaling is fitted on the training rows, is the same in blocks, and never happens twice."""

from typing import Any

import numpy as np
import pytest
from sklearn.preprocessing import StandardScaler

from mlx.core.errors import DataError
from mlx.models.in_sklearn.standardization import Standardization
from mlx.preprocessing.scaling import fit_scaler


def test_standard_scaling_of_a_table_equals_scikit_learns() -> None:
    X = np.random.default_rng(0).normal(size=(101, 4)) * [1, 1e-6, 1e6, 0] + [0, 5, 1e9, 3]
    scaler = fit_scaler("standard", X.dtype, np.array_split(X[:70], 7))
    expected = StandardScaler().fit(X[:70]).transform(X)
    np.testing.assert_allclose(scaler.apply(X), expected, rtol=1e-6, atol=1e-9)
    assert scaler.apply(X).dtype == np.float64


def test_the_unit_of_a_feature_changes_no_digit_however_small_or_large() -> None:
    X = np.random.default_rng(0).normal([0, 5, 9], size=(60, 3))
    units = np.ldexp(1.0, [1000, -1000, 3])
    expected = fit_scaler("standard", X.dtype, [X[:40], X[40:]]).apply(X)
    found = fit_scaler("standard", X.dtype, [(X * units)[:40], (X * units)[40:]]).apply(X * units)
    np.testing.assert_array_equal(found, expected)
    small, large = (Standardization.of(values).apply(values) for values in (X, X * units))
    np.testing.assert_array_equal(small, large)
    with pytest.raises(DataError, match=r"those of feature 1 \(from 0\) are too large or too different"):
        fit_scaler("standard", X.dtype, [X, X * [1.0, 1e300, 1.0]])


def test_standard_scaling_of_images_is_by_channel() -> None:
    X = np.random.default_rng(0).integers(0, 256, size=(50, 6, 5, 3), dtype=np.uint8)
    scaled = fit_scaler("standard", X.dtype, [X[:20], X[20:]]).apply(X)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled.mean(axis=(0, 1, 2)), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=(0, 1, 2)), 1, atol=1e-5)


def test_blocks_of_any_size_fit_the_same() -> None:
    X = np.random.default_rng(0).normal(size=(64, 3))
    whole, rows = (fit_scaler("standard", X.dtype, blocks) for blocks in ([X], list(X[:, None])))
    np.testing.assert_allclose(whole.apply(X), rows.apply(X), rtol=1e-12, atol=1e-12)


def test_blocks_without_training_rows_change_nothing() -> None:
    X = np.random.default_rng(0).normal(size=(64, 3))
    scaled, again = (fit_scaler("standard", X.dtype, blocks).apply(X) for blocks in ([X], [X[:0], X, X[:0]]))
    np.testing.assert_array_equal(scaled, again)


def test_unit_divides_8_bit_values_by_255_once() -> None:
    X = np.arange(256, dtype=np.uint8).reshape(-1, 1)
    once = fit_scaler("unit", np.uint8, []).apply(X)
    np.testing.assert_array_equal(once, X.astype(np.float32) / np.float32(255))
    np.testing.assert_array_equal(fit_scaler("unit", once.dtype, []).apply(once), once)


def test_unit_refuses_values_that_are_neither_8_bit_nor_within_0_and_1() -> None:
    with pytest.raises(DataError, match=r"unit expects 8-bit values.*from -2 to 300"):
        fit_scaler("unit", np.float64, []).apply(np.array([[-2.0, 300.0]]))


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_none_changes_nothing(dtype: Any) -> None:
    X = np.ones((3, 2), dtype)
    scaled = fit_scaler("none", X.dtype, []).apply(X)
    assert scaled.dtype == dtype
    np.testing.assert_array_equal(scaled, X)
