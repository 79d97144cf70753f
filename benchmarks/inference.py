"""Does the inference hold? Simulates recorded predictions, and counts what each p-value and interval does.

    python benchmarks/inference.py [--runs 2000] [--processes 2] [--write docs/simulations.md]

For every p-value of ``tests.csv``: how often it is at most 0.05 when its null hypothesis is true, over pairs
that share samples, in clusters, and where classes differ in both similarity and entropy. For every interval at
the 95 % level: how often it holds the value of the population, which is that of 100,000 samples.

The two tables are Markdown; ``--write`` puts them into ``docs/simulations.md``, between the lines that mark their
place. Seeds are fixed: the same runs give the same tables. 2000 runs take some fifty minutes of one processor.
``tests/residuals/test_inference_holds.py`` is a short version.
"""

import argparse
import os
import re
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))

from mlx.core.log_scores import log_of
from mlx.residuals import ResidualsSettings
from mlx.residuals.association.layer import Layer
from mlx.residuals.errors.failures import analyze_factors, detection_tests, entropy_score, layer_scores, partial_tests
from mlx.residuals.layers.layer_analysis import correlation_tests
from mlx.residuals.similarity.class_similarity import similarity_family
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift
from mlx.results.tests import Question, Scope, TestResult
from mlx.stats.row_scores import entropy_from_log_probabilities

K, FEATURES, LATENT = 3, 16, 4
SHARES = np.array([0.5, 0.3, 0.2])
"""Of the predicted classes: not alike."""

MIXING = np.random.default_rng(1).normal(size=(LATENT, FEATURES))
MEANS = np.random.default_rng(2).normal(size=(K, FEATURES))
CLUSTERS = np.random.default_rng(5).normal(size=(K, 5, LATENT))

POPULATION = 100_000
SCENARIOS = ("spread", "clusters", "confounded")
SIZES = (100, 200, 400)

DRAWS = 20261125
"""Part of every seed: random numbers that were drawn anew when all methods and smallest sizes had been chosen."""


@dataclass(frozen=True)
class Sample:
    """What a model said of n samples, and what is known of them."""

    representation: np.ndarray
    probabilities: np.ndarray
    y_true: np.ndarray
    y_pred: np.ndarray
    factors: pd.DataFrame


def draw(scenario: str, generator: np.random.Generator, n: int, *, null: bool) -> Sample:
    """Draw a sample; under the null entropy, errors and factors know nothing of the place within the class."""
    y = generator.choice(K, size=n, p=SHARES)
    latent = generator.normal(size=(n, LATENT))
    if scenario == "clusters":
        latent = 1.5 * CLUSTERS[y, generator.integers(5, size=n)] + 0.4 * latent
    spread = np.array([0.25, 0.5, 0.9])[y] if scenario == "confounded" else 0.5
    representation = np.maximum(0.6 + MEANS[y] + (spread * (latent @ MIXING).T).T, 0)
    distance = 0.0 if null else 0.5 * ((latent**2).sum(axis=1) / LATENT - 1)
    by_class = np.array([-1.0, 0.0, 1.0])[y] if scenario == "confounded" else 0.0
    factor = generator.normal(size=n)
    doubt = 0.7 * generator.normal(size=n) + distance + by_class + (0.0 if null else 0.3 * factor)
    confidence = 0.4 + 0.59 / (1 + np.exp(doubt - 1))
    probabilities = np.full((n, K), 0.0)
    split = generator.uniform(0.3, 0.7, size=n)
    rows = np.arange(n)
    probabilities[rows, y] = confidence
    probabilities[rows, (y + 1) % K] = (1 - confidence) * split
    probabilities[rows, (y + 2) % K] = (1 - confidence) * (1 - split)
    wrong = generator.random(n) < (0.3 if null else 1 - confidence)
    other = (y + 1 + (generator.random(n) > split)) % K
    kind = generator.random(n) < (0.4 if null else 0.2 + 0.4 * wrong)
    return Sample(
        representation, probabilities, np.where(wrong, other, y), y, pd.DataFrame({"factor": factor, "kind": kind})
    )


def results_of(sample: Sample, settings: ResidualsSettings) -> list[TestResult]:
    """Return the results that have a p-value or an interval, from the functions that make ``tests.csv``."""
    n = len(sample.y_pred)
    units = directions_of("layer", sample.representation, n)
    family = similarity_family(lift(units), sample.y_pred, sample.y_true, K)
    entropy = entropy_from_log_probabilities(log_of(sample.probabilities))
    error = sample.y_true != sample.y_pred
    layer = Layer(units, family.predicted, entropy, sample.y_pred, "layer")
    results = [
        *correlation_tests(layer, K, settings),
        *detection_tests(error, [entropy_score(entropy)], [], settings),
        *detection_tests(error, layer_scores(layer, family.margin), [], settings),
        *partial_tests(layer, ~error, settings),
        *analyze_factors(sample.factors, layer, error, settings=settings).tests,
    ]
    return [one for one in results if one.label in (None, 0)]


