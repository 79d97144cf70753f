"""Designs that draw rows, with replacement, of what a small network recorded of real data: its truth is known."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from simulation.sample import Sample


@dataclass(frozen=True)
class RealDesign:
    """Rows of ``data`` that trained nothing, from which test sets of n rows are drawn.

    Attributes
    ----------
    name
        In the tables.
    n
        Test samples.
    data
        ``digits`` (1397 rows) or ``table`` (469 rows of the Wisconsin breast cancer data, three of its columns).
    validated
        Validation samples as a share of n, whose errors are counted.
    """

    name: str
    n: int
    data: str
    validated: float = 0.5

    confounded = True
    calibrated = unequal = False

    def draw(self, generator: np.random.Generator, n: int, *, null: bool) -> Sample:
        """Draw n rows; under the null, representation, errors and factors each come from a row of their own.

        The representation's row has the same predicted class: classes differ in both similarity and entropy.
        """
        known = recorded(self.data)
        rows = rows_of(generator, len(known.y_pred), n)
        if not null:
            return _taken(known, rows, rows, known.y_true[rows], rows)
        y_pred, n_classes = known.y_pred[rows], known.probabilities.shape[1]
        order = np.argsort(known.y_pred, kind="stable")
        counts = np.bincount(known.y_pred, minlength=n_classes)
        starts = np.cumsum(counts) - counts
        alike = order[starts[y_pred] + (generator.random(n) * counts[y_pred]).astype(int)]
        wrong = (known.y_true != known.y_pred)[generator.integers(len(known.y_pred), size=n)]
        truth = np.where(wrong, (y_pred + 1) % n_classes, y_pred)
        return _taken(known, rows, alike, truth, generator.integers(len(known.y_pred), size=n))


def rows_of(generator: np.random.Generator, size: int, n: int) -> np.ndarray:
    """Draw n of ``size`` rows; a population takes every row equally often."""
    if n >= 10 * size:
        return np.resize(np.arange(size), n // size * size)
    return generator.integers(size, size=n)


def _taken(known: Sample, rows: np.ndarray, layer: np.ndarray, truth: np.ndarray, factor: np.ndarray) -> Sample:
    factors = known.factors.iloc[factor].reset_index(drop=True)
    return Sample(known.representation[layer], known.probabilities[rows], truth, known.y_pred[rows], factors)


@cache
def recorded(data: str, seed: int = 0) -> Sample:
    """Return what a network of one hidden layer says of the rows that trained none; that of seed 1 saw half as many."""
    x, y, n_train, n_hidden = _loaded(data)
    order = np.random.default_rng(4).permutation(len(y))
    train, test = order[: n_train // (1 + seed)], order[n_train:]
    return _predicted(x, y, train, test, n_hidden, seed)


def _loaded(data: str) -> tuple[np.ndarray, np.ndarray, int, int]:
    from sklearn.datasets import load_breast_cancer, load_digits

    if data == "digits":
        x, y = load_digits(return_X_y=True)
        return x / 16, y, 400, 24
    x, y = load_breast_cancer(return_X_y=True)
    x = x[:, [1, 4, 8]]
    return (x - x.mean(axis=0)) / x.std(axis=0), y, 100, 8


def _predicted(x: np.ndarray, y: np.ndarray, train: np.ndarray, test: np.ndarray, n_hidden: int, seed: int) -> Sample:
    from sklearn.neural_network import MLPClassifier

    network = MLPClassifier((n_hidden,), max_iter=2000, solver="lbfgs", alpha=0.1, random_state=seed).fit(
        x[train], y[train]
    )
    hidden = np.maximum(x[test] @ network.coefs_[0] + network.intercepts_[0], 0)
    probabilities = network.predict_proba(x[test])
    y_pred = probabilities.argmax(axis=1)
    half = x[test, : x.shape[1] // 2].sum(axis=1)
    factors = pd.DataFrame({"factor": x[test].sum(axis=1), "kind": half > np.median(half)})
    return Sample(hidden, probabilities, y[test], y_pred, factors)
