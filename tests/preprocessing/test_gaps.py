"""Gaps in a table, through the steps: dropped, rejected, counted; and what else the raw columns can't be."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings

N = 60
RNG = np.random.default_rng(0)
TABLE = pd.DataFrame(
    {
        "x": [np.nan if k % 7 == 0 else k / 2 for k in range(N)],
        "city": [None if k % 10 == 3 else "Bonn" if k % 3 else "Kiel" for k in range(N)],
        "z": np.arange(N) % 4,
        "who": np.repeat(np.arange(N // 3), 3),
        "y": np.resize(["no", "yes"], N),
    }
)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def split(table: pd.DataFrame = TABLE, *, test: pd.DataFrame | None = None, **sections: Any) -> dict[str, Any]:
    """Run both steps; return ``preprocessing.json``, and the arrays by name."""
    params: dict[str, Any] = {"target": "y", "roles": {"who": "group"}} | sections.pop("params", {})
    table.to_csv("t.csv", index=False)
    if test is not None:
        test.to_csv("test.csv", index=False)
        params["test_path"] = "test.csv"
    workspace = Workspace(Path())
    generate_data(workspace, dataset=DatasetSettings(name="custom", path="t.csv", params=params))
    return splits(workspace, **sections)


def splits(workspace: Workspace, **sections: Any) -> dict[str, Any]:
    asked = {name: sections.get(name, {}) for name in ("split", "preprocessing")}
    preprocess_split(
        workspace,
        split=SplitSettings.model_validate({"method": "random", **asked["split"]}),
        preprocessing=PreprocessingSettings.model_validate(asked["preprocessing"]),
    )
    described = json.loads((workspace.splits / "preprocessing.json").read_text())
    return described | {path.stem: np.load(path) for path in workspace.splits.glob("*.npy")}


def test_features_that_do_not_fit_on_the_disk_are_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    split()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(
        DataError, match=r"60 samples of 4 features, 2 of them of column 'city', found 0\.0 GB; set max"
    ):
        splits(Workspace(Path()))


def test_rows_with_gaps_are_dropped_from_the_parts_that_all_rows_have(capsys: pytest.CaptureFixture[str]) -> None:
    filled, dropped = split(), split(preprocessing={"missing": "drop"})
    gaps = TABLE[["x", "city"]].isna().any(axis=1).to_numpy()
    for part in ("train", "val", "test"):
        kept = ~gaps[filled[f"index_{part}"]]
        np.testing.assert_array_equal(dropped[f"index_{part}"], filled[f"index_{part}"][kept])
        np.testing.assert_array_equal(dropped[f"X_{part}"], filled[f"X_{part}"][kept])
        np.testing.assert_array_equal(dropped[f"y_{part}"], filled[f"y_{part}"][kept])
        assert dropped["dropped_rows"][part] == (~kept).sum()
        assert dropped["sizes"][part] == kept.sum()
    assert (dropped["missing"], filled["missing"], filled["dropped_rows"]) == ("drop", "impute", {})
    assert "left out rows with missing values: " in capsys.readouterr().err
    assert sum(column["gaps"][part] for column in dropped["columns"] for part in ("train", "val", "test")) == 0


def test_gaps_of_columns_that_are_left_out_drop_no_row() -> None:
    assert split(preprocessing={"missing": "drop", "columns": {"x": "drop", "city": "drop"}})["dropped_rows"] == {}


def test_a_part_that_would_have_no_row_is_named() -> None:
    with pytest.raises(SettingsError, match="found none in val .*59 in column 'x'"):
        split(TABLE.assign(x=[*[np.nan] * (N - 1), 1.0]), preprocessing={"missing": "drop"}, split={"test_size": 20})


def test_gaps_are_rejected_with_their_columns_and_first_row() -> None:
    with pytest.raises(
        SettingsError, match="9 in column 'x', 6 in column 'city', the first in row 0 from 0; set"
    ) as caught:
        split(preprocessing={"missing": "reject"})
    assert caught.value.key == ("preprocessing", "missing")
    assert split(preprocessing={"missing": "reject", "columns": {"x": "drop", "city": "drop"}})["features"] == ["z"]


def test_categories_of_the_test_file_alone_are_counted_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    test = TABLE.head(12).assign(city=["Oslo", None, "Bonn"] * 4)
    found = split(test=test, split={"method": "auto"})
    city = next(column for column in found["columns"] if column["name"] == "city")
    assert city["features"] == ["city_Bonn", "city_Kiel"]
    assert (city["unknown"], city["gaps"]["test"]) == ({"train": 0, "val": 0, "test": 4}, 4)
    line = "column 'city' has categories that no training row has: 4 test rows are in none of its features"
    assert line in found["notes"]
    assert f"warning: {line}" in capsys.readouterr().err
    assert found["X_test"][0, 1:3].tolist() == [0, 0]
    assert found["X_test"][1:3, 1:3].tolist() == [[1, 0], [1, 0]]  # the gap is what most training rows are


@pytest.mark.parametrize("method", ["group", "random"])
def test_rows_with_the_same_gaps_are_equal(method: str) -> None:
    table = pd.concat([TABLE, TABLE.head(20)], ignore_index=True)
    asked = {"method": "group", "group": "duplicates"} if method == "group" else {}
    found = split(table, split=asked)
    assert found["groups"]["duplicates"]["groups"] >= 20
    assert (found["groups"]["duplicates"]["divided"] == 0) == (method == "group")


def test_raw_columns_that_hold_something_else_are_rejected_by_name() -> None:
    split()
    workspace = Workspace(Path())
    X = np.load(workspace.raw / "X.npy")
    for place, value, expected in (
        (0, np.inf, "expected a finite number in column 'x', found inf"),
        (1, 2.0, "expected a number from 0 to 1, as of a category, in column 'city', found 2.0"),
        (1, 0.5, "expected a number from 0 to 1, as of a category, in column 'city', found 0.5"),
    ):
        damaged = X.copy()
        damaged[5, place] = value
        np.save(workspace.raw / "X.npy", damaged)
        with pytest.raises(ArtifactError, match=rf"X\.npy: row 5: {expected}"):
            splits(workspace)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_gaps_of_arrays_are_those_of_the_same_table(dtype: type) -> None:
    X = RNG.integers(0, 9, (N, 2)).astype(dtype)
    X[RNG.random(X.shape) < 0.1] = np.nan
    np.savez("a.npz", X=X, y=np.arange(N) % 2)
    generate_data(Workspace(Path()), dataset=DatasetSettings(name="custom", path="a.npz"))
    table = pd.DataFrame(X, columns=["x0", "x1"]).assign(y=np.arange(N) % 2)
    for missing in ("impute", "drop"):
        found = splits(Workspace(Path()), preprocessing={"missing": missing})
        other = split(table, params={"roles": {}}, preprocessing={"missing": missing})
        assert found["columns"] == other["columns"]
        np.testing.assert_array_equal(found["X_train"], other["X_train"])
        generate_data(Workspace(Path()), dataset=DatasetSettings(name="custom", path="a.npz"))
    with pytest.raises(SettingsError, match=f"{np.isnan(X[:, 0]).sum()} in column 'x0'"):
        splits(Workspace(Path()), preprocessing={"missing": "reject"})


@pytest.mark.parametrize("shape", [(30, 2), (30, 4, 4)])
def test_infinite_numbers_of_arrays_are_rejected_and_gaps_of_images(shape: tuple[int, ...]) -> None:
    X = np.ones(shape)
    X[7] = np.nan if len(shape) == 3 else np.inf
    X[3, 0] = np.nan if len(shape) == 2 else 1.0
    np.savez("a.npz", X=X, y=np.arange(30) % 2)
    with pytest.raises(DataError, match="expected finite numbers in X, found others in row 7 from 0"):
        generate_data(Workspace(Path()), dataset=DatasetSettings(name="custom", path="a.npz"))


def test_arrays_without_gaps_have_no_columns() -> None:
    generate_data(Workspace(Path()), dataset=DatasetSettings(name="blobs", params={"n_samples": 60}))
    found = splits(Workspace(Path()), preprocessing={"missing": "drop"})
    assert (found["columns"], found["features"], found["missing"]) == ([], [], None)
