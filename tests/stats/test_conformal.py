"""Split conformal prediction: reference values, a brute-force distribution, and ranks without rounding."""

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from mlx.stats.conformal import coverage_band, threshold, threshold_rank, undercoverage_p_value
from mlx.stats.status import Reason


def test_the_reference_values() -> None:
    assert threshold_rank(100, 0.1) == 91
    band = coverage_band(100, 200, 0.1)
    assert band.mean == pytest.approx(91 / 101, rel=1e-12)
    assert band.sd == pytest.approx(0.03628001738, rel=1e-9)
    assert (band.low, band.high) == (164, 192)
    assert undercoverage_p_value(14, 20, 100, 0.1) == pytest.approx(0.01910725605, rel=1e-9)


def test_every_order_of_calibration_and_test_scores_is_equally_likely() -> None:
    n_calibration, n_test, alpha = 5, 4, 0.3
    k, counts = threshold_rank(n_calibration, alpha), np.zeros(n_test + 1)
    for places in combinations(range(n_calibration + n_test), n_calibration):
        below = places[k - 1] - (k - 1)  # test scores below the k-th calibration score
        counts[below] += 1
    shares = counts / counts.sum()
    for covered in range(n_test + 1):
        p = undercoverage_p_value(covered, n_test, n_calibration, alpha)
        assert p == pytest.approx(shares[: covered + 1].sum(), rel=1e-12)
    band = coverage_band(n_calibration, n_test, alpha)
    assert band.mean == pytest.approx(shares @ np.arange(n_test + 1) / n_test)
    assert band.sd == pytest.approx((shares @ (np.arange(n_test + 1) / n_test - band.mean) ** 2) ** 0.5)


def test_the_threshold_is_the_kth_smallest_score() -> None:
    scores = np.random.default_rng(0).permutation(100) / 100
    found = threshold(scores, 0.1)
    assert (found.k, found.value, found.n_calibration) == (91, 0.9, 100)
    assert found.status.is_ok


def test_too_few_calibration_samples_give_full_sets() -> None:
    found = threshold(np.arange(8.0), 0.1)
    assert (found.k, found.value, found.status) == (9, float("inf"), Reason.FULL_SETS(9))
    assert str(found.status) == "full sets (calibration samples < 9)"
    assert threshold(np.arange(9.0), 0.1).value == 8
    with pytest.raises(ValueError, match="9 calibration samples or more, found 10, 8"):
        coverage_band(8, 10, 0.1)


def test_ranks_are_those_of_the_decimal_that_was_written() -> None:
    for n in range(1, 3000):
        for hundredths in (1, 5, 10, 20, 30, 42):
            exact = -((-(n + 1) * (100 - hundredths)) // 100)
            assert threshold_rank(n, hundredths / 100) == exact
    assert threshold_rank(19, np.float64(0.1)) == threshold_rank(19, float(Fraction(1, 10)))


@pytest.mark.parametrize(("n", "alpha"), [(0, 0.1), (10, 0.0), (10, 1.0)])
def test_impossible_levels_are_rejected(n: int, alpha: float) -> None:
    with pytest.raises(ValueError, match="alpha in"):
        threshold_rank(n, alpha)
