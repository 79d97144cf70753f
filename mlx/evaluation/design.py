"""What decides which intervals of an evaluation are given: expected errors, sizes of classes, and groups."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import ceil

import numpy as np

from mlx.core.array_types import Counts, Floats, Integers
from mlx.evaluation.confusion import margins
from mlx.evaluation.settings import EvaluationSettings
from mlx.stats.gates import GIVEN_BY_ERRORS, ValidationErrors, expected_errors, level_given_gate, why_too_few
from mlx.stats.groups import Groups, design_effect, variance_by_group
from mlx.stats.interval import Interval, degrees_of_freedom
from mlx.stats.status import OK, Reason, Status

MIN_EXPECTED = 10
"""Fewest expected errors, and fewest expected correct predictions."""

MIN_EXPECTED_AREAS = 20
MIN_EXPECTED_CURVE = 5
"""Fewest expected errors for a mean over areas under curves, of all samples and of equally weighted classes."""

MIN_IN_CLASS = 8
MIN_IN_CLASS_CURVE = 10
"""Fewest test samples of each class for what follows from the confusion counts, and from a curve."""

MIN_MEAN_SIZE = 20
"""Fewest test samples for each class for the weighted precision, whose bias is their inverse."""


@dataclass(frozen=True)
class Design:
    """What decides which intervals are given, and their level.

    Attributes
    ----------
    support
        (n_classes,), test samples of each class.
    worth
        (n_classes,), how many samples those of each class are worth, were all of a group alike: n_c²/Σ_g n_gc², where
        groups g are given (Kish 1965); else ``support``.
    errors
        Wrong predictions.
    validation
        Errors on the validation samples, or None.
    confidence
        Level of the intervals.
    groups
        Which samples belong together; None where each is its own.
    """

    support: Counts
    worth: Floats
    errors: int
    validation: ValidationErrors | None
    confidence: float
    groups: Groups | None

    @classmethod
    def of(
        cls,
        confusion: Counts,
        y_true: Integers,
        settings: EvaluationSettings,
        validation: ValidationErrors | None,
        groups: Groups | None = None,
    ) -> "Design":
        """Return the design of a test set with these counts, row true, column predicted."""
        right, support, _ = margins(confusion)
        worth = support.astype(np.float64) if groups is None else _worth(y_true, support, groups)
        return cls(support, worth, int((support - right).sum()), validation, settings.confidence, groups)

    @property
    def n(self) -> int:
        """Test samples."""
        return int(self.support.sum())

    @property
    def few(self) -> Status:
        """`OK`, or that too few errors or correct predictions are expected, or that there are too few groups."""
        return why_too_few(self.errors, self.n, self.validation, MIN_EXPECTED, self.groups)

    @property
    def few_in_groups(self) -> Status:
        """`OK`, or why nothing is said by group, whatever the test set shows; without groups always `OK`."""
        if self.groups is None:
            return OK
        return self.groups.why_too_few_of(expected_errors(self.errors, self.n, self.validation), MIN_EXPECTED)

    def small(self, least: int) -> Status:
        """`OK`, or that too few errors are expected, or that a class of the test set has fewer than ``least``."""
        too_small = Reason.CLASS_TOO_SMALL if self.groups is None else Reason.CLASS_TOO_SMALL_BY_GROUP
        fewest = float(self.worth[self.support > 0].min())
        return too_small(least) if self.few.is_ok and fewest < least else self.few

    def few_of_equal_classes(self, least: int, least_in_class: int) -> Status:
        """`OK`, or that fewer than ``least`` errors are expected where all classes count the same, or one is small.

        Rare classes then decide. With n_c samples of class c, an equal error rate in all classes gives their mean the
        skewness of a proportion of (Σ 1/n_c)³/(Σ 1/n_c²)² samples.
        """
        if not (status := self.small(least_in_class)).is_ok:
            return status
        effective = self.effective_of_equal_classes
        wrong = effective * expected_errors(self.errors, self.n, self.validation) / self.n
        return OK if min(wrong, effective - wrong) >= least else Reason.FEW_EXPECTED_OF_EQUAL_CLASSES(least)

    @property
    def effective_of_equal_classes(self) -> float:
        """Samples that decide a mean over the classes, (Σ 1/n_c)³/(Σ 1/n_c²)²; n_samples where all are of a size."""
        inverse = 1.0 / self.worth[self.support > 0]
        return float(inverse.sum() ** 3 / (inverse**2).sum() ** 2)

    def few_of_areas(self) -> Status:
        """`OK`, or why a mean over the areas under the curves of all classes has no interval."""
        status = why_too_few(self.errors, self.n, self.validation, MIN_EXPECTED_AREAS)
        return self.few_of_equal_classes(MIN_EXPECTED_CURVE, MIN_IN_CLASS_CURVE) if status.is_ok else status

    def why_biased(self) -> Status:
        """`OK`, or that the classes are too small for the weighted precision."""
        too_small = Reason.CLASSES_TOO_SMALL if self.groups is None else Reason.CLASSES_TOO_SMALL_BY_GROUP
        mean_size = 1.0 if self.groups is None else self.groups.mean_size
        enough = self.n >= MIN_MEAN_SIZE * mean_size * (self.support > 0).sum()
        return OK if enough else too_small(MIN_MEAN_SIZE)

    def effect(self, influence: Floats) -> float:
        """Return the design effect on a statistic with these influences (n_samples,); 1 without groups."""
        return 1.0 if self.groups is None else design_effect(influence, self.groups)

    def variance(self, influence: Floats) -> float:
        """Return the variance of a statistic from influences (n_samples,) of mean 0."""
        if self.groups is None:
            return float(influence @ influence) / influence.size**2
        return variance_by_group(influence, self.groups)

    def freedom(self, influence: Floats) -> float:
        """Return the degrees of freedom of that variance."""
        if self.groups is None:
            return degrees_of_freedom(influence)
        return min(self.groups.count - 1.0, degrees_of_freedom(self.groups.sums(influence)))

    def inflation(self, level: float) -> float:
        """By how much more a variance counts as it is known from few groups; 1 without groups."""
        return 1.0 if self.groups is None else self.groups.inflation(level)

    def given(
        self, interval: Callable[[float], Interval], least: float, *, of_equal: float = 0.0, loss: bool = False
    ) -> Interval:
        """Return the interval at the level of the design; wider where errors of the test set let it be given.

        Parameters
        ----------
        interval
            The interval at a level.
        least, of_equal
            Fewest errors, and correct predictions, that were asked for, of all and of equally weighted classes.
        loss
            Whether errors make the metric larger; else smaller.
        """
        found = interval(self.confidence)
        if self.validation is not None or not found.why_missing.is_ok:
            return found
        size = 1.0 if self.groups is None else self.groups.mean_size
        least = ceil(max(least * size, of_equal and of_equal * self.n / self.effective_of_equal_classes))
        by_errors, by_correct = (
            level_given_gate(count / size, (least - 0.5) / size, self.n / size, self.confidence)
            for count in (self.errors, self.n - self.errors)
        )
        if by_errors == by_correct == self.confidence:
            return found
        above, below = map(interval, (by_correct, by_errors) if loss else (by_errors, by_correct))
        return replace(found, low=below.low, high=above.high, method=GIVEN_BY_ERRORS)


def _worth(y_true: Integers, support: Counts, groups: Groups) -> Floats:
    cells, sizes = np.unique(y_true * groups.count + groups.codes, return_counts=True)
    squares = np.bincount(cells // groups.count, weights=sizes.astype(np.float64) ** 2, minlength=support.size)
    return np.divide(support.astype(np.float64) ** 2, squares, out=np.zeros(support.size), where=squares > 0)
