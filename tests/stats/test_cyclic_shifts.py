"""Shifts of parts: a group, their sums of products, and tests that draw from them instead of from all permutations."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import rankdata

from mlx.stats import cyclic_shifts, shifted_stratum
from mlx.stats.cyclic_shifts import CyclicShifts, added_up
from mlx.stats.permutation import PermutationTest, least_that_reaches, sequential_tests
from mlx.stats.shifted_stratum import FEWEST, ShiftedStratum, permutable
from mlx.stats.studentized import Stratum, studentized


def stratum(x, y):
    ranks = rankdata(x), rankdata(y)
    sides = [np.stack([v, r / (v.size + 1)]) for v, r in zip((x, y), ranks, strict=True)]
    return Stratum.of(*(side - side.mean(axis=1, keepdims=True) for side in sides), *ranks)


def p_values(x, y, seed, limit=999, *, all_permutations=False) -> list[PermutationTest]:
    one, generator = stratum(x, y), np.random.default_rng(seed)
    drawn = one if all_permutations else permutable(one, np.random.default_rng([seed, 1]))
    observed = studentized(one.observed())[:, 0]
    least = float(least_that_reaches(observed[1]))
    draw = lambda size, running: studentized(drawn.permuted(size, generator, least))[running]  # noqa: E731
    return sequential_tests(observed, draw, limit)


def test_all_shifts_of_all_parts_are_a_group():
    shifts = CyclicShifts.of(13, np.random.default_rng(0))
    sizes = [part.size for part in shifts.parts]
    assert sorted(np.concatenate(shifts.parts)) == list(range(13))
    every = shifts.orders(np.array(list(product(*map(range, sizes)))), np.arange(13))
    members = set(map(tuple, every.tolist()))
    assert len(members) == np.prod(sizes)
    assert tuple(range(13)) in members
    assert all(tuple(one[other]) in members for one in every[::7] for other in every[::5])


def test_shifts_are_drawn_equally_often_whatever_the_blocks():
    shifts, generator = CyclicShifts.of(10, np.random.default_rng(1)), np.random.default_rng
    drawn = shifts.draw(9000, generator(2))
    for part, own in zip(shifts.parts, drawn.T, strict=True):
        assert np.bincount(own, minlength=part.size) == pytest.approx(9000 / part.size, rel=0.1)
    again = generator(2)
    np.testing.assert_array_equal(drawn, np.concatenate([shifts.draw(size, again) for size in (1, 4000, 4999)]))


@pytest.mark.parametrize("n", [3, 50, 2 * cyclic_shifts.LENGTH, 3 * cyclic_shifts.LENGTH + 1])
def test_sums_of_products_are_those_of_the_permuted_values(n):
    generator = np.random.default_rng(n)
    x, y = generator.normal(size=(2, n))
    shifts = CyclicShifts.of(n, generator)
    assert len(shifts.parts) == max(2, -(-n // cyclic_shifts.LENGTH))
    drawn = shifts.draw(40, generator)
    orders = shifts.orders(drawn, np.arange(n))
    np.testing.assert_allclose(added_up(shifts.products(x, y), drawn), y[orders] @ x, atol=1e-12 * n)
    (observed,) = added_up(shifts.products(x, y), np.zeros((1, len(shifts.parts)), int))
    assert observed == pytest.approx(x @ y, rel=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_a_shifted_stratum_has_the_sums_of_its_orders(ties):
    generator = np.random.default_rng(3)
    x, y = generator.integers(0, 9, size=(2, 1050)).astype(float) if ties else generator.normal(size=(2, 1050))
    one = stratum(x, 0.05 * x + y)
    shifted = permutable(one, np.random.default_rng(4))
    assert isinstance(shifted, ShiftedStratum)
    orders = shifted.shifts.orders(shifted.shifts.draw(300, np.random.default_rng(5)), one.places)
    exact, bound = (shifted.permuted(300, np.random.default_rng(5), least) for least in (0.0, np.inf))
    np.testing.assert_allclose(exact, one.sums(orders), rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(bound[1, 0], exact[1, 0], rtol=1e-11, atol=1e-11)
    assert (bound[1, 1] <= exact[1, 1]).all()
    least = 2.0
    decided = shifted.permuted(300, np.random.default_rng(5), least)
    reached = [np.abs(studentized(sums)[1]) >= least for sums in (exact, decided)]
    assert 0 < np.count_nonzero(reached[0]) < 50
    np.testing.assert_array_equal(*reached)


def test_few_samples_are_permuted_in_all_ways():
    few, many = (stratum(*np.random.default_rng(6).normal(size=(2, n))) for n in (FEWEST, FEWEST + 1))
    assert permutable(few, np.random.default_rng(0)) is few
    assert isinstance(permutable(many, np.random.default_rng(0)), ShiftedStratum)
    assert shifted_stratum.n_visited(FEWEST) == FEWEST > 10 * shifted_stratum.n_visited(FEWEST + 1)


def test_p_values_agree_with_those_of_all_permutations():
    generator, limit = np.random.default_rng(7), 4000
    for n, effect in ((1001, 0.06), (1001, 0.1), (9000, 0.03)):
        x, noise = generator.normal(size=(2, n))
        one = stratum(x, effect * x + noise * (1 + np.abs(x)))
        observed = np.abs(studentized(one.observed()))
        ways = (one, permutable(one, np.random.default_rng(8)))
        drawn = [studentized(way.permuted(limit, generator, 1.5)) for way in ways]
        of_all, of_shifts = (np.mean(np.abs(statistic) >= observed, axis=1) for statistic in drawn)
        assert of_shifts == pytest.approx(of_all, rel=0.2, abs=4 * np.sqrt(of_all.max() / limit))


def heavy_tails(generator, n):
    return generator.standard_t(1.5, size=(2, n))


def spread_by_the_other(generator, n):
    x = generator.normal(size=n)
    return x, x * generator.normal(size=n)


def outliers_on_both_sides(generator, n):
    x, y = generator.normal(size=(2, n))
    x[generator.integers(n)] = y[generator.integers(n)] = 300
    return x, y


def few_values(generator, n):
    return generator.poisson(0.1, size=(2, n)).astype(float)


@pytest.mark.slow
@pytest.mark.parametrize("design", [heavy_tails, spread_by_the_other, outliers_on_both_sides, few_values])
def test_shifts_reject_a_true_null_hypothesis_as_often_as_promised(design):
    generator, runs = np.random.default_rng(11), 600  # 3.4 standard errors each way
    found = [p_values(*design(generator, FEWEST + 20), seed, 399) for seed in range(runs)]
    rejected = np.mean([[test.p <= 0.05 for test in both] for both in found], axis=0)
    assert ((rejected > 0.02) & (rejected < 0.08)).all(), rejected


@pytest.mark.slow
def test_shifts_find_an_effect_as_often_as_all_permutations_do():
    generator, found = np.random.default_rng(10), np.zeros((2, 2))
    for seed in range(200):
        x, y = spread_by_the_other(generator, FEWEST + 20)
        y += 0.1 * x
        for way in (False, True):
            found[int(way)] += [test.p <= 0.05 for test in p_values(x, y, seed, 399, all_permutations=way)]
    assert found[0] == pytest.approx(found[1], abs=10)
    assert ((found > 60) & (found < 190)).all(), found
