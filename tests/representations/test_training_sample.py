"""Of a large training part a sample is recorded: the same each time, with the classes in proportion."""

import numpy as np
import pytest

from mlx.representations import sample_rows

Y = np.repeat(np.arange(4), [600, 300, 90, 10])[np.random.default_rng(0).permutation(1000)]


def test_few_samples_are_all_recorded() -> None:
    np.testing.assert_array_equal(sample_rows(Y, 1000, n_classes=4), np.arange(1000))
    np.testing.assert_array_equal(sample_rows(Y, 20_000, n_classes=4), np.arange(1000))


@pytest.mark.parametrize(("most", "counts"), [(100, [60, 30, 9, 1]), (10, [5, 3, 1, 1]), (4, [1, 1, 1, 1])])
def test_the_classes_are_in_proportion_and_each_is_there(most: int, counts: list[int]) -> None:
    rows = sample_rows(Y, most, n_classes=4)
    np.testing.assert_array_equal(np.bincount(Y[rows], minlength=4), counts)
    assert (np.diff(rows) > 0).all()
    np.testing.assert_array_equal(rows, sample_rows(Y, most, n_classes=4))


def test_numbers_and_fewer_samples_than_classes_are_drawn_from_all() -> None:
    for y, most, n_classes in ((np.linspace(0, 1, 500), 60, 0), (Y, 3, 4)):
        rows = sample_rows(y, most, n_classes=n_classes)
        assert len(rows) == most
        assert (np.diff(rows) > 0).all()
        assert rows.max() > len(y) // 3
