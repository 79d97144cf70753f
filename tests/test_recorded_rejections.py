"""What the pipeline rejects of recorded outputs: damaged folders, and configurations that fit none."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from recorded_folders import changed, configured, record, run

from mlx.config import ExperimentConfig, resolve_all
from mlx.core.errors import DataError, MlxError, SettingsError
from mlx.pipeline.steps import STEPS


def without(part: str) -> Callable[[Path], None]:
    return lambda folder: shutil.rmtree(folder / part)


def written(file: str, content: bytes) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        (folder / file).write_bytes(content)

    return write


BAD = {
    "no test part": (without("test"), "expected a folder 'test'"),
    "few labels": (changed("test/y_true.npy", lambda y: y[:5]), "test/y_true.npy: expected labels of shape (120,)"),
    "few rows of a layer": (changed("val/conv.npy", lambda h: h[:5]), "val/conv.npy: expected representations of"),
    "a label too high": (changed("train/y_true.npy", lambda y: y + 1), "train/y_true.npy: row "),
    "a number twice": (changed("val/index.npy", np.zeros_like), "val/index.npy: expected another number for each"),
    "a description of nothing": (written("representations.json", b"{}"), "representations.json: task: expected"),
    "another class less": (changed("val/logits.npy", lambda z: z[:, :2]), "classes of the test part"),
    "texts that are none": (written("test/texts.jsonl", b"3\n" * 120), "test/texts.jsonl: row 0: expected a text"),
    "few texts": (written("test/texts.jsonl", b'"a"\n'), "test/texts.jsonl: expected 120 texts"),
    "texts of another encoding": (written("test/texts.jsonl", b'"\xe9"\n'), "test/texts.jsonl: row 0: expected"),
    "few metadata": (written("test/metadata.jsonl", b'{"size": 1}\n'), "test/metadata.jsonl: expected 120 rows"),
    "an array of objects": (
        lambda folder: np.save(folder / "test/conv.npy", np.array([{}] * 120), allow_pickle=True),
        "test/conv.npy: ",
    ),
    "an empty file": (written("test/logits.npy", b""), "test/logits.npy: "),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_damaged_folder_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    change, said = BAD[name]
    change(record(tmp_path / "recorded"))
    with pytest.raises(MlxError) as error:
        run(tmp_path / "run", configured(tmp_path / "recorded"))
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run/data/representations").exists()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"model": {"name": "mlp"}}, "model: expected the name recorded of both dataset and model"),
        ({"dataset": {"name": "digits"}}, "found dataset digits and model recorded"),
        ({"dataset": {"name": "recorded", "params": {"group": "a"}}}, "did you mean 'groups'"),
        ({"model": {"name": "recorded", "params": {"a": 1}}}, "model.params.a: expected no key here"),
        ({"model": {"name": "recorded", "architecture": "a"}}, "recorded has no variants"),
    ],
)
def test_a_configuration_names_recorded_outputs_alone(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(yaml.safe_dump(configured("recorded").as_dict() | change))
    with pytest.raises(SettingsError) as error:
        resolve_all(path, strict=True)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"representations": {"layers": ["konv"]}}, "penultimate, conv, found 'konv'; did you mean 'conv'"),
        ({"params": {"groups": "sise"}}, "dataset.params.groups: expected one of .*did you mean 'size'"),
    ],
)  # fmt: skip
def test_an_unknown_layer_or_column_is_rejected(tmp_path: Path, sections: dict[str, Any], said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        run(tmp_path / "run", configured(record(tmp_path / "recorded"), **sections))


def test_stages_reject_what_is_half_recorded(tmp_path: Path) -> None:
    source = record(tmp_path / "recorded")
    workspace = run(tmp_path / "run", configured(source), steps=2)
    config = ExperimentConfig.model_validate({"name": "n", "dataset": {"name": "digits"}, "model": {"name": "mlp"}})
    with pytest.raises(SettingsError, match="expected recorded, as dataset.name is, found mlp"):
        STEPS[2](workspace, model=config.model, training=config.training)
    shutil.copytree(source, workspace.representations)
    own = configured(workspace.representations).dataset
    with pytest.raises(DataError, match="expected a folder apart from the results of the pipeline"):
        STEPS[0](workspace, dataset=own)
    for path, error in ((None, SettingsError), (tmp_path / "absent", DataError)):
        given = configured("x").dataset.model_copy(update={"path": path if path is None else str(path)})
        with pytest.raises(error, match="expected (a|the) folder of recorded arrays"):
            STEPS[0](workspace, dataset=given)
