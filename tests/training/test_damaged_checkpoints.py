"""Checkpoints that were changed, are of another model or of a diverged training; and fingerprints."""

import json
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from line import Line
from short_training import DATA, DESCRIBED, NOISE, SETTINGS, VALIDATION, End, KilledAfter, Silent, train

from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.reading import digest_of_file, digest_of_values
from mlx.models import ModelSettings, TaskSpec
from mlx.models.npz import write_npz
from mlx.training import Augmentation, Checkpoints, TrainingSettings, fingerprint, fit_model, load_checkpoint
from mlx.training.fingerprint import difference


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(bytes(content))


def edit(path: Path) -> None:
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"best": 1}))


def forge(path: Path, arrays: dict[str, Any]) -> None:
    """Change the arrays and every digest with them, as one who wants to harm would."""
    np.savez(path, **arrays)
    described = path.with_name("checkpoint.json")
    content = json.loads(described.read_text())
    content["files"][path.name] = digest_of_file(path)
    content["digest"] = digest_of_values({key: value for key, value in content.items() if key != "digest"})
    described.write_text(json.dumps(content))


class Bomb:
    def __reduce__(self) -> Any:
        return (Path.touch, (Path("exploded"),))


def pickled(path: Path) -> None:
    array = np.empty(2, object)
    array[:] = [Bomb(), 1]
    forge(path, {"w": array, "velocity": np.zeros(2)})


def bare_pickle(path: Path) -> None:
    path.write_bytes(pickle.dumps(Bomb()))


def outside(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../exploded", b"x")


def huge(path: Path) -> None:
    forge(path, {"w": np.zeros(2), "velocity": np.zeros(2)})
    with zipfile.ZipFile(path, "w") as archive, archive.open("w.npy", "w") as entry:
        np.lib.format.write_array_header_1_0(entry, {"descr": "<f8", "fortran_order": False, "shape": (1 << 45,)})
    described = path.with_name("checkpoint.json")
    content = json.loads(described.read_text())
    content["files"][path.name] = digest_of_file(path)
    content["digest"] = digest_of_values({key: value for key, value in content.items() if key != "digest"})
    described.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("state.npz", cut), ("state.npz", flip), ("best.npz", cut), ("checkpoint.json", cut), ("checkpoint.json", edit),
        ("checkpoint.json", lambda path: path.write_text("[" * 100_000)), ("state.npz", Path.unlink),
        ("state.npz", pickled), ("state.npz", bare_pickle), ("state.npz", outside), ("state.npz", huge),
        ("state.npz", lambda path: forge(path, {"w": np.zeros(3), "velocity": np.zeros(3)})),
        ("best.npz", lambda path: forge(path, {"weight_0": np.zeros(3)})),
        ("best.npz", lambda path: forge(path, {"../weight_0": np.zeros(2)})),
    ],
)  # fmt: skip
def test_what_was_changed_is_refused_and_the_one_before_is_taken(
    tmp_path: Path, end: End, name: str, damage: Callable[[Path], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "checkpoints"
    train(folder, KilledAfter(30))
    damage(folder / "last" / name)
    found, said, _ = train(folder)
    assert found == end
    assert str(folder / "last") in said[0] or "checkpoint: " in said[0]
    assert said[0].endswith("this checkpoint is not used")
    assert said[1] == f"continues after epoch 2, from {folder / 'previous'}"
    assert not list(tmp_path.rglob("*exploded*"))

    train(folder / "both", KilledAfter(30))
    for slot in ("last", "previous"):
        damage(folder / "both" / slot / name)
    found, said, _ = train(folder / "both")
    assert found == end
    assert len(said) == 2


def test_weights_of_another_model_are_refused_with_both_shapes(tmp_path: Path, monkeypatch: Any) -> None:
    train(tmp_path)
    monkeypatch.setattr("mlx.training.checkpoints.rebuild_model", lambda _: Line(3))
    with pytest.raises(ArtifactError, match=r"expected the weights of the model, \(\(3,\), .*, found \(\(2,\), "):
        load_checkpoint(tmp_path / "best")
    write_npz(tmp_path / "best" / "weights.npz", {"weight_1": np.zeros(3)})
    with pytest.raises(ArtifactError, match="expected weights numbered from 0, found weight_1"):
        load_checkpoint(tmp_path / "best")


def test_a_training_that_diverged_keeps_its_last_good_state_and_says_so_when_it_is_tried_again(tmp_path: Path) -> None:
    wild: dict[str, Any] = {"learning_rate": 2.2, "epochs": 99, "early_stopping_patience": None, "params": {}}
    with pytest.raises(SettingsError, match=r"found \S+ in epoch \d+"):
        train(tmp_path, **wild)
    assert (tmp_path / "last" / "state.npz").exists()
    assert np.isfinite(np.load(tmp_path / "last" / "state.npz")["w"]).all()
    said: list[str] = []
    settings = TrainingSettings.model_validate(SETTINGS | wild)
    checkpoints = Checkpoints(
        tmp_path, fingerprint={"training": settings.as_dict()}, frequency=1, description=DESCRIBED, report=said.append
    )
    with pytest.raises(SettingsError, match=r"found \S+ in epoch \d+"):
        fit_model(Line(), DATA, VALIDATION, settings, Silent(), checkpoints=checkpoints, augmentation=NOISE)
    assert said[0].startswith("continues after epoch ")
    assert "diverged in epoch" in said[1]
    _, said, _ = train(tmp_path)
    assert said[0].startswith("starts over")
    assert len(said) == 1


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    path = tmp_path / "X.npy"
    np.save(path, np.arange(6.0))
    return {"X_train": path}


def test_a_fingerprint_tells_of_everything_that_decides_a_number(files: dict[str, Path], tmp_path: Path) -> None:
    def made(epochs: int = 3, augmentation: Augmentation = Augmentation(), **params: Any) -> dict[str, Any]:  # noqa: B008
        model = ModelSettings(name="cnn", params=params)
        task_spec = TaskSpec("classification", (2,), 2)
        return fingerprint(model, TrainingSettings(epochs=epochs), augmentation, task_spec, files)

    first = made()
    assert json.loads(json.dumps(first)) == first == made()
    assert difference(first, made(epochs=4)) == "training.epochs was 3 and is 4"
    assert difference(first, made(dropout=0.5)) == "model.params.dropout was 0.25 and is 0.5"
    assert difference(first, made(augmentation=Augmentation(flip=True))) == "augmentation.flip was false and is true"
    np.save(files["X_train"], np.arange(6.0) + 1)
    assert difference(first, made()) == "other data.X_train"
    assert first["version.keras"]
    assert difference(first | {"version.keras": "1"}, made(epochs=5)).count(",") == 2
