"""Intervals hold for scores by similarity, which share class means and so are not independent."""

import numpy as np
import pytest
from rates import rate_is_within
from similarities import group_similarity

from mlx.residuals import ResidualsSettings
from mlx.residuals.errors.class_mean_dependence import (
    dependence_of_margin,
    dependence_of_similarity,
    standard_error,
    with_shared,
)
from mlx.residuals.errors.error_detection import ErrorScore, detect_errors
from mlx.residuals.similarity.directions import directions_of
from mlx.results.questions import Score
from mlx.stats.auroc import auroc
from mlx.stats.influence import spearman


def diffuse(generator, n):
    """Draw wide, overlapping classes, whose mean a sample of them knows badly."""
    y = generator.integers(3, size=n)
    latent = generator.normal(size=(n, 5))
    error = generator.random(n) < 1 / (1 + np.exp(2 - 1.5 * latent[:, 3] - 0.7 * latent[:, 4]))
    return 0.7 * np.eye(3, 5)[y] + latent, y, error, latent[:, 3] + 0.3 * generator.normal(size=n)


def measured(generator, n):
    representation, y, error, factor = diffuse(generator, n)
    units = directions_of("h", representation, n)
    similarity = group_similarity(units, y)
    own, other = dependence_of_margin(units, y, similarity, sign=-1.0).terms
    margin = own[2] - other[2]
    return [
        (auroc(error, -similarity), dependence_of_similarity(units, y, similarity, sign=-1.0)),
        (auroc(error, -margin), dependence_of_margin(units, y, similarity, sign=-1.0)),
        (spearman(factor, similarity), dependence_of_similarity(units, y, similarity, sign=1.0)),
    ]


@pytest.mark.slow
def test_intervals_of_similarities_cover_though_they_share_class_means():
    true = [found.estimate for found, _ in measured(np.random.default_rng(1), 200_000)]
    covered, without, runs = np.zeros(3, int), np.zeros(3, int), 400
    for run in range(runs):
        for k, (found, shared) in enumerate(measured(np.random.default_rng([6, run]), 200)):
            gap = abs(found.estimate - true[k])
            covered[k] += gap < 1.96 * standard_error(with_shared(found, shared))
            without[k] += gap < 1.96 * standard_error(found)
    assert all(rate_is_within(hits, 0.93, 0.97, runs=runs) for hits in covered), covered
    assert without[2] < 0.85 * runs


def by_similarity(generator, n, settings):
    representation, y, error, _ = diffuse(generator, n)
    units = directions_of("h", representation, n)
    similarity = group_similarity(units, y)
    score = ErrorScore(Score.LOW_SIMILARITY, -similarity, dependence_of_similarity(units, y, similarity, sign=-1.0))
    return detect_errors(error, score, settings=settings)


@pytest.mark.slow
def test_intervals_of_curves_by_similarity_cover():
    settings = ResidualsSettings(n_permutations=19)
    true = {f.statistic: f.estimate for f in by_similarity(np.random.default_rng(1), 100_000, settings)}
    hits = {"auroc": [], "aurc": [], "augrc": []}
    for run in range(300):
        for f in by_similarity(np.random.default_rng([6, run]), 250, settings):
            if f.statistic in hits:
                assert str(f.status) == "ok"
                hits[f.statistic].append(f.low <= true[f.statistic] <= f.high)
    assert all(rate_is_within(sum(covered), 0.93, 0.97, runs=300) for covered in hits.values()), {
        k: np.mean(v) for k, v in hits.items()
    }
