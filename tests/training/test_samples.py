"""Batches hold the rows that were asked for, wherever they are read from."""

from pathlib import Path

import numpy as np
import pytest

from mlx.core.arrays import open_array, write_array
from mlx.core.errors import ArtifactError
from mlx.training import Samples
from mlx.training.samples import LARGE

Array = np.ndarray


@pytest.mark.parametrize("kept", ["memory", "file", "file in columns", "view of a file"])
def test_every_row_comes_once_and_in_order(tmp_path: Path, kept: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlx.training.samples.LARGE", 1000)
    assert LARGE > 1000
    X = np.random.default_rng(0).random((101, 3, 2)).astype(np.float32)
    if kept != "memory":
        with (tmp_path / "X.npy").open("wb") as file:
            np.save(file, np.asfortranarray(X) if kept == "file in columns" else X)
    read: Array = X if kept == "memory" else open_array(tmp_path / "X.npy")
    if kept == "view of a file":
        X, read = X[::-1], read[::-1]
    samples = Samples(read, np.arange(101))
    order = np.random.default_rng(1).permutation(101)
    for rows, batches in ((order, samples.batches(16, order)), (np.arange(101), samples.batches(16))):
        taken = list(batches)
        assert [len(y) for _, y in taken] == [16] * 6 + [5]
        np.testing.assert_array_equal(np.concatenate([y for _, y in taken]), rows)
        np.testing.assert_array_equal(np.concatenate([x for x, _ in taken]), X[rows])
        assert all(x.flags.writeable and x.dtype == X.dtype for x, _ in taken)


def test_a_file_that_has_become_shorter_is_an_error_with_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlx.training.samples.LARGE", 1000)
    path = tmp_path / "X.npy"
    write_array(path, np.zeros((500, 4)))
    samples = Samples(open_array(path), np.zeros(500))
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ArtifactError, match=r"X.npy: expected 500 rows, found a shorter file"):
        list(samples.batches(10, np.arange(500)))
