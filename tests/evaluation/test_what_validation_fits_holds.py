"""A short version of benchmarks/sets_and_recalibration.py: coverage of prediction sets, and of paired differences."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parents[2] / "benchmarks"))

from sets_and_recalibration import run

pytestmark = pytest.mark.slow

RUNS = 12


@pytest.fixture(scope="module", params=[False, True], ids=["all epochs", "early stopping"])
def found(request) -> list[dict[str, float]]:
    return [run(seed, 100, stops_early=request.param) for seed in range(RUNS)]


def test_sets_cover_within_their_band_and_differences_within_their_intervals(found) -> None:
    for method in ("lac", "aps", "raps"):
        assert np.mean([one[f"{method}: covered"] for one in found]) == pytest.approx(0.9, abs=0.05)
        assert sum(one[f"{method}: in the band"] for one in found) >= RUNS - 3
        assert sum(one[f"{method}: group"] for one in found) <= 3
    for metric in ("log_loss", "brier", "accuracy"):
        held = [one[f"temperature: {metric}"] for one in found if not np.isnan(one[f"temperature: {metric}"])]
        assert len(held) > RUNS / 2
        assert sum(held) >= len(held) - 3
