"""Average precision is scikit-learn's, and its jackknife that of computing it again without each sample."""

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from mlx.stats.average_precision import average_precision


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("decimals", [0, 1, 8])
def test_average_precision_and_its_jackknife_with_ties(seed: int, decimals: int) -> None:
    generator = np.random.default_rng(seed)
    positive = generator.random(30) < 0.3
    positive[:2] = True
    score = np.round(generator.normal(size=30) + positive, decimals)
    found = average_precision(positive, score)
    assert found.value == pytest.approx(average_precision_score(positive, score), abs=1e-14)
    without = [average_precision_score(np.delete(positive, i), np.delete(score, i)) for i in range(30)]
    np.testing.assert_allclose(found.without, without, atol=1e-13)
    np.testing.assert_allclose(found.influence, 29 * (found.value - np.array(without)), atol=1e-11)


def test_a_single_positive_is_not_left_out() -> None:
    found = average_precision(np.array([False, True, False]), np.array([0.9, 0.5, 0.1]))
    assert found.value == 0.5
    assert found.without.tolist() == [0.5, 0.5, 0.5]


def test_only_positives_have_average_precision_1() -> None:
    found = average_precision(np.ones(4, dtype=bool), np.array([1.0, 1.0, 0.5, 0.2]))
    assert (found.value, *found.without) == (1.0, 1.0, 1.0, 1.0, 1.0)
