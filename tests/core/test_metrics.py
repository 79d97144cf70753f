"""Metrics files say everything and show what matters."""

import json
from pathlib import Path

from mlx.core.metrics import read_metrics, write_metrics


def test_an_interval_is_one_list_in_the_file_and_two_ends_in_the_code(tmp_path: Path) -> None:
    metrics = {"a": 0.5, "a_low": 0.4, "a_high": 0.6, "b": None, "b_low": None, "b_high": None, "x_low": 1.0}
    write_metrics(tmp_path / "m.json", metrics)
    content = json.loads((tmp_path / "m.json").read_text())
    assert content == {"a": 0.5, "a_interval": [0.4, 0.6], "b": None, "b_interval": None, "x_low": 1.0}
    assert read_metrics(tmp_path / "m.json") == metrics
