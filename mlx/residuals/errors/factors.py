"""Association of each factor of the samples with error, entropy and similarity.

The measure fits the type. A numeric factor: AUROC of error by the factor, Spearman with the others. A yes/no
factor: AUROC of error by it, and of the others between its two sides. Categories: η², the share of variance
between them.
"""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Array, Flags, Floats, Integers
from mlx.core.scale import in_unit, safe_exponent
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, standard_error
from mlx.residuals.errors.factor_permutation import permutation_p_values
from mlx.residuals.errors.factor_values import Factor
from mlx.residuals.errors.ranking import MIN_EXPECTED, SHARED_METHOD, Ranking
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.classification_residuals import FactorEffect
from mlx.results.tests import Question, TestResult, adjusted
from mlx.stats.gates import ValidationErrors, expected_errors, why_too_few
from mlx.stats.influence import EstimateWithInfluence, correlation_ratio, spearman
from mlx.stats.interval import transformed_interval
from mlx.stats.permutation import permutations_for
from mlx.stats.status import OK, Reason, Status, no_interval

MIN_SHARED = 100
"""Fewest samples for an interval of a similarity, whose samples depend on each other through class means."""

MIN_SAMPLES = 30
"""Fewest samples for an interval of a rank correlation."""

MIN_IN_CELL = 5
"""Fewest errors, and correct predictions, expected of either value of a yes/no factor: with fewer, p has few values."""

P_METHOD = "permutation of the target over samples"
RANK_METHOD = "influence function on the atanh scale"
EXACT = 1 - 1e-12

QUESTIONS = {
    "error": Question.ERROR_BY_FACTOR,
    "entropy": Question.ENTROPY_BY_FACTOR,
    "similarity": Question.SIMILARITY_BY_FACTOR,
}
"""Names of targets, and what is asked of each."""


@dataclass(frozen=True)
class Target:
    """What a factor is related to.

    Attributes
    ----------
    name
        One of `QUESTIONS`.
    numbers
        (n_samples,), booleans for an error; NaN where undefined.
    shared
        Where the values are mean similarities: what they share.
    """

    name: str
    numbers: Array
    shared: ClassMeanDependence | None = None

    @property
    def is_error(self) -> bool:
        """Whether the target is yes or no."""
        return bool(self.numbers.dtype == bool)


@dataclass(frozen=True)
class FactorTest:
    """Association of one factor with one target, among samples of which ``n_missing`` have no value of the factor."""

    factor: Factor
    target: str
    n_missing: int
    test: TestResult

    def effect(self) -> FactorEffect:
        """Return the test as a row of the table of factors."""
        shared = ("statistic", "estimate", "low", "high", "method", "p", "p_method", "p_holm", "p_bh", "n", "status")
        return FactorEffect(
            factor=self.factor.name,
            kind=self.factor.kind,
            target=self.target,
            n_missing=self.n_missing,
            **{name: getattr(self.test, name) for name in shared},
        )


def associate_factors(
    factors: list[Factor],
    targets: list[Target],
    *,
    settings: ResidualsSettings,
    validation: ValidationErrors | None = None,
) -> list[FactorTest]:
    """Relate every factor to every target: effect, interval, and p-value, adjusted over the factors.

    Parameters
    ----------
    factors
        Of the same n_samples.
    targets
        What they are related to.
    settings
        Seed, permutations and confidence.
    validation
        How often the model is wrong on validation samples, if known: decides what is given of errors.

    Returns
    -------
    list of FactorTest
        Factors within targets.
    """
    found = [one for target in targets for one in _of_target(factors, target, settings, validation)]
    tests = adjusted([one.test for one in found])
    return [replace(one, test=test) for one, test in zip(found, tests, strict=True)]


def _of_target(
    factors: list[Factor], target: Target, settings: ResidualsSettings, validation: ValidationErrors | None
) -> list[FactorTest]:
    values = np.asarray(target.numbers, dtype=np.float64)
    rows = np.flatnonzero(~np.isnan(values))
    values = in_unit(values[rows], safe_exponent([values[rows]]))
    kept = [replace(factor, numbers=factor.numbers[rows]) for factor in factors]
    related = [_Related(factor, target, values, rows) for factor in kept]
    permuted = [one for one in related if one.status.is_ok and one.statistic != "auroc"]
    p_values = iter(permutation_p_values([one.factor for one in permuted], values, settings))
    found = []
    for one in related:
        test = one.asked(settings.seed)
        if one.status.is_ok and one.statistic == "auroc":
            test = one.ranked(test, permutations_for(len(factors), least=settings.n_permutations), settings, validation)
        elif one.status.is_ok:
            test = one.measured(test, settings.confidence).with_p(next(p_values), P_METHOD, settings.n_permutations)
        found.append(FactorTest(one.factor, target.name, values.size - test.n, test))
    return found


