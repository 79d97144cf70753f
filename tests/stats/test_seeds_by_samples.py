"""The mean over seeds and samples: a published table, a fitted model of variance components, and its coverage."""

import numpy as np
import pytest
from scipy.stats import t, ttest_1samp

from mlx.stats.seeds_by_samples import mean_over_seeds
from mlx.stats.status import OK, Reason

TABLE = np.array([[1, 2, 4, 3], [2, 4, 5, 5], [0, 3, 3, 2.0]])


def test_mean_squares_components_interval_and_p() -> None:
    found = mean_over_seeds(TABLE)
    assert [found.ms_seed, found.ms_sample, found.ms_rest] == pytest.approx([13 / 3, 5, 1 / 3], rel=1e-12)
    assert [found.var_seed, found.var_sample, found.var_rest] == pytest.approx([1, 14 / 9, 1 / 3], rel=1e-12)
    assert found.variance == pytest.approx(0.75, rel=1e-12)
    assert (found.interval.high - found.interval.low) / 2 == pytest.approx(3.223495831, rel=1e-9)
    assert (found.interval.high + found.interval.low) / 2 == pytest.approx(found.mean, rel=1e-12)
    assert found.p == pytest.approx(0.06496150904, rel=1e-9)
    assert found.status == OK


def test_the_interval_at_one_less_p_touches_0() -> None:
    rng = np.random.default_rng(0)
    for n_seeds, n_samples in [(3, 4), (5, 50), (10, 8)]:
        table = rng.normal(size=(n_seeds, 1)) + rng.normal(size=n_samples) + rng.normal(size=(n_seeds, n_samples))
        found = mean_over_seeds(table + 0.4)
        touching = mean_over_seeds(table + 0.4, 1 - found.p).interval
        assert min(abs(touching.low), abs(touching.high)) < 1e-10


def test_the_variance_is_that_of_means_of_seeds_and_mean_covariances_of_samples() -> None:
    table = np.random.default_rng(1).normal(size=(6, 40)) + np.arange(6)[:, None]
    covariance = np.cov(table) / 40
    off_diagonal = (covariance.sum() - covariance.trace()) / 30
    expected = table.mean(axis=1).var(ddof=1) / 6 + off_diagonal
    assert mean_over_seeds(table).variance == pytest.approx(expected, rel=1e-12)


def test_negative_components_are_given_as_estimated() -> None:
    table = np.array([[1.0, 3, 0], [3, 0, 1], [0, 1, 3]])
    found = mean_over_seeds(table)
    assert found.var_seed < 0 > found.var_sample
    assert found.part_seed == 0
    assert found.variance == pytest.approx(found.ms_sample / 9)


def test_two_seeds_have_components_and_a_mean_alone() -> None:
    found = mean_over_seeds(TABLE[:2])
    assert found.status == Reason.SEEDS_NEEDED()
    assert str(found.status) == "three seeds needed"
    assert found.mean == 3.25
    assert found.var_seed == pytest.approx((found.ms_seed - found.ms_rest) / 4)
    assert np.isnan([found.interval.low, found.interval.high, found.p]).all()


@pytest.mark.parametrize("n_seeds", [2, 5])
def test_seeds_that_agree_leave_the_t_test_of_the_samples(n_seeds: int) -> None:
    losses = np.random.default_rng(2).exponential(size=30) / 3
    found = mean_over_seeds(np.tile(losses, (n_seeds, 1)))
    assert (found.var_seed, found.status) == (0, Reason.SEEDS_AGREE())
    expected = ttest_1samp(losses, 0)
    assert [found.interval.low, found.interval.high] == pytest.approx(list(expected.confidence_interval()), rel=1e-12)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-12)


def test_a_unit_changes_no_digit_and_nothing_under_or_overflows() -> None:
    found, scaled = mean_over_seeds(TABLE), mean_over_seeds(TABLE * 2.0**-700)
    assert scaled.p == found.p
    assert scaled.interval.high == found.interval.high * 2.0**-700


def test_losses_that_are_all_the_same_have_no_interval() -> None:
    found = mean_over_seeds(np.full((3, 5), 0.1))
    assert found.interval.why_missing == Reason.ALL_THE_SAME()
    assert np.isnan(found.p)


def test_a_large_mean_has_a_small_p_value() -> None:
    assert 0 <= mean_over_seeds(np.random.default_rng(3).normal(1, 1e-3, size=(40, 400))).p < 1e-30


@pytest.mark.parametrize("table", [np.ones((1, 5)), np.ones((5, 1)), np.ones(5), np.full((3, 3), np.nan)])
def test_smaller_tables_are_rejected(table: np.ndarray) -> None:
    with pytest.raises(ValueError, match="losses: expected"):
        mean_over_seeds(table)


@pytest.mark.slow
@pytest.mark.parametrize(("n_seeds", "sds"), [(3, (1, 1, 1)), (3, (0.1, 1, 2)), (5, (2, 1, 1)), (10, (0.3, 0.5, 3))])
def test_the_interval_covers(n_seeds: int, sds: tuple[float, float, float]) -> None:
    rng, n_samples, runs = np.random.default_rng(4), 60, 1000
    covered = 0
    for _ in range(runs):
        seeds, samples = rng.normal(size=(n_seeds, 1)), rng.normal(size=n_samples)
        rest = rng.normal(size=(n_seeds, n_samples))
        table = sds[0] * seeds / 8 + sds[1] * samples + sds[2] * rest
        interval = mean_over_seeds(table).interval
        covered += interval.low <= 0 <= interval.high
    assert 0.93 <= covered / runs <= 0.98


def test_with_many_samples_it_is_the_t_interval_of_the_seeds() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(4, 1)) + 1e-6 * rng.normal(size=(4, 1000))
    means, found = table.mean(axis=1), mean_over_seeds(table).interval
    assert found.high - means.mean() == pytest.approx(t.ppf(0.975, 3) * means.std(ddof=1) / 2, rel=1e-6)


def test_the_mean_squares_are_those_of_statsmodels() -> None:
    import pandas as pd
    from statsmodels.formula.api import ols
    from statsmodels.stats.anova import anova_lm

    rng = np.random.default_rng(7)
    table = rng.normal(0, 0.2, (5, 1)) + rng.exponential(size=12) + rng.normal(0, 0.5, (5, 12))
    long = pd.DataFrame({"loss": table.ravel(), "seed": np.repeat(np.arange(5), 12), "i": np.tile(np.arange(12), 5)})
    expected = anova_lm(ols("loss ~ C(seed) + C(i)", long).fit())["mean_sq"]
    found = mean_over_seeds(table)
    assert [found.ms_seed, found.ms_sample, found.ms_rest] == pytest.approx(list(expected), rel=1e-10)
