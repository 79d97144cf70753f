"""Association of each factor of the samples with error, entropy and similarity.

The measure fits the type. A numeric factor: AUROC of error by the factor, Spearman with the others. A yes/no
factor: AUROC of error by it, and of the others between its two sides. Categories: η², the share of variance
between them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Array, Flags, Floats, Integers
from mlx.core.scale import in_unit, safe_exponent
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, standard_error
from mlx.residuals.errors.factor_permutation import permutation_p_values
from mlx.residuals.errors.factor_values import Factor
from mlx.residuals.settings import ResidualsSettings
from mlx.results.classification_residuals import FactorEffect
from mlx.results.tests import Question, TestResult, adjusted
from mlx.stats.auroc import auroc
from mlx.stats.influence import EstimateWithInfluence, correlation_ratio, spearman
from mlx.stats.interval import transformed_interval
from mlx.stats.status import OK, Reason, Status, no_interval

MIN_SHARED = 100
"""Fewest samples for an interval of a similarity, whose samples depend on each other through class means."""

SHARED_METHOD = ", with the influence through shared class means"
P_METHOD = "permutation of the target over samples"
EXACT = 1 - 1e-12

QUESTIONS = {
    "error": Question.ERROR_BY_FACTOR,
    "entropy": Question.ENTROPY_BY_FACTOR,
    "similarity": Question.SIMILARITY_BY_FACTOR,
}
"""Names of targets, and what is asked of each."""


@dataclass(frozen=True)
class IntervalRule:
    """How a statistic gets its interval, and the fewest samples for it: of either side, or of all without sides."""

    scale: str
    method: str
    least: int


@dataclass(frozen=True)
class Measure:
    """How a kind of factor is related to a kind of target.

    Attributes
    ----------
    statistic
        Its name.
    effect
        Computes it from the factor and the target, each (n,), without missing values.
    sides
        Divides the n samples in two, once or twice, each side of which has to be large enough; the first is that
        of the positives of an AUROC.
    rule
        None where there is no interval.
    """

    statistic: str
    effect: Callable[[Floats, Floats], EstimateWithInfluence]
    sides: Callable[[Floats, Floats], tuple[Flags, ...]]
    rule: IntervalRule | None


BY_SIDE = IntervalRule("logit", "DeLong on the logit scale, Brunner-Munzel degrees of freedom", 10)
OF_ERROR = Measure("auroc", lambda x, y: auroc(y > 0, x), lambda _, y: (y > 0,), BY_SIDE)
RATIO = Measure("correlation_ratio", lambda x, y: correlation_ratio(x.astype(np.intp), y), lambda *_: (), None)

MEASURES: Mapping[tuple[str, bool], Measure] = {
    ("numeric", False): Measure(
        "spearman", spearman, lambda *_: (), IntervalRule("atanh", "influence function on the atanh scale", 30)
    ),
    ("numeric", True): OF_ERROR,
    ("boolean", False): Measure("auroc", lambda x, y: auroc(x > 0, y), lambda x, _: (x > 0,), BY_SIDE),
    ("boolean", True): replace(OF_ERROR, sides=lambda x, y: (y > 0, x > 0)),
    ("categorical", False): RATIO,
    ("categorical", True): RATIO,
}
"""By the kind of the factor, and whether the target is an error."""


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


def associate_factors(factors: list[Factor], targets: list[Target], *, settings: ResidualsSettings) -> list[FactorTest]:
    """Relate every factor to every target: effect, interval, permutation p, adjusted over the factors.

    Parameters
    ----------
    factors
        Of the same n_samples.
    targets
        What they are related to.
    settings
        Seed, permutations and confidence.

    Returns
    -------
    list of FactorTest
        Factors within targets.
    """
    found = [one for target in targets for one in _of_target(factors, target, settings)]
    tests = adjusted([one.test for one in found])
    return [replace(one, test=test) for one, test in zip(found, tests, strict=True)]


def _of_target(factors: list[Factor], target: Target, settings: ResidualsSettings) -> list[FactorTest]:
    values = np.asarray(target.numbers, dtype=np.float64)
    rows = np.flatnonzero(~np.isnan(values))
    values = in_unit(values[rows], safe_exponent([values[rows]]))
    kept = [replace(factor, numbers=factor.numbers[rows]) for factor in factors]
    statuses = [_why_undefined(factor, target, values) for factor in kept]
    p_values = iter(permutation_p_values([f for f, s in zip(kept, statuses, strict=True) if s.is_ok], values, settings))
    found = []
    for factor, status in zip(kept, statuses, strict=True):
        asked = TestResult(
            question=QUESTIONS[target.name],
            subject=factor.name,
            statistic=MEASURES[factor.kind, target.is_error].statistic,
            n=int(factor.present.sum()),
            seed=settings.seed,
            status=status,
        )
        if status.is_ok:
            asked = _measured(asked, factor, target, values, rows, settings.confidence)
            asked = asked.with_p(next(p_values), P_METHOD, settings.n_permutations)
        found.append(FactorTest(factor, target.name, factor.numbers.size - asked.n, asked))
    return found


def _why_undefined(factor: Factor, target: Target, values: Floats) -> Status:
    if not factor.why_undefined.is_ok:
        return factor.why_undefined
    known = values[factor.present]
    if np.ptp(known) > 0:
        return OK
    if target.is_error:
        return Reason.ALL_WRONG() if known[0] else Reason.NO_ERRORS()
    return Reason.CONSTANT(target.name)


def _measured(
    test: TestResult, factor: Factor, target: Target, values: Floats, rows: Integers, confidence: float
) -> TestResult:
    """Return the test with its estimate, and its interval or why there is none."""
    measure, present = MEASURES[factor.kind, target.is_error], factor.present
    given, known = factor.numbers[present], values[present]
    found, sides = measure.effect(given, known), measure.sides(given, known)
    test = replace(test, estimate=found.estimate)
    reason = _why_no_interval(measure.rule, sides, found, shared=target.shared is not None)
    if measure.rule is None or not reason.is_ok:
        return replace(test, status=no_interval(reason))
    error = standard_error(found, target.shared, rows[present])
    df = degrees_of_freedom(sides[0], found) if sides else np.inf
    scale, method = measure.rule.scale, measure.rule.method + ("" if target.shared is None else SHARED_METHOD)
    return test.with_interval(transformed_interval(found.estimate, error, confidence, scale, df=df, method=method))


def _why_no_interval(
    rule: IntervalRule | None, sides: tuple[Flags, ...], found: EstimateWithInfluence, *, shared: bool
) -> Status:
    n = found.influence.size
    if rule is None:
        return Reason.BIASED_SHARE()
    if shared and n < MIN_SHARED:
        return Reason.TOO_FEW(MIN_SHARED)
    if found.estimate == 0 or abs(found.estimate) >= EXACT:
        return Reason.EXACT_RELATION()
    fewest = min((int(min(side.sum(), n - side.sum())) for side in sides), default=n)
    few = Reason.FEW_OF_A_SIDE if sides else Reason.FEW_SAMPLES
    return OK if fewest >= rule.least else few(rule.least)
