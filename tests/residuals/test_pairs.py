"""Pair-level statistics in closed form against all pairs, written out in extended precision."""

import numpy as np
import pytest
from representations import KINDS, exact_distances, representation
from scipy import sparse, stats
from similarities import group_similarity

from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS
from mlx.residuals.pairs.pair_correlations import pair_correlations
from mlx.residuals.pairs.similarity_pairs import sparse_gram_square
from mlx.residuals.similarity import directions as units
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift
from mlx.residuals.similarity.sums import pair_sums


def correlations(rows, entropy, labels, **options):
    found = pair_correlations(directions_of("layer", rows, len(entropy)), entropy, labels, 5, **options)
    return {(r.scope, r.label, r.statistic): r for r in found}


def written_out(rows, entropy, labels, *, by_class=False):
    """s less 1, the functions of two entropies, and the labels of both, for every pair of rows with a direction.

    Entropies are less their mean over all samples, or over the samples of their class.
    """
    found, distance = exact_distances(rows)
    h = entropy[found].astype(np.longdouble)
    groups = labels[found] if by_class else np.zeros(found.size, int)
    h = h - np.array([h[groups == group].mean() for group in groups])
    i, j = np.triu_indices(found.size, 1)
    return -distance[i, j], functions_of(h[i], h[j]), labels[found][i], labels[found][j]


def functions_of(h, k):
    return dict(zip(PAIR_STATISTICS, ((h + k) / 2, abs(h - k), h * k, (h - k) ** 2), strict=True))


def pearson(x, y):
    x, y = x - x.mean(), y - y.mean()
    return float((x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum()))


@pytest.mark.parametrize("kind", KINDS)
def test_each_correlation_equals_that_over_the_pairs_written_out(kind):
    rows, labels, entropy = representation(kind)
    found = correlations(rows, entropy, labels)
    s, functions, first, second = written_out(rows, entropy, labels)
    _, inner, *_ = written_out(rows, entropy, labels, by_class=True)
    same = first == second
    for statistic, m in functions.items():
        result = found["all pairs", None, statistic]
        assert result.estimate == pytest.approx(pearson(s, m), abs=1e-12)
        assert result.n_pairs == s.size
        result = found["same class", None, statistic]
        assert result.estimate == pytest.approx(pearson(s[same], m[same]), abs=1e-12)
        assert result.n_pairs == same.sum()
        inside, m = [same & (first == label) for label in range(3)], inner[statistic]
        for label, pairs in enumerate(inside):
            result = found["class", label, statistic]
            if str(result.status) == "ok":
                assert result.estimate == pytest.approx(pearson(s[pairs], m[pairs]), abs=1e-12)
        x, y = (np.concatenate([v[pairs] - v[pairs].mean() for pairs in inside]) for v in (s, m))
        assert found["within class", None, statistic].estimate == pytest.approx(pearson(x, y), abs=1e-12)


def test_the_mean_entropy_correlation_is_the_sample_level_one_times_a_factor():
    rows, labels, entropy = representation("plain")
    n = len(entropy)
    a = group_similarity(directions_of("layer", rows, n), np.zeros(n, int))
    s, *_ = written_out(rows, entropy, labels)
    factor = a.std() / float(s.std()) * np.sqrt(2 * (n - 1) / (n - 2))
    found = correlations(rows, entropy, labels)["all pairs", None, "mean_entropy"]
    assert found.estimate == pytest.approx(stats.pearsonr(a, entropy)[0] * factor, abs=1e-12)
    # Permuted, the sample-level r has variance 1/(n − 1), the pair-level one that times the factor's square.
    assert found.effective_pairs == pytest.approx(1 + (n - 1) / factor**2, rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["all pairs", "same class", "within class"])
def test_effective_pairs_are_those_of_the_permutation_variance(scope):
    rows, labels, entropy = representation("plain", n=24)
    generator = np.random.default_rng(0)
    groups = [np.arange(24)] if scope == "all pairs" else [np.flatnonzero(labels == label) for label in range(4)]
    permuted = np.tile(entropy - entropy.mean(), (20_000, 1))
    for group in groups:
        permuted[:, group] = generator.permuted(permuted[:, group], axis=1)
        if scope == "within class" and group.size:
            permuted[:, group] -= permuted[0, group].mean()
    s, _, first, second = written_out(rows, entropy, labels)
    classes = first if scope == "within class" else np.zeros(s.size, int)
    kept = (first == second) | (scope == "all pairs")
    found = correlations(rows, entropy, labels)
    for statistic, m in functions_of(*permuted[:, np.triu_indices(24, 1)].swapaxes(0, 1)).items():
        x, y = s[kept].astype(float), m[:, kept]
        for label in np.unique(classes[kept]):
            of_label = classes[kept] == label
            x[of_label] -= x[of_label].mean()
            y[:, of_label] -= y[:, of_label].mean(axis=1, keepdims=True)
        drawn = y @ x / np.sqrt((y**2).sum(axis=1) * (x @ x))
        variance = 1 / (found[scope, None, statistic].effective_pairs - 1)
        assert np.var(drawn) == pytest.approx(variance, rel=0.06), statistic


