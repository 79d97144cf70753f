"""Columns with a role are no features and no factors, and lie beside the samples as they were written."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mlx.cli import main
from mlx.config import read_config
from mlx.core.artifacts import read_json, read_parquet
from mlx.core.errors import DataError, MlxError
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split

EXAMPLES = Path(__file__).parents[2] / "examples"

ROLES = {"patient": "group", "visit": "order", "set": "part", "note": "ignore"}


@pytest.fixture
def patients(tmp_path: Path) -> pd.DataFrame:
    table = pd.DataFrame(
        {
            "age": np.arange(12) * 1.5,
            "patient": [f"{k:03d}" for k in np.arange(12) // 2],
            "visit": pd.date_range("2020-01-30", periods=12).strftime("%Y-%m-%d"),
            "set": ["train", "train", "test"] * 4,
            "note": [f"a sentence, number {k}" for k in range(12)],
            "y": ["ill", "well"] * 6,
        }
    )
    table.to_csv(tmp_path / "patients.csv", index=False)
    table.to_parquet(tmp_path / "patients.parquet")
    return table


def generated(tmp_path: Path, path: str, **params: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
    workspace = Workspace(tmp_path / "run")
    generate_data(workspace, dataset=DatasetSettings(name="custom", path=str(tmp_path / path), params=params))
    return read_parquet(workspace.raw / "roles.parquet"), read_json(workspace.raw / "dataset.json")


@pytest.mark.parametrize("file", ["patients.csv", "patients.parquet"])
def test_roles_of_a_table_are_no_features_and_are_written_as_they_are(
    tmp_path: Path, patients: pd.DataFrame, file: str
) -> None:
    roles, described = generated(tmp_path, file, target="y", roles=ROLES)
    assert {column["name"]: column["use"] for column in described["columns"]} == {
        "age": "feature",
        "y": "target",
        **ROLES,
    }
    assert described["roles"] == ROLES
    assert roles["patient"].tolist() == patients["patient"].tolist()
    assert roles["note"].tolist() == patients["note"].tolist()
    assert roles["visit"].tolist() == pd.to_datetime(patients["visit"]).tolist()


def test_a_column_to_ignore_may_hold_anything(tmp_path: Path, patients: pd.DataFrame) -> None:
    odd = patients[["age", "y"]].assign(lists=[[k, k + 1] for k in range(12)], lasted=pd.to_timedelta(range(12), "h"))
    odd.to_parquet(tmp_path / "odd.parquet")
    with pytest.raises(DataError, match="column 'lists', found list; leave .* dataset.params.roles: {lists: ignore}"):
        generated(tmp_path, "odd.parquet", target="y")
    ignored = {"lists": "ignore", "lasted": "ignore"}
    roles, described = generated(tmp_path, "odd.parquet", target="y", roles=ignored)
    assert roles.isna().all(axis=None)
    assert [(c["name"], c["use"], c["kind"]) for c in described["columns"][2:]] == [
        ("lists", "ignore", "text"),
        ("lasted", "ignore", "text"),
    ]
    metadata = str(tmp_path / "odd.parquet")
    patients[["age", "y"]].to_parquet(tmp_path / "even.parquet")
    _, described = generated(tmp_path, "even.parquet", target="y", metadata=metadata, roles=ignored)
    assert described["factors"] == ["age", "y"]


def test_roles_of_metadata_are_no_factors(tmp_path: Path, patients: pd.DataFrame) -> None:
    patients[["age", "y"]].to_csv(tmp_path / "table.csv", index=False)
    patients[["patient", "set"]].assign(site=list("ab") * 6, count=range(12)).to_csv(tmp_path / "m.csv", index=False)
    roles, described = generated(
        tmp_path,
        "table.csv",
        target="y",
        metadata=str(tmp_path / "m.csv"),
        roles={"patient": "group", "count": "order"},
    )
    assert described["factors"] == ["set", "site"]
    assert roles["patient"].tolist() == patients["patient"].tolist()
    assert roles["count"].tolist() == list(range(12))


def test_an_order_may_have_decimal_commas(tmp_path: Path, patients: pd.DataFrame) -> None:
    table = patients[["age", "y"]].assign(when=np.arange(12) / 4)
    table.to_csv(tmp_path / "table.csv", index=False, sep=";", decimal=",")
    table[["age", "y"]].to_csv(tmp_path / "bare.csv", index=False)
    table[["when"]].assign(z=0.5).to_csv(tmp_path / "m.csv", index=False, sep=";", decimal=",")
    order = {"when": "order"}
    roles, _ = generated(tmp_path, "table.csv", target="y", roles=order)
    np.testing.assert_array_equal(roles["when"], table["when"])
    roles, _ = generated(tmp_path, "bare.csv", target="y", metadata=str(tmp_path / "m.csv"), roles=order)
    np.testing.assert_array_equal(roles["when"], table["when"])
    table.assign(age=range(12), when=[f"{k},500" for k in range(1, 13)]).to_csv(
        tmp_path / "table.csv", index=False, sep=";"
    )
    with pytest.raises(MlxError, match=r"found '\d,500', which may be two numbers; state dataset\.params\.decimal"):
        generated(tmp_path, "table.csv", target="y", roles=order)
    roles, _ = generated(tmp_path, "table.csv", target="y", roles=order, decimal=",")
    assert roles["when"][0] == 1.5


def test_roles_follow_images_by_the_name_of_their_file(tmp_path: Path) -> None:
    files = []
    for label in ("cat", "dog"):
        (tmp_path / "images" / label).mkdir(parents=True)
        for k in range(3):
            Image.fromarray(np.full((4, 4, 3), 40 * k, np.uint8)).save(tmp_path / "images" / label / f"{k}.png")
            files.append(f"{label}/{k}.png")
    pd.DataFrame({"file": files[::-1], "owner": [5, 4, 3, 2, 1, 0]}).to_csv(tmp_path / "m.csv", index=False)
    roles, _ = generated(tmp_path, "images", metadata=str(tmp_path / "m.csv"), roles={"owner": "group"})
    assert roles["owner"].tolist() == [0, 1, 2, 3, 4, 5]


def test_factors_of_arrays_can_have_a_role(tmp_path: Path) -> None:
    X = np.random.default_rng(0).normal(size=(8, 3))
    np.savez(tmp_path / "own.npz", X=X, y=np.arange(8) % 2, **{"factors/subject": np.arange(8) // 2})
    roles, described = generated(tmp_path, "own.npz", roles={"subject": "group"})
    assert roles["subject"].tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert described["factors"] == []


def test_a_subset_keeps_the_roles_beside_its_samples(tmp_path: Path, patients: pd.DataFrame) -> None:
    roles, _ = generated(tmp_path, "patients.csv", target="y", roles=ROLES, n_samples=5)
    X = np.load(tmp_path / "run" / "data" / "raw" / "X.npy")[:, 0]
    rows = [patients["age"].tolist().index(age) for age in X]
    assert roles["note"].tolist() == patients["note"].iloc[rows].tolist()


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"roles": {"patiant": "group", "visit": "order", "note": "ignore", "set": "part"}},
         "expected columns of .*found 'patiant'; did you mean 'patient'"),
        ({"roles": ROLES | {"age": "group"}, "features": ["age"]}, "found 'age' \\(group\\), which is in data"),
        ({"roles": ROLES | {"y": "group"}}, "found 'y' \\(group\\), which is the target"),
        ({"roles": ROLES | {"note": "order"}}, "expected numbers, or times written as YYYY-MM-DD"),
    ],
)  # fmt: skip
def test_a_role_that_cannot_be_is_named(
    tmp_path: Path, patients: pd.DataFrame, params: dict[str, Any], message: str
) -> None:
    assert len(patients) == 12
    with pytest.raises(MlxError, match=message):
        generated(tmp_path, "patients.parquet", target="y", **params)


def test_a_role_without_metadata_is_rejected_for_a_folder_of_images(tmp_path: Path) -> None:
    for label in ("cat", "dog"):
        (tmp_path / "images" / label).mkdir(parents=True)
        Image.fromarray(np.zeros((4, 4, 3), np.uint8)).save(tmp_path / "images" / label / "0.png")
    with pytest.raises((DataError, MlxError), match="dataset.params.metadata"):
        generated(tmp_path, "images", roles={"owner": "group"})


@pytest.mark.parametrize("method", ["random", "group"])
def test_the_patients_on_both_sides_of_a_random_split_are_found_and_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], method: str
) -> None:
    config = read_config(EXAMPLES / "patients.yaml")
    workspace = Workspace(tmp_path)
    generate_data(workspace, dataset=config.dataset.model_copy(update={"path": str(EXAMPLES / "patients.csv")}))
    split = config.split.model_copy(update={"method": method})
    preprocess_split(workspace, split=split, preprocessing=config.preprocessing)
    patient = read_parquet(workspace.raw / "roles.parquet")["patient"]
    sides = {part: set(patient[np.load(workspace.splits / f"index_{part}.npy")]) for part in ("train", "val", "test")}
    seen = patient[np.load(workspace.splits / "index_test.npy")].isin(sides["train"] | sides["val"]).sum()
    described = read_json(workspace.splits / "preprocessing.json")
    assert described["groups"]["patient"]["test_rows"] == seen
    warned = capsys.readouterr().err
    assert (f"{seen} of 60 test samples are of a group that is in train or val" in warned) == (method == "random")
    assert (seen == 0) == (method == "group")


def test_show_data_lists_columns_with_a_role(
    tmp_path: Path, patients: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    params = {"target": "y", "roles": ROLES, "test_path": str(tmp_path / "patients.csv")}
    dataset = {"name": "custom", "path": str(tmp_path / "patients.csv"), "params": params}
    config = {"name": "p", "dataset": dataset, "model": {"name": "svm"}}
    (tmp_path / "p.json").write_text(json.dumps(config))
    main(["show-data", "--config", str(tmp_path / "p.json"), "--output", str(tmp_path / "p.png")])
    shown = capsys.readouterr()
    rows = [re.split(r"\s{2,}", line) for line in shown.out.splitlines()]
    assert ["patient", "group *", "text", "0", "6 different, 000 to 005"] in rows
    assert ["visit", "order *", "date", "0", "2020-01-30 to 2020-02-10"] in rows
    assert ["age", "feature *", "numeric", "0", "0 to 16.5"] in rows
    assert shown.out.splitlines()[-1] == str(tmp_path / "p.png")
    assert f"parts of the source: {len(patients)} train, {len(patients)} test" in shown.err.splitlines()


def test_data_can_be_looked_at_before_there_is_a_model(
    tmp_path: Path, patients: pd.DataFrame, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(patients) == 12
    dataset = {"name": "custom", "path": str(tmp_path / "patients.csv"), "params": {"target": "y", "roles": ROLES}}
    (tmp_path / "p.json").write_text(json.dumps({"dataset": dataset}))
    main(["show-data", "--config", str(tmp_path / "p.json"), "--output", str(tmp_path / "p.png")])
    assert "6 columns: 1 target, 1 group, 1 order, 1 part, 1 ignore, 1 feature" in capsys.readouterr().out
    assert (tmp_path / "p.png").exists()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_long_numbers_beside_gaps_stay_apart(tmp_path: Path, kind: str) -> None:
    owner = pd.array([2**60 + k // 2 for k in range(11)] + [None], "Int64")
    table = pd.DataFrame({"x": range(12), "owner": owner, "y": ["a", "b"] * 6})
    path = tmp_path / f"t.{kind}"
    table.to_parquet(path) if kind == "parquet" else table.to_csv(path, index=False)
    roles, _ = generated(tmp_path, f"t.{kind}", target="y", roles={"owner": "group"})
    assert roles["owner"].tolist()[:11] == [str(2**60 + k // 2) for k in range(11)]
    assert roles["owner"].isna().tolist() == [False] * 11 + [True]
