"""Studentized correlations against all permutations of six samples, influences written out, and their size."""

from itertools import permutations

import numpy as np
import pytest
from scipy.stats import rankdata

from mlx.residuals.association.class_permutation import class_p_values
from mlx.residuals.association.layer import Layer
from mlx.residuals.association.permutation import group_of
from mlx.residuals.similarity.directions import directions_of
from mlx.stats.multiple_testing import holm
from mlx.stats.permutation import least_that_reaches, permutations_for, sequential_tests
from mlx.stats.studentized import Stratum, is_nearly_normal, normal_p_value, permuted_alike, studentized


def stratum(x, y):
    ranks = rankdata(x), rankdata(y)
    sides = [np.stack([v, r / (v.size + 1)]) for v, r in zip((x, y), ranks, strict=True)]
    return Stratum.of(*(side - side.mean(axis=1, keepdims=True) for side in sides), *ranks)


def test_six_samples_have_the_statistic_and_the_p_values_of_all_their_permutations():
    six = stratum(np.arange(1, 7.0), np.array([2.0, 1, 4, 3, 7, 4]))
    observed, every = six.observed(), six.sums(np.array(list(permutations(range(6)))))
    xx, yy = (squares[0] for squares in six.squares)
    assert observed[0, 0, 0] / np.sqrt(xx * yy) == pytest.approx(0.6959780040, abs=1e-10)
    assert studentized(observed)[0, 0] == pytest.approx(1.782265577, abs=1e-9)
    raw = every[0, 0]
    assert raw.var() == pytest.approx(75.25, abs=1e-10)
    assert raw.var() == pytest.approx(xx * yy / 5, abs=1e-10)
    assert np.count_nonzero(np.abs(raw) >= observed[0, 0, 0] - 1e-9) == 88
    assert np.count_nonzero(np.abs(studentized(every)[0]) >= studentized(observed)[0, 0] - 1e-9) == 40


@pytest.mark.parametrize("ties", [False, True])
def test_spearmans_influence_has_what_a_sample_does_to_the_ranks_of_the_others(ties):
    generator = np.random.default_rng(0)
    x, y = generator.integers(0, 9, size=(2, 25)) if ties else generator.normal(size=(2, 25))
    n = x.size
    u, v = ((rankdata(side) - (n + 1) / 2) / (n + 1) for side in (x, y))
    below = [(side[:, None] < side) + 0.5 * (side[:, None] == side) for side in (x, y)]
    on_x, on_y = below[0] @ v / n, below[1] @ u / n
    influence = u * v + on_x - on_x.mean() + on_y - on_y.mean()
    found = stratum(np.asarray(x, float), np.asarray(y, float)).observed()[1, :, 0]
    assert found == pytest.approx([influence.sum(), (influence**2).sum()], rel=1e-12)


def test_blocks_have_no_influence_on_the_permutations():
    one, generator = stratum(*np.random.default_rng(1).normal(size=(2, 40))), np.random.default_rng
    whole, other = one.permuted(300, generator(2)), generator(2)
    parts = [one.permuted(size, other) for size in (1, 64, 235)]
    np.testing.assert_allclose(whole, np.concatenate(parts, axis=-1), rtol=1e-10)


def test_strata_permuted_alike_have_the_sums_of_each_permuted_by_itself():
    generator = np.random.default_rng(7)
    strata = [stratum(*generator.normal(size=(2, 20))) for _ in range(2)]
    strata += [stratum(*generator.integers(0, 9, size=(2, 20)).astype(float)), stratum(*generator.normal(size=(2, 20)))]
    found = permuted_alike(strata, 30, np.random.default_rng(8))
    for one, sums in zip(strata, found, strict=True):
        np.testing.assert_allclose(sums, one.permuted(30, np.random.default_rng(8)), rtol=1e-12)


