"""Gates of intervals: how many errors to expect in a test set, before the test set is seen.

An interval that is given wherever the test set shows enough errors is given to the samples with too many. So a gate
asks for the number that the validation samples predict.
"""

from dataclasses import dataclass


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
