"""Tests and intervals by group, and of duplicates as groups, keep their level where nothing depends on anything."""

import numpy as np
import pytest
from scipy.stats import binom, entropy
from similarities import group_similarity

from mlx.residuals import ResidualsSettings
from mlx.residuals.association.correlations import associate
from mlx.residuals.association.layer import Layer
from mlx.residuals.errors.error_detection import detect_errors
from mlx.residuals.errors.failures import entropy_score, layer_scores
from mlx.residuals.similarity.directions import directions_of
from mlx.stats.groups import Groups

SETTINGS = ResidualsSettings(n_permutations=199, n_bootstrap=100)


def null_case(seed, kind):
    """Similarity, entropy and errors that are independent of each other, of groups or of duplicates."""
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
    units, groups = directions_of("layer", representations, n), Groups(groups)
    unsure = entropy([confidence, 1 - confidence])
    return Layer(units, group_similarity(units, y, groups=groups), unsure, y, groups=groups), wrong


def over_all_classes(associate, tasks):
    """Associate all classes together; return the tests of each by itself as they were asked for."""
    return [associate(tasks[0]), *(asked for _, _, asked, _ in tasks[1:])]


def measured(layer, error):
    """Return each test by what it asks, with the value of its null."""
    found = associate(layer, 2, SETTINGS, map=over_all_classes)
    pooled = next(r for r in found if (r.scope, r.statistic) == ("pooled", "pearson"))
    scores = {
        "entropy": entropy_score(layer.entropy),
        "similarity": layer_scores(layer, np.full(error.size, np.nan))[0],
    }
    areas = {
        name: (detect_errors(error, score, settings=SETTINGS, groups=layer.groups)[0], 0.5)
        for name, score in scores.items()
    }
    return {"pooled": (pooled, 0.0)} | areas


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["grouped", "twice", "some five times"])
def test_true_nulls_are_rejected_as_often_as_promised(kind):
    runs = [measured(*null_case(run, kind)) for run in range(80)]
    for name in ("pooled", "entropy", "similarity"):
        found = [run[name] for run in runs]
        rejected = sum(test.p <= 0.05 for test, _ in found)
        assert rejected <= binom.ppf(0.999, len(runs), 0.07), (kind, name, rejected)
        covered = [test.low <= null <= test.high for test, null in found if not np.isnan(test.low)]
        assert sum(covered) >= binom.ppf(0.001, len(covered), 0.93), (kind, name, covered)
