"""Least squares keeps the digits that certified data sets ask for."""

from pathlib import Path

import numpy as np
import pytest
import scipy
import statsmodels.api as sm

from mlx.models import ModelSettings, TaskSpec, build_model
from mlx.models.in_numpy import least_squares
from mlx.models.in_numpy.least_squares import solve_least_squares


def digits(found: float, certified: float) -> float:
    """The log relative error of NIST: how many decimal digits agree."""
    return -np.log10(max(abs(found - certified) / abs(certified), 1e-16))


def test_norris_agrees_with_nist_to_thirteen_digits() -> None:
    path = next(Path(scipy.__file__).parent.rglob("Norris.dat"), None)
    assert path is not None
    rows = np.loadtxt(path, skiprows=60)
    line = solve_least_squares(rows[:, 1:], rows[:, 0])
    assert digits(line.intercept, -0.262323073774029) >= 13
    assert digits(line.weights[0], 1.00211681802045) >= 13


def test_longley_agrees_with_nist_to_fourteen_digits() -> None:
    data = sm.datasets.longley.load_pandas().data
    certified = {
        "GNPDEFL": 15.0618722713733, "GNP": -0.358191792925910e-01, "UNEMP": -2.02022980381683,
        "ARMED": -1.03322686717359, "POP": -0.511041056535807e-01, "YEAR": 1829.15146461355,
    }  # fmt: skip
    line = solve_least_squares(data[list(certified)].to_numpy(float), data["TOTEMP"].to_numpy(float))
    assert digits(line.intercept, -3482258.63459582) >= 14
    for found, value in zip(line.weights, certified.values(), strict=True):
        assert digits(found, value) >= 14


def test_wampler_polynomials_agree_with_nist() -> None:
    x = np.arange(21.0)
    X = np.stack([x**k for k in range(1, 6)], axis=1)
    quarter = [759, -2048, 2048, -2048, 2523, -2048, 2048, -2048, 1838, -2048]
    noise = np.array([*quarter, 2048, *reversed(quarter)], float)  # of Wampler-3; a hundred times it of -4, and so on
    exact = 1 + X.sum(axis=1)
    for y, least in ((exact, 13), (exact + noise, 12), (exact + 100 * noise, 10), (exact + 10_000 * noise, 9)):
        line = solve_least_squares(X, y)
        assert min(digits(value, 1.0) for value in (*line.weights, line.intercept)) >= least
    tenths = np.round(sum((0.1 * x) ** k for k in range(6)), 5)
    line = solve_least_squares(X, tenths)
    found = (line.intercept, *line.weights)
    assert min(digits(value, 10.0**-k) for k, value in enumerate(found)) >= 12


def test_many_rows_are_as_exact_as_few(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5000, 7)) * 10.0 ** np.arange(-3, 4) + 5
    Y = X @ rng.normal(size=(7, 2)) + rng.normal(size=(5000, 2))
    exact = solve_least_squares(X, Y)
    monkeypatch.setattr(least_squares, "SMALL", 0)
    monkeypatch.setattr(least_squares, "row_blocks", lambda n, _: (slice(i, i + 700) for i in range(0, n, 700)))
    found = solve_least_squares(X, Y)
    np.testing.assert_allclose(found.weights, exact.weights, rtol=1e-11)
    np.testing.assert_allclose(found.intercept, exact.intercept, rtol=1e-11)


@pytest.mark.parametrize(("n", "d"), [(60, 5), (12, 11), (11, 11), (10, 30), (1, 3)])
@pytest.mark.parametrize("l2", [1e-6, 0.5, 1e3])
def test_a_ridge_is_that_of_scikit_learn(n: int, d: int, l2: float) -> None:
    from sklearn.linear_model import Ridge

    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(n, d)) * 10.0 ** rng.integers(-1, 2, d) + 3, rng.normal(size=(n, 2))
    known = Ridge(alpha=l2, solver="svd").fit(X, Y)
    line = solve_least_squares(X, Y, l2=l2)
    np.testing.assert_allclose(line.weights.T, known.coef_, rtol=0, atol=1e-10 * max(1, np.abs(known.coef_).max()))
    np.testing.assert_allclose(line.intercept, known.intercept_, atol=1e-9)


def test_the_shortest_weights_are_those_of_scikit_learn() -> None:
    from sklearn.linear_model import LinearRegression

    rng = np.random.default_rng(0)
    wide = rng.normal(size=(8, 20))
    tall = rng.normal(size=(30, 2))
    tall = np.column_stack([tall, 100 * tall.sum(axis=1), np.ones(30)])
    for X in (wide, tall):
        y = rng.normal(size=len(X))
        with pytest.warns(RuntimeWarning, match="the shortest weights are taken"):
            line = solve_least_squares(X, y)
        np.testing.assert_allclose(line.weights, LinearRegression().fit(X, y).coef_, atol=1e-12)


def test_nearly_dependent_columns_are_said_with_the_condition_and_still_solved() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2))
    X = np.column_stack([X, X[:, 0] + 1e-11 * rng.normal(size=40)])
    with pytest.warns(RuntimeWarning, match=r"a condition number of \d.*few digits of their weights are certain"):
        line = solve_least_squares(X, X[:, 1])
    np.testing.assert_allclose(X @ line.weights + line.intercept, X[:, 1], atol=1e-9)


def test_it_does_not_depend_on_units_or_offsets() -> None:
    rng = np.random.default_rng(0)
    X, noise = rng.normal(size=(50, 3)), rng.normal(size=50)
    units, offset = np.array([1e-9, 1.0, 1e9]), np.array([1e-6, 1e6, 0])
    plain = solve_least_squares(X, X @ [1.0, 2.0, 3.0] + noise)
    moved = solve_least_squares(X * units + offset, X @ [1.0, 2.0, 3.0] + noise)
    np.testing.assert_allclose(moved.weights * units, plain.weights, rtol=1e-8)
    for size in (1e-300, 1e-200, 1e200, 1e290, np.array([1e150, 1, 1e-150])):
        sized = solve_least_squares(X * size, X @ [1.0, 2.0, 3.0] + noise)
        np.testing.assert_allclose(sized.weights * size, plain.weights, rtol=1e-12)
    np.testing.assert_allclose(moved.intercept + moved.weights @ offset, plain.intercept, rtol=1e-6)


def test_dependent_columns_are_said_with_rank_and_condition_and_still_solved() -> None:
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2))
    X = np.column_stack([X, X[:, 0] + X[:, 1], np.ones(30)])
    y = X[:, 0] - X[:, 1]
    with pytest.warns(RuntimeWarning, match=r"the 4 features have rank 2 \(condition number"):
        line = solve_least_squares(X, y)
    np.testing.assert_allclose(X @ line.weights + line.intercept, y, atol=1e-12)


def test_fewer_samples_than_weights_are_fitted_with_a_warning_and_an_idle_optimizer_is_said() -> None:
    params = {"optimizer_config": {"learning_rate": 0.1}}
    settings = ModelSettings(name="linear_regression", params=params)
    model = build_model(settings, TaskSpec("regression", (5,), 0), seed=0)
    X, y = np.random.default_rng(0).normal(size=(4, 5)), np.arange(4.0)
    with (
        pytest.warns(RuntimeWarning, match="the 5 features have rank 3"),
        pytest.warns(UserWarning, match="optimizer_config has no effect without use_gradient_descent"),
    ):
        model.fit(X, y, seed=0)  # type: ignore[attr-defined]
    np.testing.assert_allclose(model.outputs(X).predictions, y, atol=1e-12)
