"""Similarity in one layer and entropy of the predictions: the input of the tests of a layer."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.scale import in_unit
from mlx.residuals.similarity.directions import Directions
from mlx.results.questions import Scope
from mlx.results.tests import TestResult
from mlx.stats.correlation import SIMILARITY_TOLERANCE, entropy_tolerance, in_own_unit, is_constant
from mlx.stats.correlation_intervals import MIN_CLASS_SIZE, MIN_MEAN_CLASS_SIZE, effective_number
from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason, Status

MIN_SAMPLES = 4
"""Fewest samples of which a correlation is given."""


@dataclass(frozen=True)
class Layer:
    """Input of the tests of one layer.

    Attributes
    ----------
    units
        Directions of the representation, n_samples rows.
    similarity
        (n_samples,), mean similarity to the samples predicted alike; NaN where undefined.
    entropy
        (n_samples,), in nats.
    y_pred
        (n_samples,), predicted labels.
    name
        Of the layer, for the results.
    groups
        Of the samples; None where all are independent.
    """

    units: Directions
    similarity: Floats
    entropy: Floats
    y_pred: Integers
    name: str = ""
    groups: Groups | None = None

    def members(self, label: int) -> Integers:
        """Rows predicted as ``label`` that have a direction."""
        return np.flatnonzero((self.y_pred == label) & (self.units.norms > 0))

    def has_similarity(self, rows: Integers) -> bool:
        """Whether every one of the rows, all of a class, has others to be compared with."""
        return not np.isnan(self.similarity[rows]).any()


def why_no_correlation(layer: Layer, rows: Integers) -> Status:
    """Why similarity and entropy have no correlation over ``rows``; `OK` where they have one."""
    if rows.size < MIN_SAMPLES:
        return Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)
    if not layer.has_similarity(rows):
        return Reason.ONE_GROUP()
    return why_no_spread(layer, [rows])


def why_no_spread(layer: Layer, groups: list[Integers]) -> Status:
    """Which side is constant within each of the ``groups``; `OK` where both vary in some group."""
    if all(is_constant(layer.similarity[rows], SIMILARITY_TOLERANCE) for rows in groups):
        return Reason.CONSTANT("similarity")
    entropies = [layer.entropy[rows] for rows in groups]
    return Reason.CONSTANT("entropy") if all(is_constant(h, entropy_tolerance(h)) for h in entropies) else OK


def effective_entropies(layer: Layer, parts: list[Integers], groups: Groups | None = None) -> float:
    """Return how many samples, or groups of the rows of all parts, carry the spread of entropy within the parts."""
    scaled = [in_own_unit(layer.entropy[rows]) for rows in parts]
    unit = max(exponent for _, exponent in scaled)
    squares = np.concatenate([in_unit(entropy - entropy.mean(), unit - own) ** 2 for entropy, own in scaled])
    return effective_number(squares if groups is None else groups.sums(squares))


def least_class_size(test: TestResult) -> int:
    """Return the fewest samples in a class, or in the mean class of several, for an interval of a correlation."""
    return (MIN_CLASS_SIZE if test.scope is Scope.CLASS else MIN_MEAN_CLASS_SIZE)[test.statistic]
