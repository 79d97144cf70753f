"""Artifacts are written whole or not at all, byte-stable, and read with care."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from pyarrow.parquet import ParquetFile

from mlx.core import artifacts
from mlx.core.arrays import ArrayWriter, open_array, rows_of, stream_rows, write_array
from mlx.core.artifacts import (
    read_csv,
    read_json,
    read_parquet,
    replacing,
    replacing_folder,
    write_csv,
    write_json,
    write_parquet,
    write_parquet_in_groups,
)
from mlx.core.errors import ArtifactError


def _write_half(path: Path) -> None:
    path.write_text("half")
    path.parent.write_text("the other half")


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with pytest.raises(IsADirectoryError), replacing(target) as temporary:
        _write_half(temporary)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert target.read_text() == "old"


def test_a_folder_is_replaced_as_a_whole_or_stays(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with replacing_folder(folder) as new:
        (new / "a").write_text("1")
    with pytest.raises(IsADirectoryError), replacing_folder(folder) as new:
        _write_half(new / "b")
    assert [path.name for path in folder.iterdir()] == ["a"]
    with replacing_folder(folder) as new:
        (new / "c").write_text("3")
    assert [path.name for path in folder.iterdir()] == ["c"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_what_a_killed_run_left_beside_an_artifact_is_cleared_away(tmp_path: Path) -> None:
    (tmp_path / ".out.17.tmp").mkdir()
    (tmp_path / ".out.17.tmp/half").write_text("x")
    (tmp_path / ".a.json.17.tmp").write_text("{")
    with replacing_folder(tmp_path / "out") as new:
        (new / "a").write_text("1")
    write_json(tmp_path / "a.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "out"]


def test_json_refuses_numbers_that_json_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(tmp_path / "a.json", {"x": float("nan")})
    assert not list(tmp_path.iterdir())


def test_tables_come_back_as_they_went(tmp_path: Path) -> None:
    table = pd.DataFrame({"name": ["NA", "null", 'a,"b"', "ä<b>"], "x": [1 / 3, np.nan, 1e-300, -0.0]})
    write_csv(tmp_path / "t.csv", table)
    write_parquet(tmp_path / "t.parquet", table)
    pd.testing.assert_frame_equal(read_csv(tmp_path / "t.csv"), table, check_exact=True)
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "t.parquet"), table, check_exact=True)


def test_a_table_written_in_groups_of_rows_comes_back_whole_and_one_group_has_the_bytes_of_the_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = pd.DataFrame({"x": np.arange(10) / 3, "name": [None] * 6 + list("abcd"), "right": [True, False] * 5})
    write_parquet(tmp_path / "whole.parquet", table)
    write_parquet_in_groups(tmp_path / "one.parquet", len(table), lambda rows: table.iloc[rows].reset_index(drop=True))
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "whole.parquet").read_bytes()
    monkeypatch.setattr(artifacts, "ROWS_AT_ONCE", 4)
    write_parquet_in_groups(tmp_path / "some.parquet", len(table), lambda rows: table.iloc[rows].reset_index(drop=True))
    assert ParquetFile(tmp_path / "some.parquet").num_row_groups == 3
    pd.testing.assert_frame_equal(read_parquet(tmp_path / "some.parquet"), table)


def test_an_array_written_in_blocks_equals_one_written_at_once(tmp_path: Path) -> None:
    array = np.arange(60, dtype=np.float32).reshape(10, 3, 2)
    with ArrayWriter(tmp_path / "blocks.npy", array.shape, np.float32) as writer:
        for block in (array[:4], array[4:9][:, :, ::-1][:, :, ::-1], array[9:].astype(np.float64)):
            writer.append(block)
    write_array(tmp_path / "whole.npy", array)
    assert (tmp_path / "blocks.npy").read_bytes() == (tmp_path / "whole.npy").read_bytes()
    np.testing.assert_array_equal(np.load(tmp_path / "blocks.npy"), array)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("rows", [1, 3, 10, 99])
def test_streaming_gives_every_row_once_in_order(tmp_path: Path, rows: int, order: Literal["C", "F"]) -> None:
    array = np.random.default_rng(0).normal(size=(10, 4))
    np.save(tmp_path / "a.npy", np.asarray(array, order=order))
    blocks = list(stream_rows(tmp_path / "a.npy", rows))
    np.testing.assert_array_equal(np.concatenate([block for _, block in blocks]), array)
    assert all(len(block) == where.stop - where.start for where, block in blocks)


def test_a_block_has_at_least_one_row_and_stays_within_its_budget() -> None:
    assert rows_of(1 << 40) == 1
    assert rows_of(1024, 1 << 20) == 1024


def test_damaged_files_are_named_and_objects_are_never_unpickled(tmp_path: Path) -> None:
    write_array(tmp_path / "a.npy", np.zeros((5, 2)))
    content = (tmp_path / "a.npy").read_bytes()
    for damaged in (b"", b"nonsense", b"PK nonsense", content[:-8], content[:20]):
        (tmp_path / "d.npy").write_bytes(damaged)
        with pytest.raises(ArtifactError, match=r"d\.npy: expected an array of numbers, found a damaged"):
            open_array(tmp_path / "d.npy")
    np.save(tmp_path / "o.npy", np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(ArtifactError, match=r"o\.npy: expected an array"):
        open_array(tmp_path / "o.npy")
    for unusable in (np.array(3.0), np.array(["a"]), np.zeros(3, ">f8"), np.zeros(3, complex)):
        np.save(tmp_path / "u.npy", unusable)
        with pytest.raises(ArtifactError, match=r"u\.npy: expected rows of numbers, found"):
            open_array(tmp_path / "u.npy")
    with pytest.raises(ArtifactError, match="expected 6 rows, found 5"):
        open_array(tmp_path / "a.npy", rows=6)
    with pytest.raises(ArtifactError, match="expected 1 dimensions, found shape"):
        open_array(tmp_path / "a.npy", ndim=1)
    (tmp_path / "j.json").write_text("[1]")
    with pytest.raises(ArtifactError, match=r"j\.json: expected a JSON object, found list"):
        read_json(tmp_path / "j.json")
    with pytest.raises(ArtifactError, match="expected a file, found none; 'dvc repro', or for a run"):
        read_parquet(tmp_path / "absent.parquet")


def test_infinite_numbers_are_blanks_in_csv(tmp_path: Path) -> None:
    table = pd.DataFrame({"n": [1, 2, 3], "x": [np.inf, 0.1, -np.inf], "name": ["inf", "b", "c"]})
    write_csv(tmp_path / "a.csv", table)
    assert (tmp_path / "a.csv").read_text() == "n,x,name\n1,,inf\n2,0.1,b\n3,,c\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("n", [10, 100_000])
def test_an_array_that_does_not_fit_the_disk_is_named(n: int) -> None:
    with (
        pytest.raises(OSError, match="No space left on device: '/dev/full'"),  # by the last write, or before
        ArrayWriter(Path("/dev/full"), (n,), np.float64) as writer,
    ):
        writer.append(np.zeros(n))