@dataclass(frozen=True)
class _Related:
    """A factor, and the target, in the samples ``rows`` that have a value of the target."""

    factor: Factor
    target: Target
    values: Floats
    rows: Integers

    @property
    def statistic(self) -> str:
        """The measure that fits both: of categories the share of variance between them."""
        if self.factor.kind == "categorical":
            return "correlation_ratio"
        return "auroc" if self.target.is_error or self.factor.kind == "boolean" else "spearman"

    @property
    def status(self) -> Status:
        """Why nothing can be said; `OK` where something can."""
        if not (reason := self.factor.why_undefined).is_ok:
            return reason
        known = self.values[self.factor.present]
        if np.ptp(known) > 0:
            return OK
        if self.target.is_error:
            return Reason.ALL_WRONG() if known[0] else Reason.NO_ERRORS()
        return Reason.CONSTANT(self.target.name)

    def asked(self, seed: int) -> TestResult:
        """Return the test before anything is measured."""
        return TestResult(
            question=QUESTIONS[self.target.name],
            subject=self.factor.name,
            statistic=self.statistic,
            n=int(self.factor.present.sum()),
            seed=seed,
            status=self.status,
        )

    def ranked(
        self, test: TestResult, n_permutations: int, settings: ResidualsSettings, validation: ValidationErrors | None
    ) -> TestResult:
        """Return the test with its AUROC: of error by the factor, or of the target between both sides of it."""
        present = self.factor.present
        given, known = self.factor.numbers[present], self.values[present]
        positive, score = (known > 0, given) if self.target.is_error else (given > 0, known)
        ranking = Ranking(positive, score, self.rows[present], self.target.shared)
        reason = self._too_few(positive, given > 0, validation)
        if not reason.is_ok:
            return replace(test, estimate=ranking.area.estimate, status=Reason.NO_TEST(reason))
        test = ranking.tested(test, n_permutations, stream(settings.seed, Stream.FACTOR_PERMUTATION))
        if self.target.shared is not None and known.size < MIN_SHARED:
            return replace(test, status=no_interval(Reason.TOO_FEW(MIN_SHARED)))
        return test.with_interval(ranking.interval(settings.confidence))

    def _too_few(self, positive: Flags, true: Flags, validation: ValidationErrors | None) -> Status:
        """Say why neither p-value nor interval of an AUROC is given; ``true`` are the sides of a yes/no factor."""
        n, n_positive, least, reason = positive.size, int(positive.sum()), MIN_EXPECTED["auroc"], OK
        if self.target.is_error:
            reason = why_too_few(n_positive, n, validation, least)
        if not reason.is_ok or self.factor.kind != "boolean":
            return reason
        n_rarer = int(min(true.sum(), (~true).sum()))
        if n_rarer < least:
            return Reason.FEW_OF_A_SIDE(least)
        expected = expected_errors(n_positive, n, validation)
        few = self.target.is_error and min(expected, n - expected) * n_rarer < MIN_IN_CELL * n
        return Reason.FEW_EXPECTED_OF_A_SIDE(MIN_IN_CELL) if few else OK

    def measured(self, test: TestResult, confidence: float) -> TestResult:
        """Return the test with its estimate, and its interval or why there is none."""
        present, shared = self.factor.present, self.target.shared
        given, known = self.factor.numbers[present], self.values[present]
        if self.statistic == "correlation_ratio":
            estimate = correlation_ratio(given.astype(np.intp), known).estimate
            return replace(test, estimate=estimate, status=no_interval(Reason.BIASED_SHARE()))
        found = spearman(given, known)
        test = replace(test, estimate=found.estimate)
        if not (reason := _why_no_interval(found, shared=shared is not None)).is_ok:
            return replace(test, status=no_interval(reason))
        error, method = (
            standard_error(found, shared, self.rows[present]),
            RANK_METHOD + (SHARED_METHOD if shared else ""),
        )
        return test.with_interval(transformed_interval(found.estimate, error, confidence, "atanh", method=method))


def _why_no_interval(found: EstimateWithInfluence, *, shared: bool) -> Status:
    """Say why a rank correlation has no interval."""
    n = found.influence.size
    if shared and n < MIN_SHARED:
        return Reason.TOO_FEW(MIN_SHARED)
    if found.estimate == 0 or abs(found.estimate) >= EXACT:
        return Reason.EXACT_RELATION()
    return OK if n >= MIN_SAMPLES else Reason.FEW_SAMPLES(MIN_SAMPLES)
