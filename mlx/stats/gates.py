"""Gates of intervals: how many errors to expect in a test set, before the test set is seen.

An interval that is given wherever the test set shows enough errors is given to the samples with too many. So a gate
asks for the number that the validation samples predict.
"""

import math
from dataclasses import dataclass

from scipy.special import log_ndtr, ndtr

from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason, Status

MIN_OBSERVED = 2
"""Fewer errors, or correct predictions, than this leave the spread of either kind undefined."""


LEAST_COMPARED = 30
"""Fewest expected errors, and expected correct predictions, for an AUROC, AURC or AUGRC of errors to be compared."""

GIVEN_BY_ERRORS = "wider, as errors of the test set itself let it be given; conservative"
"""What is said of an interval where there are no validation samples to expect errors by."""

WIDEST = 7.5
"""Most standard errors to which the end of an interval is moved out: one minus its level is still a number."""

NEGLIGIBLE = 1e-3
"""Share of the test sets with what is expected of this one that would not be given an interval: too few to matter."""


@dataclass(frozen=True)
class ValidationErrors:
    """What a model gets wrong on samples that neither trained nor test it.

    Attributes
    ----------
    n
        Validation samples, at least 1.
    errors
        How many of them the model predicts wrongly.

    Raises
    ------
    ValueError
        The numbers are not a count and a part of it.
    """

    n: int
    errors: int

    def __post_init__(self) -> None:
        if not 0 <= self.errors <= self.n or self.n < 1:
            raise ValueError(f"validation: expected 0 to n errors of n >= 1 samples, found {self.errors} of {self.n}")


def expected_errors(observed: int, n_test: int, validation: ValidationErrors | None) -> float:
    """Return the errors that validation predicts for a test set, n_test·(errors + ½)/(n + 1).

    Parameters
    ----------
    observed
        Errors on the test set, which are returned where there is no validation.
    n_test
        Test samples.
    validation
        Errors on the validation samples, or None.
    """
    if validation is None:
        return float(observed)
    return n_test * (validation.errors + 0.5) / (validation.n + 1)


def why_too_few(
    errors: int, n_test: int, validation: ValidationErrors | None, least: int, groups: Groups | None = None
) -> Status:
    """Say why what errors and correct predictions are compared by is not given; `OK` where enough are expected.

    Parameters
    ----------
    errors, n_test
        Errors among the test samples; only whether there are two of either kind is asked of them, and, without
        validation, whether there are ``least``.
    validation
        Errors on the validation samples, or None.
    least
        Fewest expected errors, and fewest expected correct predictions.
    groups
        Which of the test samples belong together: each kind must then be worth ``least`` independent samples.
    """
    if errors < MIN_OBSERVED:
        return Reason.FEW_ERRORS(MIN_OBSERVED)
    if n_test - errors < MIN_OBSERVED:
        return Reason.FEW_CORRECT(MIN_OBSERVED)
    if validation is not None and not (status := _why_unknown(n_test, validation, least)).is_ok:
        return status
    expected = expected_errors(errors, n_test, validation)
    few_errors, few_correct = Reason.FEW_EXPECTED_ERRORS, Reason.FEW_EXPECTED_CORRECT
    if validation is None:
        few_errors, few_correct = Reason.FEW_ERRORS, Reason.FEW_CORRECT
    if expected < least:
        return few_errors(least)
    if n_test - expected < least:
        return few_correct(least)
    return OK if groups is None else groups.why_too_few_of(expected, least)


def _why_unknown(n_test: int, validation: ValidationErrors, least: int) -> Status:
    """Say that so few validation samples show too few errors; `OK` where there are enough of either.

    Of n_test / (2 least) validation samples and fewer, not a single one need be wrong for ``least`` errors to be
    expected. Errors, and correct predictions, must then have been seen.
    """
    if n_test * 0.5 / (validation.n + 1) < least:
        return OK
    if validation.errors < MIN_OBSERVED:
        return Reason.FEW_VALIDATION_ERRORS(MIN_OBSERVED, validation.n)
    enough = validation.n - validation.errors >= MIN_OBSERVED
    return OK if enough else Reason.FEW_VALIDATION_CORRECT(MIN_OBSERVED, validation.n)


def level_given_gate(shown: float, least: float, n: float, level: float) -> float:
    """Return the level of the end of an interval on the side of fewer errors, where the test set's own are the gate.

    Test sets with at least ``least`` errors are those with too many, the more so the closer to it. The statistic
    t = 2√n asin √(errors/n) is nearly normal with variance 1; of those that are at least c it is normal, cut off at c.
    The end lies as many standard errors z off as leave the observed t or more its share (1 − level)/2 of the
    probability: Φ(−z) = (1 − level)/2 · Φ(t − c − z).

    Parameters
    ----------
    shown, least
        Errors of the test set, and fewest with which the interval is given (of whole numbers less ½).
    n
        Test samples.
    level
        Of the interval, between 0.5 and 1.

    Returns
    -------
    float
        From ``level`` up to 1.
    """
    beyond = 2 * math.sqrt(n) * (math.asin(math.sqrt(shown / n)) - math.asin(math.sqrt(least / n)))
    share = math.log((1 - level) / 2)

    def excess(z: float) -> float:
        return float(log_ndtr(-z) - log_ndtr(beyond - z)) - share

    if ndtr(-beyond) < NEGLIGIBLE:
        return level
    from scipy.optimize import brentq  # half a second, also of every worker process

    z = WIDEST if excess(WIDEST) > 0 else float(brentq(excess, 0.0, WIDEST))
    return float(1 - 2 * ndtr(-z))
