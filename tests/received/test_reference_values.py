"""Reference values that `mlx analyze` finds, to ten digits, in arrays made for them."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import brentq

from mlx.cli import main
from mlx.core.array_types import Array
from mlx.stats.validation_outputs import validation_halves

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("without_pictures")]
LOGITS, LABELS = np.array([[2.0, 0, 0], [0, 3, 1], [1, 0, 2]]), np.array([0, 1, 0])
CALIBRATION = np.linspace(0.4, 0.9, 100)
"""Probabilities of the true class of the validation samples that calibrate sets."""


def analyzed(folder: Path, **parts: dict[str, Array]) -> Path:
    """Analyze arrays by part, with a layer of noise where they have none; return the folder of the results."""
    for split, arrays in parts.items():
        (folder / split).mkdir(parents=True)
        n = len(arrays["y_true"])
        noise = np.random.default_rng(0).normal(size=(n, 4))
        for name, values in ({"layer": noise, "index": np.arange(n)} | arrays).items():
            np.save(folder / split / f"{name}.npy", values)
    few = ("residuals.projections=[]", "residuals.n_permutations=999", "residuals.n_bootstrap=100")
    main(["analyze", str(folder), "--output", str(folder / "out"), *(text for one in few for text in ("--set", one))])
    return folder / "out"


def logits_of(p_true: Array, y: Array) -> Array:
    """Return logits (n, 3) that give the true class the probability ``p_true`` (n,)."""
    p = np.repeat((1 - p_true)[:, None] / 2, 3, axis=1)
    p[np.arange(len(y)), y] = p_true
    return np.log(p)


def validation() -> dict[str, Array]:
    """The three samples of the temperature, many times, in one half, and `CALIBRATION` in the other."""
    index = 1000 + np.arange(199)
    fits, calibrates = validation_halves(index)
    logits, y = np.zeros((199, 3)), np.zeros(199, int)
    logits[fits], y[fits] = np.tile(LOGITS, (33, 1)), np.tile(LABELS, 33)
    logits[calibrates] = logits_of(CALIBRATION, y[calibrates])
    return {"y_true": y, "logits": logits, "index": index}


def test_the_temperature_and_the_log_loss_before_and_after(tmp_path: Path) -> None:
    test = {"y_true": np.tile(LABELS, 40), "logits": np.tile(LOGITS, (40, 1))}
    found = analyzed(tmp_path, test=test, val=validation()) / "metrics"
    assert json.loads((found / "evaluation.json").read_text())["temperature"] == pytest.approx(0.8900962307, abs=5e-11)
    row = pd.read_csv(found / "recalibration.csv").query("calibrator == 'temperature' and metric == 'log_loss'")
    assert row[["before", "after"]].to_numpy()[0] == pytest.approx([0.6056655834, 0.6015604591], abs=5e-11)


def test_the_coverage_of_sets_and_of_a_group_of_20(tmp_path: Path) -> None:
    y = np.repeat([0, 1], [180, 20])
    test = {"y_true": y, "logits": logits_of(np.repeat([0.9, 0.05], [194, 6]), y)}
    path = analyzed(tmp_path, test=test, val=validation()) / "data/residuals/prediction_sets.csv"
    found = pd.read_csv(path, dtype={"subject": str})
    whole, group = found.iloc[0], found.query("kind == 'class' and subject == '1'").iloc[0]
    assert whole["threshold"] == pytest.approx(1 - CALIBRATION[-91], rel=1e-14)
    assert (whole["expected"], whole["band_low"], whole["band_high"]) == (pytest.approx(91 / 101, rel=1e-14), 164, 192)
    assert (group["n"], group["n_covered"]) == (20, 14)
    assert group["p"] == pytest.approx(0.01910725605, abs=5e-12)


def test_wrong_labels(tmp_path: Path) -> None:
    p = [(0.8, 0.1, 0.1), (0.6, 0.3, 0.1), (0.2, 0.7, 0.1), (0.1, 0.8, 0.1), (0.3, 0.5, 0.2), (0.1, 0.2, 0.7),
         (0.7, 0.2, 0.1), (0.2, 0.2, 0.6)]  # fmt: skip
    test = {"y_true": np.array([0, 0, 0, 1, 1, 2, 2, 2]), "probabilities": np.array(p)}
    found = pd.read_csv(analyzed(tmp_path, test=test) / "data/residuals/issues.csv").query("kind == 'label'")
    assert found["index"].tolist() == [6, 2]
    assert found["threshold"].to_numpy() == pytest.approx([8 / 15, 0.65], rel=1e-14)
    assert found["suggested_label"].tolist() == [0, 1]


def test_the_correlation_of_six_samples(tmp_path: Path) -> None:
    # Six directions, each with a part c in common: with s the sum of c, those to the others have the sum c(s − c).
    wanted = 0.05 + 0.1 * np.arange(1, 7)
    total = brentq(lambda s: (s - np.sqrt(s * s - 4 * wanted)).sum() / 2 - s, 2 * np.sqrt(wanted[-1]), 50)
    shared = (total - np.sqrt(total**2 - 4 * wanted)) / 2
    entropies = 0.1 + 0.08 * np.array([2, 1, 4, 3, 7, 4])
    p = [brentq(lambda p: -p * np.log(p) - (1 - p) * np.log1p(-p) - h, 1e-12, 0.5) for h in entropies]  # noqa: B023
    test = {"layer": np.column_stack([shared, np.diag(np.sqrt(1 - shared**2))]), "y_true": np.array([0] * 5 + [1]),
            "probabilities": np.column_stack([np.subtract(1, p), p])}  # fmt: skip
    tests = pd.read_csv(analyzed(tmp_path, test=test) / "data/residuals/tests.csv")
    found = tests.query("family == 'similarity and entropy' and statistic == 'pearson'")
    assert found["estimate"].to_numpy() == pytest.approx(0.6959780040, abs=5e-11)
    # Of all permutations, 40 of 720 have a statistic as large: the p-value is 20/L, of about L = 360.
    assert found["p"].to_numpy() == pytest.approx(40 / 720, abs=0.035)
