"""A score that ranks samples of two kinds: its AUROC, with one standard error behind p-value and interval."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, with_shared
from mlx.results.tests import TestResult
from mlx.stats.auroc import auroc
from mlx.stats.brunner_munzel import SmoothedArea, permuted_test, smoothed_area, studentized
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.interval import Interval

MIN_EXPECTED = {"auroc": 10, "aurc": 20, "eaurc": 60, "augrc": 10}
"""Fewest expected errors, and fewest expected correct predictions, for an interval or a p-value to hold."""

SHARED_METHOD = ", with the influence through shared class means"
P_BY_T = "Brunner-Munzel, Student's t"
P_BY_PERMUTATION = "Brunner-Munzel, labels permuted"


@dataclass(frozen=True)
class Ranking:
    """Samples of two kinds, and the score that ranks them.

    Attributes
    ----------
    positive
        (n,), whether each is of the kind that should score high.
    values
        (n,), the score, finite.
    rows
        (n,), which of all samples they are.
    shared
        Where the values are differences of mean similarities: what all samples share.
    """

    positive: Flags
    values: Floats
    rows: Integers
    shared: ClassMeanDependence | None = None

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of positives and of negatives."""
        n_positive = int(self.positive.sum())
        return n_positive, self.positive.size - n_positive

    @cached_property
    def area(self) -> EstimateWithInfluence:
        """AUROC with all influence of every sample; both kinds must occur."""
        return with_shared(auroc(self.positive, self.values), self.shared, self.rows)

    @cached_property
    def smoothed(self) -> SmoothedArea:
        """The AUROC on the logit scale; there must be two of either kind."""
        return smoothed_area(self.positive, self.area)

    def interval(self, level: float) -> Interval:
        """Return the interval of the AUROC."""
        return self.told(self.smoothed.interval(level))

    def told(self, interval: Interval) -> Interval:
        """Return an interval whose method names what the samples share."""
        return interval if self.shared is None else replace(interval, method=interval.method + SHARED_METHOD)

    def tested(self, test: TestResult, n_permutations: int, generator: np.random.Generator) -> TestResult:
        """Return a test with the AUROC and its p-value; there must be two of either kind."""
        found = studentized(self.positive, self.area)
        p = permuted_test(self.positive, self.values, found, n_permutations, generator)
        method = (P_BY_PERMUTATION if p.n_permutations else P_BY_T) + (SHARED_METHOD if self.shared else "")
        return replace(test, estimate=found.auroc).with_p(p.p, method, p.n_permutations)
