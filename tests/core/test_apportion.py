"""A whole number is divided over classes in proportion, with at least one for each."""

import numpy as np
import pytest

from mlx.core.apportion import apportion


@pytest.mark.parametrize("total", [4, 5, 17, 100, 999, 1111])
def test_classes_keep_their_shares_and_none_is_lost(total):
    counts = np.array([1, 10, 100, 1000])
    given = apportion(total, counts, counts)
    assert given.sum() == total
    assert (given >= 1).all()
    assert (given <= counts).all()
    if total > 100:
        assert np.abs(given - counts * total / counts.sum()).max() <= 1
