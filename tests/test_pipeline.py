"""The pipeline as a user runs it: DVC in a small repository of its own, on a small configuration."""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from repository import CNN, SMALL, STAGES, Repository, no_process_left_in
from scipy.sparse import load_npz
from threadpoolctl import threadpool_limits

from mlx.cli import main
from mlx.runs.history import find_runs

pytestmark = pytest.mark.slow

FILES = ("evaluation", "residuals")


def test_a_run_leaves_every_artifact_and_metrics_that_dvc_shows(finished: Repository) -> None:
    artifacts = set(finished.content())
    assert {
        "data/raw/X.npy", "data/raw/y.npy", "data/raw/dataset.json",
        *(f"data/splits/{kind}_{part}.npy" for kind in ("X", "y", "index") for part in ("train", "val", "test")),
        "data/splits/preprocessing.json", "data/model/model.json", "metrics/training.json", "metrics/history.csv",
        *(f"data/representations/{part}/{name}.npy" for part in ("train", "val", "test") for name in
          ("penultimate", "input", "logits", "probabilities", "y_true", "y_pred", "index")),
        "metrics/evaluation.json", "metrics/confusion.csv", "metrics/roc.csv", "metrics/reliability.csv",
        "data/residuals/samples.parquet", "data/residuals/classes.csv", "data/residuals/tests.csv",
        "metrics/residuals.json", "metrics/headline.json", "data/report/report.html", "data/report/plots/confusion.png",
    } <= artifacts  # fmt: skip
    assert not [name for name in artifacts if name.endswith(".tmp")]


