"""Columns with a role are no features and no factors, and lie beside the samples as they were written."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from mlx.core.artifacts import read_json, read_parquet
from mlx.core.errors import DataError, MlxError
from mlx.core.paths import Workspace
from mlx.datasets import DatasetSettings
from mlx.pipeline.generate_data import generate_data

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
    assert described["details"]["features"] == ["age"]
    assert described["roles"] == ROLES
    assert roles["patient"].tolist() == patients["patient"].tolist()
    assert roles["note"].tolist() == patients["note"].tolist()
    assert roles["visit"].tolist() == pd.to_datetime(patients["visit"]).tolist()


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
