"""The difference of two recipes: its variance against the covariances, Welch's test, and agreement with the tables."""

import numpy as np
import pytest
from scipy.stats import ttest_ind, ttest_rel

from mlx.stats.seed_differences import difference_over_seeds
from mlx.stats.seeds_by_samples import SeedsBySamples, mean_over_seeds, metric_over_seeds
from mlx.stats.status import Reason

RNG = np.random.default_rng(0)
HARD = RNG.exponential(size=60)
FIRST = HARD + RNG.normal(size=(4, 1)) / 5 + RNG.normal(size=(4, 60))
SECOND = HARD + 0.1 + RNG.normal(size=(6, 1)) / 5 + RNG.normal(size=(6, 60))


def table(losses: np.ndarray) -> SeedsBySamples:
    return SeedsBySamples.of_losses(losses)


def test_the_variance_is_that_of_the_seeds_and_of_the_covariances_of_samples() -> None:
    found = difference_over_seeds(table(FIRST), table(SECOND))
    covariance = np.cov(np.concatenate([FIRST, SECOND])) / 60
    own = [covariance[:4, :4], covariance[4:, 4:]]
    common = sum((c.sum() - c.trace()) / (len(c) * (len(c) - 1)) for c in own) - 2 * covariance[:4, 4:].mean()
    by_seed = FIRST.mean(axis=1).var(ddof=1) / 4 + SECOND.mean(axis=1).var(ddof=1) / 6
    assert found.part_sample == pytest.approx(max(0.0, common), rel=1e-10)
    assert found.part_seed == pytest.approx(by_seed, rel=1e-12)
    assert found.df_seed == pytest.approx(ttest_ind(FIRST.mean(axis=1), SECOND.mean(axis=1), equal_var=False).df)
    assert found.difference == pytest.approx(SECOND.mean() - FIRST.mean())
    three = difference_over_seeds(table(FIRST[:3]), table(SECOND)).interval.method
    assert three == f"conservative with three seeds; {found.interval.method}"


def test_the_components_give_the_variance_of_as_many_seeds() -> None:
    found = difference_over_seeds(table(FIRST), table(SECOND[:4]))
    variance = found.var_seed / 4 + found.var_sample / 60 + found.var_rest / 240
    assert variance == pytest.approx(found.part_seed + found.var_sample / 60, rel=1e-12)


def test_without_samples_in_common_it_is_the_welch_test_of_the_runs() -> None:
    opposite = np.tile([1.0, -1.0], 30)
    first, second = (np.array([[1.0], [2.0], [4.0]]) + k + 0 * opposite for k in (0, 3))
    found = difference_over_seeds(table(first), table(second))
    expected = ttest_ind(second[:, 0], first[:, 0], equal_var=False)
    assert found.part_sample == 0
    assert found.p == pytest.approx(expected.pvalue, rel=1e-9)


def test_runs_that_agree_leave_the_paired_test_of_the_samples() -> None:
    found = difference_over_seeds(table(np.tile(FIRST[0], (3, 1))), table(np.tile(SECOND[0], (2, 1))))
    assert found.status == Reason.SEEDS_AGREE()
    assert found.p == pytest.approx(ttest_rel(SECOND[0], FIRST[0]).pvalue, rel=1e-10)


def test_the_interval_at_one_less_p_touches_0() -> None:
    found = difference_over_seeds(table(FIRST), table(SECOND))
    touching = difference_over_seeds(table(FIRST), table(SECOND), 1 - found.p).interval
    assert min(abs(touching.low), abs(touching.high)) < 1e-10


def test_two_seeds_that_differ_have_no_interval_and_a_table_of_other_samples_is_rejected() -> None:
    found = difference_over_seeds(table(FIRST[:2]), table(SECOND))
    assert (found.status, found.interval.why_missing) == (Reason.SEEDS_NEEDED(), Reason.SEEDS_NEEDED())
    assert np.isfinite(found.difference)
    with pytest.raises(ValueError, match="as many samples in both"):
        difference_over_seeds(table(FIRST), table(SECOND[:, 1:]))


def test_a_unit_changes_no_digit() -> None:
    found = difference_over_seeds(table(FIRST), table(SECOND))
    scaled = difference_over_seeds(table(FIRST * 2.0**-600), table(SECOND * 2.0**-600))
    assert (scaled.p, scaled.interval.high) == (found.p, found.interval.high * 2.0**-600)


def test_the_mean_of_any_metric_is_that_of_a_table_for_a_mean() -> None:
    found, expected = metric_over_seeds(table(FIRST)), mean_over_seeds(FIRST)
    assert found.interval.high == pytest.approx(expected.interval.high, rel=1e-12)
    assert found.var_sample == pytest.approx(expected.var_sample, rel=1e-10)


def test_seeds_with_little_in_common_have_the_interval_of_the_runs() -> None:
    noise = np.random.default_rng(1).normal(size=(5, 400))
    found = mean_over_seeds(noise)
    plain = noise.mean(axis=1).std(ddof=1) / 5**0.5 * 2.7764451051977987
    assert (found.interval.high - found.interval.low) / 2 >= plain
    assert found.interval.method.startswith("variance between seeds as it is")


def test_groups_take_the_place_of_samples() -> None:
    from mlx.stats.groups import Groups, variance_by_group

    groups = Groups.of(np.repeat(np.arange(20), 3))
    one = table(FIRST)
    grouped = one.by_group(groups)
    n = grouped.n_samples
    expected = [variance_by_group(row, groups) for row in one.influence]
    assert [row @ row / (n * (n - 1)) for row in grouped.influence] == pytest.approx(expected)
