"""Tests of many samples, whose permutations are shifts of parts: of the data as they are, and as by all of them."""

import numpy as np
import pytest

from mlx.residuals.association import partial
from mlx.residuals.association.class_permutation import class_p_values
from mlx.residuals.association.layer import Layer
from mlx.residuals.association.partial import correlations_given_correctness
from mlx.residuals.association.permutation import group_of, pooled_p_values
from mlx.residuals.pairs import permuted_pairs
from mlx.residuals.pairs.mantel import mantel, mantel_by_class
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.directions import directions_of
from mlx.stats import shifted_stratum
from mlx.stats.cyclic_shifts import FEWEST, CyclicShifts

N = 2 * (FEWEST + 60)
LABELS = np.arange(N) % 2
MEANS = {"permutations": {"mean_entropy": 2000}, "seed": 3}


def samples(effect: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows (N, 3), and similarity and entropy (N,) of which the latter follows both a little."""
    generator = np.random.default_rng(5)
    rows = generator.normal(size=(N, 3)) + np.eye(3)[0]
    similarity = generator.normal(size=N)
    return rows, similarity, 9 + generator.normal(size=N) + effect * (similarity + rows[:, 0] ** 2)


def p_values(effect: float) -> dict[str, list[tuple[float, int]]]:
    """p-values and numbers of permutations by test."""
    rows, similarity, entropy = samples(effect)
    units = directions_of("h", rows, N)
    layer = Layer(units, similarity, entropy, LABELS)
    groups = {label: group_of(layer, np.flatnonzero(label == LABELS)) for label in (0, 1)}
    within, by_class = class_p_values(groups, dict.fromkeys(groups, True), (1000, 2000), 0, many=False)
    by_class_of_pairs = mantel_by_class(units, entropy, LABELS, 2, of_class=MEANS["permutations"], **MEANS)
    settings = ResidualsSettings(n_permutations=2000, seed=1)
    found = {
        "pooled": pooled_p_values(group_of(layer, np.arange(N)), 2000, 0, many=False),
        "within": within,
        "by class": by_class[0] + by_class[1],
        "given": correlations_given_correctness(similarity, entropy, LABELS, settings=settings),
        "pairs": [test for test in mantel(units, entropy, **MEANS) if not np.isnan(test.p)],
        "pairs by class": [test for test in by_class_of_pairs if not np.isnan(test.p)],
    }
    return {name: [(test.p, test.n_permutations) for test in tests] for name, tests in found.items()}


def test_unshifted_parts_are_the_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CyclicShifts, "draw", lambda self, n, _: np.zeros((n, len(self.parts)), dtype=np.intp))
    found = p_values(0.1)
    assert [len(tests) for tests in found.values()] == [2, 2, 4, 2, 1, 4]
    for name, tests in found.items():
        assert tests == [(1.0, 20)] * len(tests), name  # every permutation reaches the statistic


def test_p_values_are_about_those_of_all_permutations(monkeypatch: pytest.MonkeyPatch) -> None:
    found = p_values(0.03)
    for module in (shifted_stratum, partial, permuted_pairs):
        monkeypatch.setattr(module, "FEWEST", N)
    expected = p_values(0.03)
    assert found != expected
    for name, tests in found.items():
        for (p, _), (other, _) in zip(tests, expected[name], strict=True):
            assert np.log(p / other) == pytest.approx(0, abs=1), name  # three standard errors of 20 that reach it
