"""Weak slices: found on one half of the samples, measured on the other, and told in words."""

import numpy as np
import pandas as pd
import pytest
from factor_tables import table
from scipy.stats import binom, fisher_exact, hypergeom

from mlx.residuals.errors.factor_values import read_factors
from mlx.residuals.errors.slice_conditions import Condition
from mlx.residuals.errors.slices import weak_slices
from mlx.stats.proportions import wilson_interval


def test_the_weakest_slice_is_described_and_measured_on_the_other_half():
    columns, error, _ = table(2000)
    found = weak_slices(read_factors(columns), error, seed=0, confidence=0.95)
    assert (found.n_found, found.n_measured, str(found.status)) == (1000, 1000, "ok")
    worst = found.slices[0]
    assert "occluded" in worst.description
    assert "noise > 0.7" in worst.description
    assert worst.low > 0.6 > worst.rest_error_rate
    assert worst.p_holm < 1e-6
    interval = wilson_interval(worst.n_errors, worst.n)
    assert (worst.low, worst.high) == (interval.low, interval.high)
    total = round(worst.rest_error_rate * (1000 - worst.n))
    rows = [[worst.n_errors, worst.n - worst.n_errors], [total, 1000 - worst.n - total]]
    seen = hypergeom(np.sum(rows), np.sum(rows, axis=0)[0], np.sum(rows, axis=1)[0]).pmf(rows[0][0])
    assert worst.p == pytest.approx(fisher_exact(rows, alternative="greater").pvalue - seen / 2)
    assert weak_slices(read_factors(columns), error, seed=0, confidence=0.95) == found


@pytest.mark.slow
def test_slices_of_chance_are_not_found_weak_on_the_other_half():
    rates, rejected, runs = [], 0, 150
    for run in range(runs):
        columns = table(200, seed=[3, run])[0]
        error = np.random.default_rng([1, run]).random(200) < 0.2
        found = weak_slices(read_factors(columns), error, seed=run, confidence=0.95)
        rates += [(s.error_rate, s.error_rate_found) for s in found.slices if str(s.status) == "ok"]
        rejected += any(s.p_holm <= 0.05 for s in found.slices)
    measured, chosen = np.mean(rates, axis=0)
    assert chosen > 0.3
    assert measured == pytest.approx(0.2, abs=0.03)
    assert rejected <= binom.ppf(0.99975, runs, 0.07)


def test_missing_values_and_categories_are_told_in_words():
    generator = np.random.default_rng(0)
    noise = np.where(generator.random(600) < 0.2, np.nan, generator.random(600))
    color = generator.choice(["red", "green"], 600)
    error = generator.random(600) < np.where((np.nan_to_num(noise, nan=0) > 0.6) & (color == "red"), 0.9, 0.05)
    factors = read_factors(pd.DataFrame({"noise": noise, "color": color}))
    slices = weak_slices(factors, error, seed=1, confidence=0.95).slices
    assert "noise > 0." in slices[0].description
    assert "color is red" in slices[0].description or "color is not green" in slices[0].description
    assert any(" or missing)" in one.description for one in slices)


def test_samples_without_a_value_may_be_a_slice():
    generator = np.random.default_rng(0)
    size = np.where(generator.random(800) < 0.2, np.nan, generator.random(800))
    error = generator.random(800) < np.where(np.isnan(size), 0.7, 0.1)
    found = weak_slices(read_factors(pd.DataFrame({"size": size})), error, seed=1, confidence=0.95).slices
    assert found[0].description == "size is missing"
    assert found[0].error_rate == pytest.approx(0.7, abs=0.15)


def test_a_slice_holds_the_samples_without_a_value_where_it_says_so():
    values = np.array([np.nan, 1.0, 2.0, 3.0, np.nan, 5.0])
    (factor,) = read_factors(pd.DataFrame({"x": values}))
    for threshold in (1.5, 2.5, 4.0):
        for above in (False, True):
            condition = Condition(factor, None, threshold, above, fill=2.0)
            met = values > threshold if above else values <= threshold
            said = condition.words()
            expected = met | (np.isnan(values) if "or missing)" in said else False)
            assert condition.holds(np.arange(6)).tolist() == expected.tolist(), said


@pytest.mark.parametrize(
    ("columns", "error", "status"),
    [
        (pd.DataFrame({"a": np.ones(300)}), np.arange(300) % 2 == 0, "no factor that varies"),
        (pd.DataFrame({"a": np.arange(90.0)}), np.arange(90) % 2 == 0, "too few samples (n < 100)"),
        (pd.DataFrame({"a": np.arange(300.0)}), np.zeros(300, bool), "no errors in the half that looks for slices"),
        (pd.DataFrame({"a": np.arange(300.0)}), np.ones(300, bool), "all wrong in the half that looks for slices"),
    ],
)
def test_no_slices_has_a_reason(columns, error, status):
    found = weak_slices(read_factors(columns), error, seed=0, confidence=0.95)
    assert (found.slices, str(found.status)) == ((), status)
