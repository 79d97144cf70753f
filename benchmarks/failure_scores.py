"""Do the numbers of ``scores.csv`` hold? Simulates scores of failure, and geometry that is pure noise.

    OMP_NUM_THREADS=1 python benchmarks/failure_scores.py [--runs 300] [--write docs/simulations.md]

Of every interval at the 95 % level: how often it is given, and how often it holds the population's value, of those
given. Of geometry that is noise: how often the combination with it is called better than the maximum probability, and
how often the likelihood-ratio test says that it carries information. `tests/residuals/test_scores_hold.py` is a short
version.
"""

import argparse
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys

sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np

from mlx.residuals.errors.error_detection import ErrorScore
from mlx.residuals.predictions import Predictions
from mlx.residuals.scores.addition import Combined, addition_tests
from mlx.residuals.scores.combination import Combination, fit_combination
from mlx.residuals.scores.measured import measure_score
from mlx.residuals.settings import ResidualsSettings
from mlx.results.failure_scores import MAXIMUM_PROBABILITY
from mlx.stats.gates import ValidationErrors

SETTINGS = ResidualsSettings(n_bootstrap=100, n_permutations=99)
PLACE = re.compile(r"(?<=<!-- scores of failure -->\n).*?(?=<!-- end of scores of failure -->)", re.DOTALL)


@dataclass(frozen=True)
class Design:
    """A population: how often the model is wrong, and by how much each score is higher there.

    Attributes
    ----------
    n, n_validation
        Test samples, and validation samples, half of which fit the weights.
    error_rate
        Of the model.
    softmax, geometry
        Shift of the log odds of 1 − max p, and of a score of geometry, among errors, in standard deviations.
    shared
        Correlation of the noise of both.
    runs
        Fewest test sets.
    """

    name: str
    n: int
    n_validation: int
    error_rate: float
    softmax: float
    geometry: float
    shared: float = 0.5
    runs: int = 0

    def draw(self, generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Return which of n predictions are wrong, 1 − max p, and four scores of geometry."""
        error = generator.random(n) < self.error_rate
        common = generator.normal(size=n)
        noise = np.sqrt(self.shared) * common + np.sqrt(1 - self.shared) * generator.normal(size=(4, n))
        doubt = 1 / (1 + np.exp(3 - 1.5 * (common + self.softmax * error)))
        scores = {f"g{k}": np.exp(row + self.geometry * error) for k, row in enumerate(noise)}
        return error, doubt, scores


DESIGNS: tuple[Design, ...] = (
    Design("noise", 400, 200, 0.1, 1.5, 0.0, shared=0.0, runs=1000),
    Design("noise, few errors", 400, 100, 0.06, 1.5, 0.0, shared=0.0, runs=1000),
    Design("geometry shares the noise of the softmax", 400, 200, 0.15, 1.5, 0.0),
    Design("geometry weaker", 400, 200, 0.15, 1.5, 0.8),
    Design("geometry as good", 400, 400, 0.15, 1.2, 1.2),
    Design("geometry better", 1000, 400, 0.1, 1.0, 2.0),
)


Found = Iterator[tuple[str, float, float, float, float]]


def analyzed(design: Design, generator: np.random.Generator, *, alone: bool = True, combined: bool = True) -> Found:
    """Yield name, estimate, ends and p of what is measured on one test set, with weights of one validation part.

    ``alone`` are those of a score of geometry, ``combined`` those of the combination.
    """
    wrong, doubt, scores = design.draw(generator, design.n_validation)
    first = {MAXIMUM_PROBABILITY: doubt} | scores
    validation = ValidationErrors(design.n_validation, int(wrong.sum()))
    error, doubt, scores = design.draw(generator, design.n)
    predictions = predictions_of(error, validation)
    if alone:
        yield from _alone(scores["g0"], doubt, predictions)
    if combined:
        half = slice(0, design.n_validation // 2)
        weights = fit_combination({name: values[half] for name, values in first.items()}, wrong[half])
        yield from _combined(weights, {MAXIMUM_PROBABILITY: doubt} | scores, predictions)


def _alone(score: np.ndarray, doubt: np.ndarray, predictions: Predictions) -> Found:
    row = measure_score(ErrorScore("g0", score), "train", doubt, predictions, SETTINGS)
    for name in ("auroc", "aupr", "fpr95", "aurc", "augrc"):
        yield name, getattr(row, name), getattr(row, f"{name}_low"), getattr(row, f"{name}_high"), np.nan
    yield "difference", row.difference, row.difference_low, row.difference_high, row.p


def _combined(weights: object, scores: dict[str, np.ndarray], predictions: Predictions) -> Found:
    if not isinstance(weights, Combination):
        return
    combined = Combined.of(weights, scores)
    score = ErrorScore("combination", combined.total)
    row = measure_score(score, "val", scores[MAXIMUM_PROBABILITY], predictions, SETTINGS)
    for test in addition_tests(row, combined, predictions, seed=0):
        yield f"combination: {test.statistic}", test.estimate, test.low, test.high, test.p


def predictions_of(error: np.ndarray, validation: ValidationErrors | None) -> Predictions:
    """Return predictions of two classes that are wrong where `error` says so."""
    labels = np.zeros(error.size, dtype=np.intp)
    halves = np.full((error.size, 2), 0.5)
    return Predictions(halves, None, labels, error.astype(np.intp), ["a", "b"], np.arange(error.size), validation)


def population(design: Design) -> dict[str, float]:
    """Return the value of each statistic of a score in 200,000 samples."""
    error, doubt, scores = design.draw(np.random.default_rng(0), 200_000)
    row = measure_score(ErrorScore("g0", scores["g0"]), "train", doubt, predictions_of(error, None), SETTINGS)
    return {name: getattr(row, name) for name in ("auroc", "aupr", "fpr95", "aurc", "augrc", "difference")}


def simulate(design: Design, runs: int) -> list[str]:
    """Return a row of the table for each statistic."""
    truth, generator, runs = population(design), np.random.default_rng(1), max(runs, design.runs)
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _ in range(runs):
        for name, _, low, high, p in analyzed(design, generator):
            known = counts[name]
            known["given"] += bool(np.isfinite(low) or np.isfinite(p))
            known["covered"] += bool(low <= truth.get(name, np.nan) <= high)
            known["better"] += bool(low > 0)
            known["rejected"] += bool(p <= 0.05)
    rows = []
    for name, known in counts.items():
        if not (given := known["given"]):
            continue
        held = f"{100 * known['covered'] / given:.1f}" if name in truth else ""
        of_combination = name.startswith("combination")
        better = f"{100 * known['better'] / given:.1f}" if name.endswith("difference") else ""
        rejected = f"{100 * known['rejected'] / given:.1f}" if of_combination or name == "difference" else ""
        rows.append(f"| {design.name} | {name} | {100 * given / runs:.0f} | {held} | {better} | {rejected} |")
    return rows


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--write", type=Path, metavar="FILE", help="document whose table to replace")
    chosen = parser.parse_args()
    title = "| design | statistic | given, % | held, % | called better, % | p ≤ 0.05, % |"
    head = [title, "|---|---|---:|---:|---:|---:|"]
    rows = [row for design in DESIGNS for row in simulate(design, chosen.runs)]
    table = "\n".join([f"{chosen.runs} test sets of each design, 1000 of noise.", "", *head, *rows])
    if chosen.write is None:
        print(table)
        return
    text = chosen.write.read_text(encoding="utf-8")
    chosen.write.write_text(PLACE.sub(lambda _: f"\n{table}\n\n", text), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
