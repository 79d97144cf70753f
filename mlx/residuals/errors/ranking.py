"""A score that ranks samples of two kinds: its AUROC, with one standard error behind p-value and interval."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, standard_error, with_shared
from mlx.results.questions import Statistic
from mlx.results.tests import TestResult
from mlx.stats.auroc import auroc
from mlx.stats.auroc_by_group import MIN_WORTH, smoothed_area_by_group
from mlx.stats.brunner_munzel import SmoothedArea, permuted_test, smoothed_area, studentized
from mlx.stats.gates import ValidationErrors, level_given_gate, why_too_few
from mlx.stats.groups import Groups, proportion_by_group
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.interval import Interval
from mlx.stats.status import Status

MIN_EXPECTED = {Statistic.AUROC: 10, Statistic.AURC: 20, Statistic.EAURC: 60, Statistic.AUGRC: 10}
"""Fewest expected errors, and fewest expected correct predictions, for an interval or a p-value to hold."""

MIN_SHARED = 150
"""Fewest samples for a p-value where samples share class means: with 100, it rejects 1 to 3 % of true nulls at 0.05."""

NEAR_LEVEL = 0.95
NEAR_GATE = ", given by the errors of the test set, which are few: covers less where fewer are expected"

SHARED_METHOD = ", with the influence through shared class means; conservative in classes of some 10 samples"
BY_GROUP = "Student's t on the logit scale: smoothed AUROC, variance by group"
BETWEEN_GROUPS = ", by group"
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
    groups
        Of the n samples, where they are not independent.
    """

    positive: Flags
    values: Floats
    rows: Integers
    shared: ClassMeanDependence | None = None
    groups: Groups | None = None

    @property
    def sizes(self) -> tuple[int, int]:
        """Numbers of positives and of negatives."""
        n_positive = int(self.positive.sum())
        return n_positive, self.positive.size - n_positive

    @cached_property
    def worth(self) -> tuple[float, float]:
        """Numbers of independent positives and negatives that say as much about how frequent they are; above 1."""
        if self.groups is None:
            return self.sizes
        n_positive, n_negative = self.sizes
        effect = proportion_by_group(self.positive, self.groups).design_effect
        return max(MIN_WORTH, n_positive / effect), max(MIN_WORTH, n_negative / effect)

    def why_too_few(self, validation: ValidationErrors | None, least: int) -> Status:
        """Say why errors, the positives, are not compared with the rest; `OK` where enough are expected."""
        return why_too_few(self.sizes[0], self.rows.size, validation, least, self.groups)

    def near_gate(self, validation: ValidationErrors | None, least: int) -> bool:
        """Whether errors of the test set itself let an interval be given, and few more than were asked for."""
        size = 1.0 if self.groups is None else self.groups.mean_size
        n = self.rows.size / size
        return validation is None and any(
            level_given_gate(count / size, least - 0.5 / size, n, NEAR_LEVEL) > NEAR_LEVEL for count in self.sizes
        )

    def standard_error(self, found: EstimateWithInfluence) -> float:
        """Standard error of a statistic of the same samples."""
        return standard_error(with_shared(found, self.shared, self.rows), self.groups)

    @cached_property
    def area(self) -> EstimateWithInfluence:
        """AUROC with all influence of every sample; both kinds must occur."""
        return with_shared(auroc(self.positive, self.values), self.shared, self.rows)

    @property
    def slope(self) -> float:
        """By how much the AUROC rises with the share of positives through what the samples share; 0 without that."""
        if self.shared is None:
            return 0.0
        through_shared = self.area.influence - auroc(self.positive, self.values).influence
        away = self.positive - self.positive.mean()
        return float(through_shared @ away / (away @ away))

    @cached_property
    def smoothed(self) -> SmoothedArea:
        """The AUROC on the logit scale; there must be two of either kind."""
        if self.groups is not None:
            return smoothed_area_by_group(self.positive, self.area, self.groups)
        return smoothed_area(self.positive, self.area)

    def interval(self, level: float) -> Interval:
        """Return the interval of the AUROC."""
        method = {} if self.groups is None else {"method": BY_GROUP}
        return self.naming_shared(self.smoothed.interval(level, **method))

    def naming_shared(self, interval: Interval) -> Interval:
        """Return an interval whose method names what the samples share, and that it is by group."""
        by_group = "" if self.groups is None or interval.method == BY_GROUP else BETWEEN_GROUPS
        return replace(interval, method=interval.method + by_group + (SHARED_METHOD if self.shared else ""))

    def tested(self, test: TestResult, n_permutations: int, generator: np.random.Generator) -> TestResult:
        """Return a test with the AUROC and its p-value; there must be two of either kind."""
        if self.groups is not None:
            return replace(test, estimate=self.area.estimate).with_p(self.smoothed.p, BY_GROUP)
        found = studentized(self.positive, self.area)
        p = permuted_test(self.positive, self.values, found, n_permutations, generator)
        method = (P_BY_PERMUTATION if p.n_permutations else P_BY_T) + (SHARED_METHOD if self.shared else "")
        return replace(test, estimate=found.auroc).with_p(p.p, method, p.n_permutations)
