"""Statistics of grouped samples: reference values, brute force, and that their tests hold their level."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom, fisher_exact, hypergeom

from mlx.stats.auroc import auroc
from mlx.stats.groups import Groups, jackknife_variance, proportion_by_group, sign_flip_tests, variance_by_group
from mlx.stats.proportions import higher_share_p_values, wilson_interval

LABELS = np.repeat(["a", "b", "c", "d", "e"], [3, 2, 1, 4, 2])
SUCCESSES = np.array([1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 1], dtype=bool)


def test_proportion_of_the_reference():
    groups = Groups.of(LABELS)
    found = proportion_by_group(SUCCESSES, groups)
    without = np.array([SUCCESSES[groups.codes != g].mean() for g in range(groups.count)])
    assert found.estimate == 0.75
    assert jackknife_variance(found.estimate, without) == pytest.approx(0.03846877870, abs=5e-12)
    assert found.design_effect == pytest.approx(55 / 24, rel=1e-14)
    assert found.n_effective == pytest.approx(3.290681462, abs=5e-10)
    assert found.interval.low == pytest.approx(0.2702074211, abs=5e-11)
    # Both ends of Wilson's interval are as far from its center.
    center = (0.75 * found.n_effective + 1.959963984540054**2 / 2) / (found.n_effective + 1.959963984540054**2)
    assert found.interval.high == pytest.approx(2 * center - found.interval.low, abs=1e-14)


def test_one_sample_a_group_is_no_group():
    generator = np.random.default_rng(0)
    score, wrong = generator.normal(size=80), generator.random(80) < 0.3
    alone = Groups.of(np.arange(80))
    found = proportion_by_group(wrong, alone)
    # V_lin divides by n − 1, which Wilson's interval does not: a design effect of n/(n − 1).
    assert found.design_effect == pytest.approx(80 / 79)
    plain = wilson_interval(int(wrong.sum()), 80)
    assert (found.interval.low, found.interval.high) == pytest.approx((plain.low, plain.high), abs=0.002)
    influence = auroc(wrong, score).influence
    assert variance_by_group(influence, alone) == pytest.approx(influence @ influence / (80 * 79))


def test_a_proportion_of_0_or_1_counts_groups():
    groups = Groups.of(np.repeat(np.arange(50), 4))
    for successes in (np.zeros(200, dtype=bool), np.ones(200, dtype=bool)):
        found = proportion_by_group(successes, groups)
        assert found.design_effect == 4
        assert found.interval.high - found.interval.low > 0.06
    assert proportion_by_group(np.zeros(200, dtype=bool), groups).interval.low == 0


def test_copies_say_no_more_than_what_they_are_copies_of():
    generator = np.random.default_rng(1)
    score, wrong = generator.normal(size=100), generator.random(100) < 0.3
    copies = np.repeat(np.arange(100), 3)
    groups = Groups.of(copies)
    once = auroc(wrong, score).influence * np.sqrt(1)
    thrice = auroc(wrong[copies], score[copies])
    assert thrice.estimate == pytest.approx(auroc(wrong, score).estimate)
    assert variance_by_group(thrice.influence, groups) == pytest.approx(once @ once / 100**2, rel=0.06)
    assert proportion_by_group(wrong[copies], groups).design_effect == pytest.approx(3 * 100 / 99)


def test_sign_flips_count_what_all_flips_would():
    generator = np.random.default_rng(2)
    products, groups = generator.normal(0.3, size=24), Groups.of(np.arange(24) // 3)
    sums = groups.sums(products)
    flips = np.array(list(itertools.product((-1, 1), repeat=groups.count)))
    exact = (np.abs(flips @ sums) >= abs(sums.sum()) * (1 - 1e-12)).mean()
    (test,) = sign_flip_tests(products[None], groups, 20_000, np.random.default_rng(3))
    assert test.p == pytest.approx(exact, abs=4 * exact / np.sqrt(min(20, 20_000 * exact)))


@pytest.mark.slow
def test_sign_flips_and_proportions_hold_their_level():
    """Groups that share x, y and errors: tests of samples would reject a true null several times as often."""
    runs, rejected, covered = 400, 0, 0
    for run in range(runs):
        generator = np.random.default_rng([4, run])
        groups = Groups.of(np.repeat(np.arange(60), 5))
        x, y, at = (generator.normal(size=60)[groups.codes] + generator.normal(size=300) for _ in range(3))
        products = (x - x.mean()) * (y - y.mean())
        rejected += sign_flip_tests(products[None], groups, 199, generator)[0].p <= 0.05
        interval = proportion_by_group(at > np.sqrt(2) * 0.8416212335729143, groups).interval
        covered += interval.low <= 0.2 <= interval.high
    assert rejected / runs <= binom.ppf(0.9995, runs, 0.07) / runs
    assert binom.ppf(0.0005, runs, 0.93) <= covered <= binom.ppf(0.9995, runs, 0.97)


def test_the_p_value_of_a_higher_share_is_fishers_without_half_of_what_was_seen():
    for successes, n, all_successes, n_all in ((3, 10, 5, 40), (0, 4, 5, 40), (5, 5, 5, 5)):
        table = [[successes, n - successes], [all_successes - successes, n_all - n - all_successes + successes]]
        seen = hypergeom.pmf(successes, n_all, all_successes, n)
        exact = fisher_exact(table, "greater").pvalue
        found = higher_share_p_values([successes], [n], all_successes, n_all)
        assert found == pytest.approx([exact - seen / 2], rel=1e-10)


def test_the_p_values_of_higher_shares_are_those_of_the_hypergeometric_law_at_any_size():
    generator = np.random.default_rng(0)
    for _ in range(200):
        n_all = int(10 ** generator.uniform(0, 5))
        all_successes, n = map(int, generator.integers(0, n_all + 1, 2))
        least, most = max(0, n + all_successes - n_all), min(n, all_successes)
        seen = generator.integers(least, most + 1, (2, 3))
        law = hypergeom(n_all, all_successes, n)
        found = higher_share_p_values(seen, n, all_successes, n_all)
        assert found.shape == (2, 3)
        np.testing.assert_allclose(found, np.minimum(1, law.sf(seen) + law.pmf(seen) / 2), rtol=1e-9, atol=1e-300)
    with pytest.raises(ValueError, match="expected 2 to 3, found 1"):
        higher_share_p_values([1], [4], 3, 5)
