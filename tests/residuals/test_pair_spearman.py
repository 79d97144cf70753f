"""Spearman over pairs against ranks of all pairs, and the streamed one against its bound."""

import numpy as np
import pytest
from representations import KINDS, exact_distances, representation
from scipy import stats

from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, of_pairs
from mlx.residuals.pairs.pair_spearman import pair_spearman
from mlx.residuals.pairs.rank_bins import BinCounts, bins_from
from mlx.residuals.similarity.directions import directions_of


def spearman_written_out(rows, entropy, statistic):
    found, distance = exact_distances(rows)
    i, j = np.triu_indices(found.size, 1)
    h = entropy[found] - entropy[found].mean()
    s = -distance[i, j]
    s = np.round((s / np.abs(s).max()).astype(float), 12)  # equal but for rounding
    return stats.spearmanr(s, np.round(of_pairs(statistic, h[i], h[j]), 13))[0]


@pytest.mark.parametrize("statistic", PAIR_STATISTICS)
@pytest.mark.parametrize("kind", KINDS)
def test_the_exact_one_ranks_all_pairs_and_the_streamed_one_stays_within_its_bound(kind, statistic):
    rows, labels, entropy = representation(kind)
    entropy[50:60] = entropy[40:50]  # some are tied
    units = directions_of("layer", rows, labels.size)
    expected = spearman_written_out(rows, entropy, statistic)
    exact = pair_spearman(units, entropy, statistic=statistic)
    assert (exact.method, exact.bound, str(exact.status)) == ("exact", 0.0, "ok")
    assert exact.estimate == pytest.approx(expected, abs=1e-9 if kind in ("sparse", "duplicates") else 1e-12)
    for n_bins in (1, 60_000):
        streamed = pair_spearman(units, entropy, statistic=statistic, exact_pairs=10, n_bins=n_bins)
        assert streamed.method == "binned ranks"
        assert abs(streamed.estimate - expected) <= streamed.bound + 1e-9
        assert streamed.bound < 0.1


def test_more_bins_make_the_bound_of_many_pairs_small():
    rows, labels, entropy = representation("plain", n=900)
    units = directions_of("layer", rows, 900)
    exact = pair_spearman(units, entropy)
    coarse, fine = (pair_spearman(units, entropy, exact_pairs=10, n_bins=n) for n in (1, 1 << 18))
    assert fine.bound < 1e-3 < coarse.bound
    assert fine.estimate == pytest.approx(exact.estimate, abs=fine.bound)
    of_class = pair_spearman(units, entropy, np.flatnonzero(labels == 1))
    alone = pair_spearman(directions_of("layer", rows[labels == 1], of_class.n), entropy[labels == 1])
    assert of_class.estimate == pytest.approx(alone.estimate, abs=1e-12)


@pytest.mark.parametrize("values", [np.repeat(np.arange(7.0), 50), np.random.default_rng(0).lognormal(0, 6, 4000)])
def test_bins_rank_equal_values_without_loss_and_say_what_others_lose(values):
    counts = BinCounts(bins_from(values[::3], 1 << 16), 0.0)
    for part in np.split(values, 10):
        counts.add(part)
    midranks, total, loss = counts.ranks()
    exact = stats.rankdata(values) - (values.size + 1) / 2
    assert np.mean((midranks[counts.bins.of(values)] - exact) ** 2) <= loss * total / values.size + 1e-9
    assert total == pytest.approx(exact @ exact)
    assert np.unique(values).size > 100 or loss == 0


def test_what_cannot_be_ranked_has_a_status():
    rows, labels, entropy = representation("plain")
    units = directions_of("layer", rows, labels.size)
    found = {
        "too many samples to visit all pairs (n > 50)": pair_spearman(units, entropy, max_samples=50),
        "constant entropy": pair_spearman(units, np.ones(90)),
        "too few samples (n < 4)": pair_spearman(units, entropy, np.arange(1)),
    }
    for status, result in found.items():
        assert str(result.status) == status
        assert np.isnan([result.estimate, result.bound]).all()
