"""Correlations without some of the samples, in closed form, against data from which they are taken out."""

import numpy as np
import pytest
from scipy import sparse, stats
from similarities import group_similarity

from mlx.residuals.association.delete_one import class_pearson, pooled_pearson
from mlx.residuals.association.deletions import delete_each
from mlx.residuals.association.resampling import grouped_jackknife, node_bootstrap
from mlx.residuals.similarity.directions import directions_of
from mlx.stats.bootstrap import resample_counts
from mlx.stats.correlation_intervals import effective_number, jackknife_interval
from mlx.stats.jackknife import GROUPS
from mlx.stats.status import Reason

NONE = np.empty((1, 0))


def layer(n_features, spread=1.0, seed=0):
    """Three classes of 27, 15 and 2, the rows of each in no order; a pair is where deletion leaves one alone."""
    generator = np.random.default_rng(seed)
    y = generator.permutation(np.repeat([0, 1, 2], [27, 15, 2]))
    representation = 1 + spread * generator.normal(size=(y.size, n_features))
    return representation, generator.gamma(1, size=y.size), y


def written_out(representation, entropy, y, stay):
    """Both correlations, pooled and within class, of the samples that stay and have a classmate."""
    units = directions_of("h", representation[stay], len(stay))
    similarity, entropy, y = group_similarity(units, y[stay]), entropy[stay], y[stay]
    having = ~np.isnan(similarity)
    x, h, y = similarity[having], entropy[having], y[having]
    centered, ranked = [], []
    for values in (x, h):
        means = np.bincount(y, values) / np.maximum(1, np.bincount(y))
        centered.append(values - means[y])
        ranks = np.empty(len(values))
        for label in np.unique(y):
            ranks[y == label] = stats.rankdata(values[y == label].round(12)) / ((y == label).sum() + 1) - 0.5
        ranked.append(ranks)
    within = [stats.pearsonr(*sides)[0] for sides in (centered, ranked)]
    return stats.pearsonr(x, h)[0], within[0], stats.spearmanr(x.round(12), h)[0], within[1]


@pytest.mark.parametrize(("n_features", "spread", "within"), [(4, 1.0, 1e-12), (60, 1.0, 1e-12), (4, 3e-3, 1e-8)])
def test_pearson_without_each_sample_equals_that_of_the_others(n_features, spread, within):
    representation, entropy, y = layer(n_features, spread)
    units = directions_of("h", representation, y.size)
    classes = [np.flatnonzero(y == label) for label in range(3)]
    similarity = group_similarity(units, y)
    pooled, inside, deletions = pooled_pearson(units, classes, entropy, similarity)
    rows = np.concatenate(classes)
    expected = [written_out(representation, entropy, y, np.setdiff1d(np.arange(y.size), j)) for j in rows]
    np.testing.assert_allclose(pooled, [r[0] for r in expected], atol=within)
    np.testing.assert_allclose(inside, [r[1] for r in expected], atol=within)
    assert deletions[2] is None
    expected = [written_out(representation, entropy, y, np.setdiff1d(classes[1], j))[0] for j in classes[1]]
    np.testing.assert_allclose(
        class_pearson(delete_each(units, classes[1], entropy[classes[1]])), expected, atol=within
    )


def groups_of(n, partitions, seed):
    """The partitions that a generator of this seed draws."""
    drawn = np.random.default_rng(seed).permuted(np.tile(np.arange(n) % GROUPS, (20, 1)), axis=1)
    return drawn[:partitions]


def test_correlations_without_each_tenth_equals_that_of_the_others():
    representation, entropy, y = layer(6)
    units = directions_of("h", representation, y.size)
    classes = [np.flatnonzero(y == label) for label in range(3)]
    rows = np.concatenate(classes)
    pooled, within = grouped_jackknife(units, classes, entropy[rows], np.random.default_rng(1))
    assert pooled[0].shape == within[1].shape == (20, GROUPS)
    for partition, group in enumerate(groups_of(y.size, 2, 1)):
        for gone in range(GROUPS):
            expected = written_out(representation, entropy, y, rows[group != gone])
            found = [values[partition, gone] for values in (pooled[0], within[0], pooled[1], within[1])]
            np.testing.assert_allclose(found, expected, atol=1e-12)
    _, of_class = grouped_jackknife(units, classes[:1], entropy[classes[0]], np.random.default_rng(2))[0]
    group = groups_of(27, 1, 2)[0]
    expected = written_out(representation, entropy, y, classes[0][group != 3])
    assert of_class[0, 3] == pytest.approx(expected[2], abs=1e-12)


def test_blocks_change_nothing(monkeypatch):
    representation, entropy, y = layer(6)
    units = directions_of("h", representation, y.size)
    whole = grouped_jackknife(units, [np.flatnonzero(y < 2)], entropy[y < 2], np.random.default_rng(1))[0]
    monkeypatch.setattr("mlx.residuals.association.resampling.CHUNK_BYTES", 4000)
    parts = grouped_jackknife(units, [np.flatnonzero(y < 2)], entropy[y < 2], np.random.default_rng(1))[0]
    np.testing.assert_allclose(parts, whole, atol=1e-13)


def test_an_interval_of_pearson_is_t_on_the_atanh_scale():
    without = np.tanh(np.arctanh(0.9) + 0.01 * np.random.default_rng(0).normal(size=(1, 40)))
    interval = jackknife_interval("pearson", 0.9, without, NONE, 40, 0.95)
    squares = ((np.arctanh(without) - np.arctanh(without).mean()) ** 2).ravel()
    df = 2 * squares.sum() ** 2 / ((squares**2).sum() - squares.sum() ** 2 / 40) - 1
    error = np.sqrt(39 / 40 * squares.sum())
    expected = np.tanh(np.arctanh(0.9) + np.array([-1, 1]) * stats.t.ppf(0.975, df) * error)
    assert 10 < df < 39
    np.testing.assert_allclose([interval.low, interval.high], expected, rtol=1e-12)
    wider = jackknife_interval("pearson", 0.9, without, NONE, 40, 0.99)
    assert -1 < wider.low < interval.low < interval.high < wider.high < 1


