"""A short version of `benchmarks/failure_scores.py`: noise is not called better, intervals hold, ties and all."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from failure_scores import DESIGNS, analyzed, population


@pytest.mark.slow
def test_geometry_of_pure_noise_is_not_called_better() -> None:
    noise = next(design for design in DESIGNS if design.name == "noise")
    generator = np.random.default_rng(5)
    found = [{name: values for name, *values in analyzed(noise, generator, alone=False)} for _ in range(60)]
    better = sum(one.get("combination: auroc_difference", [0, -1.0])[1] > 0 for one in found)
    informed = sum(one.get("combination: likelihood_ratio", [0, 0, 0, 1.0])[3] <= 0.05 for one in found)
    assert better <= 3  # 60 tests at 2.5 %: more with a probability of 0.06
    assert informed <= 8  # at 5 %: more with a probability of 0.004


@pytest.mark.slow
def test_intervals_of_scores_hold_where_they_are_given() -> None:
    design = DESIGNS[-1]
    truth, generator = population(design), np.random.default_rng(6)
    held = {name: [] for name in truth}
    for _ in range(50):
        for name, _, low, high, _ in analyzed(design, generator, combined=False):
            if name in truth and np.isfinite(low):
                held[name].append(low <= truth[name] <= high)
    for name, each in held.items():
        assert len(each) == 50, name
        assert sum(each) >= 42, name  # fewer at 95 % with a probability of 0.001
