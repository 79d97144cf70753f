"""What a training shows of itself while it goes on is there after every epoch, and of one training alone."""

import json
import subprocess
import threading
from pathlib import Path

import pandas as pd
import pytest

from mlx.training import LiveMetrics


def shown(folder: Path) -> dict[str, list[list[float]]]:
    return {path.stem: pd.read_csv(path, sep="\t").to_numpy().tolist() for path in folder.rglob("*.tsv")}


def test_each_epoch_is_there_at_once_and_a_continued_training_tells_all_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "dvclive"
    history = [{"loss": 1.0, "val_loss": 2.0}, {"loss": 0.5, "val_loss": 1.5}, {"loss": 0.25, "val_loss": 1.0}]
    expected = {
        name: [[float(i + 1), reached[name]] for i, reached in enumerate(history)] for name in ("loss", "val_loss")
    }
    threads = threading.active_count()
    whole = LiveMetrics(folder)
    whole.begin(())
    for number, reached in enumerate(history, start=1):
        whole.epoch(number, reached)
        assert shown(folder) == {name: rows[:number] for name, rows in expected.items()}
    whole.close()
    assert threading.active_count() == threads  # or every training of a study would leave one
    assert json.loads((folder / "metrics.json").read_text()) == history[-1] | {"step": 3}

    continued = LiveMetrics(folder)
    continued.begin(tuple(history[:2]))
    continued.epoch(3, history[2])
    continued.close()
    assert shown(folder) == expected
    assert {path.name for path in tmp_path.iterdir()} == {".git", "dvclive"}  # it makes no DVC repository
    (tmp_path / "dvc.yaml").touch()
    continued.begin(())
    assert (folder / "dvc.yaml").read_text().startswith("plots:")
    continued.clear()
    assert not folder.exists()
