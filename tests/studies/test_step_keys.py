"""The key of a step changes with everything that its result depends on, and with nothing else."""

from pathlib import Path
from typing import Any

import pytest
from test_layers import PACKAGE_MARKERS, ROOT, closure

from mlx.config import ExperimentConfig
from mlx.studies.step_keys import ROOMS, pipeline_modules, step_keys

CONFIG: dict[str, Any] = {"name": "x", "dataset": {"name": "blobs"}, "model": {"name": "mlp"}}


def keys(**changes: Any) -> dict[str, str]:
    return step_keys(ExperimentConfig.model_validate(CONFIG | changes))


@pytest.mark.parametrize("step", ROOMS)
def test_the_code_of_a_step_is_all_that_it_imports(step: str) -> None:
    for file in closure(ROOT / "mlx/pipeline" / f"{step.replace('-', '_')}.py") - PACKAGE_MARKERS:
        assert file.relative_to(ROOT / "mlx").parts[0] in ROOMS[step] or file in pipeline_modules(step), file


@pytest.mark.parametrize(
    ("changes", "first"),
    [
        ({"name": "y", "description": "z", "report": {"dpi": 60}, "output": {"save_logs": False}}, None),
        ({"dataset": {"name": "moons"}}, "generate-data"),
        ({"split": {"seed": 1}}, "preprocess-split"),
        ({"training": {"seed": 1}}, "train"),
        ({"representations": {"batch_size": 8}}, "extract-representations"),
        ({"evaluation": {"n_bins": 5}}, "evaluate"),
        ({"residuals": {"seed": 1}}, "residuals-analysis"),
    ],
)
def test_a_key_changes_with_its_sections_and_those_before(changes: dict[str, Any], first: str | None) -> None:
    before, after = keys(), keys(**changes)
    changed = [step for step in before if before[step] != after[step]]
    assert changed == ([] if first is None else list(before)[list(before).index(first) :])


def test_a_key_changes_with_the_content_of_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    table = tmp_path / "t.csv"
    custom = {"name": "custom", "path": "t.csv", "params": {"target": "y"}}
    found = set()
    for text in ("x,y\n1,2\n", "x,y\n1,234\n"):
        table.write_text(text)
        found.add(keys(dataset=custom)["residuals-analysis"])
    assert len(found) == 2
