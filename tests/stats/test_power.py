"""The smallest detectable difference: reference values, its inverse, and a simulation-free check of its parts."""

import pytest
from scipy.stats import chi2

from mlx.stats.power import Components, detectable_difference, power_of, samples_needed, seeds_needed

KNOWN = Components(1e-4, 0.08, 0.05)


@pytest.mark.parametrize(("seeds", "samples", "expected"), [(5, 1000, 0.02994107505), (3, 200, 0.06558776955)])
def test_the_reference_values(seeds: int, samples: int, expected: float) -> None:
    assert detectable_difference(KNOWN, seeds, samples) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("power", "n_tests"), [(0.8, 1), (0.9, 6), (0.3, 2)])
def test_the_power_of_the_smallest_detectable_difference_is_the_one_asked_for(power: float, n_tests: int) -> None:
    found = detectable_difference(KNOWN, 5, 400, power=power, n_tests=n_tests)
    assert power_of(found, KNOWN, 5, 400, n_tests=n_tests) == pytest.approx(power, abs=1e-9)


def test_the_power_of_no_difference_is_the_size_and_of_a_huge_one_is_one() -> None:
    assert power_of(0.0, KNOWN, 5, 400) == pytest.approx(0.05, abs=1e-9)
    assert power_of(100.0, KNOWN, 5, 400) == pytest.approx(1.0)


def test_more_tests_seeds_and_samples_move_it_as_they_should() -> None:
    found = detectable_difference(KNOWN, 5, 400)
    assert detectable_difference(KNOWN, 5, 400, n_tests=10) > found
    assert detectable_difference(KNOWN, 10, 400) < found > detectable_difference(KNOWN, 5, 800)


def test_the_upper_limit_of_the_variance_of_seeds_is_that_of_its_mean_square() -> None:
    upper = KNOWN.with_upper_seed(5, 400)
    by_seed = KNOWN.seed + KNOWN.rest / 400
    assert upper.seed + KNOWN.rest / 400 == pytest.approx(by_seed * 4 / chi2.ppf(0.2, 4))
    assert (upper.sample, upper.rest) == (KNOWN.sample, KNOWN.rest)


def test_without_variance_every_difference_is_found() -> None:
    nothing = Components.truncated(-1.0, 0.0, 0.0)
    assert detectable_difference(nothing, 3, 10) == 0
    assert (power_of(0.1, nothing, 3, 10), power_of(0.0, nothing, 3, 10)) == (1.0, 0.05)


def test_the_fewest_seeds_and_samples_detect_the_difference_and_one_less_does_not() -> None:
    seeds, samples = seeds_needed(KNOWN, 0.05, 400), samples_needed(KNOWN, 0.05, 5, n_tests=3)
    assert seeds is not None
    assert samples is not None
    assert detectable_difference(KNOWN, seeds, 400) <= 0.05 < detectable_difference(KNOWN, seeds - 1, 400)
    assert detectable_difference(KNOWN, 5, samples, n_tests=3) <= 0.05
    assert detectable_difference(KNOWN, 5, samples - 1, n_tests=3) > 0.05


def test_a_floor_that_more_of_the_other_does_not_lower_is_said() -> None:
    assert seeds_needed(KNOWN, 0.02, 400) is None  # the variance by samples remains
    assert samples_needed(KNOWN, 0.005, 5) is None  # that by seeds does
