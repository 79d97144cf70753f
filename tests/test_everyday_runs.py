"""Tables as people have them run with every model from five lines, and what trains decides alone."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from everyday_tables import TABLES

from mlx.config import ExperimentConfig, read_config
from mlx.core.paths import Workspace
from mlx.experiment import run_experiment
from mlx.models.catalogue import MODELS
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.pipeline.train import train
from mlx.residuals import ResidualsSettings

FIVE_LINES = """\
name: everyday
dataset: {{name: custom, path: {path}, params: {{target: {target}}}}}
model: {{name: {model}}}
training: {{epochs: 2}}
report: {{dpi: 50}}
"""

ANY_TASK = ("mlp", "random_forest", "gradient_boosting", "svm", "keras_mlp")
CLASSES, QUANTITIES = {*ANY_TASK, "logistic_regression"}, {*ANY_TASK, "linear_regression"}


PAIRS = [
    pytest.param(
        table, model, marks=pytest.mark.slow if table != "penguins" or MODELS[model].library == "in_keras" else ()
    )
    for table, models in (("penguins", CLASSES), ("titanic", CLASSES), ("credit", QUANTITIES))
    for model in sorted(models)
]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configured(table: str, model: str, end: str = "csv") -> ExperimentConfig:
    """Write the table, and read the five lines."""
    make, target = TABLES[table]
    path = f"{table}.{end}"
    make().to_csv(path, index=False) if end == "csv" else make().to_parquet(path)
    Path("study.yaml").write_text(FIVE_LINES.format(path=path, target=target, model=model))
    return read_config(Path("study.yaml"))


def prepared(config: ExperimentConfig, root: str = "ws") -> Workspace:
    workspace = Workspace(Path(root))
    generate_data(workspace, dataset=config.dataset)
    preprocess_split(workspace, split=config.split, preprocessing=config.preprocessing)
    return workspace


def fitted(config: ExperimentConfig, workspace: Workspace) -> None:
    train(workspace, model=config.model, training=config.training)


def about(workspace: Workspace) -> dict[str, Any]:
    return json.loads((workspace.splits / "preprocessing.json").read_text())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning", "ignore:the 13 features have rank 11:RuntimeWarning")
@pytest.mark.filterwarnings("ignore:logistic_regression did not converge")  # 920 to 1000 iterations, by processor
@pytest.mark.parametrize(("table", "model"), PAIRS)
def test_a_table_with_gaps_runs_with_every_model_from_five_lines(table: str, model: str) -> None:
    config = configured(table, model)
    workspace = prepared(config)
    fitted(config, workspace)
    extract_representations(workspace, representations=config.representations)
    assert all(np.isfinite(np.load(workspace.splits / f"X_{part}.npy")).all() for part in ("train", "val", "test"))


def test_coefficients_are_called_by_their_features() -> None:
    config = configured("credit", "linear_regression")
    asked = config.as_dict() | {"preprocessing": {"columns": {"categorical": {"drop": "first"}, "opened": "date"}}}
    config = ExperimentConfig.model_validate(asked)
    workspace = prepared(config)
    fitted(config, workspace)
    extract_representations(workspace, representations=config.representations)
    residuals_analysis(workspace, residuals=config.residuals)
    found = pd.read_csv(workspace.residuals / "coefficients.csv")
    assert found["feature"].tolist() == ["intercept", *about(workspace)["features"]]
    assert {"income", "owner", "opened", "purpose_car", "grade_B"} <= set(found["feature"])
    assert not {"purpose_boat", "grade_A"} & set(found["feature"])
    assert found["standard_error"].notna().all()


@pytest.mark.parametrize("table", TABLES)
def test_what_is_recorded_makes_the_features_again(table: str) -> None:
    asked = configured(table, "svm").as_dict()
    columns = {"categorical": {"min_frequency": 8}, "numeric": "median", "date": "mean"}
    config = ExperimentConfig.model_validate(asked | {"preprocessing": {"scaling": "standard", "columns": columns}})
    workspace = prepared(config)
    found, (make, target) = about(workspace), TABLES[table]
    rows = make().dropna(subset=target).iloc[np.load(workspace.splits / "index_test.npy")]
    made = [_features(rows[column["name"]], column) for column in found["columns"] if column["features"]]
    expected = (np.column_stack(made) - found["mean"]) / found["scale"]
    np.testing.assert_allclose(np.load(workspace.splits / "X_test.npy"), expected, rtol=1e-12, atol=1e-12)


def _features(values: pd.Series, column: dict[str, Any]) -> np.ndarray:
    if column["kind"] == "categorical":
        texts = values.astype(object).where(values.notna(), column["fill_value"])
        frequent = [name for name in column["categories"] if name not in column["infrequent"]]
        features = [texts == name for name in frequent]
        return np.column_stack([*features, *([~texts.isin(frequent)] if column["infrequent"] else [])]).astype(float)
    if column["kind"] == "date":
        values = (pd.to_datetime(values) - pd.Timestamp(0)) / pd.Timedelta(days=1)
    return values.astype("Float64").fillna(column["fill_value"]).to_numpy(float)[:, None]


@pytest.mark.slow
@pytest.mark.usefixtures("few_figures")
@pytest.mark.parametrize("table", TABLES)
def test_a_whole_run_shows_a_table_with_gaps(table: str) -> None:
    few = ResidualsSettings(n_bootstrap=100, n_permutations=19, projections=["pca"])
    run = run_experiment(configured(table, "random_forest").model_copy(update={"residuals": few}))
    assert (run / "data" / "report" / "report.html").stat().st_size
    assert json.loads((run / "data" / "splits" / "preprocessing.json").read_text())["columns"]


@pytest.mark.parametrize("table", TABLES)
def test_the_types_of_a_parquet_file_make_the_same_features(table: str) -> None:
    described = [about(prepared(configured(table, "svm", end), end)) for end in ("csv", "parquet")]
    assert described[0] == described[1]


def test_what_became_of_each_column_is_recorded() -> None:
    workspace = prepared(configured("credit", "svm"))
    raw = json.loads((workspace.raw / "dataset.json").read_text())
    uses = {column["name"]: (column["kind"], column["use"]) for column in raw["columns"]}
    assert uses == {
        "opened": ("date", "feature"), "purpose": ("categorical", "feature"), "income": ("numeric", "feature"),
        "owner": ("boolean", "feature"), "grade": ("categorical", "feature"), "id": ("text", "left out"),
        "notes": ("numeric", "left out"), "rate": ("numeric", "target"),
    }  # fmt: skip
    table = TABLES["credit"][0]()
    kept = table[table["rate"].notna()].reset_index(drop=True)
    assert raw["shape"] == [len(kept), 5]
    found = about(workspace)
    columns = {column["name"]: column for column in found["columns"]}
    for part in ("train", "val", "test"):
        rows = kept.loc[np.load(workspace.splits / f"index_{part}.npy")]
        assert {name: column["gaps"][part] for name, column in columns.items() if column["features"]} == {
            name: int(rows[name].isna().sum()) for name in ("purpose", "income", "owner", "grade")
        }
    train_rows = kept.loc[np.load(workspace.splits / "index_train.npy")]
    assert columns["income"]["fill_value"] == pytest.approx(train_rows["income"].mean(), rel=1e-12)
    assert columns["purpose"]["fill_value"] == train_rows["purpose"].mode()[0]
    assert columns["purpose"]["features"] == [
        f"purpose_{name}" for name in sorted(train_rows["purpose"].dropna().unique())
    ]
    assert columns["opened"]["reason"].startswith("it holds dates")
    assert found["features"] == [name for column in found["columns"] for name in column["features"]]
    assert found["sample_shape"] == [len(found["features"])]


@pytest.mark.slow
@pytest.mark.parametrize(
    "preprocessing",
    [
        {"scaling": "standard"},
        {"scaling": "standard", "columns": {"numeric": "median", "categorical": {"min_frequency": 5}, "date": "mean"}},
        {"columns": {"categorical": {"encoder": "ordinal", "strategy": "constant"}, "opened": "date"}},
        {"missing": "drop"},
    ],
    ids=str,
)
def test_no_validation_or_test_row_is_seen_by_what_is_fitted(preprocessing: dict[str, Any]) -> None:
    asked = configured("credit", "random_forest")  # which the validation part stops nowhere
    config = ExperimentConfig.model_validate(asked.as_dict() | {"preprocessing": preprocessing})
    clean = prepared(config)
    fitted(config, clean)
    table = pd.read_csv("credit.csv")
    kept = np.flatnonzero(table["rate"].notna())
    split = {part: kept[np.load(clean.splits / f"index_{part}.npy")] for part in ("train", "val", "test")}
    others = np.setdiff1d(kept, split["train"])
    if preprocessing.get("missing") == "drop":  # rows with gaps are in no part, and train on nothing
        others = np.concatenate([split["val"], split["test"]])
    poisoned = table.copy()
    poisoned.loc[others, "income"] *= 1e6
    poisoned.loc[others[::3], ["income", "purpose", "owner", "opened"]] = np.nan
    poisoned.loc[others[1::3], "purpose"] = "none that trains"
    poisoned.loc[others[2::3], "opened"] = "1901-01-01"
    poisoned.loc[others[1::3], "grade"] = "E"
    poisoned.to_csv("credit.csv", index=False)
    other = prepared(config, "poisoned")
    fitted(config, other)
    assert (clean.splits / "X_train.npy").read_bytes() == (other.splits / "X_train.npy").read_bytes()
    assert (clean.splits / "X_test.npy").read_bytes() != (other.splits / "X_test.npy").read_bytes()
    assert _fit_of(clean) == _fit_of(other)
    assert _model_files(clean) == _model_files(other)


def _fit_of(workspace: Workspace) -> list[Any]:
    fit = ("features", "strategy", "fill_value", "encoder", "categories", "infrequent")
    found = about(workspace)
    return [found["mean"], found["scale"], *([column[name] for name in fit] for column in found["columns"])]


def _model_files(workspace: Workspace) -> dict[str, Any]:
    """The files of a model, without what they were made from, which are all parts."""
    files: dict[str, Any] = _files_of(workspace.model)
    described = json.loads(files["model.json"])
    del described["identity"], described["made_from"]
    return files | {"model.json": described}


def _files_of(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
