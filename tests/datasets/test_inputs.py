"""What a dataset was read from is identified by names, sizes and contents, as the shell's own tools tell them."""

import hashlib
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx.core.artifacts import read_json
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.datasets.inputs import changes, fingerprint, inputs_of
from mlx.pipeline.generate_data import generate_data


def custom(path: str, **params: Any) -> DatasetSettings:
    return DatasetSettings(name="custom", path=path, params=params)


def test_every_file_that_the_settings_name_is_an_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "y.npy").touch()
    table = custom("a.csv", target="y", test_path="/b.csv", metadata="m.csv")
    assert inputs_of(table) == {
        "dataset.path": Path("a.csv"),
        "dataset.params.test_path": Path("/b.csv"),
        "dataset.params.metadata": Path("m.csv"),
    }
    beside = {"dataset.path": Path("sub/X.npy"), "dataset.params.target": Path("sub/y.npy")}
    assert inputs_of(custom("sub/X.npy", target="y.npy")) == beside
    assert inputs_of(custom("X.npy", target="sub/y.npy"))["dataset.params.target"] == Path("sub/y.npy")
    assert inputs_of(custom("studies/own.py:make")) == {"dataset.path": Path("studies/own.py")}
    assert inputs_of(DatasetSettings(name="mnist", path="files")) == {"dataset.path": Path("files")}
    assert inputs_of(DatasetSettings(name="mnist")) == inputs_of(DatasetSettings(name="blobs")) == {}


def test_a_file_has_its_own_hash(tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    (tmp_path / "a b.bin").write_bytes(content)
    found = fingerprint(tmp_path / "a b.bin")
    assert (found.files, found.bytes, found.sha256) == (1, len(content), hashlib.sha256(content).hexdigest())


def test_a_folder_has_the_hash_that_the_documented_command_prints(tmp_path: Path) -> None:
    for name in ("b/1.png", "b.png", "ä/2", "a b/c d/3", "Z", "a-b", "b/.hidden"):
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "data" / name).write_text(name * 3)
    command = "find * -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path / "data", capture_output=True, text=True, check=True)
    found = fingerprint(tmp_path / "data")
    assert (found.files, found.bytes) == (
        7,
        sum(len(f.read_bytes()) for f in (tmp_path / "data").rglob("*") if f.is_file()),
    )
    assert found.sha256 == done.stdout.split()[0]
    (tmp_path / "data" / "b.png").rename(tmp_path / "data" / "c.png")
    assert fingerprint(tmp_path / "data").sha256 != found.sha256


def test_links_are_followed_and_a_loop_ends(tmp_path: Path) -> None:
    for name in ("with links", "plain"):
        (tmp_path / name / "cats").mkdir(parents=True)
        (tmp_path / name / "cats" / "1").write_text("cat")
    (tmp_path / "plain" / "dogs").mkdir()
    (tmp_path / "plain" / "dogs" / "2").write_text("dog")
    (tmp_path / "with links" / "dogs").symlink_to(tmp_path / "plain" / "dogs")
    (tmp_path / "with links" / "loop").symlink_to(tmp_path / "with links")
    assert fingerprint(tmp_path / "with links").sha256 == fingerprint(tmp_path / "plain").sha256


def test_what_was_read_is_described_beside_the_samples_and_a_change_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name in ("X", "y"):
        np.save(tmp_path / f"{name}.npy", rng.integers(0, 2, (40, 2) if name == "X" else 40))
    settings = custom(str(tmp_path / "X.npy"), target="y.npy")
    generate_data(Workspace(tmp_path / "run"), dataset=settings)
    described = read_json(tmp_path / "run/data/raw/dataset.json")["inputs"]
    assert described == {
        f"dataset.{key}": fingerprint(tmp_path / f"{name}.npy").as_dict()
        for key, name in (("path", "X"), ("params.target", "y"))
    }
    read = {"dataset.path": fingerprint(tmp_path / "X.npy"), "dataset.params.target": fingerprint(tmp_path / "y.npy")}
    assert list(changes(read, settings)) == []
    np.save(tmp_path / "X.npy", np.zeros((41, 2)))
    (line,) = changes(read, settings)
    assert line.startswith(f"dataset.path: {tmp_path / 'X.npy'} has changed: 1 file, 768 bytes, SHA-256 ")
    (tmp_path / "X.npy").unlink()
    assert "was read, and there is nothing there now" in next(changes(read, settings))
