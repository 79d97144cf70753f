"""Partial correlation given groups, against pingouin, and the size of its p-value under confounding."""

import numpy as np
import pandas as pd
import pytest
from oracles import oracle
from scipy.stats import binom

from mlx.core.errors import DataError
from mlx.residuals import ResidualsSettings
from mlx.residuals.association.partial import correlations_given_correctness

SETTINGS = ResidualsSettings(n_permutations=199)


def confounded(generator, n=60, slope=0.0):
    """Draw groups that differ in size, center and spread of both columns."""
    groups = generator.choice(3, size=n, p=[0.6, 0.3, 0.1])
    x = groups + (1 + groups) * generator.gamma(1, size=n)
    return x, 2 * groups + (3 - groups) * generator.normal(size=n) + slope * x, groups


@pytest.mark.parametrize("statistic", ["pearson", "spearman"])
def test_estimates_agree_with_pingouin(statistic):
    pingouin = oracle("pingouin")

    x, y, groups = confounded(np.random.default_rng(0), slope=0.5)
    data = pd.DataFrame({"x": x, "y": y, "a": (groups == 1) * 1.0, "b": (groups == 2) * 1.0})
    expected = pingouin.partial_corr(data, "x", "y", ["a", "b"], method=statistic)["r"].iloc[0]
    found = {f.statistic: f for f in correlations_given_correctness(x, y, groups, settings=SETTINGS)}
    assert found[statistic].estimate == pytest.approx(expected, abs=1e-10)


@pytest.mark.slow
def test_p_values_have_their_size_under_confounding_by_the_group():
    rejected, runs = np.zeros(2), 500
    for run in range(runs):
        x, y, groups = confounded(np.random.default_rng([1, run]))
        settings = ResidualsSettings(n_permutations=99, seed=run)
        rejected += [f.p <= 0.05 for f in correlations_given_correctness(x, y, groups, settings=settings)]
    low, high = binom.ppf(0.00025, runs, 0.03), binom.ppf(0.99975, runs, 0.07)
    assert ((low <= rejected) & (rejected <= high)).all(), rejected


def test_what_has_no_partial_correlation_says_why():
    x = np.arange(8.0)
    groups = np.repeat([0, 1], 4)
    for y, status in ((groups * 1.0, "constant y within groups"), (x * np.nan, "fewer than 3 samples")):
        for found in correlations_given_correctness(x, y, groups, settings=SETTINGS):
            assert str(found.status).startswith(status)
    with pytest.raises(DataError, match="one shape"):
        correlations_given_correctness(x, x[:3], groups, settings=SETTINGS)
