"""Correlations, ranks, adjusted p-values and permutations against scipy and statsmodels."""

import numpy as np
import pytest
from oracles import adjusted
from scipy import stats

from mlx.stats.correlation import is_constant, merge_ties, midranks, weighted_correlation, weighted_midranks
from mlx.stats.multiple_testing import benjamini_hochberg, holm, holm_level

ONE = np.ones((1, 11))


def test_anscombe_has_its_certified_correlation():
    x = np.array([10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5.0])
    y = np.array([8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68])
    assert weighted_correlation(x, y, ONE)[0] == pytest.approx(0.81642051634, abs=1e-11)


def test_spearman_with_a_tie_has_its_reference_value():
    ranks = [midranks(np.array(v, dtype=float)) for v in ([1, 2, 3, 4, 5], [5, 6, 7, 8, 7])]
    assert weighted_correlation(*ranks, ONE[:, :5])[0] == pytest.approx(0.82078268166812, abs=1e-13)


@pytest.mark.parametrize("levels", [2, 5, 10**6])
def test_weighted_midranks_are_the_ranks_of_the_repeated_data(levels):
    generator = np.random.default_rng(levels)
    values = generator.integers(levels, size=(6, 25)).astype(float)
    weights = generator.integers(4, size=(6, 25)).astype(float)
    for shared, ranks in (
        (False, weighted_midranks(values, weights)),
        (True, weighted_midranks(values[0], weights)),
    ):
        for row in range(6):
            data, w = values[0 if shared else row], weights[row].astype(int)
            expected = stats.rankdata(np.repeat(data, w))
            np.testing.assert_array_equal(np.repeat(ranks[row], w), expected)


def test_values_equal_up_to_rounding_are_tied():
    assert midranks(np.array([0.3, 0.1 + 0.2, 0.5]), 1e-13).tolist() == [1.5, 1.5, 3]
    assert is_constant(np.array([0.3, 0.1 + 0.2]), 1e-13)


def test_weighted_correlation_agrees_with_scipy_on_the_repeated_data():
    generator = np.random.default_rng(0)
    x, y = generator.normal(size=(2, 40))
    weights = generator.integers(4, size=(3, 40)).astype(float)
    found = weighted_correlation(x, y, weights)
    repeated = [[np.repeat(v, w.astype(int)) for v in (x, y)] for w in weights]
    np.testing.assert_allclose(found, [stats.pearsonr(*pair)[0] for pair in repeated], atol=1e-13)


def test_no_spread_has_no_correlation():
    x, y = np.array([1.0, 1.0, 2.0]), np.array([1.0, 2.0, 3.0])
    assert np.isnan(weighted_correlation(x, y, np.array([[1.0, 1.0, 0.0]]))).all()


@pytest.mark.parametrize("n_tests", [0, 1, 12])
def test_adjusted_p_values_agree_with_statsmodels_and_scipy(n_tests):
    p = np.round(np.random.default_rng(n_tests).random(n_tests) ** 3, 2)
    with_gaps = np.insert(p, 0, np.nan)
    expected = adjusted(p, "holm") if n_tests else p
    np.testing.assert_allclose(holm(with_gaps)[1:], expected, rtol=1e-12)
    expected = stats.false_discovery_control(p) if n_tests else p
    np.testing.assert_allclose(benjamini_hochberg(with_gaps)[1:], expected, rtol=1e-12)
    assert np.isnan(holm(with_gaps)[0])
    level = holm_level(with_gaps, 0.95)
    assert ((with_gaps[1:] <= 1 - level) == (holm(with_gaps)[1:] <= 0.05)).all()


def test_values_equal_but_for_rounding_are_merged():
    values = np.array([0.3, np.nan, 0.1 + 0.2, 1.0, 0.3 - 1e-16, 2.0])
    merged = merge_ties(values, 1e-12)
    np.testing.assert_array_equal(merged[[0, 2, 4]], values[4])
    np.testing.assert_array_equal(merged[[1, 3, 5]], values[[1, 3, 5]])
    assert merge_ties(np.array([]), 1.0).size == 0
