"""Least squares keeps the digits that certified data sets ask for."""

from pathlib import Path

import numpy as np
import pytest
import scipy
import statsmodels.api as sm

from mlx.core.errors import DataError
from mlx.models.contract import Problem
from mlx.models.in_numpy.least_squares import LeastSquaresModel, solve_least_squares
from mlx.models.in_numpy.params import LinearRegressionParams


def digits(found: float, certified: float) -> float:
    """The log relative error of NIST: how many decimal digits agree."""
    return -np.log10(max(abs(found - certified) / abs(certified), 1e-16))


def test_norris_agrees_with_nist_to_eleven_digits() -> None:
    path = next(Path(scipy.__file__).parent.rglob("Norris.dat"), None)
    assert path is not None
    rows = np.loadtxt(path, skiprows=60)
    weights, intercept = solve_least_squares(rows[:, 1:], rows[:, 0])
    assert digits(intercept, -0.262323073774029) >= 11
    assert digits(weights[0], 1.00211681802045) >= 11


def test_longley_agrees_with_nist_to_ten_digits() -> None:
    data = sm.datasets.longley.load_pandas().data
    certified = {
        "GNPDEFL": 15.0618722713733, "GNP": -0.358191792925910e-01, "UNEMP": -2.02022980381683,
        "ARMED": -1.03322686717359, "POP": -0.511041056535807e-01, "YEAR": 1829.15146461355,
    }  # fmt: skip
    weights, intercept = solve_least_squares(data[list(certified)].to_numpy(float), data["TOTEMP"].to_numpy(float))
    assert digits(intercept, -3482258.63459582) >= 10
    for found, value in zip(weights, certified.values(), strict=True):
        assert digits(found, value) >= 10


def test_wampler_polynomials_keep_more_digits_than_the_normal_equations() -> None:
    x = np.arange(21.0)
    X = np.stack([x**k for k in range(1, 6)], axis=1)
    weights, intercept = solve_least_squares(X, 1 + X.sum(axis=1))
    assert min(digits(value, 1.0) for value in (*weights, intercept)) >= 8


def test_it_does_not_depend_on_units_or_offsets() -> None:
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(50, 3)), rng.normal(size=50)
    units, offset = np.array([1e-9, 1.0, 1e9]), np.array([1e-6, 1e6, 0])
    weights, intercept = solve_least_squares(X, X @ [1.0, 2.0, 3.0] + noise)
    scaled, moved = solve_least_squares(X * units + offset, X @ [1.0, 2.0, 3.0] + noise)
    np.testing.assert_allclose(scaled * units, weights, rtol=1e-8)
    np.testing.assert_allclose(moved + scaled @ offset, intercept, rtol=1e-6)


def test_dependent_columns_are_said_with_rank_and_condition_and_still_solved() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.ones(30)])
    y = X[:, 0] - X[:, 1]
    with pytest.warns(RuntimeWarning, match=r"the 4 features have rank 2 \(condition number"):
        weights, intercept = solve_least_squares(X, y)
    np.testing.assert_allclose(X @ weights + intercept, y, atol=1e-12)


def test_fewer_samples_than_weights_are_refused() -> None:
    model = LeastSquaresModel(LinearRegressionParams(), Problem("regression", (5,), 0))
    with pytest.raises(DataError, match="expected at least 6 training samples, .* found 4"):
        model.fit(np.zeros((4, 5)), np.zeros(4), seed=0)
