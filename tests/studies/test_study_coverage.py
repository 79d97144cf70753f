"""Intervals over seeds and samples hold, and differences reject true nulls at their level: a short simulation."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_1samp

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from simulation.recipes import Recipe, areas, truth

from mlx.stats.auroc import placements
from mlx.stats.seed_differences import difference_over_seeds
from mlx.stats.seeds_by_samples import metric_over_seeds

RUNS = 150
DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("metric", ["accuracy", pytest.param("AUROC", marks=pytest.mark.slow)])
@pytest.mark.parametrize("recipe", [Recipe(0.0), Recipe(0.2)], ids=["no seed variance", "large"])
def test_intervals_cover_and_differences_keep_their_level_where_naive_ones_do_not(metric: str, recipe: Recipe) -> None:
    generator, held, naive, rejected = np.random.default_rng(3), 0, 0, 0
    for _ in range(RUNS):
        shared = generator.normal(size=200)
        first, second = (recipe.draw(metric, shared, 5, generator) for _ in range(2))
        interval = metric_over_seeds(second).interval
        held += interval.low <= truth(recipe, metric) <= interval.high
        own = ttest_1samp(second.estimates, truth(recipe, metric)).pvalue > 0.05
        of_samples = metric_over_seeds(second).part_sample ** 0.5 * 1.96
        away = abs(second.estimates.mean() - truth(recipe, metric)) <= of_samples
        naive += own if recipe.seed == 0 else away
        rejected += difference_over_seeds(first, second).p <= 0.05
    assert 0.90 <= held / RUNS <= 0.99
    assert 0.005 <= rejected / RUNS <= 0.095
    assert naive < held


def test_the_simulated_areas_are_those_of_the_project() -> None:
    rng = np.random.default_rng(0)
    wrong, score = rng.random((2, 60)) < 0.3, rng.normal(size=(2, 60))
    found, placed = areas(wrong, score), placements(wrong[1], score[1])
    assert found.estimates[1] == pytest.approx(placed.area)
    assert found.influence[1][wrong[1]] == pytest.approx((placed.above - placed.area) * 60 / wrong[1].sum())
    assert found.influence[1][~wrong[1]] == pytest.approx((placed.below - placed.area) * 60 / (~wrong[1]).sum())


def test_the_document_has_the_table_of_the_counts_which_are_in_range() -> None:
    from studies import DESIGNS, rendered

    table = pd.read_csv(DOCS / "simulations/studies.csv")
    assert len(table) == len(DESIGNS)
    assert rendered(table) in (DOCS / "simulations.md").read_text(), "run `python benchmarks/studies.py --write …`"
    assert table["both"].between(93, 97).all()
    assert table["p <= .05"].between(2.3, 7).all()