def key_of(one: TestResult) -> tuple[str, str, str]:
    return "weak slice" if one.question is Question.SLICE else one.name, one.scope, one.statistic


ACROSS_CLASSES = {Scope.POOLED, Scope.ALL_PAIRS}


def is_null(scenario: str, key: tuple[str, str, str]) -> bool:
    """Whether the null of a test holds: what ignores classes is not null where they differ in both sides."""
    name, scope, _ = key
    across_classes = scope in ACROSS_CLASSES or name == Question.SIMILARITY_ENTROPY_GIVEN_CORRECTNESS
    return not (scenario == "confounded" and across_classes)


def run(task: tuple[str, int, bool, int]) -> list[tuple]:
    scenario, n, null, seed = task
    settings = ResidualsSettings(seed=seed, n_permutations=199 if null else 19, n_bootstrap=100 if null else 200)
    generator = np.random.default_rng([DRAWS, n, seed, null, SCENARIOS.index(scenario)])
    results = results_of(draw(scenario, generator, n, null=null), settings)
    return [(key_of(one), one.estimate, one.low, one.high, one.p) for one in results]


def population(scenario: str) -> dict:
    settings = ResidualsSettings(n_permutations=19)
    sample = draw(scenario, np.random.default_rng(3), POPULATION, null=False)
    return {key_of(one): one.estimate for one in results_of(sample, settings)}


def simulate(runs: int, apply: Callable) -> Iterator[tuple]:
    """Yield (key, scenario, n, share of p ≤ 0.05, number of p, coverage, number of intervals)."""
    truths = dict(zip(SCENARIOS, apply(population, SCENARIOS), strict=True))
    for n in SIZES:
        for scenario, truth in truths.items():
            p, covered = defaultdict(list), defaultdict(list)
            for found in apply(run, [(scenario, n, True, seed) for seed in range(runs)]):
                for key, *_, value in found:
                    if is_null(scenario, key) and not np.isnan(value):
                        p[key].append(value <= 0.05)
            for found in apply(run, [(scenario, n, False, seed) for seed in range(runs)]):
                for key, _, low, high, _ in found:
                    if not np.isnan(low) and key in truth and key[0] != "weak slice":
                        covered[key].append(low <= truth[key] <= high)
            for key in sorted({*p, *covered}):
                share, held = (np.mean(x[key]) if x[key] else np.nan for x in (p, covered))
                yield key, scenario, n, share, len(p[key]), held, len(covered[key])


TITLES = ("p ≤ 0.05 under the null, %", "95 % intervals that hold the population's value, %")


PLACE = re.compile(r"(?<=<!-- simulation -->\n).*?(?=<!-- end of simulation -->)", re.DOTALL)
"""Where the tables stand in a document."""


def percent(share: float, count: int, runs: int) -> str:
    """Return a cell, which is a dash where fewer than half of the runs had a value."""
    return f"{100 * share:.1f}" if count and 2 * count >= runs else "-"


def table(cells: dict, which: int, columns: list) -> str:
    """Return one of the two tables in Markdown."""
    lines = [f"**{TITLES[which]}**", "", "| what | " + " | ".join(f"{scenario} {n}" for scenario, n in columns) + " |"]
    lines.append("|---|" + "---:|" * len(columns))
    for key, row in cells.items():
        found = [row.get(column, ("-", "-"))[which] for column in columns]
        if set(found) != {"-"}:
            lines.append(f"| {', '.join(key)} | " + " | ".join(found) + " |")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--write", type=Path, metavar="FILE", help="document whose tables to replace")
    chosen = parser.parse_args()
    if chosen.write and not PLACE.search(chosen.write.read_text(encoding="utf-8")):
        parser.error(f"{chosen.write}: expected the lines <!-- simulation --> and <!-- end of simulation -->")
    cells: dict = defaultdict(dict)
    with ProcessPoolExecutor(chosen.processes) as pool:
        for key, scenario, n, share, n_p, held, n_held in simulate(chosen.runs, pool.map):
            cells[key][scenario, n] = (percent(share, n_p, chosen.runs), percent(held, n_held, chosen.runs))
            print(*key, scenario, n, f"{share:.3f} of {n_p}, {held:.3f} of {n_held}", sep=" | ", flush=True)
    tables = "\n\n".join(table(cells, which, list(product(SCENARIOS, SIZES))) for which in range(len(TITLES)))
    print("\n" + tables)
    if chosen.write:
        text = chosen.write.read_text(encoding="utf-8")
        chosen.write.write_text(PLACE.sub(lambda _: f"\n{tables}\n\n", text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
