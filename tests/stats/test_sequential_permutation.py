"""Sequential permutation tests: where they stop, that their p-values are exact, and that intervals agree with them."""

import numpy as np
import pytest

from mlx.results.questions import Question, Scope
from mlx.results.tests import TestResult
from mlx.stats import permutation
from mlx.stats.interval import Interval
from mlx.stats.permutation import PermutationTest, permutations_for, random_orders, sequential_tests


def replayed(statistics, blocks=None):
    """Return statistics (n_tests, n_draws) as draws, and note the size of every block and which tests it was for."""
    place = 0

    def draw(size, running):
        nonlocal place
        place += size
        if blocks is not None:
            blocks.append((size, running.tolist()))
        return statistics[running, place - size : place]

    return draw


def test_a_test_stops_at_the_draw_of_the_twentieth_exceedance():
    statistics = np.zeros((3, 20_000))
    statistics[0, np.arange(19, 4000, 7)] = -1.0  # the sign does not matter
    statistics[1, [5, 900, 9998]] = 1.0
    blocks = []
    found = sequential_tests([1.0, -1.0, 1.0], replayed(statistics, blocks), 9999)
    last = 19 + 19 * 7 + 1
    assert found[0] == PermutationTest(20 / last, last)
    assert found[1] == PermutationTest(4 / 10_000, 9999)
    assert found[2] == PermutationTest(1 / 10_000, 9999)
    assert [test.at_floor for test in found] == [False, False, True]
    assert sum(size for size, _ in blocks) == 9999
    assert blocks[0][1] == [0, 1, 2]
    assert blocks[-1][1] == [1, 2]


def test_all_stop_early_without_the_rest_being_drawn():
    blocks = []
    (found,) = sequential_tests([0.0], replayed(np.zeros((1, 100)), blocks), 9999)
    assert (found, blocks) == (PermutationTest(1.0, 20), [(64, [0])])


def test_infinite_statistics_tie_and_a_missing_one_has_no_p():
    statistics = np.full((2, 200), np.inf)
    statistics[:, ::2] = 0.0
    infinite, missing = sequential_tests([-np.inf, np.nan], replayed(statistics), 199)
    assert infinite == PermutationTest(20 / 40, 40)
    assert np.isnan(missing.p)
    assert missing.n_permutations == 0


def test_p_values_are_exact_whether_a_test_stops_or_not():
    generator, alphas = np.random.default_rng(0), np.array([0.02, 0.05, 0.1, 0.3])
    p = np.empty(6000)
    for run in range(p.size):
        p[run] = sequential_tests([generator.normal()], lambda size, _: generator.normal(size=(1, size)), 199)[0].p
    share = (p[:, None] <= alphas).mean(axis=0)
    assert share == pytest.approx(alphas, abs=4 * np.sqrt(0.3 * 0.7 / p.size))
    assert share[:2] == pytest.approx(alphas[:2], abs=4 * np.sqrt(0.05 / p.size))


def test_a_large_family_has_permutations_enough_for_each_of_its_tests():
    assert permutations_for(10, least=9999) == 9999
    assert permutations_for(400, least=9999) == 80_000
    assert 400 / (permutations_for(400, least=9999) + 1) < 0.05


def result(p, low, high, estimate, statistic="pearson"):
    made = TestResult(
        question=Question.SIMILARITY_ENTROPY, scope=Scope.POOLED, statistic=statistic, estimate=estimate, n=100
    )
    interval = Interval(low, high, 0.95, "jackknife")
    one, other = made.with_interval(interval).with_p(p, "permutation", 999), made.with_p(p, "permutation", 999)
    assert one == other.with_interval(interval)
    return one


def test_an_interval_is_extended_to_a_null_value_that_is_not_rejected():
    made = result(0.06, 0.01, 0.3, 0.15)
    assert (made.low, made.high) == (0.0, 0.3)
    assert made.method == "jackknife; extended to the null value, which p does not reject"
    assert result(0.06, -0.3, -0.01, -0.15).high == 0.0
    assert result(0.2, 0.51, 0.8, 0.7, "auroc").low == 0.5


def test_an_interval_ends_just_beyond_a_null_value_that_is_rejected():
    made = result(0.05, -0.01, 0.3, 0.15)
    assert 0 < made.low < 1e-300
    assert made.method == "jackknife; ended at the null value, which p rejects"
    assert -1e-300 < result(0.01, -0.3, 0.01, -0.15).high < 0
    assert 0.5 < result(0.01, 0.49, 0.8, 0.7, "auroc").low < 0.5 + 1e-15


def test_an_interval_that_agrees_stays():
    for made in (result(0.01, 0.1, 0.3, 0.2), result(0.3, -0.1, 0.3, 0.2), result(float("nan"), 0.1, 0.3, 0.2)):
        assert made.high == 0.3
        assert made.method == "jackknife"


def test_p_and_interval_of_random_results_never_contradict_each_other():
    generator = np.random.default_rng(1)
    for _ in range(2000):
        statistic = str(generator.choice(["pearson", "spearman", "auroc"]))
        null = 0.5 * (statistic == "auroc")
        low, estimate, high = np.sort(null + generator.normal(scale=0.1, size=3) + generator.normal(scale=0.1))
        made = result(generator.choice([0.04, 0.05, 0.06]), low, high, estimate, statistic)
        assert made.low <= made.estimate <= made.high
        assert (made.p <= 0.05) == (not made.low <= null <= made.high)
        assert (made.low == low) + (made.high == high) >= 1


def test_a_p_value_names_its_null_hypothesis():
    made = result(0.01, 0.1, 0.3, 0.2)
    assert made.null == "no linear correlation over all samples"
    assert result(0.01, 0.6, 0.8, 0.7, "auroc").null.startswith("AUROC = 0.5: a wrong and a right prediction")
    assert result(float("nan"), 0.1, 0.3, 0.2).null == ""


@pytest.mark.parametrize("n", [1, 2, 50, permutation.LARGEST_SORTED + 1, 3000])
def test_random_orders_are_permutations_that_do_not_depend_on_the_blocks(monkeypatch, n):
    whole = np.concatenate([orders for _, orders in random_orders(n, 60, np.random.default_rng(1))])
    assert (np.sort(whole, axis=1) == np.arange(n)).all()
    monkeypatch.setattr(permutation, "CACHE_BYTES", 1 << 12)
    generator = np.random.default_rng(1)
    parts = [orders for size in (7, 41, 12) for _, orders in random_orders(n, size, generator)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)


def test_long_random_orders_put_every_position_anywhere_equally_often():
    n, n_orders = permutation.LARGEST_SORTED + 100, 4000
    orders = np.concatenate([orders for _, orders in random_orders(n, n_orders, np.random.default_rng(2))])
    counts = np.bincount(orders[:, 7] // 50, minlength=10)
    assert ((counts - n_orders / 10) ** 2 / (n_orders / 10)).sum() < 27.9  # χ², 9 degrees of freedom, p = 0.001
