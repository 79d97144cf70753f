"""Steps run by hand out of order never continue with what an earlier step made from something else."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from mlx.config import ExperimentConfig
from mlx.core.errors import ArtifactError
from mlx.core.lineage import check_lineage
from mlx.core.paths import Workspace
from mlx.core.stage import call_step, sections_of
from mlx.core.workers import SERIAL
from mlx.experiment import NAMES
from mlx.pipeline.steps import STEPS

CONFIG: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "blobs", "params": {"n_samples": 120, "cluster_std": 3.0}},
    "model": {"name": "logistic_regression"},
    "residuals": {"n_bootstrap": 100, "n_permutations": 99, "projections": ["pca"]},
}
CHANGES: dict[str, dict[str, Any]] = {
    "generate-data": {"dataset": {"name": "blobs", "params": {"n_samples": 120, "cluster_std": 3.0, "seed": 1}}},
    "preprocess-split": {"split": {"seed": 1}},
    "train": {"model": {"name": "logistic_regression", "params": {"C": 0.01}}},
    "extract-representations": {"representations": {"layers": ["input"]}},
    "evaluate": {"evaluation": {"n_bins": 5}},
}
NEXT = {step: NAMES[place + 1] for place, step in enumerate(NAMES[:4])}
"""Per step the one that has to follow it first; after the evaluation and the residuals analysis none is outdated."""


def run(workspace: Workspace, step: str, **changed: Any) -> None:
    config = ExperimentConfig.model_validate(CONFIG | changed)
    function = STEPS[NAMES.index(step)]
    call_step(function, workspace, SERIAL, {name: getattr(config, name) for name in sections_of(function)})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    for step in NAMES[:-1]:
        run(Workspace(folder), step)
    return folder


@pytest.mark.parametrize("changed", NAMES[:5])
def test_a_step_after_a_changed_one_says_which_has_to_run_first(finished: Path, tmp_path: Path, changed: str) -> None:
    workspace = Workspace(tmp_path / "copy")
    shutil.copytree(finished, workspace.root)
    run(workspace, changed, **CHANGES[changed])
    for later in NAMES[NAMES.index(changed) + 1 :]:
        outdated = NEXT.get(changed)
        if outdated in {None, later} or (changed, later) == ("extract-representations", "residuals-analysis"):
            check_lineage(workspace, later)
            continue
        with pytest.raises(ArtifactError) as caught:
            check_lineage(workspace, later)
        assert str(caught.value).endswith(
            f"found what it made of an earlier one; run 'python stages/{outdated.replace('-', '_')}.py' and the stages "
            "after it again, or 'dvc repro'"
        )
    if changed == "generate-data":  # the advice works
        for later in NAMES[NAMES.index(changed) + 1 : -1]:
            run(workspace, later)
        check_lineage(workspace, "report")


def test_a_step_checks_before_it_works(finished: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "copy")
    shutil.copytree(finished, workspace.root)
    run(workspace, "generate-data", **CHANGES["generate-data"])
    before = (workspace.model / "model.json").read_bytes()
    with pytest.raises(ArtifactError, match="preprocessing.json: .* preprocess-split makes of .*raw as it is now"):
        run(workspace, "train")
    assert (workspace.model / "model.json").read_bytes() == before


def test_the_same_data_of_another_origin_are_the_same(finished: Path, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "copy")
    shutil.copytree(finished, workspace.root)
    run(workspace, "generate-data")  # the same bytes
    check_lineage(workspace, "report")
    path = workspace.raw / "dataset.json"
    known = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in known.items() if key != "identity"}))
    check_lineage(workspace, "report")  # of a version without identities
    for damaged in ("{", '{"made_from": 1}', '{"made_from": {"raw": [], "x": {}}, "identity": []}'):
        for document in (path, workspace.splits / "preprocessing.json"):
            document.write_text(damaged)
        check_lineage(workspace, "report")  # damage is for the step that reads the file
