"""Simulates prediction sets and recalibration: whether what is fitted to validation samples holds on test samples.

    python benchmarks/sets_and_recalibration.py [--runs 150] [--write docs/simulations.md]

Three questions. How often lies the coverage of sets inside of its beta-binomial band, when the model is fixed, and when
the loss on the same validation samples chose the epoch of its training? How often does a group that is covered as all
samples are have an adjusted p-value of at most 0.05? How often do the intervals of the differences of log loss, Brier
score and accuracy by a fitted calibrator hold what they are in 10,000 further samples? 150 runs take two minutes.
"""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))

import numpy as np
from scipy.special import softmax

from mlx.evaluation import EvaluationSettings
from mlx.evaluation.confusion import confusion_counts
from mlx.evaluation.design import Design
from mlx.evaluation.recalibration import difference_of, scored, value_of
from mlx.residuals import ResidualsSettings
from mlx.residuals.predictions import check_predictions
from mlx.residuals.sets.classification import prediction_sets
from mlx.results.prediction_sets import Looked
from mlx.results.recalibration import RecalibratedMetric
from mlx.stats.calibrators import Calibrator, fit_calibrator
from mlx.stats.gates import ValidationErrors
from mlx.stats.validation_outputs import ValidationOutputs

K, D, N_TEST, N_LARGE = 4, 30, 200, 10_000
PLACE = re.compile(r"(?<=<!-- sets and recalibration -->\n).*?(?=<!-- end of sets and recalibration -->)", re.DOTALL)
NAMES = [f"class {k}" for k in range(K)]
EPOCHS = 60
SETTINGS = EvaluationSettings(n_bootstrap=100)


