"""A run records what it read, and says when it is resumed after that has changed."""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_runs import CONFIG

from mlx.cli import main

pytestmark = pytest.mark.slow


def write(path: Path, seed: int) -> str:
    X = np.random.default_rng(seed).normal(size=(150, 2))
    pd.DataFrame(X, columns=["p", "q"]).assign(y=np.where(X[:, 0] > 0, "a", "b")).to_csv(path, index=False)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def inputs(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "summary.json").read_text())["inputs"]
    return found


def test_a_run_records_what_it_read_and_names_what_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    first = write(tmp_path / "t.csv", 0)
    dataset = {"name": "custom", "path": "t.csv", "params": {"target": "y"}}
    config = CONFIG | {"dataset": dataset, "preprocessing": {"scaling": "standard"}}
    (tmp_path / "c.json").write_text(json.dumps(config))
    main(["run-experiment", "--config", "c.json"])
    run = tmp_path / capsys.readouterr().out.strip()
    size = (tmp_path / "t.csv").stat().st_size
    assert inputs(run) == {"dataset.path": {"path": "t.csv", "files": 1, "bytes": size, "sha256": first}}
    assert first in (run / "data/report/report.html").read_text()
    main(["runs", "--json"])
    assert json.loads(capsys.readouterr().out)[0]["inputs"]["dataset.path"]["sha256"] == first

    second = write(tmp_path / "t.csv", 1)
    (run / "data/report/report.html").unlink()
    main(["run-experiment", "--resume", str(run)])
    said = capsys.readouterr().err
    assert f"warning: dataset.path: t.csv has changed: 1 file, {size:,} bytes, SHA-256 {first} when it was read" in said
    assert f"SHA-256 {second} now; the run goes on with what it read" in said
    assert inputs(run)["dataset.path"]["sha256"] == first

    (run / "data/raw/X.npy").unlink()
    main(["run-experiment", "--resume", str(run)])
    assert f"SHA-256 {second} now; generate-data reads it again" in capsys.readouterr().err
    assert inputs(run)["dataset.path"]["sha256"] == second
    assert second in (run / "data/report/report.html").read_text()
