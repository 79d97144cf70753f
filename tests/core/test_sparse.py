"""Sparse arrays come back as they were, in a file that SciPy reads; a bad file is refused and never run."""

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import sparse

from mlx.core.errors import ArtifactError
from mlx.core.sparse import SparseWriter, open_sparse


def rows(n: int = 50, seed: int = 0) -> Any:
    return sparse.random_array((n, 7), density=0.3, rng=np.random.default_rng(seed), format="csr", dtype=np.float32)


def written(path: Path, array: Any, size: int) -> None:
    with SparseWriter(path, array.shape, array.dtype) as writer:
        for first in range(0, array.shape[0], size):
            writer.append(array[first : first + size])


def test_what_was_written_in_blocks_is_read_back_and_scipy_reads_it_too(tmp_path: Path) -> None:
    array = rows()
    for size in (1, 7, 50):
        written(tmp_path / f"{size}.npz", array, size)
    assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 1
    for found in (open_sparse(tmp_path / "7.npz", rows=50), sparse.load_npz(tmp_path / "7.npz")):
        assert isinstance(found, sparse.csr_array)
        assert (found.dtype, found.indices.dtype) == (array.dtype, np.int32)
        np.testing.assert_array_equal(found.toarray(), array.toarray())
    with zipfile.ZipFile(tmp_path / "7.npz") as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}


def test_an_array_saved_by_scipy_itself_enters_too_unsorted_and_doubled_entries_included(tmp_path: Path) -> None:
    odd = sparse.csr_array((np.ones(4), np.array([3, 1, 2, 2]), np.array([0, 2, 2, 4])), shape=(3, 5))
    sparse.save_npz(tmp_path / "odd.npz", odd)
    found = open_sparse(tmp_path / "odd.npz")
    assert found.has_canonical_format
    np.testing.assert_array_equal(found.toarray(), odd.toarray())
    written(tmp_path / "written.npz", odd, 2)
    np.testing.assert_array_equal(open_sparse(tmp_path / "written.npz").indices, found.indices)


def bad(path: Path, **changes: Any) -> None:
    array = rows()
    parts = {"indices": array.indices, "indptr": array.indptr, "format": b"csr", "shape": array.shape}
    np.savez(path, **(parts | {"data": array.data, "_is_array": True} | changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"indices": np.full(105, 7, np.int32)},
        {"indices": np.full(105, -1, np.int32)},
        {"indptr": np.arange(51) * 10_000_000},
        {"indptr": np.arange(51)[::-1]},
        {"format": b"csc"},
        {"format": b"os.system"},
        {"_is_array": False},
        {"data": np.array(["a"] * 105)},
        {"data": np.array([print] * 105)},
        {"shape": (2**62, 7)},
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert rows().nnz == 105
    bad(tmp_path / "leaves.npz", **changes)
    with pytest.raises(ArtifactError, match=r"leaves\.npz: expected sparse rows, found a damaged or foreign file"):
        open_sparse(tmp_path / "leaves.npz")


def test_a_truncated_absent_or_other_file_and_other_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "leaves.npz"
    written(path, rows(), 50)
    whole = path.read_bytes()
    with pytest.raises(ArtifactError, match=r"leaves\.npz: expected 49 rows, found 50"):
        open_sparse(path, rows=49)
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 255]) + whole[middle + 1 :]
    for content in (whole[:middle], flipped, b"", b"PK nonsense", b"\x80\x04K\x01."):
        path.write_bytes(content)
        with pytest.raises(ArtifactError, match="found a damaged or foreign file"):
            open_sparse(path)
    path.unlink()
    with pytest.raises(ArtifactError, match=r"leaves\.npz: expected a file, found none"):
        open_sparse(path)
