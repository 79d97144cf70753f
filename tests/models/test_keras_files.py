"""A checkpoint that is damaged, foreign or malicious is refused, and nothing in it runs."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from mlx.core.errors import ArtifactError
from mlx.models import ModelSettings, TaskSpec, build_model, load_model, save_model

pytestmark = pytest.mark.slow

TASK_SPEC = TaskSpec("classification", (6,), 3)
SETTINGS = ModelSettings(name="keras_mlp", params={"hidden_layers": [4]})
Members = dict[str, bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(build_model(SETTINGS, TASK_SPEC, seed=0), SETTINGS, tmp_path, ["a", "b", "c"])
    return tmp_path


def members(folder: Path) -> Members:
    with zipfile.ZipFile(folder / "model.keras") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rewrite(folder: Path, content: Members, compression: int = zipfile.ZIP_STORED) -> None:
    with zipfile.ZipFile(folder / "model.keras", "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, data)


def with_weights(folder: Path, change: Callable[[h5py.File], None]) -> None:
    content = members(folder)
    buffer = io.BytesIO(content["model.weights.h5"])
    with h5py.File(buffer, "r+") as file:
        change(file)
    rewrite(folder, content | {"model.weights.h5": buffer.getvalue()})


def with_config(folder: Path, change: Callable[[Any], None]) -> None:
    content = members(folder)
    config = json.loads(content["config.json"])
    change(config)
    rewrite(folder, content | {"config.json": json.dumps(config).encode()})


KERNEL = "layers/dense/vars/0"


def replaced(file: h5py.File, make: Callable[[h5py.Group], None]) -> None:
    del file[KERNEL]
    make(file["layers/dense/vars"])


def test_what_was_written_is_read_and_written_again_to_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    loaded = load_model(folder)
    (tmp_path / "again").mkdir()
    loaded.save(tmp_path / "again")
    assert (tmp_path / "again/model.keras").read_bytes() == (folder / "model.keras").read_bytes()


@pytest.mark.parametrize(
    ("name", "reason"), [("../evil.py", r"\.\./evil\.py"), ("evil.pkl", "evil.pkl"), ("assets/x", "assets/x")]
)
def test_a_member_that_has_no_place_there_is_refused(folder: Path, name: str, reason: str) -> None:
    rewrite(folder, members(folder) | {name: b"import os"})
    with pytest.raises(ArtifactError, match=f"model.keras: expected a Keras model, .*it holds .*{reason}"):
        load_model(folder)
    assert not (folder.parent / "evil.py").exists()


def test_a_compressed_member_that_may_unfold_to_any_size_is_refused(folder: Path) -> None:
    rewrite(folder, members(folder) | {"model.weights.h5": bytes(50_000_000)}, zipfile.ZIP_DEFLATED)
    with pytest.raises(ArtifactError, match="its content is compressed"):
        load_model(folder)


def test_a_layer_that_carries_code_is_refused_and_not_run(folder: Path) -> None:
    def lambda_layer(config: Any) -> None:
        layer = config["config"]["layers"][2]
        layer["class_name"] = "Lambda"
        layer["config"] = {"name": "hidden_1", "function": {"class_name": "__lambda__", "config": {"code": "4wA="}}}

    def any_class(config: Any) -> None:
        config |= {"module": "subprocess", "class_name": "Popen", "config": {"args": ["touch", str(folder / "ran")]}}

    for attack in (lambda_layer, any_class):
        with_config(folder, attack)
        with pytest.raises(ArtifactError, match="it describes another network: .*(Lambda|Popen|subprocess)"):
            load_model(folder)
    assert not (folder / "ran").exists()


def test_another_activation_is_another_network(folder: Path) -> None:
    def change(config: Any) -> None:
        config["config"]["layers"][2]["config"]["activation"] = "tanh"

    with_config(folder, change)
    with pytest.raises(ArtifactError, match=r"config\.layers\[2\]\.config\.activation: expected 'relu', found 'tanh'"):
        load_model(folder)


def test_links_out_of_the_file_and_arrays_larger_than_the_file_are_refused(folder: Path) -> None:
    secret = folder / "secret.bin"
    secret.write_bytes(np.ones(24, np.float32).tobytes())
    whole = (folder / "model.keras").read_bytes()
    attacks: dict[str, Callable[[h5py.Group], Any]] = {
        "is a link": lambda g: g.__setitem__("0", h5py.ExternalLink(str(folder / "other.h5"), "/x")),
        "is a link ": lambda g: g.__setitem__("0", h5py.SoftLink("/layers/dense/vars/1")),
        "not stored as a plain array": lambda g: g.create_dataset(
            "0", (6, 4), "f4", external=[(str(secret), 0, h5py.h5f.UNLIMITED)]
        ),
        "not stored as a plain array ": lambda g: g.create_dataset("0", (1 << 20, 1 << 20), "f4", compression="gzip"),
        "larger than what is stored": lambda g: g.create_dataset("0", (1 << 20, 1 << 20), "f4"),
        "not numbers": lambda g: g.create_dataset("0", data=np.array([b"x"] * 24).reshape(6, 4)),
        "NaN or infinity": lambda g: g.create_dataset("0", data=np.full((6, 4), np.nan, np.float32)),
        r"of shape \(5, 4\) it should hold 0": lambda g: g.create_dataset("0", data=np.zeros((5, 4), np.float32)),
    }
    for reason, make in attacks.items():
        (folder / "model.keras").write_bytes(whole)
        with_weights(folder, lambda file, make=make: replaced(file, make))  # type: ignore[misc]
        with pytest.raises(ArtifactError, match=f"model.keras: expected a Keras model.*({reason.strip()})"):
            load_model(folder)


def test_weights_that_are_missing_or_too_many_are_refused(folder: Path) -> None:
    whole = (folder / "model.keras").read_bytes()
    for change in (
        lambda file: file.__delitem__(KERNEL),
        lambda file: file.__delitem__("layers/dense"),
        lambda file: file["layers/dense/vars"].create_dataset("2", data=np.zeros(3, np.float32)),
    ):
        (folder / "model.keras").write_bytes(whole)
        with_weights(folder, change)
        with pytest.raises(ArtifactError, match=r"of shape \(.*\) it should hold . arrays, it holds"):
            load_model(folder)


def test_a_flipped_bit_is_noticed(folder: Path) -> None:
    content = bytearray((folder / "model.keras").read_bytes())
    content[len(content) // 2] ^= 1
    (folder / "model.keras").write_bytes(content)
    with pytest.raises(ArtifactError, match="expected a Keras model"):
        load_model(folder)
