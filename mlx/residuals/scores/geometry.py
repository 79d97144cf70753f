"""Scores of failure of one layer, each fitted on the training samples alone; higher means more likely wrong.

A new score is a function in `GEOMETRY`: of the training samples, it returns what computes the score of others.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.last_layer import LastLayer
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.scores.gaussian import Gaussian, fit_gaussian
from mlx.residuals.scores.layer_part import LayerPart, sums_by_label
from mlx.residuals.scores.virtual_logit import fit_virtual_logit
from mlx.stats.nearest import nearest_neighbors
from mlx.stats.status import Reason, Status

MOST_NEIGHBORS, SAMPLES_A_NEIGHBOR = 50, 20


@dataclass(frozen=True)
class Training:
    """What a score is fitted on.

    Attributes
    ----------
    part
        The training samples in the layer.
    n_classes
        Number of classes.
    last
        The last layer of the model, where it follows this one and is known.
    map
        How blocks of rows are run.
    """

    part: LayerPart
    n_classes: int
    last: LastLayer | None = None
    map: OrderedMap = in_order

    @cached_property
    def within(self) -> Gaussian | None:
        """Class means and one covariance within classes; None where nothing deviates from the means."""
        return fit_gaussian(self.part, self.part.y_true, self.map)


FittedScore = Callable[[LayerPart], Floats]
"""Computes a score (n,) of the samples of any part."""

Fit = Callable[[Training], FittedScore | Status]
"""Fits a score, or returns the reason why it can't."""


def fit_mahalanobis(training: Training) -> FittedScore | Status:
    """Squared Mahalanobis distance to the nearest class mean, of one covariance within classes."""
    within = training.within
    if within is None:
        return Reason.NO_SPREAD()
    return lambda part: part.each(_Distance(within), training.map)


def fit_relative_mahalanobis(training: Training) -> FittedScore | Status:
    """The same less the squared distance to the mean of all, of the covariance of all: min_c(MD_c − MD_0)."""
    one = np.zeros_like(training.part.y_true)
    within = training.within
    overall = fit_gaussian(training.part, one, training.map)
    if within is None or overall is None:
        return Reason.NO_SPREAD()
    return lambda part: part.each(_Distance(within, overall), training.map)


@dataclass(frozen=True)
class _Distance:
    within: Gaussian
    overall: Gaussian | None = None

    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        block = part.read(rows)
        found = self.within.squared_distance(block)
        return found if self.overall is None else found - self.overall.squared_distance(block)


def n_neighbors(n_train: int) -> int:
    """Return which neighbor's distance is taken, min(50, n_train/20), at least the first."""
    return max(1, min(MOST_NEIGHBORS, n_train // SAMPLES_A_NEIGHBOR))


def fit_neighbors(training: Training) -> FittedScore | Status:
    """Euclidean distance to the k-th nearest training sample (Sun et al. 2022)."""
    reference, k = training.part, n_neighbors(training.part.size)

    def score(part: LayerPart) -> Floats:
        found = nearest_neighbors(reference.values, k, queries=part.values, map=training.map)
        return np.array(found.distances[:, -1])

    return score


def fit_virtual(training: Training) -> FittedScore | Status:
    """ViM: the virtual logit less the energy of the logits."""
    if training.part.logits is None:
        return Reason.NO_LOGITS()
    found = fit_virtual_logit(training.part, training.last, training.map)
    if found is None:
        return Reason.NO_SPREAD()
    return lambda part: part.each(found, training.map)


def fit_class_mean(training: Training) -> FittedScore | Status:
    """Minus the cosine to the mean direction of the training samples of the predicted class."""
    sums = training.part.add_up(_SumDirections(training.n_classes), training.map)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    directions = np.divide(sums, lengths, out=np.full_like(sums, np.nan), where=lengths > 0)
    return lambda part: part.each(_Cosine(directions), training.map)


def _directions(block: Floats) -> Floats:
    lengths = np.linalg.norm(block, axis=1, keepdims=True)
    directions: Floats = np.divide(block, lengths, out=np.zeros_like(block), where=lengths > 0)
    return directions


@dataclass(frozen=True)
class _SumDirections:
    n_classes: int

    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        return sums_by_label(_directions(part.read(rows)), part.y_true[rows], self.n_classes)


@dataclass(frozen=True)
class _Cosine:
    means: Floats

    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        directions = _directions(part.read(rows))
        negative: Floats = -np.einsum("ij,ij->i", directions, self.means[part.y_pred[rows]])
        negative[~directions.any(axis=1)] = np.nan
        return negative


GEOMETRY: Mapping[str, Fit] = {
    "mahalanobis": fit_mahalanobis,
    "relative_mahalanobis": fit_relative_mahalanobis,
    "knn": fit_neighbors,
    "vim": fit_virtual,
    "class_mean_similarity": fit_class_mean,
}
"""By the name of the score, what fits it."""

WITH_LOGITS = frozenset({"vim"})
"""Scores that are of the logits as well as of geometry."""