@pytest.mark.parametrize("kind", ["plain", "wide", "collapsed", "sparse"])
def test_blocks_of_any_size_add_up_to_the_same(kind, monkeypatch):
    rows, labels, entropy = representation(kind, n=700)
    whole = correlations(rows, entropy, labels)
    monkeypatch.setattr(units, "KEEP_BYTES", 0)
    for block_bytes in (1, 20_000):
        for key, result in correlations(rows, entropy, labels, block_bytes=block_bytes).items():
            assert result.estimate == pytest.approx(whole[key].estimate, abs=1e-13, nan_ok=True), key
            assert result.effective_pairs == pytest.approx(whole[key].effective_pairs, rel=1e-9, nan_ok=True), key


def test_sums_of_blocks_add_in_any_bracketing():
    rows, _, entropy = representation("plain", n=300)
    lifted = lift(directions_of("layer", rows, 300))
    order = np.argsort(entropy)
    h = entropy[order] - entropy.mean()
    a, b, c = (
        pair_sums(lifted, order[part], h[part], with_gram=True)
        for part in (slice(0, 90), slice(90, 101), slice(101, 300))
    )
    whole = pair_sums(lifted, order, h, with_gram=True)
    for sums in ((a + b) + c, a + (b + c)):
        for name in ("moments", "path", "ends", "gram"):
            np.testing.assert_allclose(getattr(sums, name), getattr(whole, name), rtol=1e-12, atol=1e-10)


def test_the_entropies_of_a_class_keep_their_digits_beside_far_larger_ones():
    rows, labels, entropy = representation("plain")
    small = labels == 1
    entropy[small] *= 1e-14
    found = correlations(rows, entropy, labels)
    alone = correlations(rows[small], entropy[small], labels[small])
    for statistic in ("mean_entropy", "entropy_difference", "squared_difference"):
        expected = alone["all pairs", None, statistic].estimate
        assert found["class", 1, statistic].estimate == pytest.approx(expected, abs=1e-12)


def test_a_memory_mapped_file_gives_the_same_bits_as_memory(tmp_path):
    rows, labels, entropy = representation("float32", n=3000)
    np.save(tmp_path / "layer.npy", rows)
    mapped = correlations(np.load(tmp_path / "layer.npy", mmap_mode="r"), entropy, labels)
    in_memory, doubled = (correlations(x, entropy, labels) for x in (rows, rows.astype(np.float64)))
    assert repr(mapped) == repr(in_memory) == repr(doubled)


def test_the_square_of_a_sparse_gram_matrix_is_the_same_from_both_sides(monkeypatch):
    rows, *_ = representation("sparse")
    expected = float(np.square((rows @ rows.T).toarray()).sum())
    monkeypatch.setattr("mlx.residuals.pairs.similarity_pairs.PRODUCT_ENTRIES", 50)
    for side in (rows, rows.T.tocsr()):
        assert sparse_gram_square(side) == pytest.approx(expected, rel=1e-12)


def test_every_scope_and_class_has_a_row_with_a_status():
    rows, labels, entropy = representation("plain")
    found = correlations(rows, entropy, labels)
    assert len(found) == (3 + 5) * len(PAIR_STATISTICS)
    for label, n, status in ((3, 1, "too few samples (n < 4)"), (4, 0, "never predicted")):
        result = found["class", label, "mean_entropy"]
        assert (result.n, str(result.status), np.isnan(result.estimate)) == (n, status, True)
    constant = correlations(rows, np.full(90, 0.3), labels)["all pairs", None, "entropy_difference"]
    assert (str(constant.status), np.isnan(constant.estimate)) == ("constant entropy", True)
    alike = correlations(np.outer(entropy, rows[0]), entropy, labels)["same class", None, "mean_entropy"]
    assert (str(alike.status), np.isnan(alike.estimate)) == ("constant similarity", True)
    scaled = sparse.csr_array(np.outer(1 + entropy, [0.3, 0.0, 0.7, 0.1]))
    alike = correlations(scaled, entropy, labels)["all pairs", None, "mean_entropy"]
    assert str(alike.status) == "constant similarity"
    two = correlations(rows[:2], entropy[:2], labels[:2])["all pairs", None, "mean_entropy"]
    assert str(two.status) == "too few samples (n < 4)"
    none = correlations(np.zeros((5, 3)), entropy[:5], labels[:5])["all pairs", None, "mean_entropy"]
    assert (none.n, str(none.status)) == (0, "too few samples (n < 4)")
