"""Tests and intervals by group, and of duplicates, keep their level where nothing depends on anything."""

import numpy as np
import pytest
from scipy.stats import binom

from mlx import ResidualsAnalyzer

FAST = {"n_permutations": 199, "n_bootstrap": 100, "projections": []}
NULLS = {
    "pooled": ("similarity and entropy", "pooled", "pearson"),
    "entropy": ("error by entropy", "all samples", "auroc"),
    "similarity": ("error by low similarity", "all samples", "auroc"),
}


def null_case(seed, kind):
    """Entropy, errors and similarity that are independent of each other, of groups or of duplicates."""
    generator = np.random.default_rng([7, seed])
    groups, effect = {
        "grouped": (np.repeat(np.arange(60), 5), 1.0),
        "twice": (np.repeat(np.arange(150), 2), None),
        "some five times": (np.r_[np.arange(200), np.repeat(np.arange(30), 4)], None),
    }[kind]
    count, n = groups.max() + 1, groups.size

    def drawn(*shape):
        shared = generator.normal(size=(count, *shape))[groups]
        return shared if effect is None else effect * shared + generator.normal(size=(n, *shape))

    y = (drawn() > 0).astype(int)
    representations = drawn(6) + 1.5 * np.eye(2, 6)[y]
    confidence = 0.51 + 0.48 / (1 + np.exp(-drawn()))
    wrong = drawn() > 0.84 * (1 if effect is None else np.sqrt(2))
    probabilities = np.where(np.eye(2)[y] > 0, confidence[:, None], 1 - confidence[:, None])
    return (representations, probabilities, np.where(wrong, 1 - y, y), y), {"group": groups}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["grouped", "twice", "some five times"])
def test_true_nulls_are_rejected_as_often_as_promised(kind):
    runs, rejected, covered, given = 80, dict.fromkeys(NULLS, 0), dict.fromkeys(NULLS, 0), dict.fromkeys(NULLS, 0)
    analyzer = ResidualsAnalyzer(groups="group" if kind == "grouped" else "duplicates", **FAST)
    for run in range(runs):
        arrays, factors = null_case(run, kind)
        tests = analyzer.run_full_analysis(*arrays, factors=factors if kind == "grouped" else None)["tests"]
        for name, (asked, scope, statistic) in NULLS.items():
            row = tests[(tests["name"] == asked) & (tests["scope"] == scope) & (tests["statistic"] == statistic)].iloc[
                0
            ]
            rejected[name] += row["p"] <= 0.05
            given[name] += not np.isnan(row["low"])
            covered[name] += row["low"] <= (0.0 if statistic == "pearson" else 0.5) <= row["high"]
    for name in NULLS:
        assert rejected[name] <= binom.ppf(0.999, runs, 0.07), (kind, rejected)
        assert covered[name] >= binom.ppf(0.001, given[name], 0.93), (kind, covered, given)
