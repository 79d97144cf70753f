"""Two models on the same samples: reference values, second methods, and the agreement of tests and intervals."""

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.stats import chi2, ttest_rel

from mlx.stats.paired import paired_influence, paired_mean, paired_proportions, score_p_value, tango_interval
from mlx.stats.status import Reason


def log_likelihood(lost_share: float, difference: float, gained: int, lost: int, n: int) -> float:
    shares = np.array([lost_share + difference, lost_share, 1 - 2 * lost_share - difference])
    counts = np.array([gained, lost, n - gained - lost])
    return float(np.sum(counts[counts > 0] * np.log(np.maximum(shares[counts > 0], 1e-300))))


def score_statistic(difference: float, gained: int, lost: int, n: int) -> float:
    """Tango's statistic, with the restricted likelihood maximized numerically."""
    bounds = max(0.0, -difference), (1 - difference) / 2
    found = minimize_scalar(
        lambda share: -log_likelihood(share, difference, gained, lost, n),
        bounds=bounds,
        method="bounded",
        options={"xatol": 1e-12},
    )
    return (gained - lost - n * difference) ** 2 / (n * (2 * found.x + difference * (1 - difference)))


@pytest.mark.parametrize(
    ("gained", "lost", "p", "low", "high"),
    [
        (5, 0, 0.02534731868, 0.0111568269, 0.1117504692),
        (10, 3, 0.05220363534, -0.0007655004391, 0.1498640522),
    ],
)
def test_the_reference_values(gained: int, lost: int, p: float, low: float, high: float) -> None:
    found = paired_proportions(gained, lost, 100)
    assert found.difference == (gained - lost) / 100
    assert found.p == pytest.approx(p, rel=1e-9)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high), rel=0, abs=6e-11)


@pytest.mark.parametrize(("gained", "lost", "n"), [(5, 0, 100), (10, 3, 100), (3, 7, 30), (0, 1, 12), (20, 15, 40)])
def test_the_ends_are_where_the_score_statistic_is_the_quantile(gained: int, lost: int, n: int) -> None:
    interval = tango_interval(gained, lost, n, 0.9)
    for end in (interval.low, interval.high):
        assert score_statistic(end, gained, lost, n) == pytest.approx(chi2.ppf(0.9, 1), rel=1e-4)


def test_without_differences_p_is_1_and_there_is_an_interval() -> None:
    found = paired_proportions(0, 0, 50)
    z2 = chi2.ppf(0.95, 1)
    assert found.p == 1
    assert (found.interval.low, found.interval.high) == pytest.approx((-z2 / (50 + z2), z2 / (50 + z2)))


def test_the_best_and_the_worst_difference_have_an_interval() -> None:
    found = paired_proportions(20, 0, 20).interval
    assert found.high == 1
    assert score_statistic(found.low, 20, 0, 20) == pytest.approx(chi2.ppf(0.95, 1), rel=1e-4)
    other = paired_proportions(0, 20, 20).interval
    assert (other.low, other.high) == (-1, -found.low)


def test_the_p_value_and_the_interval_never_contradict_each_other() -> None:
    rng = np.random.default_rng(0)
    for _ in range(2000):
        n = int(rng.integers(1, 500))
        gained = int(rng.integers(0, n + 1))
        lost, level = int(rng.integers(0, n - gained + 1)), float(rng.uniform(0.5, 0.999))
        found = paired_proportions(gained, lost, n, level)
        assert -1 <= found.interval.low <= found.difference <= found.interval.high <= 1
        assert (found.p < 1 - level) == (not found.interval.low <= 0 <= found.interval.high)
        mirrored = paired_proportions(lost, gained, n, level)
        assert mirrored.p == found.p
        assert (mirrored.interval.low, mirrored.interval.high) == pytest.approx(
            (-found.interval.high, -found.interval.low), abs=1e-12
        )


def test_a_mean_is_tested_by_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.exponential(size=(2, 40))
    expected = ttest_rel(second, first)
    for scale in (1.0, 2.0**-900, 2.0**900):
        found = paired_mean((second - first) * scale, 0.9)
        assert found.p == pytest.approx(expected.pvalue, rel=1e-12)
        ends = expected.confidence_interval(0.9)
        assert (found.interval.low / scale, found.interval.high / scale) == pytest.approx(tuple(ends), rel=1e-12)
        assert found.difference / scale == pytest.approx((second - first).mean(), rel=1e-12)


def test_the_p_value_of_a_mean_and_its_interval_never_contradict_each_other() -> None:
    rng = np.random.default_rng(2)
    for _ in range(2000):
        n, level = int(rng.integers(2, 60)), float(rng.uniform(0.5, 0.999))
        found = paired_mean(rng.standard_t(3, size=n) + rng.uniform(-1, 1), level)
        assert (found.p < 1 - level) == (not found.interval.low <= 0 <= found.interval.high)


def test_differences_that_are_all_the_same_have_no_test() -> None:
    for value in (0.0, 0.1):
        found = paired_mean(np.full(7, value))
        assert found.difference == pytest.approx(value)
        assert found.status == Reason.NO_TEST(Reason.ALL_THE_SAME())
        assert np.isnan([found.p, found.interval.low, found.interval.high]).all()
    assert paired_influence(0.1, np.zeros(1)).status == Reason.NO_TEST(Reason.TOO_FEW(2))


@pytest.mark.slow
@pytest.mark.parametrize(("n", "shares"), [(150, (0.125, 0.075)), (60, (0.1, 0.1)), (1000, (0.004, 0.004))])
def test_the_score_test_and_its_interval_keep_their_level(n: int, shares: tuple[float, float]) -> None:
    rng, runs = np.random.default_rng(3), 4000
    draws = rng.multinomial(n, [1 - sum(shares), *shares], size=runs)
    truth, cache = shares[0] - shares[1], dict[tuple[int, int], bool]()
    covered = 0
    for _, gained, lost in draws.tolist():
        if (gained, lost) not in cache:
            interval = tango_interval(gained, lost, n)
            cache[gained, lost] = interval.low <= truth <= interval.high
        covered += cache[gained, lost]
    assert 0.935 <= covered / runs <= 0.972
    if truth == 0:
        rejected = np.mean([score_p_value(gained, lost) < 0.05 for _, gained, lost in draws.tolist()])
        assert 0.028 <= rejected <= 0.07
