"""Association of each factor of the samples with error, entropy and similarity.

The measure fits the type. A numeric factor: AUROC of error by the factor, Spearman with the others. A yes/no
factor: AUROC of error by it, and of the others between its two sides. Categories: η², the share of variance
between them.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Array, Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import in_unit, safe_exponent
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence
from mlx.residuals.errors.factor_tests import FactorAndTarget, Testing
from mlx.residuals.errors.factor_values import Factor
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.classification_residuals import FactorEffect
from mlx.results.questions import FactorTarget, Statistic
from mlx.results.tests import TestResult, adjusted
from mlx.stats.gates import ValidationErrors
from mlx.stats.groups import Groups
from mlx.stats.permutation import permutations_for
from mlx.stats.status import OK, Reason, Status


@dataclass(frozen=True)
class Target:
    """What a factor is related to.

    Attributes
    ----------
    name
        Which one.
    numbers
        (n_samples,), booleans for an error; NaN where undefined.
    shared
        Where the values are mean similarities: what they share.
    """

    name: FactorTarget
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
    target: FactorTarget
    n_missing: int
    test: TestResult

    def effect(self) -> FactorEffect:
        """Return the test as a row of the table of factors."""
        shared = ("statistic", "estimate", "low", "high", "method", "p", "null", "p_method", "n_permutations", "p_holm",
                  "p_bh", "n", "status")  # fmt: skip
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
    groups: Groups | None = None,
    map: OrderedMap = in_order,
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
    groups
        Of the samples, where they are not independent.
    map
        How the factors are tested.

    Returns
    -------
    list of FactorTest
        Factors within targets.
    """
    n_permutations = permutations_for(len(factors), least=settings.n_permutations)
    found: list[FactorTest] = []
    for target in targets:
        found += map(_Relate.of(target, settings, n_permutations, validation, groups), factors)
    tests = adjusted([one.test for one in found])
    return [replace(one, test=test) for one, test in zip(found, tests, strict=True)]


@dataclass(frozen=True)
class _Relate:
    """Relates a factor to one target.

    Attributes
    ----------
    target
        What the factor is related to.
    rows, values
        (n,), which samples have a value of the target, and these as numbers.
    settings, n_permutations, validation, groups
        As of `associate_factors`, and the largest number of permutations.
    """

    doing: ClassVar[str] = "testing factors"
    target: Target
    rows: Integers
    values: Floats
    settings: ResidualsSettings
    n_permutations: int
    validation: ValidationErrors | None
    groups: Groups | None

    @classmethod
    def of(
        cls,
        target: Target,
        settings: ResidualsSettings,
        n_permutations: int,
        validation: ValidationErrors | None,
        groups: Groups | None,
    ) -> "_Relate":
        values = np.asarray(target.numbers, dtype=np.float64)
        rows = np.flatnonzero(~np.isnan(values))
        values = in_unit(values[rows], safe_exponent([values[rows]]))
        return cls(target, rows, values, settings, n_permutations, validation, groups)

    def __call__(self, factor: Factor) -> FactorTest:
        target, settings = self.target, self.settings
        factor = replace(factor, numbers=factor.numbers[self.rows])
        present = factor.present
        rows, values = self.rows[present], self.values[present]
        test = TestResult(
            question=FactorTarget(target.name).question,
            subject=factor.name,
            statistic=_statistic(factor, target),
            n=rows.size,
            seed=settings.seed,
            status=_why_undefined(factor, target, values),
        )
        if test.status.is_ok:
            generator = stream(settings.seed, Stream.FACTOR_PERMUTATION)
            how = Testing(settings.confidence, self.n_permutations, generator, self.validation)
            own = None if self.groups is None else self.groups.take(rows)
            known = factor.kind, factor.numbers[present], values
            test = FactorAndTarget(*known, target.is_error, rows, target.shared, own).tested(test, how)
        return FactorTest(factor, target.name, self.values.size - test.n, test)


def _statistic(factor: Factor, target: Target) -> Statistic:
    """Return the measure that fits both."""
    if factor.kind == "categorical":
        return Statistic.CORRELATION_RATIO
    return Statistic.AUROC if target.is_error or factor.kind == "boolean" else Statistic.SPEARMAN


def _why_undefined(factor: Factor, target: Target, known: Floats) -> Status:
    if not factor.why_undefined.is_ok:
        return factor.why_undefined
    if np.ptp(known) > 0:
        return OK
    if target.is_error:
        return Reason.ALL_WRONG() if known[0] else Reason.NO_ERRORS()
    return Reason.CONSTANT(target.name)
