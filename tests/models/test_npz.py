"""Files of arrays are read back, and refused in one way however they are damaged."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from mlx.core.errors import ArtifactError
from mlx.models.npz import read_all, read_npz, write_npz

ARRAYS = {"a": np.arange(3.0), "b": np.ones((2, 2))}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of an odd header that NumPy can still read
def test_whatever_byte_is_changed_nothing_but_a_refusal_comes_of_it(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    write_npz(path, ARRAYS)
    whole = path.read_bytes()
    refused = 0
    for place, byte in enumerate(whole):
        for other in {byte ^ 1, byte ^ 8, 0, 255} - {byte}:
            path.write_bytes(whole[:place] + bytes([other]) + whole[place + 1 :])
            try:
                assert set(read_npz(path, ("a", "b"))) == set(ARRAYS)
                read_all(path)
            except ArtifactError as error:
                refused += 1
                assert str(path) in str(error)  # noqa: PT017
    assert refused > len(whole)


def test_a_compressed_file_that_may_unfold_to_any_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    write_npz(path, {"a": np.zeros(3)})
    with zipfile.ZipFile(path) as archive:
        content = archive.read("a.npy")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.npy", content)
    with pytest.raises(ArtifactError, match="expected named arrays, found a damaged or foreign file"):
        read_all(path)
    with pytest.raises(ArtifactError, match="expected a checkpoint with a, found a damaged or foreign file"):
        read_npz(path, ("a",))


def test_what_was_written_is_read(tmp_path: Path) -> None:
    write_npz(tmp_path / "w.npz", ARRAYS)
    for found in (read_all(tmp_path / "w.npz"), read_npz(tmp_path / "w.npz", ("b", "a"))):
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(found[name], array)