def test_dvc_shows_one_row_of_at_most_ten_numbers(finished: Repository) -> None:
    shown = json.loads(finished.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert list(shown) == ["metrics/headline.json"]
    numbers = shown["metrics/headline.json"]["data"]
    assert len(numbers) <= 10
    assert all(isinstance(value, float) for value in numbers.values())
    evaluation, residuals = (json.loads((finished.root / f"metrics/{name}.json").read_text()) for name in FILES)
    assert {name: (evaluation | residuals)[name] for name in numbers} == numbers
    assert numbers["accuracy"] > 0.9


def test_real_digits_give_a_row_of_residuals_for_each_of_the_ten_classes(finished: Repository) -> None:
    classes = pd.read_csv(finished.root / "data/residuals/classes.csv")
    first = classes[classes["layer"] == "penultimate"]
    assert first["name"].astype(str).tolist() == [str(digit) for digit in range(10)]
    assert first["n_predicted"].sum() == len(pd.read_parquet(finished.root / "data/residuals/samples.parquet"))


def test_a_row_of_residuals_leads_back_to_the_raw_sample(finished: Repository) -> None:
    samples = pd.read_parquet(finished.root / "data/residuals/samples.parquet")
    raw = np.load(finished.root / "data/raw/X.npy")
    test = np.load(finished.root / "data/splits/X_test.npy")
    np.testing.assert_array_equal(raw[samples["index"]].astype(np.float32) / np.float32(255), test)
    assert (np.load(finished.root / "data/raw/y.npy")[samples["index"]] == samples["y_true"]).all()


def test_a_second_run_does_nothing(repository: Repository) -> None:
    assert repository.repro() == []


def test_forcing_every_stage_leaves_the_lock_file_as_it_was(
    repository: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLX_WORKERS", "processes:2")
    before = (repository.root / "dvc.lock").read_bytes()
    assert repository.repro("--force") == STAGES
    assert (repository.root / "dvc.lock").read_bytes() == before


@pytest.mark.parametrize(
    ("section", "value", "rerun"),
    [
        ("residuals", {"n_bootstrap": 150, "n_permutations": 19}, ["residuals-analysis", "report"]),
        ("training", {"seed": 2, "epochs": 3}, ["train", "report"]),
    ],
)
def test_a_changed_parameter_reruns_what_it_can_change(
    repository: Repository, section: str, value: dict[str, Any], rerun: list[str]
) -> None:
    # That another resolution makes the report anew, `test_a_cache_…_is_never_written_to` shows.
    # The seed of a deterministic solver changes no byte of the model, so nothing after `train` need run,
    # but the page, which shows what was asked for.
    repository.configure(SMALL | {section: value})
    assert repository.repro() == rerun


def test_a_mistake_that_is_undone_costs_nothing(repository: Repository) -> None:
    before = repository.content()
    repository.configure(SMALL | {"training": {"seed": -1}})
    failed = repository.run("dvc", "repro")
    assert failed.returncode != 0
    assert "params.yaml:" in failed.stderr
    assert "training.seed: expected an integer of at least 0 and below 4294967296, found -1" in failed.stderr
    assert repository.content() == before
    repository.configure(SMALL)
    assert repository.repro() == []


def test_an_edit_in_the_analysis_retrains_nothing(repository: Repository) -> None:
    with (repository.root / "mlx/residuals/settings.py").open("a") as file:
        file.write("\n# an edit\n")
    assert repository.repro() == ["residuals-analysis"]  # the same tables: the report stands


@pytest.mark.parametrize("kind", ["symlink", "hardlink"])
def test_a_cache_that_the_artifacts_are_links_into_is_never_written_to(repository: Repository, kind: str) -> None:
    repository.run("dvc", "config", "cache.type", kind)
    assert repository.run("dvc", "checkout", "--relink").returncode == 0
    page = repository.root / "data/report/report.html"
    assert page.is_symlink() if kind == "symlink" else page.stat().st_nlink == 2
    repository.configure(SMALL | {"report": {"dpi": 60}})
    assert repository.repro() == ["report"]
    for file in (repository.root / ".dvc/cache/files/md5").rglob("*"):
        if file.is_file():
            content = hashlib.md5(file.read_bytes(), usedforsecurity=False).hexdigest()
            assert content == f"{file.parent.name}{file.name.removesuffix('.dir')}"


def test_going_back_to_old_settings_runs_again_unless_dvc_brings_the_results_back(repository: Repository) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    with (repository.root / ".gitignore").open("a") as file:
        file.write("\n/.dvc/tmp\n/.dvc/cache\n")
    repository.run("git", "add", "-A")
    assert repository.run("git", *identity, "commit", "--quiet", "-m", "start").returncode == 0
    first = repository.content()
    assert repository.run("dvc", "exp", "run", "--name", "sharper", "-S", "report.dpi=60").returncode == 0
    sharper = repository.content()
    repository.configure(SMALL)
    assert repository.repro() == ["report"]  # outputs persist, so DVC's run cache is not asked
    assert repository.content() == first != sharper
    assert repository.run("dvc", "exp", "apply", "sharper").returncode == 0
    assert repository.content() == sharper
    assert repository.repro() == []
    assert repository.run("git", "checkout", "HEAD", "--", "params.yaml", "dvc.lock", "metrics").returncode == 0
    assert repository.run("dvc", "checkout").returncode == 0
    assert repository.content() == first
    assert repository.repro() == []


def test_dvc_shows_the_difference_that_a_change_makes(repository: Repository) -> None:
    repository.run("git", "add", "-A")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    repository.run("git", *identity, "commit", "--quiet", "-m", "start")
    repository.configure(SMALL | {"model": {"name": "logistic_regression", "params": {"C": 0.001}}})
    repository.run_here(STAGES[2:])
    assert "model.params.C" in repository.run("dvc", "params", "diff").stdout
    assert "accuracy" in repository.run("dvc", "metrics", "diff").stdout
    plots = repository.run("dvc", "plots", "diff", "--json", "-o", "plots").stdout
    titles = ("confusion", "loss", "roc", "precision and recall", "reliability", "risk and coverage")
    assert all(title in plots for title in (*titles, "similarity against entropy"))
    assert '"errors"' not in plots


# Makes a stage stop for a minute while it puts its second artifact in place: one is new, the next is not.
HANGING = """
import pathlib, time
replace, calls = pathlib.Path.replace, []
def hanging(self, target):
    calls.append(target)
    if len(calls) == 2 and pathlib.Path("hang").exists():
        print("half-way", flush=True)
        time.sleep(60)
    return replace(self, target)
pathlib.Path.replace = hanging
"""


@pytest.mark.parametrize("stage", STAGES)
def test_a_killed_run_is_finished_by_the_next_one_with_the_same_bytes(repository: Repository, stage: str) -> None:
    before = repository.content()
    # DVC takes the shell from here: one that makes room for the command, or one that waits beside it.
    repository.environment["SHELL"] = "/bin/sh" if STAGES.index(stage) % 2 else "/bin/bash"
    script = repository.root / "stages" / f"{stage.replace('-', '_')}.py"
    script.write_text(HANGING + script.read_text())
    (repository.root / "hang").touch()
    repository.kill_repro(after="half-way")
    (repository.root / "hang").unlink()
    assert repository.content() != before
    assert no_process_left_in(repository.root)
    assert repository.repro()[:1] == [stage]
    assert repository.content() == before


def test_a_keras_study_runs_quietly_and_gives_the_same_bytes_killed_or_not(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    repository = Repository(tmp_path / "repo", CNN)
    repository.use_all_cores()
    whole = repository.run("dvc", "repro", "residuals-analysis")  # which needs all but the evaluation and the report
    assert "Running stage 'extract-representations'" in whole.stdout
    own = ("epoch ", *(f"{stage}: " for stage in STAGES))
    noise = [line for line in whole.stderr.splitlines() if line and not line.strip().startswith(own)]
    assert (whole.returncode, noise) == (0, [])
    lock, content = (repository.root / "dvc.lock").read_bytes(), repository.content()
    repository.kill_repro("--force", "--single-item", "train", after="  epoch 1/")
    shutil.rmtree(repository.root / "data/model")  # of the whole run
    assert repository.repro("residuals-analysis") == ["train"]  # what follows stands, as the model has the same bytes
    assert repository.content() == content
    assert (repository.root / "dvc.lock").read_bytes() == lock
    conv = np.load(repository.root / "data/representations/test/conv_1.npy")
    assert conv.shape == (24, 16 * 16 * 4)
    assert "factor.occlusion" in pd.read_parquet(repository.root / "data/residuals/samples.parquet")


def test_a_regression_study_runs_from_end_to_end(tmp_path: Path) -> None:
    (tmp_path / "repo").mkdir()
    regression = {
        "dataset": {"name": "synthetic_regression", "params": {"n_samples": 200}},
        "model": {"name": "linear_regression"},
        "preprocessing": {"scaling": "standard"},
        "representations": {},
    }
    repository = Repository(tmp_path / "repo", SMALL | regression)
    repository.start_warm()
    repository.run_here()
    assert repository.run("dvc", "commit", "--force").returncode == 0  # refused if an output were missing
    assert repository.repro() == []
    metrics = json.loads((repository.root / "metrics/evaluation.json").read_text())
    assert metrics["r2"] > 0.99
    assert {"index", "y_true", "y_pred", "residual"} <= set(
        pd.read_parquet(repository.root / "data/residuals/samples.parquet")
    )
    assert len(pd.read_csv(repository.root / "data/residuals/classes.csv")) == 0
    assert (repository.root / "data/report/plots/residuals_fitted.png").exists()
    assert repository.run("dvc", "plots", "show", "-o", "plots").returncode == 0


@pytest.mark.usefixtures("few_figures")
def test_forests_run_from_end_to_end_with_their_leaves_as_sparse_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    forest = {
        "dataset": {"name": "digits"},
        "model": {"name": "random_forest", "params": {"n_estimators": 50}},
        "representations": {"layers": ["leaves", "input"]},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(SMALL | forest))
    with threadpool_limits(os.cpu_count()):  # as many as a user's run has; `conftest.py` limits them
        main(["run-experiment"])
        (run,) = find_runs(tmp_path / "outputs")
        before = Repository(run.folder).content()
        (run.folder / "checksums.json").unlink()  # so that every step is repeated
        (run.folder / "data/splits/y_val.npy").unlink()
        main(["run-experiment", "--resume", run.id])
    assert Repository(run.folder).content() == before
    assert json.loads((run.folder / "metrics/evaluation.json").read_text())["accuracy"] > 0.95
    leaves = load_npz(run.folder / "data/representations/test/leaves.npz")
    assert leaves.shape[0] == 359
    assert leaves.nnz == 359 * 50  # a leaf in each tree
    described = json.loads((run.folder / "data/representations/representations.json").read_text())
    assert (described["layers"], described["sparse"]) == ({"leaves": leaves.shape[1], "input": 64}, ["leaves"])


@pytest.mark.usefixtures("few_figures")
def test_a_forest_of_a_regression_runs_from_end_to_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    regression = {
        "dataset": {"name": "synthetic_regression", "params": {"n_samples": 300}},
        "preprocessing": {"scaling": "standard"},
        "model": {"name": "random_forest", "params": {"n_estimators": 30}},
        "representations": {},
    }
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(SMALL | regression))
    main(["run-experiment"])
    (run,) = find_runs(tmp_path / "outputs")
    assert json.loads((run.folder / "metrics/evaluation.json").read_text())["r2"] > 0.5
    assert (run.folder / "data/report/plots/residuals_fitted.png").exists()


# Only where a network is trained or run may TensorFlow be loaded; it takes seconds and a gigabyte.
WITHOUT_TENSORFLOW = [s for s in STAGES if s not in {"train", "extract-representations"}]


def test_a_stage_that_runs_no_network_imports_no_tensorflow(repository: Repository) -> None:
    modules = [stage.replace("-", "_") for stage in WITHOUT_TENSORFLOW]
    code = (
        f"import sys, runpy\nfor name in {modules}:\n"
        "    runpy.run_path(f'stages/{name}.py', run_name='__main__')\n"
        "    assert not {'tensorflow', 'keras', 'torch'} & set(sys.modules), name\n"
    )
    (repository.root / "several.py").write_text(code)
    done = repository.run("python", "several.py")
    assert done.returncode == 0, done.stderr


@pytest.fixture(autouse=True)
def _no_process_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert no_process_left_in(tmp_path)
