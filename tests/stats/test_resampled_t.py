"""The corrected resampled t-test: a reference value, its relation to the plain t-test, and its size."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp

from mlx.stats.resampled_t import corrected_resampled_t
from mlx.stats.status import Reason

DIFFERENCES = np.array([0.02, 0.01, 0.03, -0.01, 0.015])


def test_the_reference_value() -> None:
    found = corrected_resampled_t(DIFFERENCES, 20 / 80)
    assert found.t == pytest.approx(1.306549160, rel=1e-9)
    assert found.p == pytest.approx(0.2614239535, rel=1e-9)
    assert found.interval.low == pytest.approx(-0.01462527999, rel=1e-9)
    assert found.interval.high == pytest.approx(0.04062527999, rel=1e-9)
    assert (found.df, found.n_splits, found.status) == (4, 5, Reason.APPROXIMATE())
    assert found.difference == pytest.approx(DIFFERENCES.mean(), rel=1e-12)


def test_without_shared_samples_it_would_be_the_t_test() -> None:
    found, plain = corrected_resampled_t(DIFFERENCES, 1e-300), ttest_1samp(DIFFERENCES, 0)
    assert (found.t, found.p) == pytest.approx((plain.statistic, plain.pvalue), rel=1e-12)


def test_the_interval_at_one_less_p_touches_0() -> None:
    for d in np.random.default_rng(0).normal(0.3, size=(50, 10)):
        found = corrected_resampled_t(d, 1 / 9)
        touching = corrected_resampled_t(d, 1 / 9, 1 - found.p).interval
        assert min(abs(touching.low), abs(touching.high)) < 1e-10


def test_differences_that_are_all_the_same_have_no_test() -> None:
    found = corrected_resampled_t(np.full(5, 0.1), 0.25)
    assert found.status == Reason.NO_TEST(Reason.ALL_THE_SAME())
    assert found.difference == pytest.approx(0.1)
    assert np.isnan([found.p, found.t, found.interval.low]).all()


@pytest.mark.parametrize(("differences", "ratio"), [([0.1], 0.25), ([0.1, np.nan], 0.25), ([0.1, 0.2], 0.0)])
def test_what_is_no_series_of_splits_is_rejected(differences: list[float], ratio: float) -> None:
    with pytest.raises(ValueError, match="expected"):
        corrected_resampled_t(np.array(differences), ratio)


@pytest.mark.slow
def test_its_size_is_near_5_percent_over_random_splits() -> None:
    """Two constant-free models: the mean and the median of the training part predict a symmetric variable."""
    rng, rejected, runs = np.random.default_rng(1), 0, 1000
    for _ in range(runs):
        losses = rng.normal(size=100) + rng.normal(size=(10, 100)) * 0.5  # of a sample, and of a split
        chosen = rng.permuted(np.tile(np.arange(100), (10, 1)), axis=1)[:, :20]
        d = np.take_along_axis(losses, chosen, axis=1).mean(axis=1)
        rejected += corrected_resampled_t(d, 20 / 80).p < 0.05
    assert 0.02 <= rejected / runs <= 0.07
