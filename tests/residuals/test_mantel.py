"""Mantel tests against permutations written out, against scikit-bio, and against the sample-level test."""

import numpy as np
import pytest
from oracles import oracle
from representations import exact_distances, representation
from scipy import sparse, stats
from similarities import group_similarity

from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, of_pairs
from mlx.residuals.pairs.mantel import mantel, mantel_by_class
from mlx.residuals.pairs.pair_correlations import pair_correlations
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.streams import Stream, stream
from mlx.stats.permutation import random_orders, sequential_tests

N = 36
SIXTY = dict.fromkeys(PAIR_STATISTICS, 60)
DRAWS = {"permutations": SIXTY, "seed": 7}
BY_CLASS = DRAWS | {"of_class": SIXTY}


def data(kind="plain"):
    rows, labels, entropy = representation(kind, n=N + 9)
    found = exact_distances(rows)[0][:N]  # some sparse rows are zero
    return rows[found], labels[found], entropy[found], directions_of("layer", rows[found], N)


def rows_by_entropy(rows, entropy):
    return rows[np.argsort(entropy[rows], kind="stable")]


def pairs_written_out(distance, entropy, groups):
    """s and each function over the pairs of every group."""
    h = entropy - entropy.mean()
    parts = [(group[i], group[j]) for group in groups for i, j in [np.triu_indices(group.size, 1)]]
    i, j = (np.concatenate(side) for side in zip(*parts, strict=True))
    return -distance[i, j], [of_pairs(statistic, h[i], h[j]) for statistic in PAIR_STATISTICS]


def p_written_out(distance, entropy, groups, labels):
    """Correlations and p-values with entropies permuted in each group, with the draws that the test makes."""
    orders = [rows_by_entropy(group, entropy) for group in groups]
    generators = [stream(DRAWS["seed"], Stream.PAIR_PERMUTATION, label, 0) for label in labels]
    draws = [
        [order, *(order[drawn] for _, block in random_orders(order.size, 60, generator) for drawn in block)]
        for order, generator in zip(orders, generators, strict=True)
    ]
    found = []
    for dealt_to in zip(*draws, strict=True):
        dealt = entropy.copy()
        for order, rows in zip(orders, dealt_to, strict=True):
            dealt[rows] = entropy[order]
        s, functions = pairs_written_out(distance, dealt, groups)
        found.append([np.corrcoef(s, m)[0, 1] for m in functions])
    r = np.array(found)
    return r[0], [one.p for one in sequential_tests(r[0], lambda size, running: r[1 : 1 + size].T[running], 60)]


def test_every_order_is_as_likely():
    orders = np.concatenate([block for _, block in random_orders(4, 24_000, np.random.default_rng(0))])
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert counts.size == 24
    assert stats.chisquare(counts).pvalue > 0.01
    (_, one) = next(random_orders(1, 3, np.random.default_rng(0)))
    assert one.tolist() == [[0]] * 3


@pytest.mark.parametrize("most", [0, 4096])
@pytest.mark.parametrize("kind", ["plain", "collapsed", "sparse"])
def test_estimates_and_p_values_equal_those_of_the_permutations_written_out(kind, most, monkeypatch):
    monkeypatch.setattr("mlx.residuals.pairs.pair_products.MOST_IN_GRAM", most)
    rows, labels, entropy, units = data(kind)
    _, distance = exact_distances(rows)
    distance = distance.astype(float)
    classes = [np.flatnonzero(labels == label) for label in range(4)]
    by_class = {(t.scope, t.label, t.statistic): t for t in mantel_by_class(units, entropy, labels, 5, **BY_CLASS)}
    everything = mantel(units, entropy, **DRAWS)
    estimates, p = p_written_out(distance, entropy, [np.arange(N)], [0])
    np.testing.assert_allclose([t.estimate for t in everything], estimates, atol=1e-8)
    np.testing.assert_allclose([t.p for t in everything], p)
    estimates, p = p_written_out(distance, entropy, classes[:3], [1, 2, 3])
    for index, statistic in enumerate(PAIR_STATISTICS):
        found = by_class["same class", None, statistic]
        assert found.estimate == pytest.approx(estimates[index], abs=1e-8)
        assert found.p == pytest.approx(p[index])
    estimates, p = p_written_out(distance, entropy, classes[:1], [1])
    for index, statistic in enumerate(PAIR_STATISTICS[:2]):
        assert by_class["class", 0, statistic].p == pytest.approx(p[index])