def drawn(n: int, generator: np.random.Generator, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return features (n, D) of which some decide the class, and labels (n,)."""
    x = generator.normal(size=(n, D))
    return x, (x @ truth + generator.gumbel(size=(n, K))).argmax(axis=1)


def trained(x: np.ndarray, y: np.ndarray) -> Iterator[np.ndarray]:
    """Yield the weights (D, K) of a softmax regression after each epoch of gradient descent that overfits."""
    weights, target = np.zeros((D, K)), np.eye(K)[y]
    for _ in range(EPOCHS):
        for _ in range(4):
            weights = weights - 2.0 * x.T @ (softmax(x @ weights, axis=1) - target) / len(y)
        yield weights


def log_loss(z: np.ndarray, y: np.ndarray) -> float:
    return -float(np.log(softmax(z, axis=1)[np.arange(len(y)), y]).mean())


def run(seed: int, n_val: int, *, stops_early: bool) -> dict[str, float]:
    """Train a model, calibrate it, and return what held."""
    generator = np.random.default_rng([seed, n_val, stops_early])
    truth = generator.normal(size=(D, K)) * (np.arange(D) < 5)[:, None]
    (x, y), (x_val, y_val), (x_test, y_test), (x_large, y_large) = (
        drawn(n, generator, truth) for n in (120, n_val, N_TEST, N_LARGE)
    )
    epochs = list(trained(x, y))
    best = min(epochs, key=lambda w: log_loss(x_val @ w, y_val)) if stops_early else epochs[-1]
    z_val, z_test, z_large = (part @ best for part in (x_val, x_test, x_large))
    validation = ValidationOutputs(softmax(z_val, axis=1), z_val, y_val, np.arange(n_val), stops_early)
    return _sets(validation, z_test, y_test, seed) | _differences(validation, (z_test, y_test), (z_large, y_large))


def _sets(validation: ValidationOutputs, z: np.ndarray, y: np.ndarray, seed: int) -> dict[str, float]:
    index = 10_000 + np.arange(N_TEST)
    predictions = check_predictions(softmax(z, axis=1), z, y, z.argmax(axis=1), NAMES, index)
    half = np.random.default_rng(seed).permutation(N_TEST)
    looks = [(Looked.FACTOR, "coin", str(k), half[k::4]) for k in range(4)]  # groups that are covered as all are
    found: dict[str, float] = {}
    for method in ("lac", "aps", "raps"):
        settings = ResidualsSettings(seed=seed, conformal={"alpha": [0.1], "method": method})
        whole, *groups = prediction_sets(predictions, validation, looks, settings).coverage
        found[f"{method}: covered"] = whole.coverage
        found[f"{method}: in the band"] = whole.band_low <= whole.n_covered <= whole.band_high
        coins = [one.p for one in groups if one.kind is Looked.FACTOR]
        found[f"{method}: group"] = (
            min(coins) * 4 <= 0.05
        )  # Bonferroni over the four, of which Holm's first step is one
    return found


def _differences(
    validation: ValidationOutputs, test: tuple[np.ndarray, np.ndarray], large: tuple[np.ndarray, np.ndarray]
) -> dict[str, float]:
    wrong = int((validation.logits.argmax(axis=1) != validation.y_true).sum())
    errors, half = ValidationErrors(len(validation.y_true), wrong), validation.fitting()
    counts = confusion_counts(test[1], test[0].argmax(axis=1), K)
    design = Design.of(counts, test[1], SETTINGS, errors)
    none, before, before_large = _applied(Calibrator.NONE, half, test, large)
    assert none
    found: dict[str, float] = {}
    for calibrator in (Calibrator.TEMPERATURE, Calibrator.VECTOR, Calibrator.ISOTONIC):
        fits, after, after_large = _applied(calibrator, half, test, large)
        for metric in (RecalibratedMetric.LOG_LOSS, RecalibratedMetric.BRIER, RecalibratedMetric.ACCURACY):
            held = float("nan")
            if fits:
                truth = value_of(metric, after_large) - value_of(metric, before_large)
                one = difference_of(metric, before, after, design).interval
                held = one.low <= truth <= one.high if not np.isnan(one.low + truth) else held
            found[f"{calibrator}: {metric}"] = held
    return found


def _applied(calibrator: Calibrator, half: ValidationOutputs, *parts: tuple[np.ndarray, np.ndarray]) -> tuple:
    """Return whether a calibrator can be fitted, and each part as it then is predicted."""
    fitted = fit_calibrator(calibrator, half.probabilities, half.logits, half.y_true).log_probabilities
    if fitted is None:
        return False, *(None for _ in parts)
    return True, *(scored(fitted, softmax(z, axis=1), z, y, SETTINGS.n_bins) for z, y in parts)


def tables(runs: int) -> str:
    """Return both tables in Markdown, counted from so many runs of each design."""
    designs = [(n_val, early) for n_val in (100, 400) for early in (False, True)]
    counted = {one: [run(seed, one[0], stops_early=one[1]) for seed in range(runs)] for one in designs}
    heads = [f"{n} validation samples, {'early stopping' if early else 'all epochs'}" for n, early in designs]

    def line(name: str, key: str) -> str:
        cells = []
        for found in counted.values():
            values = np.array([one[key] for one in found], float)
            known = values[~np.isnan(values)]
            share = "" if known.size == values.size else f" ({known.size / values.size:.0%})"
            cells.append(f"{100 * known.mean():.1f}{share}" if known.size >= 30 else "none")
        return f"| {name} | {' | '.join(cells)} |"

    def table(title: str, rows: list[tuple[str, str]]) -> str:
        head = [f"**{title}**", "", f"| | {' | '.join(heads)} |", "|---|" + "---:|" * len(heads)]
        return "\n".join([*head, *(line(*row) for row in rows)])

    names = {"covered": "covered test samples, aim 90", "in the band": "coverage in its 95 % band",
             "group": "a group of chance has p ≤ 0.05"}  # fmt: skip
    of_sets = [(f"{method.upper()}, {words}", f"{method}: {key}")
               for method in ("lac", "aps", "raps") for key, words in names.items()]  # fmt: skip
    of_effects = [key for key in counted[designs[0]][0] if key.split(":")[0] in {*Calibrator}]
    return "\n\n".join([
        f"Each design was drawn {runs} times, with a new model each time; {N_TEST} test samples.",
        table("Prediction sets, %", of_sets),
        table("95 % intervals of differences by recalibration that hold the difference in further samples, %",
              [(key.replace(": ", ", difference of ").replace("_", " "), key) for key in of_effects]),
    ])  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=150)
    parser.add_argument("--write", type=Path, metavar="FILE", help="document whose tables to replace")
    chosen = parser.parse_args()
    content = tables(chosen.runs)
    if chosen.write:
        text = chosen.write.read_text(encoding="utf-8")
        chosen.write.write_text(PLACE.sub(lambda _: f"\n{content}\n\n", text), encoding="utf-8", newline="\n")
    else:
        print(content)


if __name__ == "__main__":
    main()