def test_an_interval_of_pearson_that_few_samples_carry_has_few_degrees_of_freedom():
    change = np.full(40, 1e-4)
    change[:2] = 0.05
    interval = jackknife_interval("pearson", 0.6, np.tanh(np.arctanh(0.6) + change[None]), NONE, 40, 0.95)
    half = (np.arctanh(interval.high) - np.arctanh(interval.low)) / 2
    error = np.sqrt(39 / 40 * ((change - change.mean()) ** 2).sum())
    assert half > stats.t.ppf(0.975, 4) * error


@pytest.mark.parametrize("sign", [-1, 1])
def test_where_few_samples_carry_the_spread_the_far_end_allows_for_three_more_of_the_strongest(sign):
    change = np.random.default_rng(0).normal(scale=0.01, size=40)
    without = np.tanh(sign * (0.7 - change))[None]
    near, far = (
        jackknife_interval("pearson", np.tanh(sign * 0.7), without, NONE, 40, 0.95, effective=effective)
        for effective in (10.0, 9.9)
    )
    ends = np.arctanh([[one.low, one.high] for one in (near, far)])[:, ::sign] * sign
    assert ends[1] - ends[0] == pytest.approx([0, 3 * change.max()], abs=1e-12)
    assert (
        far.method == f"{near.method}; few samples carry the spread of entropy: far end for more of them; conservative"
    )
    assert effective_number(np.array([4.0, 1.0, 1.0, 0.0])) == pytest.approx(2)


@pytest.mark.parametrize("sign", [-1, 1])
def test_an_interval_of_spearman_reaches_against_the_bias(sign):
    without = np.tanh(sign * (0.58 + 0.01 * np.random.default_rng(0).normal(size=(20, 10))))
    interval = jackknife_interval("spearman", np.tanh(sign * 0.6), without, NONE, 200, 0.95)
    ends = np.sort(np.arctanh([interval.low, interval.high]) * sign)
    assert ends.mean() == pytest.approx(0.6 + 9 * (0.6 - 0.58) / 4, abs=0.01)


@pytest.mark.parametrize(
    ("estimate", "without", "reason"),
    [(1.0, 0.5, "exact relation"), (0.5, 1.0, "few samples carry the spread"), (0.5, np.nan, "few samples")],
)
def test_an_interval_that_would_not_hold_is_not_given(estimate, without, reason):
    values = np.random.default_rng(0).uniform(-0.5, 0.9, size=(1, 50))
    values[0, 7] = without
    interval = jackknife_interval("pearson", estimate, values, NONE, 50, 0.95)
    assert str(interval.status).startswith(f"no interval ({reason}")
    assert np.isnan([interval.low, interval.high]).all()


def test_sparse_representations_give_the_same():
    representation, entropy, y = layer(6)
    representation[representation < 1] = 0
    found = []
    for rows in (representation, sparse.csr_array(representation)):
        units = directions_of("h", rows, y.size)
        classes = [np.flatnonzero(y == label) for label in range(3)]
        tenths = grouped_jackknife(units, classes, entropy[np.concatenate(classes)], np.random.default_rng(1))
        singles = pooled_pearson(units, classes, entropy, group_similarity(units, y))[:2]
        found.append(np.concatenate([np.ravel(tenths), np.ravel(singles)]))
    np.testing.assert_allclose(found[0], found[1], atol=1e-12)


def test_correlations_of_samples_drawn_again_equal_those_of_the_written_out_resample():
    representation, entropy, y = layer(6)
    units = directions_of("h", representation, y.size)
    rows = np.flatnonzero(y == 0)
    found, _ = node_bootstrap(units, [rows], entropy[rows], 8, np.random.default_rng(2))
    for replicate, counts in enumerate(resample_counts(rows.size, 8, np.random.default_rng(2))):
        drawn = np.repeat(np.arange(rows.size), counts.astype(int))
        vectors = units.take(rows[drawn])
        other = drawn[:, None] != drawn[None, :]
        similarity = np.array([(vectors @ vectors.T)[i, other[i]].mean() for i in range(drawn.size)])
        expected = stats.pearsonr(similarity, entropy[rows][drawn])[0]
        assert found[0][0, replicate] == pytest.approx(expected, abs=1e-12)
        expected = stats.spearmanr(similarity.round(12), entropy[rows][drawn])[0]
        assert found[1][0, replicate] == pytest.approx(expected, abs=1e-12)


def test_an_interval_reaches_to_the_percentiles_of_the_bootstrap():
    generator = np.random.default_rng(0)
    without = np.tanh(0.5 + 0.01 * generator.normal(size=(1, 60)))
    drawn = np.tanh(0.5 + 0.3 * generator.normal(size=(1, 1000)))
    narrow = jackknife_interval("pearson", np.tanh(0.5), without, NONE, 60, 0.95)
    interval = jackknife_interval("pearson", np.tanh(0.5), without, drawn, 60, 0.95)
    np.testing.assert_allclose([interval.low, interval.high], np.quantile(drawn, [0.025, 0.975]))
    assert interval.low < narrow.low < narrow.high < interval.high
    drawn[0, :60] = np.nan
    assert (
        jackknife_interval("pearson", 0.5, without, drawn, 60, 0.95).why_missing.reason
        is Reason.RESAMPLES_WITHOUT_SPREAD
    )
