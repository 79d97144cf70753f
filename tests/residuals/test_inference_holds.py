"""A short, seeded simulation: the p-values have their size, and the intervals their coverage.

Bounds are those that a procedure with a true rate from 3 to 7 % (93 to 97 %) leaves once in 2000 runs.
"""

import sys
from pathlib import Path

import numpy as np
import pytest
from rates import rate_is_within

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from similarities import group_similarity
from simulation import experiment
from simulation.designs import DESIGNS

from mlx.residuals import ResidualsSettings
from mlx.residuals.association import correlations
from mlx.residuals.association.correlations import associate
from mlx.residuals.association.layer import Layer
from mlx.residuals.similarity.directions import directions_of
from mlx.stats import permutation
from mlx.stats.interval import Interval
from mlx.stats.status import Reason

pytestmark = pytest.mark.slow

RUNS = 200
FEATURES = 16
MIXING = np.random.default_rng(1).normal(size=(4, FEATURES))
MEANS = np.random.default_rng(2).normal(size=(3, FEATURES))


def draw(generator, n, *, n_classes=1, null):
    """Draw low-rank representations round class means; entropy grows with the distance, or not."""
    y = generator.integers(n_classes, size=n)
    latent = generator.normal(size=(n, 4))
    representation = np.maximum(0.4 + MEANS[y] + 0.4 * latent @ MIXING, 0)
    noise = generator.gamma(1.5, 0.5, size=n)
    # Skewed and different in every class, as entropies are; under the null whatever the place of a sample.
    entropy = (1 + y) * noise + (0 if null else 0.15) * (latent**2).sum(axis=1)
    return representation, entropy, y


def population(n_classes, scope):
    """Correlations at an n so large that the class means are known."""
    n = 200_000
    representation, entropy, y = draw(np.random.default_rng(3), n, n_classes=n_classes, null=False)
    similarity = group_similarity(directions_of("h", representation, n), y)
    values = np.stack([similarity, entropy])
    ranks = np.argsort(np.argsort(values, axis=1), axis=1) / n
    if scope == "within class":
        for label in range(n_classes):
            values[:, y == label] -= values[:, y == label].mean(axis=1, keepdims=True)
            of_class = ranks[:, y == label]
            ranks[:, y == label] = np.argsort(np.argsort(of_class, axis=1), axis=1) / of_class.shape[1] - 0.5
    return {"pearson": np.corrcoef(values)[0, 1], "spearman": np.corrcoef(ranks)[0, 1]}


def associations(n, *, n_classes, null, n_permutations):
    """Return a list of associations for every run: those of class 0, or those over all classes."""
    results = []
    for run in range(RUNS):
        representation, entropy, y = draw(np.random.default_rng([7, run]), n, n_classes=n_classes, null=null)
        units = directions_of("h", representation, n)
        layer = Layer(units, group_similarity(units, y), entropy, y)
        settings = ResidualsSettings(seed=run, n_permutations=n_permutations, n_bootstrap=100)
        found = associate(layer, n_classes, settings)
        results.append([r for r in found if (r.scope == "class") == (n_classes == 1)])
    return results


NO_INTERVAL = Interval.missing(Reason.NO_ERRORS())


def nothing_resampled(layer, classes, settings, map):
    nothing = correlations._Resampled((correlations.NOTHING,) * 2, (correlations.NOTHING,) * 2)
    return nothing, nothing, dict.fromkeys(classes, nothing)


@pytest.mark.parametrize(("n", "n_classes"), [(30, 1), (60, 3)])
def test_a_true_null_is_rejected_as_often_as_promised(n, n_classes, monkeypatch):
    # Intervals, which p-values do not depend on, take half of the time.
    monkeypatch.setattr(correlations, "_resample", nothing_resampled)
    monkeypatch.setattr(correlations, "jackknife_interval", lambda *_, **__: NO_INTERVAL)
    runs = associations(n, n_classes=n_classes, null=True, n_permutations=199)
    for scope in ("class", "within class"):
        for statistic in ("pearson", "spearman"):
            p = [r.p for run in runs for r in run if (r.scope, r.statistic) == (scope, statistic)]
            if p:
                assert rate_is_within(np.sum(np.array(p) <= 0.05), 0.03, 0.07, runs=RUNS), (scope, statistic)


NO_TESTS = (permutation.PermutationTest(np.nan, 0),) * 2


def none_of_classes(groups, *_, **__):
    return NO_TESTS, dict.fromkeys(groups, NO_TESTS)


@pytest.mark.parametrize(("n", "n_classes"), [(20, 1), (60, 1), (126, 3)])
def test_intervals_cover_the_population_value_as_often_as_promised(n, n_classes, monkeypatch):
    monkeypatch.setattr(correlations, "pooled_p_values", lambda *_, **__: NO_TESTS)  # which nobody counts
    monkeypatch.setattr(correlations, "class_p_values", none_of_classes)
    runs = associations(n, n_classes=n_classes, null=False, n_permutations=19)
    for scope in ("class", "pooled", "within class"):
        true = population(n_classes, scope)
        for statistic, value in true.items():
            covered = [
                r.low <= value <= r.high
                for run in runs
                for r in run
                if (r.scope, r.statistic) == (scope, statistic) and not np.isnan(r.low)
            ]
            if covered:
                assert rate_is_within(np.sum(covered), 0.93, 0.97, runs=RUNS), (scope, statistic, np.mean(covered))


@pytest.mark.parametrize("name", ["unequal spread 100", "two models 100", "regression 60"])
def test_what_is_given_holds_in_a_short_simulation(name, monkeypatch):
    [design] = [one for one in DESIGNS if f"{one.name} {one.n}" == name]
    enough = {experiment.SIMILARITY: 5_000, experiment.METRICS: 50_000}  # for test sets of at most 100
    monkeypatch.setattr(experiment, "POPULATION", enough)
    found = experiment.tables(experiment.simulate(design, 40, map))
    for cell in found["p_values"].itertuples():
        assert rate_is_within(cell.rejected, 0.03, 0.07, runs=cell.given), cell
    for cell in found["intervals"].itertuples():
        assert rate_is_within(cell.covered, 0.93, 0.97, runs=cell.given), cell
    assert found["p_values"]["given"].max() >= 40
    assert found["intervals"]["given"].max() >= 40
