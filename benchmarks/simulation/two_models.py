"""Designs for two models on one test set, whose predictions have difficulty in common and noise of their own."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulation.drawn import LATENT, LEAST_CONFIDENCE, MEANS, MIXING, UNEVEN
from simulation.real import recorded, rows_of
from simulation.sample import Sample

Pair = tuple[Sample, Sample]


@dataclass(frozen=True)
class DrawnPair:
    """Two models that are alike under the null; else the second doubts more, and its geometry says less.

    Attributes
    ----------
    name
        In the tables.
    n
        Test samples.
    shares
        Of the true classes.
    heavy
        Latent coordinates and doubt have t distributions with 3 degrees of freedom.
    doubt_scale
        Factor of 1 − confidence.
    in_common
        Share of the variance of latent coordinates and doubt that both models have in common.
    group_size
        Samples of a group, which have half of that in common and are declared; 1 for none.
    """

    name: str
    n: int
    shares: tuple[float, ...] = UNEVEN
    heavy: bool = False
    doubt_scale: float = 1.0
    in_common: float = 0.5
    group_size: int = 1

    def draw(self, generator: np.random.Generator, n: int, *, null: bool) -> Pair:
        """Draw what both models say of n test samples."""
        truth = generator.choice(len(self.shares), size=n, p=self.shares)
        shared = self._noise(generator, n)
        if self.group_size > 1:
            shared = np.sqrt(0.5) * shared + np.sqrt(0.5) * self._noise(generator, n)[groups_of(n, self.group_size)]
        first = self._model(generator, truth, shared, worse=0.0)
        return first, self._model(generator, truth, shared, worse=0.0 if null else 1.0)

    def _noise(self, generator: np.random.Generator, n: int) -> np.ndarray:
        shape = (n, LATENT + 1)
        return generator.standard_t(3, size=shape) if self.heavy else generator.normal(size=shape)

    def _model(self, generator: np.random.Generator, truth: np.ndarray, shared: np.ndarray, worse: float) -> Sample:
        n, k = len(truth), len(self.shares)
        noise = np.sqrt(self.in_common) * shared + np.sqrt(1 - self.in_common) * self._noise(generator, n)
        latent, doubt = noise[:, :LATENT], 0.7 * noise[:, LATENT]
        distance = np.minimum((latent**2).sum(axis=1) / LATENT - 1, 8.0)
        doubt = doubt + (0.5 - 0.3 * worse) * distance + 0.4 * worse
        confidence = 1 - self.doubt_scale * (1 - LEAST_CONFIDENCE) / (1 + np.exp(np.clip(1 - doubt, -500, 500)))
        wrong = generator.random(n) > confidence
        y_pred = np.where(wrong, (truth + 1 + generator.integers(k - 1, size=n)) % k, truth)
        rows, probabilities = np.arange(n), np.zeros((n, k))
        parts = generator.uniform(0.3, 0.7, size=(n, k - 1))
        parts = (1 - confidence)[:, None] * parts / parts.sum(axis=1, keepdims=True)
        probabilities[rows, y_pred] = confidence
        for step in range(k - 1):
            probabilities[rows, (y_pred + 1 + step) % k] = parts[:, step]
        representation = np.maximum(0.6 + MEANS[y_pred] + 0.5 * latent @ MIXING, 0)
        factors = pd.DataFrame({"subject": groups_of(n, self.group_size)})
        return Sample(representation, probabilities, truth, y_pred, factors, "subject" if self.group_size > 1 else "")


def groups_of(n: int, size: int) -> np.ndarray:
    """Return the group (n,) of each sample, of so many samples a group."""
    return np.arange(n) // size


@dataclass(frozen=True)
class RealPair:
    """Rows of ``data``, and what two networks say of them; under the null, a coin says which is the first."""

    name: str
    n: int
    data: str

    def draw(self, generator: np.random.Generator, n: int, *, null: bool) -> Pair:
        """Draw what both models say of n test samples."""
        models = [recorded(self.data, seed) for seed in (0, 1)]
        rows = rows_of(generator, len(models[0].y_pred), n)
        swapped = null & (generator.random(len(rows)) < 0.5)
        return self._taken(models, rows, swapped), self._taken(models[::-1], rows, swapped)

    @staticmethod
    def _taken(models: list[Sample], rows: np.ndarray, swapped: np.ndarray) -> Sample:
        def either(name: str) -> np.ndarray:
            first, second = (getattr(model, name)[rows] for model in models)
            return np.where(swapped.reshape(-1, *[1] * (first.ndim - 1)), second, first)

        arrays = (either(name) for name in ("representation", "probabilities", "y_true", "y_pred"))
        return Sample(*arrays, pd.DataFrame(index=np.arange(len(rows))))
