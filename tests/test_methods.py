"""docs/: the worked example computes what it prints, and every column of every table is described, and no other."""

import doctest
import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlx.config import ExperimentConfig
from mlx.core.paths import Workspace
from mlx.experiment import run_experiment

DOCS = Path(__file__).parents[1] / "docs"
QUICK = {"n_bootstrap": 100, "n_permutations": 19}


def described() -> dict[str, set[str]]:
    """Return the columns that each table's section names."""
    sections = re.split(r"^## ", (DOCS / "tables.md").read_text(), flags=re.MULTILINE)[1:]
    found = {}
    for section in sections:
        title, _, body = section.partition("\n")
        cells = re.findall(r"^\| (`.+?) \|", body, re.MULTILINE)
        found[title] = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    return found


def written(folder: Path, dataset: dict, model: str) -> Workspace:
    config = {"name": "small", "dataset": dataset, "model": {"name": model}, "residuals": QUICK, "report": {"dpi": 50}}
    return Workspace(run_experiment(ExperimentConfig.model_validate(config)))


def columns(path: Path) -> set[str]:
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    return {name for name in table if not name.startswith("factor.")}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
def test_every_column_of_a_classification_is_described(folder: Path) -> None:
    workspace = written(folder, {"name": "blobs", "params": {"n_samples": 200, "seed": 1}}, "logistic_regression")
    files = [
        *workspace.residuals.glob("*.csv"),
        *workspace.residuals.glob("*.parquet"),
        *workspace.metrics.glob("*.csv"),
    ]
    said = described()
    for path in files:
        if path.name != "history.csv":
            optional = {"umap_1", "umap_2"} if path.suffix == ".parquet" else set()  # where they are asked for
            assert said[path.relative_to(workspace.root).as_posix()] - optional == columns(path), path.name


@pytest.mark.slow
def test_every_column_of_a_regression_is_described(folder: Path) -> None:
    dataset = {"name": "synthetic_regression", "params": {"n_samples": 200, "seed": 1}}
    workspace = written(folder, dataset, "linear_regression")
    samples = workspace.residuals / "samples.parquet"
    assert described()["data/residuals/samples.parquet of a regression"] == columns(samples)


def test_the_simulated_rates_that_the_document_shows_are_within_what_it_promises() -> None:
    document = (DOCS / "simulations.md").read_text()
    tables = re.findall(r"^\*\*(.+?)\*\*\n\n((?:\|.+\n)+)", document, re.MULTILINE)
    assert len(tables) == 2
    for (title, table), (low, high) in zip(tables, ((3.0, 7.0), (93.0, 97.0)), strict=True):
        rates = [float(cell) for row in table.splitlines()[2:] for cell in re.findall(r"\| ([\d.]+) ", row)]
        assert len(rates) > 50, title
        slack = 100 * np.sqrt(0.07 * 0.93 / 2000)  # one standard error of 2000 runs
        assert low - slack <= min(rates), title
        assert max(rates) <= high + slack, title


def test_the_worked_example_computes_what_it_prints() -> None:
    blocks = re.findall(r"^```python\n(.+?)^```$", (DOCS / "methods.md").read_text(), re.MULTILINE | re.DOTALL)
    example = doctest.DocTestParser().get_doctest("".join(blocks), {}, "methods.md", None, None)
    said: list[str] = []
    result = doctest.DocTestRunner().run(example, out=said.append)
    assert result.attempted >= 15
    assert result.failed == 0, "".join(said)


def test_the_reference_of_the_tables_is_that_of_their_schemas() -> None:
    document = runpy.run_path(str(DOCS / "tables.py"))["document"]
    assert (DOCS / "tables.md").read_text() == document(), "run `python docs/tables.py`"
