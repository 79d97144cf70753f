"""Every reader gives the value or one message that names the file, whatever a file holds."""

import errno
import importlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import random_array

from mlx.core.arrays import open_array, write_array
from mlx.core.artifacts import read_csv, read_json, read_parquet, write_csv, write_json, write_parquet
from mlx.core.errors import ArtifactError, MissingPackageError
from mlx.core.reading import reading
from mlx.core.sparse import SparseWriter, open_sparse
from mlx.models.npz import read_all, write_npz

SCRIPT = Path(__file__).parents[1] / "read_damaged.py"


def written(folder: Path) -> None:
    """Write a whole file of every kind."""
    rng = np.random.default_rng(0)
    write_array(folder / "array.npy", rng.normal(size=(20, 3)).astype(np.float32))
    rows = random_array((30, 8), density=0.2, format="csr", rng=rng)
    with SparseWriter(folder / "sparse.npz", (30, 8), np.float64) as writer:
        writer.append(rows)
    write_npz(folder / "weights.npz", {"a": rng.normal(size=(3, 2)), "b": np.arange(4)})
    table = pd.DataFrame(
        {"index": range(30), "name": ["NA", 'a,"b"', "ä"] * 10, "x": rng.normal(size=30), "right": [True, False] * 15}
    )
    write_parquet(folder / "table.parquet", table)
    write_csv(folder / "table.csv", table)
    write_json(folder / "any.json", {"a": [1.5e-3, None, "ä\n"], "b": {"c": {"d": True}}, "e": 123456789012345678})
    dataset: dict[str, Any] = {
        "name": "blobs", "task": "classification", "class_names": ["a", "b"], "shape": [20, 3], "dtype": "float64",
        "source": "made", "seed": 1, "params": {"n_samples": 20}, "augmentation": {"flip": True, "shift": 0.1},
        "factors": [], "details": {},
    }  # fmt: skip
    write_json(folder / "dataset.json", dataset)
    write_json(folder / "metrics.json", {"n": 24, "accuracy": 0.958, "accuracy_interval": [0.8, 0.99], "ece": None})
    text = "name: a\ndataset: {name: blobs, params: {n_samples: 120}}\nlist: [1, .inf, &x y, *x]\nb: |\n  text\n"
    (folder / "params.yaml").write_text(text)
    write_json(folder / "config.json", {"name": "a", "dataset": {"name": "blobs", "params": {"n_samples": 1}}})


@pytest.mark.slow
def test_a_file_damaged_at_random_gives_its_value_or_one_message(tmp_path: Path) -> None:
    written(tmp_path)
    command = (sys.executable, SCRIPT, tmp_path, "150", "1")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_package_that_is_missing_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_parquet(tmp_path / "t.parquet", pd.DataFrame({"x": [1]}))
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with (
        pytest.raises(MissingPackageError, match=r"t\.parquet: import of pyarrow.* halted; .*install it again$"),
        reading(tmp_path / "t.parquet", "a Parquet table"),
    ):
        importlib.import_module("pyarrow.parquet")


READERS = {
    "array.npy": open_array,
    "sparse.npz": open_sparse,
    "weights.npz": read_all,
    "table.parquet": read_parquet,
    "table.csv": read_csv,
    "any.json": read_json,
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("number", [errno.EACCES, errno.EMFILE, errno.EIO, errno.ENOMEM])
def test_what_the_system_refuses_is_passed_on_with_the_name_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, number: int
) -> None:
    written(tmp_path)

    def refused(path: Path, *_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(OSError, match=os.strerror(number)) as caught:
        READERS[name](tmp_path / name)
    assert (caught.value.errno, caught.value.filename) == (number, str(tmp_path / name))


WITH_LITTLE_MEMORY = """
import importlib, os, resource, sys, traceback
from pathlib import Path
import pyarrow.parquet, pandas, scipy.sparse
readers = [(Path(path), getattr(importlib.import_module(module), name)) for path, module, name in {readers}]
for path, read in readers:
    if child := os.fork():
        os.waitpid(child, 0)
        continue
    used = int(Path('/proc/self/statm').read_text().split()[0]) * 4096
    resource.setrlimit(resource.RLIMIT_AS, (used, used))
    try:
        read(path)
    except (MemoryError, OSError) as error:
        if str(path) not in str(error):
            traceback.print_exc()
    except BaseException:
        traceback.print_exc()
    print(path.name, flush=True)
    os._exit(0)
"""
"""Reads every file in a process of its own that may take no more memory; all have one import of packages."""


@pytest.mark.slow
def test_a_lack_of_memory_is_no_damage(tmp_path: Path) -> None:
    written(tmp_path)
    readers = [(str(tmp_path / name), read.__module__, read.__name__) for name, read in READERS.items()]
    command = (sys.executable, "-c", WITH_LITTLE_MEMORY.format(readers=readers))
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, list(READERS), "")


@pytest.mark.parametrize("name", READERS)
def test_a_pipe_or_a_folder_in_the_place_of_a_file_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for place, found in (("pipe", "a pipe"), ("folder", "a folder"), ("absent", "none")):
        with pytest.raises(ArtifactError, match=f"{place}: expected a file, found {found}"):
            READERS[name](tmp_path / place)


def test_an_array_that_claims_more_than_its_file_holds_takes_no_memory(tmp_path: Path) -> None:
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 100), }"
    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    (tmp_path / "a.npy").write_bytes(content + bytes(800))
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", content + bytes(800))
    for path, read in ((tmp_path / "a.npy", open_array), (tmp_path / "a.npz", read_all)):
        with pytest.raises(ArtifactError, match="float64 of shape"):
            read(path)


@pytest.mark.parametrize(
    "text",
    ["NaN", '{"a": NaN}', '{"a": 1e999}', '{"a": 1, "a": 2}', '{"a": "\\ud800"}', '{"a": ' + "[" * 70 + "]" * 70 + "}"],
)
def test_json_that_no_artifact_can_hold_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ArtifactError, match=r"a\.json: expected"):
        read_json(tmp_path / "a.json")


def test_a_header_that_other_software_writes_is_read(tmp_path: Path) -> None:
    for header in (
        b"{'descr': '<f8', 'fortran_order': True, 'shape': (2,3), }",
        b'{"shape": (2, 3), "descr": "<f8", "fortran_order": True}\n',
        b"{'descr': '<f8',\n'fortran_order':True,'shape':(2,3)}      \n",
    ):
        content = b"\x93NUMPY\x02\x00" + len(header).to_bytes(4, "little") + header
        (tmp_path / "a.npy").write_bytes(content + np.arange(6.0).tobytes())
        np.testing.assert_array_equal(open_array(tmp_path / "a.npy"), np.arange(6.0).reshape(2, 3, order="F"))
        np.testing.assert_array_equal(open_array(tmp_path / "a.npy"), np.load(tmp_path / "a.npy"))
