"""`mlx plan` reads the components of a study that was run, and counts the seeds and samples that are needed."""

import json
from pathlib import Path

import numpy as np
import pytest

from mlx.cli import main
from mlx.core.artifacts import write_csv, write_json
from mlx.results.comparison import Metric
from mlx.results.study import CELLS, DIFFERENCES, RUNS, VARIANCE
from mlx.stats.power import Components, detectable_difference
from mlx.studies.infer import infer
from mlx.studies.values import MetricValues


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of two cells, 5 seeds, 400 samples."""
    folder, rng = tmp_path_factory.mktemp("study"), np.random.default_rng(0)
    cells = {}
    for name in ("plain", "fancy"):
        right = (rng.normal(size=(5, 400)) + rng.normal(0, 0.1, (5, 1)) < 1).astype(float)
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


def test_what_is_detected_is_that_of_the_table(study: Path) -> None:
    from mlx.studies.finished import read_finished

    row = next(row for row in read_finished(study).variance if row.against)
    components = Components.truncated(row.var_seed, row.var_sample, row.var_rest)
    assert row.detectable == pytest.approx(detectable_difference(components, 5, 400))


@pytest.mark.parametrize(
    "arguments", [["--difference", "-1"], ["--power", "1.5"], ["--metric", "beauty"], ["--pairs", "0"]], ids=str
)
def test_a_wrong_use_is_one_message(study: Path, arguments: list[str]) -> None:
    with pytest.raises(SystemExit, match="expected"):
        main(["plan", "--difference", "0.02", "--from", str(study), *arguments])
