import pytest

from mlx.stats.gates import ValidationErrors, expected_errors


def test_expected_errors_come_from_validation_and_without_it_from_the_test_set():
    assert expected_errors(3, 200, ValidationErrors(99, 7)) == 200 * 7.5 / 100
    assert expected_errors(150, 200, ValidationErrors(50, 0)) == 200 * 0.5 / 51
    assert expected_errors(3, 200, None) == 3


@pytest.mark.parametrize(("n", "errors"), [(0, 0), (5, 6), (5, -1)])
def test_validation_errors_are_a_part_of_the_samples(n, errors):
    with pytest.raises(ValueError, match=f"found {errors} of {n}"):
        ValidationErrors(n, errors)