def test_classes_of_one_size_are_permuted_alike_beyond_the_permutations_of_all_classes():
    rows, labels, entropy, units = data()
    _, distance = exact_distances(rows)
    limits = {"permutations": {"mean_entropy": 30}, "of_class": {"mean_entropy": 60}}
    tests = mantel_by_class(units, entropy, labels, 5, seed=7, **limits)
    for label in range(3):
        order = rows_by_entropy(np.flatnonzero(labels == label), entropy)
        streams = stream(7, Stream.PAIR_PERMUTATION, 1 + label, 0), stream(7, Stream.PAIRS_ALIKE, order.size, 0)
        drawn = [block for one in streams for _, block in random_orders(order.size, 30, one)]
        r = []
        for places in np.concatenate([np.arange(order.size)[None], *drawn]):
            dealt = entropy.copy()
            dealt[order[places]] = entropy[order]
            s, functions = pairs_written_out(distance.astype(float), dealt, [order])
            r.append(np.corrcoef(s, functions[0])[0, 1])
        (expected,) = sequential_tests(r[:1], lambda *_, r=r: np.array([r[1:]]), 60)
        (found,) = (test.p for test in tests if test.scope == "class" and test.label == label)
        assert found == pytest.approx(expected.p)


def test_estimates_are_those_of_the_pair_correlations_and_so_are_statuses():
    _, labels, entropy, units = data()
    tests = mantel(units, entropy, **DRAWS) + mantel_by_class(units, entropy, labels, 5, **BY_CLASS)
    correlations = pair_correlations(units, entropy, labels, 5)
    assert len(tests) == len(correlations)
    for test, correlation in zip(tests, correlations, strict=True):
        for name in ("scope", "label", "statistic", "n", "status"):
            assert getattr(test, name) == getattr(correlation, name)
        assert test.estimate == pytest.approx(correlation.estimate, abs=1e-14, nan_ok=True)
        assert np.isnan(test.p) == (str(test.status) != "ok")


def test_the_mean_entropy_alone_is_tested_the_same_without_the_sums_of_the_others():
    _, labels, entropy, units = data()
    mean = {"mean_entropy": 60}
    alone = mantel_by_class(units, entropy, labels, 5, permutations=mean, of_class=mean, seed=7)
    together = mantel_by_class(units, entropy, labels, 5, **BY_CLASS)
    assert [t.p for t in alone] == pytest.approx([t.p for t in together if t.statistic == "mean_entropy"], nan_ok=True)


def test_it_agrees_with_scikit_bio_and_with_the_permutation_test_of_samples():
    skbio = oracle("skbio.stats.distance")

    rows, _, entropy, units = data()
    entropy = entropy + group_similarity(units, np.zeros(N, int))  # some association, so that p is not near 1
    _, distance = exact_distances(rows)
    h = entropy - entropy.mean()
    functions = {"mean_entropy": 3 + (h[:, None] + h) / 2, "entropy_difference": np.abs(h[:, None] - h)}
    n_permutations = 1999
    tests = mantel(units, entropy, permutations=dict.fromkeys(functions, n_permutations), seed=3)
    for test, matrix in zip(tests, functions.values(), strict=True):
        np.fill_diagonal(matrix, 0)
        ours = skbio.DistanceMatrix(distance.astype(float))
        r, p, _ = skbio.mantel(ours, skbio.DistanceMatrix(matrix), permutations=n_permutations, seed=5)
        assert test.estimate == pytest.approx(-r, abs=1e-12)
        assert test.p == pytest.approx(p, abs=4 * np.sqrt(2 * p * (1 - p) / n_permutations))
    a = group_similarity(units, np.zeros(N, int))
    a, h = (v / np.linalg.norm(v) for v in (a - a.mean(), h))
    generator = np.random.default_rng(0)
    permuted = np.array([a @ generator.permutation(h) for _ in range(n_permutations)])
    p = (1 + (np.abs(permuted) >= abs(a @ h)).sum()) / (1 + n_permutations)
    assert tests[0].p == pytest.approx(p, abs=4 * np.sqrt(2 * p * (1 - p) / n_permutations))


@pytest.mark.parametrize("kind", ["plain", "sparse"])
def test_with_fewer_samples_than_features_the_matrix_of_all_pairs_gives_the_same(kind, monkeypatch):
    rng = np.random.default_rng(0)
    X = (rng.random((50, 200)) < 0.1).astype(float)
    X[:, 0] = 1
    units = directions_of("layer", sparse.csr_array(X) if kind == "sparse" else X + rng.normal(size=X.shape), 50)
    entropy, labels = rng.random(50), rng.integers(0, 2, 50)
    found = mantel_by_class(units, entropy, labels, 2, **BY_CLASS)
    monkeypatch.setattr("mlx.residuals.pairs.pair_products.MOST_IN_GRAM", 0)
    assert found == mantel_by_class(units, entropy, labels, 2, **BY_CLASS)
