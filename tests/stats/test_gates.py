import math

import numpy as np
import pytest
from scipy.stats import norm

from mlx.stats.gates import ValidationErrors, expected_errors, level_given_gate, why_too_few
from mlx.stats.proportions import wilson_interval


def test_expected_errors_come_from_validation_and_without_it_from_the_test_set():
    assert expected_errors(3, 200, ValidationErrors(99, 7)) == 200 * 7.5 / 100
    assert expected_errors(150, 200, ValidationErrors(50, 0)) == 200 * 0.5 / 51
    assert expected_errors(3, 200, None) == 3


@pytest.mark.parametrize(("n", "errors"), [(0, 0), (5, 6), (5, -1)])
def test_validation_errors_are_a_part_of_the_samples(n, errors):
    with pytest.raises(ValueError, match=f"found {errors} of {n}"):
        ValidationErrors(n, errors)


@pytest.mark.parametrize("validation", [ValidationErrors(1, 0), ValidationErrors(1, 1), ValidationErrors(9, 1)])
def test_a_validation_set_that_opens_every_gate_without_an_error_must_show_two_of_either_kind(validation):
    assert expected_errors(30, 400, validation) >= 10
    status = str(why_too_few(30, 400, validation, 10))
    assert f"among {validation.n} validation samples, too few to say how many to expect" in status
    assert why_too_few(30, 400, ValidationErrors(9, 2), 10).is_ok
    assert why_too_few(30, 400, ValidationErrors(200, 40), 10).is_ok


def test_the_level_where_errors_of_the_test_set_are_the_gate_is_that_of_a_normal_distribution_cut_off_there():
    n, least, shown = 10_000, 99.5, 112
    level = level_given_gate(shown, least, n, 0.95)
    z = norm.isf((1 - level) / 2)
    beyond = 2 * n**0.5 * (math.asin((shown / n) ** 0.5) - math.asin((least / n) ** 0.5))
    # The share, of statistics beyond the gate, that are beyond the observed one, where the mean is z below that.
    assert norm.sf(z) / norm.sf(z - beyond) == pytest.approx(0.025, rel=1e-9)
    assert level > 0.95
    assert 1 > level_given_gate(100, least, n, 0.95) > level
    assert level_given_gate(150, least, n, 0.95) == 0.95


@pytest.mark.parametrize("rate", [0.04, 0.06, 0.1])
def test_the_lower_end_of_an_error_rate_holds_among_the_test_sets_whose_errors_let_it_be_given(rate):
    n, least = 200, 10
    errors = np.random.default_rng(0).binomial(n, rate, size=4000)
    given = errors[errors >= least]
    ends = {m: wilson_interval(m, n, level_given_gate(m, least - 0.5, n, 0.95)).low for m in np.unique(given)}
    assert np.mean([ends[m] > rate for m in given]) < 0.035
