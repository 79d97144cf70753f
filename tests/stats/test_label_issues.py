"""Labels that contradict confident predictions: reference values, the rule sample by sample, and flawless labels."""

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.stats.label_issues import flawless_count, label_issues

Y = np.array([0, 0, 0, 1, 1, 2, 2, 2])
P = np.array([(0.8, 0.1, 0.1), (0.6, 0.3, 0.1), (0.2, 0.7, 0.1), (0.1, 0.8, 0.1), (0.3, 0.5, 0.2), (0.1, 0.2, 0.7),
              (0.7, 0.2, 0.1), (0.2, 0.2, 0.6)])  # fmt: skip


def test_the_reference_values() -> None:
    found = label_issues(P, Y)
    np.testing.assert_allclose(found.thresholds, [8 / 15, 0.65, 7 / 15], rtol=1e-14)
    assert np.flatnonzero(found.flagged).tolist() == [2, 6]
    assert found.suggested[[2, 6]].tolist() == [1, 0]


def by_loop(p, y):
    """The filter ``confident_learning`` as cleanlab's earlier loop over the samples has it, and its last step."""
    thresholds = [max(2e-6, p[y == k, k].mean()) if (y == k).any() else 2.0 for k in range(p.shape[1])]
    flagged = []
    for row, label in zip(p, y, strict=True):
        confident = [k for k in range(len(row)) if row[k] >= thresholds[k] - 1e-6]
        guess = label if not confident else confident[0] if len(confident) == 1 else int(np.argmax(row))
        favoring = [value + 1e-6 * (k == label) for k, value in enumerate(row)]
        flagged.append(guess != label and int(np.argmax(favoring)) != label)
    return flagged


@pytest.mark.parametrize("seed", range(20))
def test_the_flagged_are_those_of_the_rule_for_one_sample_at_a_time(seed: int) -> None:
    """With ties in every second seed: probabilities that are shares of five votes, as those of a forest."""
    generator = np.random.default_rng(seed)
    k = int(generator.integers(2, 7))
    p = generator.dirichlet(np.ones(k) * generator.uniform(0.2, 2), 300)
    p = generator.multinomial(5, p) / 5 if seed % 4 > 1 else p
    y = np.array([generator.choice(k - (seed % 2), p=None) if generator.random() < 0.3 else row.argmax() for row in p])
    assert label_issues(p, y).flagged.tolist() == by_loop(p, y)


@pytest.mark.parametrize(
    ("seed", "k", "n", "spread", "noise", "flagged"),
    [
        (0, 3, 60, 1.5, 0.3, [2, 7, 20, 24, 29, 38, 44, 53, 57]),
        (1, 5, 80, 2.0, 0.25, [7, 44, 52, 71]),
        (2, 2, 60, 1.0, 0.3, [22, 23, 26, 53]),
        (3, 10, 200, 2.0, 0.4, [0, 2, 12, 13, 14, 16, 17, 18, 22, 27, 28, 30, 31, 33, 34, 36, 39, 43, 47, 48, 50, 56,
                                61, 64, 65, 67, 69, 70, 72, 73, 74, 84, 86, 89, 90, 93, 94, 99, 100, 103, 114, 116, 122,
                                123, 126, 127, 131, 134, 137, 143, 144, 148, 149, 150, 152, 155, 162, 165, 166, 167,
                                168, 169, 170, 173, 176, 178, 185, 186, 188, 197, 199]),
    ],
)  # fmt: skip
def test_the_flagged_are_those_of_cleanlab(
    seed: int, k: int, n: int, spread: float, noise: float, flagged: list[int]
) -> None:
    """What ``cleanlab.filter.find_label_issues(y, p, filter_by="confident_learning")`` of cleanlab 2.9.0 returns."""
    generator = np.random.default_rng(seed)
    p = np.exp(spread * generator.normal(size=(n, k)))
    p /= p.sum(axis=1, keepdims=True)
    y = np.where(generator.random(n) < noise, generator.integers(k, size=n), p.argmax(axis=1))
    assert np.flatnonzero(label_issues(p, y).flagged).tolist() == flagged


def test_of_equally_probable_classes_the_label_is_not_flagged() -> None:
    p = np.array([(0.4, 0.0, 0.4, 0.2), (0.0, 0.3, 0.7, 0.0), (0.5, 0.2, 0.3, 0.0), (1.0, 0.0, 0.0, 0.0)])
    assert label_issues(p, np.array([2, 2, 0, 1])).flagged.tolist() == [False, False, False, True]


def test_a_class_without_samples_is_suggested_to_none() -> None:
    found = label_issues(P, np.where(Y == 2, 0, Y))
    assert found.thresholds[2] == np.inf
    assert not (found.suggested == 2).any()
    with pytest.raises(DataError, match="labels: row 1: expected a class from 0 to 2, found 3"):
        label_issues(P, np.where(np.arange(8) == 1, 3, Y))


def test_flawless_labels_have_as_many_as_their_draws_and_wrong_ones_more() -> None:
    generator = np.random.default_rng(0)
    z = 2.5 * generator.normal(size=(500, 3))
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    draws = [(p.cumsum(axis=1) < generator.random((500, 1))).sum(axis=1) for _ in range(40)]
    counts = [int(label_issues(p, y).flagged.sum()) for y in draws]
    expected = flawless_count(p, seed=1)
    assert expected == flawless_count(p, seed=1)
    assert np.mean(counts) == pytest.approx(expected, abs=4 * np.std(counts) / 40**0.5)
    y = draws[0].copy()
    y[:60] = (y[:60] + 1) % 3
    assert label_issues(p, y).flagged.sum() > expected + 20
    assert flawless_count(np.eye(3)[y], seed=1) == 0
