"""Designs that draw every number: a model with a low-rank representation around class means."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from simulation.sample import Sample

LATENT, FEATURES, MOST_CLASSES = 4, 16, 30
MIXING = np.random.default_rng(1).normal(size=(LATENT, FEATURES))
MEANS = np.random.default_rng(2).normal(size=(MOST_CLASSES, FEATURES))
CLUSTERS = np.random.default_rng(5).normal(size=(MOST_CLASSES, 5, LATENT))

UNEVEN = (0.5, 0.3, 0.2)
LEAST_CONFIDENCE = 0.45
"""Of the predicted class; each of the others has at most 0.7 of the rest."""


@dataclass(frozen=True)
class DrawnDesign:
    """A population from which test sets are drawn, and their size.

    Attributes
    ----------
    name
        In the tables.
    n
        Test samples; with groups or copies the expected number.
    shares
        Of the predicted classes.
    clusters
        Each class consists of five clusters.
    confounded
        Classes differ in both similarity and entropy.
    heavy
        Latent coordinates and doubt have t distributions with 3 degrees of freedom.
    saturated
        Share of samples whose probabilities are exactly 0 and 1; of them 3 % are wrong.
    unequal
        The spread of entropy grows with the distance from the class mean and is four times as large among errors.
    error_rate
        Under the null; elsewhere errors follow the probabilities.
    doubt_scale
        Factor of 1 − confidence.
    group_size
        Samples of a group, which share a part of everything; 1 for none.
    copies
        Each sample is recorded two to five times.
    declared
        Whether groups or copies are declared to the analysis.
    validated
        Validation samples as a share of n, whose errors are counted; 0 for recorded arrays without validation.
    """

    name: str
    n: int
    shares: tuple[float, ...] = UNEVEN
    clusters: bool = False
    confounded: bool = False
    heavy: bool = False
    saturated: float = 0.0
    unequal: bool = False
    error_rate: float = 0.3
    doubt_scale: float = 1.0
    group_size: int = 1
    copies: bool = False
    declared: bool = False
    validated: float = 0.5

    @property
    def calibrated(self) -> bool:
        """Whether labels follow the probabilities where the null does not hold."""
        return not (self.unequal or self.saturated)

    def draw(self, generator: np.random.Generator, n: int, *, null: bool) -> Sample:
        """Draw n samples; under the null, similarity, entropy, errors and factors are unrelated within a class.

        With unequal spread, the null is of equal means: the spreads differ.
        """
        size = round(n / (3.5 if self.copies else 1))
        base = _Base(self, generator, size, null)
        sample = base.sample_of_unequal_spread() if self.unequal else base.sample()
        return _copied(sample, generator, declared=self.declared) if self.copies else sample


def _copied(sample: Sample, generator: np.random.Generator, *, declared: bool) -> Sample:
    n = len(sample.y_pred)
    rows = np.repeat(np.arange(n), generator.integers(2, 6, size=n))
    factors = sample.factors.iloc[rows].reset_index(drop=True)
    arrays = (sample.representation, sample.probabilities, sample.y_true, sample.y_pred)
    return Sample(*(array[rows] for array in arrays), factors, "duplicates" if declared else "")


class _Base:
    """Samples without copies, drawn part by part."""

    def __init__(self, design: DrawnDesign, generator: np.random.Generator, n: int, null: bool) -> None:
        self.design, self.generator, self.n, self.null = design, generator, n, null
        self.n_classes = len(design.shares)
        self.group = np.arange(n) // design.group_size
        self.y = generator.choice(self.n_classes, size=n, p=design.shares)
        self.latent = self.noise(LATENT)
        if design.clusters:
            self.latent = 1.5 * CLUSTERS[self.y, generator.integers(5, size=n)] + 0.4 * self.latent
        spread = np.array([0.25, 0.5, 0.9])[self.y] if design.confounded else 0.5
        self.representation = np.maximum(0.6 + MEANS[self.y] + (spread * (self.latent @ MIXING).T).T, 0)

    def noise(self, columns: int) -> np.ndarray:
        """Draw (n, columns) of noise; in groups, 0.4 of its variance is shared."""
        shape = (self.n, columns)
        own = self.generator.standard_t(3, size=shape) if self.design.heavy else self.generator.normal(size=shape)
        if self.design.group_size == 1:
            return own
        shared = self.generator.normal(size=(self.group[-1] + 1, columns))[self.group]
        return np.sqrt(0.6) * own + np.sqrt(0.4) * shared

    def sample(self) -> Sample:
        design, effect = self.design, 0.0 if self.null else 1.0
        distance = np.minimum((self.latent**2).sum(axis=1) / LATENT - 1, 8.0)
        by_class = np.array([-1.0, 0.0, 1.0])[self.y] if design.confounded else 0.0
        factor = self.of_group(self.generator.normal(size=self.n))
        doubt = 0.7 * self.noise(1)[:, 0] + by_class + effect * (0.5 * distance + 0.3 * factor)
        doubted = (1 - LEAST_CONFIDENCE) / (1 + np.exp(np.clip(1 - doubt, -500, 500)))
        certain = self.generator.random(self.n) < design.saturated
        confidence = np.where(certain, 1.0, 1 - design.doubt_scale * doubted)
        rate = self.error_rates(np.where(certain, 0.03, 1 - confidence))
        wrong = self.generator.random(self.n) < rate
        return self.recorded(confidence, wrong, factor, 0.4 if self.null else 0.2 + 0.4 * wrong)

    def error_rates(self, by_confidence: np.ndarray) -> np.ndarray:
        if not self.null:
            return by_confidence
        rate = self.design.error_rate
        if self.design.group_size == 1:
            return np.full(self.n, rate)
        return self.of_group(self.generator.beta(4 * rate, 4 * (1 - rate), size=self.n))

    def of_group(self, values: np.ndarray) -> np.ndarray:
        """Give every sample the value (n,) of the first sample of its group."""
        return values[self.group * self.design.group_size]

    def sample_of_unequal_spread(self) -> Sample:
        """Draw entropies that are symmetric about their mean, which alone depends on anything but the null."""
        effect = 0.0 if self.null else 0.08
        wrong = self.generator.random(self.n) < self.design.error_rate
        far = 1 - np.exp(-(self.latent**2).sum(axis=1) / LATENT)
        away = np.where(wrong, 1.0, 0.25) * (0.2 + 0.8 * far) * self.generator.uniform(-1, 1, size=self.n)
        entropy = 0.5 + 0.3 * away + effect * (2 * (far - 0.6) + wrong)
        levels = np.linspace(0.999, LEAST_CONFIDENCE, 2000)
        rest = (1 - levels) / (self.n_classes - 1)
        curve = -levels * np.log(levels) - (1 - levels) * np.log(rest)
        factor = (0.25 + np.abs(away) + 0.75 * wrong) * self.generator.normal(size=self.n) + effect * wrong
        kind = 0.2 + 0.6 * np.abs(away)
        return self.recorded(np.interp(entropy, curve, levels), wrong, factor, kind, even=True)

    def recorded(
        self,
        confidence: np.ndarray,
        wrong: np.ndarray,
        factor: np.ndarray,
        kind: np.ndarray | float,
        even: bool = False,
    ) -> Sample:
        """Divide what the predicted class leaves, and draw the true class of errors from it."""
        others = self.n_classes - 1
        parts = np.full((self.n, others), 0.5) if even else self.generator.uniform(0.3, 0.7, size=(self.n, others))
        parts = parts / parts.sum(axis=1, keepdims=True)
        rows, probabilities = np.arange(self.n), np.zeros((self.n, self.n_classes))
        probabilities[rows, self.y] = confidence
        for step in range(others):
            probabilities[rows, (self.y + 1 + step) % self.n_classes] = (1 - confidence) * parts[:, step]
        step = (self.generator.random((self.n, 1)) > parts.cumsum(axis=1)[:, :-1]).sum(axis=1)
        truth = np.where(wrong, (self.y + 1 + step) % self.n_classes, self.y)
        factors = pd.DataFrame({"factor": factor, "kind": self.of_group(self.generator.random(self.n)) < kind})
        if self.design.group_size > 1:
            factors["subject"] = self.group
        groups = "subject" if self.design.declared and self.design.group_size > 1 else ""
        return Sample(self.representation, probabilities, truth, self.y, factors, groups)
