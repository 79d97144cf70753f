"""A table of a run that lost its rows or has some twice is named, and no report is made of it."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from mlx.cli import main
from mlx.core.artifacts import read_parquet, write_parquet
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.pipeline import results
from mlx.pipeline.report import report
from mlx.plots.settings import ReportSettings

pytestmark = pytest.mark.slow

CONFIG = """\
name: small
dataset: {name: shapes, params: {n_samples: 400, n_classes: 3, image_size: 12, noise: 0.3}}
split: {test_size: 0.5}
model: {name: logistic_regression}
residuals: {n_bootstrap: 100, n_permutations: 19, projections: [pca]}
report: {dpi: 50}
"""
RESIDUALS = ("classes", "similarity", "temperature", "slices", "factors", "risk_coverage")
METRICS = ("confusion", "roc", "precision_recall", "reliability", "reliability_equal_mass", "history")
FILES = [*(f"data/residuals/{name}.csv" for name in RESIDUALS), *(f"metrics/{name}.csv" for name in METRICS)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a finished run with a table of every kind."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "small.yaml").write_text(CONFIG)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        main(["run-experiment", "--config", "small.yaml"])
    (run,) = (folder / "outputs/small").iterdir()
    return run


@pytest.fixture
def run(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy of the run, whose report is read and not drawn."""
    monkeypatch.setattr("mlx.pipeline.report.draw_report", lambda _: iter(()))
    monkeypatch.setattr("mlx.pipeline.report.render_page", lambda *_: "")
    return Path(shutil.copytree(whole, tmp_path / "run"))


def emptied(table: pd.DataFrame) -> pd.DataFrame:
    return table[:0]


def doubled(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table[-1:]])


def changed(path: Path, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert len(table), "a table without rows can't lose any"
    change(table).to_csv(path, index=False)


@pytest.mark.parametrize("change", [emptied, doubled])
@pytest.mark.parametrize("file", FILES)
def test_a_table_that_lost_its_rows_or_has_one_twice_is_named(
    run: Path, file: str, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    changed(run / file, change)
    with pytest.raises(ArtifactError, match=rf"{re.escape(file)}: .*expected .*, found "):
        report(Workspace(run), report=ReportSettings())


def test_samples_that_are_there_twice_are_rejected(run: Path) -> None:
    path = run / "data/residuals/samples.parquet"
    write_parquet(path, doubled(read_parquet(path)))
    with pytest.raises(ArtifactError, match=r"samples\.parquet: row 200: expected one row of index \d+, found "):
        report(Workspace(run), report=ReportSettings())


@pytest.mark.parametrize("file", ["data/residuals/classes.csv", "data/residuals/tests.csv"])
def test_a_layer_whose_name_leads_out_of_the_folder_is_rejected(run: Path, file: str) -> None:
    changed(run / file, lambda table: table.assign(layer=table["layer"].replace("penultimate", "../penultimate")))
    with pytest.raises(ArtifactError, match=rf"{re.escape(file)}: .*as it names a file, found '\.\./penultimate'"):
        report(Workspace(run), report=ReportSettings())


def test_a_confusion_matrix_of_other_samples_is_rejected(run: Path) -> None:
    changed(run / "metrics/confusion.csv", lambda table: table.assign(count="0"))
    with pytest.raises(ArtifactError, match=r"confusion\.csv: expected counts of 200 samples, .*, found 0; "):
        report(Workspace(run), report=ReportSettings())


def test_a_run_that_is_whole_is_read(run: Path) -> None:
    assert report(Workspace(run), report=ReportSettings()).startswith("read ")
    assert results.read_training(Workspace(run)).history["epoch"].tolist() == [1]
