"""The node bootstrap against resampled data that are written out, pair by pair."""

import numpy as np
import pytest
from scipy import stats

from mlx.residuals.bootstrap import class_replicates, pooled_replicates, replicate_similarity, resample_counts
from mlx.residuals.interval import bootstrap_interval
from mlx.residuals.units import unit_rows


def written_out(units, counts):
    """Which originals a replicate has, copies and all, and each one's mean similarity to the others."""
    drawn = np.repeat(np.arange(len(units)), counts.astype(int))
    cosines = units[drawn] @ units[drawn].T
    other = drawn[:, None] != drawn[None, :]
    return drawn, np.array([cosines[i, other[i]].mean() for i in range(len(drawn))])


@pytest.fixture
def data():
    generator = np.random.default_rng(5)
    representation = generator.normal(size=(24, 6)) + 1
    return unit_rows("layer", representation, 24), generator.random(24)


def test_resample_counts_draw_n_of_n():
    counts = resample_counts(30, 400, np.random.default_rng(0))
    assert (counts.sum(axis=1) == 30).all()
    assert counts.var() == pytest.approx(29 / 30, rel=0.05)


def test_similarities_equal_those_of_the_written_out_resample(data):
    units, _ = data
    rows = np.arange(2, 20)
    counts = resample_counts(rows.size, 10, np.random.default_rng(1))
    found = replicate_similarity(units, rows, counts)
    for weights, similarity in zip(counts, found, strict=True):
        drawn, expected = written_out(units.take(rows), weights)
        np.testing.assert_allclose(similarity[drawn], expected, atol=1e-12)


def test_correlations_equal_those_of_the_written_out_resample(data):
    units, entropy = data
    rows = np.arange(3, 21)
    found = class_replicates(units, rows, entropy[rows], 8, np.random.default_rng(2))
    for replicate, counts in enumerate(resample_counts(rows.size, 8, np.random.default_rng(2))):
        drawn, similarity = written_out(units.take(rows), counts)
        expected = stats.pearsonr(similarity, entropy[rows][drawn])[0]
        assert found.pearson[replicate] == pytest.approx(expected, abs=1e-12)
        expected = stats.spearmanr(np.round(similarity, 12), entropy[rows][drawn])[0]
        assert found.spearman[replicate] == pytest.approx(expected, abs=1e-12)


def test_pooled_and_within_class_equal_those_of_the_written_out_resample(data):
    units, entropy = data
    classes = [np.arange(0, 13), np.arange(13, 24)]
    found = pooled_replicates(units, classes, entropy, 6, np.random.default_rng(3))
    for replicate, counts in enumerate(resample_counts(24, 6, np.random.default_rng(3))):
        parts = []
        for rows in classes:
            drawn, similarity = written_out(units.take(rows), counts[rows])
            parts.append((np.round(similarity, 13), entropy[rows][drawn]))
        x, y = (np.concatenate(side) for side in zip(*parts, strict=True))
        assert found[0].pearson[replicate] == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-10)
        assert found[0].spearman[replicate] == pytest.approx(stats.spearmanr(x, y)[0], abs=1e-12)
        centred = [[v - v.mean() for v in part] for part in parts]
        x, y = (np.concatenate(side) for side in zip(*centred, strict=True))
        assert found[1].pearson[replicate] == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-10)
        ranked = [[stats.rankdata(v) / (len(v) + 1) - 0.5 for v in part] for part in parts]
        x, y = (np.concatenate(side) for side in zip(*ranked, strict=True))
        assert found[1].spearman[replicate] == pytest.approx(stats.pearsonr(x, y)[0], abs=1e-12)


def test_a_replicate_that_draws_one_sample_only_is_undefined(data):
    units, _ = data
    found = replicate_similarity(units, np.arange(2), np.array([[2.0, 0.0], [1.0, 1.0]]))
    assert found[0, 0] == 0
    assert found[1, 0] == pytest.approx(found[1, 1])


@pytest.mark.parametrize("statistic", ["pearson", "spearman"])
def test_an_unbiased_interval_is_the_normal_one_on_the_atanh_scale(statistic):
    noise = np.random.default_rng(0).normal(size=4000)
    replicates = np.tanh(np.arctanh(0.9) + 0.5 * (noise - noise.mean()))
    interval = bootstrap_interval(statistic, 0.9, replicates, 0.95)
    ends = np.arctanh([interval.low, interval.high]) - np.arctanh(0.9)
    np.testing.assert_allclose(ends, np.array([-1, 1]) * 1.95996 * 0.5 * noise.std(ddof=1), rtol=1e-5)
    wider = bootstrap_interval(statistic, 0.9, replicates, 0.99)
    assert -1 < wider.low < interval.low < interval.high < wider.high < 1


@pytest.mark.parametrize("statistic", ["pearson", "spearman"])
@pytest.mark.parametrize("sign", [-1, 1])
def test_an_interval_reaches_against_the_bias_and_keeps_the_estimate(statistic, sign):
    replicates = np.tanh(sign * (0.4 + 0.1 * np.random.default_rng(0).normal(size=1000)))
    estimate = np.tanh(sign * 0.6)  # the replicates are nearer to 0
    interval = bootstrap_interval(statistic, estimate, replicates, 0.95)
    ends = np.arctanh([interval.low, interval.high]) - sign * 0.6
    assert interval.low < estimate < interval.high
    assert sign * ends.sum() > 0.1


@pytest.mark.parametrize(
    ("estimate", "undefined", "reason"), [(1.0, 0, "exact relation"), (0.5, 60, "resamples without spread")]
)
def test_an_interval_that_would_not_hold_is_not_given(estimate, undefined, reason):
    replicates = np.random.default_rng(0).uniform(-0.5, 0.9, size=1000)
    replicates[:undefined] = np.nan
    interval = bootstrap_interval("pearson", estimate, replicates, 0.95)
    assert interval.status == f"no interval ({reason})"
    assert np.isnan([interval.low, interval.high]).all()