@pytest.mark.parametrize("n", [2, 5, 30])
def test_a_lower_bound_of_the_standard_error_decides_where_it_stands_for_it(n):
    generator = np.random.default_rng(n)
    for x, y in (generator.normal(size=(2, n)), generator.integers(0, 4, size=(2, n)).astype(float)):
        one = stratum(x, x + y)
        exact, bound = (one.permuted(300, np.random.default_rng(9), least) for least in (0.0, np.inf))
        np.testing.assert_allclose(exact[:, 0], bound[:, 0], rtol=1e-12, atol=1e-14)
        assert (bound[1, 1] <= exact[1, 1] * (1 + 1e-12)).all()
        least = least_that_reaches(studentized(one.observed())[1, 0])
        decided = one.permuted(300, np.random.default_rng(9), least)
        reached = [np.abs(studentized(sums)[1]) >= least for sums in (exact, decided)]
        np.testing.assert_array_equal(*reached)


@pytest.mark.slow
def test_it_rejects_as_often_as_promised_where_the_spread_of_one_side_depends_on_the_other():
    generator, rejected, raw_rejected, runs = np.random.default_rng(3), np.zeros(2), 0, 400
    for _ in range(runs):
        x = generator.normal(size=100)
        one = stratum(x, x * generator.normal(size=100))
        observed, drawn = one.observed(), one.permuted(199, generator)
        reached = np.abs(studentized(drawn)) >= np.abs(studentized(observed))
        rejected += reached.sum(axis=1) < 10
        raw_rejected += np.count_nonzero(np.abs(drawn[0, 0]) >= abs(observed[0, 0, 0])) < 10
    assert raw_rejected / runs > 0.15
    assert ((rejected / runs > 0.025) & (rejected / runs < 0.08)).all()


def test_the_normal_distribution_agrees_with_permutations_where_no_samples_carry_the_sum():
    generator = np.random.default_rng(4)
    one = stratum(*generator.normal(size=(2, 20_000)))
    assert is_nearly_normal(one.x[0], one.y[0])
    assert not is_nearly_normal(one.x[0], np.append(500.0, one.y[0, 1:]))
    observed = studentized(one.observed())[:, 0]
    tests = sequential_tests(observed, lambda size, running: studentized(one.permuted(size, generator))[running], 999)
    for statistic, test in zip(observed, tests, strict=True):
        assert normal_p_value(statistic) == pytest.approx(test.p, abs=0.25 * test.p + 0.01)


def layer_of(similarity, entropy, y):
    units = directions_of("h", np.ones((y.size, 1)), y.size)
    return Layer(units, similarity, entropy, y)


def test_tiny_entropies_of_one_class_are_tested_as_those_of_another():
    generator = np.random.default_rng(5)
    a, h = generator.uniform(size=(2, 30))
    for scale in (1.0, 1e-160, 1e160):
        group = group_of(layer_of(a, scale * h, np.zeros(30, int)), np.arange(30))
        found = studentized(group.stratum.observed())[:, 0]
        if scale == 1.0:
            expected = found
        assert found == pytest.approx(expected, rel=1e-12)


def test_a_class_with_a_strong_effect_is_significant_in_a_family_of_two_hundred_classes():
    generator, size, n_classes = np.random.default_rng(6), 30, 200
    y = np.repeat(np.arange(n_classes), size)
    a, h = generator.normal(size=(2, y.size))
    h[y == 7] = 0.5 * h[y == 7] - a[y == 7]
    layer, limit = layer_of(a, 9 + h, y), permutations_for(2 * n_classes, least=9999)
    groups = {label: group_of(layer, np.flatnonzero(y == label)) for label in range(n_classes)}
    _, tests = class_p_values(groups, dict.fromkeys(groups, True), (9999, limit), 0, many=False)
    adjusted = holm(np.array([test.p for label in groups for test in tests[label]])).reshape(-1, 2)
    assert adjusted[7].max() < 0.05
    assert {test.n_permutations for test in tests[7]} == {80_000}
    assert np.mean([test.n_permutations < 2000 for label in groups for test in tests[label]]) > 0.9
