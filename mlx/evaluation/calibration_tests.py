"""Can the labels have been drawn from the predicted probabilities? Two tests of calibration as a whole."""

import numpy as np
from scipy.special import ndtr, stdtr

from mlx.core.array_types import Floats
from mlx.results.metrics import CalibrationTest
from mlx.stats.calibration_scores import CalibrationScores
from mlx.stats.groups import Groups, design_effect
from mlx.stats.interval import NAN
from mlx.stats.row_scores import why_infinite
from mlx.stats.status import Reason

MIN_EXPECTED_ERRORS = 10
"""Fewest errors that the probabilities predict, for the sums below to be near enough to normal."""


def spiegelhalter_test(
    scores: CalibrationScores, expected_errors: float, groups: Groups | None = None
) -> CalibrationTest:
    """Test the Brier score against its expectation (Spiegelhalter 1986), here for any number of classes.

    Parameters
    ----------
    scores
        Of the predictions.
    expected_errors
        Sum of one minus the confidences.
    groups
        Which samples belong together: z is then divided by the root of the design effect, and compared with Student's t
        with G − 1 degrees of freedom; None where each is its own.
    """
    return _test(scores.brier - scores.brier_expected, scores.brier_variance, expected_errors, groups)


def excess_surprise_test(
    scores: CalibrationScores, expected_errors: float, groups: Groups | None = None
) -> CalibrationTest:
    """Test the log loss against the mean entropy of the predictions, which is its expectation; as above by group."""
    if not (status := why_infinite(scores.surprise)).is_ok:
        return CalibrationTest(NAN, NAN, Reason.LOG_LOSS_IS(status))
    return _test(scores.surprise - scores.entropy, scores.surprise_variance, expected_errors, groups)


def _test(excess: Floats, variance: Floats, expected_errors: float, groups: Groups | None) -> CalibrationTest:
    total = float(variance.sum())
    # Rounding of single precision leaves this much of a variance that is 0.
    if total <= 1e-12 * variance.size:
        return CalibrationTest(NAN, NAN, Reason.NOTHING_TO_CHANCE())
    z = float(excess.sum()) / float(np.sqrt(total))
    if groups is None:
        few = expected_errors < MIN_EXPECTED_ERRORS
        return CalibrationTest(z, NAN, Reason.FEW_EXPECTED_ERRORS(MIN_EXPECTED_ERRORS)) if few else _two_sided(z)
    if not (why := groups.why_too_few_of(expected_errors, MIN_EXPECTED_ERRORS)).is_ok:
        return CalibrationTest(NAN, NAN, why)
    # The variance that the predictions imply has no noise; a variance between groups alone rejects too often, as rare
    # large scores move it together with their sum.
    return _two_sided(z / float(np.sqrt(design_effect(excess - excess.mean(), groups))), groups.count - 1.0)


def _two_sided(z: float, df: float = np.inf) -> CalibrationTest:
    return CalibrationTest(z, float(2 * (ndtr(-abs(z)) if np.isinf(df) else stdtr(df, -abs(z)))))
