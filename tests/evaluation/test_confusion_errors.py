"""Standard errors of confusion metrics against numerical derivatives and against simulation."""

import numpy as np
import pytest

from mlx.evaluation.confusion import confusion_metrics, margins
from mlx.evaluation.confusion_errors import SLOPES, smoothed_estimates


def smoothed_by_hand(counts: np.ndarray) -> np.ndarray:
    k, n = len(counts), counts.sum()
    wrong = (n - np.trace(counts) + 0.5) / (n + 1)
    table = counts.astype(float)
    for row in range(k):
        if counts[row].sum():
            table[row] += np.where(np.arange(k) == row, 1 - wrong, wrong / (k - 1))
    return table / table.sum()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("k", [2, 3, 6])
def test_standard_errors_are_those_of_numerical_derivatives(k: int, seed: int) -> None:
    counts = np.random.default_rng(seed).integers(0, 8, size=(k, k)) + 9 * np.eye(k, dtype=np.int64)
    if k == 6:
        counts[2] = 0  # predicted, and not in the test set
    shares, step = smoothed_by_hand(counts), 1e-6
    influence = {name: np.empty((k, k)) for name in SLOPES}
    for cell in np.ndindex(k, k):
        if not counts[cell[0]].sum():
            continue
        moved = [shares.copy(), shares.copy()]
        moved[0][cell] += step
        moved[1][cell] -= step
        up, down = (confusion_metrics(*margins(one / one.sum())) for one in moved)
        for name in SLOPES:
            influence[name][cell] = (up[name] - down[name]) / 2 / step
    n, present = counts.sum(), counts.sum(axis=1) > 0
    found, expected = smoothed_estimates(counts), confusion_metrics(*margins(shares))
    for name, values in influence.items():
        p, v = shares[present], values[present]
        error = np.sqrt(((p * v**2).sum() - (p * v).sum() ** 2) / (n - present.sum()))
        assert found[name].value == pytest.approx(expected[name], abs=1e-12)
        assert found[name].error == pytest.approx(error, rel=1e-6), name


def test_standard_errors_are_those_of_many_test_sets() -> None:
    shares = np.array([[0.36, 0.03, 0.01], [0.04, 0.24, 0.02], [0.02, 0.06, 0.22]])
    generator = np.random.default_rng(0)
    tables = generator.multinomial(2000, shares.ravel(), size=2000).reshape(-1, 3, 3)
    drawn = [confusion_metrics(*margins(table)) for table in tables]
    for name, found in smoothed_estimates(np.round(2000 * shares).astype(np.int64)).items():
        assert found.error == pytest.approx(np.std([one[name] for one in drawn]), rel=0.05), name
