"""The test of AUROC = 0.5 and its interval: reference values, SciPy, permutations written out, and sizes that hold."""

from itertools import combinations

import numpy as np
import pytest
from scipy import stats

from mlx.stats.auroc import auroc
from mlx.stats.brunner_munzel import brunner_munzel, permuted_statistics, random_subsets, smoothed_area

PAIN = np.array([3, 3, 4, 3, 1, 2, 3, 1, 1, 5, 4, 1, 2, 1, 1, 1, 1, 1, 1, 1, 1, 2, 4, 1, 1], float)
TREATED = np.arange(25) < 11
"""The example of Brunner & Munzel (2000)."""


def test_the_published_example_has_its_reference_values():
    found = brunner_munzel(TREATED, PAIN)
    assert found.auroc == pytest.approx(243 / 308, rel=1e-15)
    assert (found.statistic, found.df) == pytest.approx((3.137467482, 17.68284198), rel=1e-9)
    assert found.p == pytest.approx(0.005786208666, rel=1e-9)
    interval = smoothed_area(TREATED, auroc(TREATED, PAIN)).interval(0.95)
    assert (interval.low, interval.high) == pytest.approx((0.5377716264, 0.9215540854), abs=1e-10)


def samples(seed):
    generator = np.random.default_rng(seed)
    n = int(generator.integers(6, 60))
    positive = generator.permutation(n) < generator.integers(2, n - 1)
    return positive, generator.normal(size=n) if seed % 2 else generator.integers(0, 4, size=n).astype(float)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_statistic_and_p_are_those_of_scipy():
    for seed in range(300):
        positive, score = samples(seed)
        found, expected = brunner_munzel(positive, score), stats.brunnermunzel(score[~positive], score[positive])
        if found.error > 0:
            assert found.statistic == pytest.approx(expected.statistic, rel=1e-12, abs=1e-12)
            assert found.p == pytest.approx(expected.pvalue, rel=1e-10)


def test_without_variance_the_statistic_is_infinite_or_0():
    positive = np.arange(10) < 4
    assert brunner_munzel(positive, positive * 1.0).statistic == np.inf
    assert brunner_munzel(positive, positive * -1.0).statistic == -np.inf
    tied = brunner_munzel(positive, np.ones(10))
    assert (tied.statistic, tied.p) == (0, 1)


@pytest.mark.parametrize("score", [np.arange(7.0), np.array([0, 0, 1, 1, 1, 2, 5.0]), np.zeros(7)])
def test_permuted_statistics_are_those_of_every_choice_of_labels(score):
    every = set()
    for chosen in combinations(range(7), 3):
        positive = np.isin(np.arange(7), chosen)
        every.add(round(abs(brunner_munzel(positive, score).statistic), 12))
    drawn = permuted_statistics(score, 3, np.random.default_rng(0), 3000)
    assert set(drawn.round(12)) == every


def test_subsets_are_equally_likely():
    drawn = random_subsets(6, 3, 20_000, np.random.default_rng(1))
    _, counts = np.unique(drawn, axis=0, return_counts=True)
    assert counts.size == 20
    assert stats.chisquare(counts).pvalue > 0.001


def test_an_interval_does_not_depend_on_the_direction_of_the_score():
    for seed in range(20):
        positive, score = samples(seed)
        one, other = (smoothed_area(positive, auroc(positive, s)).interval(0.9) for s in (score, -score))
        assert (one.low, one.high) == pytest.approx((1 - other.high, 1 - other.low), abs=1e-12)


def test_perfect_separation_has_an_interval_short_of_1():
    positive = np.arange(40) < 12
    interval = smoothed_area(positive, auroc(positive, positive * 1.0)).interval(0.95)
    assert 0.9 < interval.low < interval.high < 1
