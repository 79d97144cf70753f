"""Equal rows are found by their bytes, counted where they are in two parts, and kept together on request."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlx.core.artifacts import read_json, read_parquet
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.preprocessing.duplicates import equal_rows, row_digests
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64, np.int64])
def test_rows_are_equal_where_numpy_says_so(dtype: type) -> None:
    rng = np.random.default_rng(0)
    X = rng.integers(0, 3, (500, 2, 2)).astype(dtype)
    codes = equal_rows(row_digests(np.array_split(X, 7), len(X)))
    _, expected = np.unique(X.reshape(len(X), -1), axis=0, return_inverse=True)
    same = codes[:, None] == codes[None]
    np.testing.assert_array_equal(same, expected.ravel()[:, None] == expected.ravel()[None])
    first = np.unique(codes, return_index=True)[1]
    assert (np.diff(first) > 0).all(), "codes are in the order of the first rows"


@pytest.fixture
def raw(tmp_path: Path) -> Workspace:
    """200 rows, of which every fourth is a copy of the one before it."""
    X = np.random.default_rng(0).normal(size=(200, 3))
    X[3::4] = X[2::4]
    np.savez(tmp_path / "own.npz", X=X, y=np.arange(200) // 2 % 2)
    workspace = Workspace(tmp_path / "run")
    generate_data(workspace, dataset=DatasetSettings(name="custom", path=str(tmp_path / "own.npz")))
    return workspace


def parts_of(workspace: Workspace) -> pd.Series:
    index = {part: np.load(workspace.splits / f"index_{part}.npy") for part in ("train", "val", "test")}
    return pd.Series({row: part for part, rows in index.items() for row in rows}).sort_index()


def test_duplicates_across_parts_are_counted_and_said(raw: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    preprocess_split(raw, split=SplitSettings(), preprocessing=PreprocessingSettings())
    found, part = read_parquet(raw.splits / "duplicates.parquet"), parts_of(raw)
    assert found["row"].tolist() == list(range(200))
    assert (found["group"][2::4].to_numpy() == found["group"][3::4].to_numpy()).all()
    assert found["group"].nunique() == 150
    pairs = [(part[row], part[row + 1]) for row in range(2, 200, 4)]
    split_pairs = [pair for pair in pairs if pair.count("test") == 1]
    described = read_json(raw.splits / "preprocessing.json")
    assert described["groups"]["duplicates"] == {
        "groups": 50, "divided": sum(a != b for a, b in pairs), "test_rows": len(split_pairs),
    }  # fmt: skip
    assert f"{len(split_pairs)} of 40 test samples equal a sample in train or val" in capsys.readouterr().err


def test_duplicates_stay_together_on_request(raw: Workspace) -> None:
    preprocess_split(raw, split=SplitSettings(group="duplicates"), preprocessing=PreprocessingSettings())
    described, part = read_json(raw.splits / "preprocessing.json"), parts_of(raw)
    assert all(part[row] == part[row + 1] for row in range(2, 200, 4))
    assert (described["split_method"], described["split_by"]) == ("group", "duplicates")
    assert described["groups"]["duplicates"]["divided"] == 0
    assert described["notes"] == []
