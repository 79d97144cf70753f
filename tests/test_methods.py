"""docs/: the worked example computes what it prints, and every column of every table is described, and no other."""

import doctest
import re
import runpy
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from simulation import document as simulations
from simulation.designs import DESIGNS
from simulation.experiment import kinds, outcomes
from simulation.verdicts import COVERAGE_RANGE, P_RANGE, judged, slack

from mlx.config import ExperimentConfig
from mlx.core.paths import Workspace
from mlx.experiment import run_experiment

DOCS = Path(__file__).parents[1] / "docs"
DISCUSSED: set[str] = set()
"""Simulated rates that are outside, which the document discusses."""

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
    return {name for name in table if not name.startswith(("factor.", "score."))}


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
    scores = set(pd.read_csv(workspace.residuals / "scores.csv")["score"])
    samples = pd.read_parquet(workspace.residuals / "samples.parquet")
    assert {name.removeprefix("score.") for name in samples if name.startswith("score.")} <= scores


@pytest.mark.slow
def test_every_column_of_a_regression_is_described(folder: Path) -> None:
    dataset = {"name": "synthetic_regression", "params": {"n_samples": 200, "seed": 1}}
    workspace = written(folder, dataset, "linear_regression")
    samples = workspace.residuals / "samples.parquet"
    assert described()["data/residuals/samples.parquet of a regression"] == columns(samples)


def test_the_document_of_the_simulations_has_the_tables_of_their_counts() -> None:
    content = simulations.rendered(*simulations.read(DOCS / "simulations"))
    assert content in (DOCS / "simulations.md").read_text(), "run `python benchmarks/inference.py --write …`"


def test_the_simulated_rates_are_within_what_the_document_promises_but_for_those_that_it_discusses() -> None:
    outside = set()
    for table, (low, high) in zip(simulations.read(DOCS / "simulations"), (P_RANGE, COVERAGE_RANGE), strict=True):
        known = judged(simulations.counted(table))
        assert len(known) > 500
        # Three standard errors, as there are so many cells; the document lists those beyond one.
        beyond = (known["rate"] < low - 3 * slack(known["given"])) | (known["rate"] > high + 3 * slack(known["given"]))
        outside |= {f"{row.target}: {row.design} {row.n}" for row in known[beyond].itertuples()}
    assert outside == DISCUSSED


@pytest.mark.slow
def test_every_statistic_that_can_have_a_p_value_or_an_interval_is_simulated() -> None:
    p_values, intervals = (
        set(zip(table["source"], table["target"], strict=True)) for table in simulations.read(DOCS / "simulations")
    )
    for name in ("spread 400", "30 classes 300", "two models 200", "regression 200"):
        [design] = [one for one in DESIGNS if f"{one.name} {one.n}" == name]
        for kind in kinds(design):
            for source, one in outcomes(design, np.random.default_rng(0), design.n, kind, 0):
                if not np.isnan(one.p):
                    assert (source, one.target) in p_values
                if not np.isnan(one.low) and not one.target.startswith("weak slice"):
                    assert (source, one.target) in intervals


@pytest.mark.slow
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
