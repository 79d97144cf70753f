"""Gates of intervals: how many errors to expect in a test set, before the test set is seen.

An interval that is given wherever the test set shows enough errors is given to the samples with too many. So a gate
asks for the number that the validation samples predict.
"""

from dataclasses import dataclass

from mlx.stats.status import OK, Reason, Status

MIN_OBSERVED = 2
"""Fewer errors, or correct predictions, than this leave the spread of either kind undefined."""


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


def why_too_few(errors: int, n_test: int, validation: ValidationErrors | None, least: int) -> Status:
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
    """
    if errors < MIN_OBSERVED:
        return Reason.FEW_ERRORS(MIN_OBSERVED)
    if n_test - errors < MIN_OBSERVED:
        return Reason.FEW_CORRECT(MIN_OBSERVED)
    expected = expected_errors(errors, n_test, validation)
    few_errors, few_correct = Reason.FEW_EXPECTED_ERRORS, Reason.FEW_EXPECTED_CORRECT
    if validation is None:
        few_errors, few_correct = Reason.FEW_ERRORS, Reason.FEW_CORRECT
    if expected < least:
        return few_errors(least)
    return OK if n_test - expected >= least else few_correct(least)
