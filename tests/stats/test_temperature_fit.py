"""The fitted temperature: reference values, an independent minimizer, and cases without a minimum."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from mlx.core.errors import DataError
from mlx.stats.status import Reason
from mlx.stats.temperature_fit import fit_temperature


def log_loss(logits, y, temperature):
    return -log_softmax(logits / temperature, axis=1)[np.arange(len(y)), y].mean()


def test_the_reference_values() -> None:
    found = fit_temperature(np.array([[2.0, 0, 0], [0, 3, 1], [1, 0, 2]]), np.array([0, 1, 0]))
    assert found.temperature == pytest.approx(0.8900962307, abs=5e-11)
    assert found.log_loss == pytest.approx(0.6015604591, abs=5e-11)
    assert found.log_loss_unscaled == pytest.approx(0.6056655834, abs=5e-11)
    assert found.status.is_ok


@pytest.mark.parametrize("sharpness", [0.1, 1.0, 8.0])
def test_it_is_where_an_independent_minimizer_ends(sharpness: float) -> None:
    generator = np.random.default_rng(0)
    z = 2 * generator.normal(size=(400, 5))
    y = (z + generator.gumbel(size=z.shape)).argmax(axis=1)
    logits = sharpness * z + 300.0
    found = fit_temperature(logits, y)
    other = minimize_scalar(lambda t: log_loss(logits, y, np.exp(t)), bounds=(-4, 4), method="bounded",
                            options={"xatol": 1e-10})  # fmt: skip
    assert found.temperature == pytest.approx(np.exp(other.x), rel=1e-6)
    assert found.temperature == pytest.approx(sharpness, rel=0.2)
    assert found.log_loss == pytest.approx(log_loss(logits, y, found.temperature), rel=1e-12)
    assert found.log_loss <= other.fun * (1 + 1e-13)


def test_without_a_minimum_the_status_says_so() -> None:
    logits = np.array([[3.0, 0], [0, 2]])
    right, wrong = fit_temperature(logits, np.array([0, 1])), fit_temperature(logits, np.array([1, 0]))
    assert (right.temperature, right.status) == (0.01, Reason.TEMPERATURE_AT_BOUND("0.01"))
    assert (wrong.temperature, wrong.status) == (100.0, Reason.TEMPERATURE_AT_BOUND("100"))
    flat = fit_temperature(np.full((4, 3), 7.0), np.array([0, 1, 2, 0]))
    assert (flat.temperature, flat.status) == (1.0, Reason.CONSTANT("logits"))
    assert flat.log_loss == pytest.approx(np.log(3))
    with pytest.raises(DataError, match="logits: row 1: a value is not finite"):
        fit_temperature(np.array([[0.0, 1], [np.inf, 0]]), np.array([0, 1]))
    with pytest.raises(DataError, match="y_true: row 0: expected a class from 0 to 1, found 2"):
        fit_temperature(np.zeros((1, 2)), np.array([2]))
