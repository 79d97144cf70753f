"""Effect, p-value and interval of one factor on one target, from the samples that have a value of both."""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.residuals.association.permutation import p_method
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, standard_error, with_shared
from mlx.residuals.errors.factor_permutation import rank_correlation_test, share_test
from mlx.residuals.errors.ranking import MIN_EXPECTED, MIN_SHARED, SHARED_METHOD, Ranking
from mlx.results.questions import Statistic
from mlx.results.tests import TestResult
from mlx.stats.gates import ValidationErrors, expected_errors, why_too_few
from mlx.stats.groups import Groups, correlation_by_group
from mlx.stats.influence import EstimateWithInfluence, correlation_ratio, spearman
from mlx.stats.interval import transformed_interval
from mlx.stats.status import OK, Reason, Status, no_interval

MIN_TESTED = 12
"""Fewest samples for a p-value."""

MIN_RANKED = 30
"""Fewest samples for the interval of a rank correlation."""

MIN_IN_CELL = 5
"""Fewest errors, and correct predictions, expected of either value of a yes/no factor: with fewer, p has few values."""

EXACT = 1 - 1e-12

SHARE_P_METHOD = "permutation of the target over samples"
SHARE_P_LIMIT = "chi-squared, limit of permutations of the target"
RANK_P_METHOD = "studentized, target permuted over samples"
RANK_METHOD = "influence function on the atanh scale"


@dataclass(frozen=True)
class Testing:
    """How to test: level of intervals, largest number of permutations and their source, errors on validation."""

    level: float
    n_permutations: int
    generator: np.random.Generator
    validation: ValidationErrors | None


@dataclass(frozen=True)
class FactorAndTarget:
    """Samples that have a value of a factor and of a target, neither of which is constant.

    Attributes
    ----------
    kind
        Of the factor: ``"numeric"``, ``"boolean"`` or ``"categorical"``.
    factor, target
        (n,), values; 0 and 1 for yes/no and errors; places of categories.
    is_error
        Whether the target is an error.
    rows
        (n,), which of all samples they are.
    shared
        Where the target is a mean similarity: what all samples share.
    groups
        Of the n samples, where they are not independent.
    """

    kind: str
    factor: Floats
    target: Floats
    is_error: bool
    rows: Integers
    shared: ClassMeanDependence | None
    groups: Groups | None = None

    def tested(self, test: TestResult, how: Testing) -> TestResult:
        """Return a test with its estimate, and with p-value and interval or why there is none."""
        why_not = self._why_not_tested(how.validation)
        by = {
            Statistic.CORRELATION_RATIO: self._by_share,
            Statistic.AUROC: self._by_auroc,
            Statistic.SPEARMAN: self._by_ranks,
        }
        found = by[test.statistic](test, how, given=why_not.is_ok)
        return found if why_not.is_ok else replace(found, status=Reason.NO_TEST(why_not))

    def _why_not_tested(self, validation: ValidationErrors | None) -> Status:
        """Say why there is neither p-value nor interval; for errors, only their expected number counts."""
        n, least = self.rows.size, MIN_EXPECTED[Statistic.AUROC]
        if self.groups is not None and not (reason := self._why_not_by_group(self.groups, validation, least)).is_ok:
            return reason
        n_true = int((self.factor > 0).sum()) if self.kind == "boolean" else n
        if self.is_error:
            n_errors = int(self.target.sum())
            if not (reason := why_too_few(n_errors, n, validation, least)).is_ok:
                return reason
            expected, rarer = expected_errors(n_errors, n, validation), min(n_true, n - n_true)
            if self.kind == "boolean" and min(expected, n - expected) * rarer < MIN_IN_CELL * n:
                return Reason.FEW_EXPECTED_OF_A_SIDE(MIN_IN_CELL)
        fewest = MIN_TESTED if self.shared is None else MIN_SHARED
        if n < fewest:
            return Reason.TOO_FEW(fewest)
        few = self.kind == "boolean" and min(n_true, n - n_true) < least
        return Reason.FEW_OF_A_SIDE(least) if few else OK

    def _why_not_by_group(self, groups: Groups, validation: ValidationErrors | None, least: int) -> Status:
        """Say why nothing is tested by group: each side must be worth enough samples, were those of a group alike."""
        n, n_true = self.rows.size, int((self.factor > 0).sum())
        if self.kind == "categorical":
            return Reason.NOT_BY_GROUP()
        reason = groups.why_too_few
        if self.is_error:
            reason = groups.why_too_few_of(expected_errors(int(self.target.sum()), n, validation), least)
        few = self.kind == "boolean" and min(n_true, n - n_true) < least * groups.mean_size
        return Reason.FEW_OF_A_SIDE(least) if reason.is_ok and few else reason

    def _by_auroc(self, test: TestResult, how: Testing, *, given: bool) -> TestResult:
        """Rank errors by the factor, or the yes and no of the factor by the target."""
        positive: Flags = (self.target if self.is_error else self.factor) > 0
        ranking = Ranking(positive, self.factor if self.is_error else self.target, self.rows, self.shared, self.groups)
        if not given:
            return replace(test, estimate=ranking.area.estimate)
        return ranking.tested(test, how.n_permutations, how.generator).with_interval(ranking.interval(how.level))

    def _by_share(self, test: TestResult, how: Testing, *, given: bool) -> TestResult:
        categories = self.factor.astype(np.intp)
        test = replace(test, estimate=correlation_ratio(categories, self.target).estimate)
        if not given:
            return test
        p = share_test(categories, self.target, how.n_permutations, how.generator)
        how_tested = SHARE_P_METHOD if p.n_permutations else SHARE_P_LIMIT
        return replace(test, status=no_interval(Reason.BIASED_SHARE())).with_p(p.p, how_tested, p.n_permutations)

    def _by_ranks(self, test: TestResult, how: Testing, *, given: bool) -> TestResult:
        found = spearman(self.factor, self.target)
        test = replace(test, estimate=found.estimate)
        if not given:
            return test
        if self.groups is not None:
            return self._ranked_by_group(test, found, self.groups, how)
        error = standard_error(with_shared(found, self.shared, self.rows))
        suffix, widening = "", 1.0
        if self.shared is not None:
            suffix, widening = SHARED_METHOD, error / standard_error(found)
        p = rank_correlation_test(self.factor, self.target, widening, how.n_permutations, how.generator)
        test = test.with_p(p.p, p_method(p, RANK_P_METHOD) + suffix, p.n_permutations)
        if self.rows.size < MIN_RANKED:
            return replace(test, status=no_interval(Reason.FEW_SAMPLES(MIN_RANKED)))
        if test.estimate == 0 or abs(test.estimate) >= EXACT:
            return replace(test, status=no_interval(Reason.EXACT_RELATION()))
        interval = transformed_interval(test.estimate, error, how.level, "atanh", method=RANK_METHOD + suffix)
        return test.with_interval(interval)

    def _ranked_by_group(
        self, test: TestResult, found: EstimateWithInfluence, groups: Groups, how: Testing
    ) -> TestResult:
        if test.estimate == 0 or abs(test.estimate) >= EXACT:
            return replace(test, status=Reason.NO_TEST(Reason.EXACT_RELATION()))
        p, interval = correlation_by_group(with_shared(found, self.shared, self.rows), groups, how.level)
        suffix = SHARED_METHOD if self.shared else ""
        return test.with_p(p, interval.method + suffix).with_interval(
            replace(interval, method=interval.method + suffix)
        )
