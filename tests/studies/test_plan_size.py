"""`mlx plan` reads the components of a study that was run, and counts the seeds and samples that are needed."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlx.cli import main
from mlx.core.array_types import Array
from mlx.core.artifacts import write_csv, write_json
from mlx.results.comparison import Metric
from mlx.results.study import CELLS, DIFFERENCES, RUNS, VARIANCE
from mlx.studies.infer import infer
from mlx.studies.values import MetricValues


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two cells, 5 seeds, 400 samples."""
    rng = np.random.default_rng(0)
    right = [(rng.normal(size=(5, 400)) + rng.normal(0, 0.1, (5, 1)) < 1).astype(float) for _ in range(2)]
    return written(tmp_path_factory.mktemp("study"), *right)


def written(folder: Path, *values: Array) -> Path:
    """Write the tables of a study of two cells, whose accuracy is the mean of values (n_seeds, n_samples)."""
    cells = {}
    for name, right in zip(("plain", "fancy"), values, strict=True):
        means = right.mean(axis=1)
        cells[name] = {Metric.ACCURACY: MetricValues(Metric.ACCURACY, means, right - means[:, None])}
    found = infer(cells, "plain")
    write_json(folder / "study.json", {"confidence": 0.95, "baseline": "plain", "cells": [{"name": n} for n in cells]})
    tables = ((RUNS, ()), (CELLS, found.cells), (DIFFERENCES, found.differences), (VARIANCE, found.variance))
    for schema, rows in tables:
        write_csv(folder / schema.file, schema.frame(rows))  # type: ignore[attr-defined]
    return folder


def test_the_seeds_and_samples_are_those_that_detect_the_difference(
    study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["plan", "--difference", "0.1", "--from", str(study), "--json"])
    estimated, upper = json.loads(capsys.readouterr().out)
    assert (estimated["cell"], estimated["against"], estimated["metric"]) == ("fancy", "plain", "accuracy")
    assert not estimated["at_upper_seed"]
    assert upper["detectable"] > estimated["detectable"]
    assert estimated["samples"]["3"] > estimated["samples"]["5"] > estimated["samples"]["50"]
    main(["plan", "--difference", "0.02", "--from", str(study)])
    shown = capsys.readouterr().out
    assert "fancy - plain" in shown
    assert "upper 80 % limit" in shown


@pytest.mark.parametrize(("seeds", "samples", "expected"), [(5, 1000, 0.02994107505), (3, 200, 0.06558776955)])
def test_what_is_detected_is_the_reference_value(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seeds: int, samples: int, expected: float
) -> None:
    """Of values whose components of variance are 1e-4 of seeds, .08 of samples and .05 of the rest."""
    rest = np.random.default_rng(0).normal(size=(seeds, samples))
    by_seed, by_sample = (rest * 0 + rest.mean(axis=axis, keepdims=True) - rest.mean() for axis in (1, 0))
    wanted = {
        seeds - 1: (by_seed, 1e-4 * samples + 0.05),
        samples - 1: (by_sample, 0.08 * seeds + 0.05),
        (seeds - 1) * (samples - 1): (rest - rest.mean() - by_seed - by_sample, 0.05),
    }
    found = sum(part * np.sqrt(square * df / (part**2).sum()) for df, (part, square) in wanted.items())
    folder = written(tmp_path, np.zeros_like(rest), found)
    main(["plan", "--difference", "0.1", "--from", str(folder), "--json"])
    assert json.loads(capsys.readouterr().out)[0]["detectable"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "arguments", [["--difference", "-1"], ["--power", "1.5"], ["--metric", "beauty"], ["--pairs", "0"]], ids=str
)
def test_a_wrong_use_is_one_message(study: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="expected"):
        main(["plan", "--difference", "0.02", "--from", str(study), *arguments])
