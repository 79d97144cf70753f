"""The pipeline as a user runs it: DVC in a small repository of its own, on a small configuration."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
import yaml

ROOT = Path(__file__).parents[1]
STAGES = [
    "generate-data", "preprocess-split", "train", "extract-representations", "evaluate", "residuals-analysis", "report",
]  # fmt: skip

# A real study that needs no TensorFlow, so that most of what follows takes seconds.
SMALL: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "digits"},
    "split": {"test_size": 0.2},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
    "training": {"seed": 1},
    "representations": {"layers": ["penultimate", "input"]},
    "evaluation": {},
    "residuals": {"n_bootstrap": 100, "n_permutations": 99},
    "report": {"dpi": 50},
}
CNN = SMALL | {
    "dataset": {"name": "shapes", "params": {"n_samples": 120, "n_classes": 3, "image_size": 16}},
    "model": {"name": "cnn", "params": {"filters": [4], "hidden_layers": [8]}},
    "training": {"epochs": 2},
    "representations": {"layers": ["penultimate", "conv_1"]},
}


class Repository:
    """A clone of this project with its own params.yaml, its own DVC cache, and its own copy of mlx."""

    def __init__(self, root: Path, params: dict[str, Any]) -> None:
        self.root = root
        # The copy of mlx stands before the installed one, so that editing it is editing the project.
        self.environment = os.environ | {
            "PYTHONPATH": str(root),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        for name in ("mlx", "stages", ".dvc", "dvc.yaml", ".dvcignore", ".gitignore"):
            source = ROOT / name
            ignore = shutil.ignore_patterns("__pycache__", "cache", "tmp", "config.local")
            if source.is_dir():
                shutil.copytree(source, root / name, ignore=ignore)
            else:
                shutil.copy(source, root / name)
        self.configure(params)
        self.run("git", "init", "--quiet")

    def configure(self, params: dict[str, Any]) -> None:
        (self.root / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))

    def run(self, *command: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            command,
            cwd=self.root,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=300,
        )

    def kill_repro(self, *, after: str) -> None:
        """Start `dvc repro`; kill it, and it alone, when a line was printed that begins so."""
        with subprocess.Popen(
            ("dvc", "repro"),
            cwd=self.root,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        ) as driver:
            assert driver.stdout is not None
            assert any(line.startswith(after) for line in driver.stdout), f"no line begins with {after}"
            driver.send_signal(signal.SIGKILL)

    def stage(self, name: str) -> "subprocess.CompletedProcess[str]":
        return self.run("python", f"stages/{name.replace('-', '_')}.py")

    def repro(self, *options: str) -> list[str]:
        """Run `dvc repro`; return the stages that ran."""
        done = self.run("dvc", "repro", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return [line.split("'")[1] for line in done.stdout.splitlines() if line.startswith("Running stage")]

    def content(self) -> dict[str, str]:
        """A digest of every artifact."""
        return {
            str(file.relative_to(self.root)): hashlib.sha256(file.read_bytes()).hexdigest()
            for folder in ("data", "metrics")
            for file in sorted((self.root / folder).rglob("*"))
            if file.is_file()
        }

    def copy(self, root: Path) -> "Repository":
        shutil.copytree(self.root, root, symlinks=True)
        twin = object.__new__(Repository)
        twin.root = root
        twin.environment = self.environment | {"PYTHONPATH": str(root)}
        return twin


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository in which everything has run once; tests change copies of it."""
    root = tmp_path_factory.mktemp("finished") / "repo"
    root.mkdir()
    repository = Repository(root, SMALL)
    assert repository.repro() == STAGES
    return repository


@pytest.fixture
def repository(finished: Repository, tmp_path: Path) -> Repository:
    return finished.copy(tmp_path / "repo")


def test_a_run_leaves_every_artifact_and_metrics_that_dvc_shows(finished: Repository) -> None:
    artifacts = set(finished.content())
    assert {
        "data/raw/X.npy", "data/raw/y.npy", "data/raw/dataset.json",
        *(f"data/splits/{kind}_{part}.npy" for kind in ("X", "y", "index") for part in ("train", "val", "test")),
        "data/splits/preprocessing.json", "data/model/model.json", "metrics/training.json", "metrics/history.csv",
        *(f"data/representations/{name}.npy" for name in
          ("penultimate", "input", "logits", "probabilities", "y_true", "y_pred", "index")),
        "metrics/evaluation.json", "metrics/confusion.csv", "metrics/roc.csv", "metrics/reliability.csv",
        "data/residuals/samples.parquet", "data/residuals/classes.csv", "data/residuals/tests.csv",
        "metrics/residuals.json", "data/report/report.html", "data/report/plots/confusion.png",
    } <= artifacts  # fmt: skip
    assert not [name for name in artifacts if name.endswith(".tmp")]
    shown = json.loads(finished.run("dvc", "metrics", "show", "--json").stdout)[""]["data"]
    assert shown["metrics/evaluation.json"]["data"]["accuracy"] > 0.9


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


def test_forcing_every_stage_leaves_the_lock_file_as_it_was(repository: Repository) -> None:
    before = (repository.root / "dvc.lock").read_bytes()
    assert repository.repro("--force") == STAGES
    assert (repository.root / "dvc.lock").read_bytes() == before


@pytest.mark.parametrize(
    ("section", "value", "rerun"),
    [
        ("residuals", {"n_bootstrap": 150, "n_permutations": 99}, ["residuals-analysis", "report"]),
        ("report", {"dpi": 60}, ["report"]),
        ("training", {"seed": 2, "epochs": 3}, ["train"]),
    ],
)
def test_a_changed_parameter_reruns_what_it_can_change(
    repository: Repository, section: str, value: dict[str, Any], rerun: list[str]
) -> None:
    # The seed of a deterministic solver changes no byte of the model, so nothing after `train` need run.
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


def test_dvc_shows_the_difference_that_a_change_makes(repository: Repository) -> None:
    repository.run("git", "add", "-A")
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    repository.run("git", *identity, "commit", "--quiet", "-m", "start")
    repository.configure(SMALL | {"model": {"name": "logistic_regression", "params": {"C": 0.001}}})
    repository.repro()
    assert "model.params.C" in repository.run("dvc", "params", "diff").stdout
    assert "accuracy" in repository.run("dvc", "metrics", "diff").stdout
    plots = repository.run("dvc", "plots", "diff", "--json", "-o", "plots").stdout
    assert all(title in plots for title in ("confusion", "roc", "similarity against entropy", "report/plots"))
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
    repository.kill_repro(after="  epoch 1/")
    assert repository.repro() == STAGES[STAGES.index("train") :]
    lock, content = (repository.root / "dvc.lock").read_bytes(), repository.content()
    forced = repository.run("dvc", "repro", "--force")
    own = tuple(f"{stage}: " for stage in STAGES)
    noise = [line for line in forced.stderr.splitlines() if line and not line.startswith((*own, "  epoch "))]
    assert noise == []
    assert repository.content() == content
    assert (repository.root / "dvc.lock").read_bytes() == lock
    conv = np.load(repository.root / "data/representations/conv_1.npy")
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
    assert repository.repro() == STAGES
    metrics = json.loads((repository.root / "metrics/evaluation.json").read_text())
    assert metrics["r2"] > 0.99
    assert {"index", "y_true", "y_pred", "residual"} <= set(
        pd.read_parquet(repository.root / "data/residuals/samples.parquet")
    )
    assert len(pd.read_csv(repository.root / "data/residuals/classes.csv")) == 0
    assert (repository.root / "data/report/plots/residuals_fitted.png").exists()
    assert repository.run("dvc", "plots", "show", "-o", "plots").returncode == 0


Damage = Callable[[Path], Any]


def broken(old: str, new: str) -> Damage:
    def edit(root: Path) -> None:
        text = (root / "params.yaml").read_text()
        assert old in text
        (root / "params.yaml").write_text(text.replace(old, new))

    return edit


def truncated(name: str) -> Damage:
    def cut(root: Path) -> None:
        content = (root / name).read_bytes()
        (root / name).write_bytes(content[: len(content) // 2])

    return cut


def replaced(name: str, array: np.ndarray) -> Damage:
    return lambda root: np.save(root / name, array)


def edited(name: str, key: str, value: Any) -> Damage:
    return lambda root: (root / name).write_text(json.dumps(json.loads((root / name).read_text()) | {key: value}))


@pytest.mark.parametrize(
    ("stage", "damage", "message"),
    [
        ("train", broken("  seed: 1", "  learnign_rate: 0.1"),
         "params.yaml:11: training.learnign_rate: expected one of batch_size, early_stopping_patience, epochs, "
         "learning_rate, optimizer, params, seed, found an unknown key; did you mean 'learning_rate'?"),
        ("train", broken("  seed: 1", "  epochs: -3"),
         "params.yaml:11: training.epochs: expected an integer of at least 1, found -3"),
        ("train", broken("  seed: 1", "  epochs: '3'"),
         'params.yaml:11: training.epochs: expected an integer of at least 1, found "3"'),
        ("train", broken("training:\n  seed: 1\n", ""),
         "params.yaml: training: expected a section of keys, found nothing"),
        ("train", broken("  seed: 1", "  seed: [1"), "params.yaml:12:16: not valid YAML: "),
        ("train", broken("evaluation: {}", "evaluatoin: {}"), "params.yaml:16: evaluatoin: expected one of dataset, "),
        ("train", broken("logistic_regression", "cnn\n  params:\n    filters: [1, 2, 3, 4]"),
         "params.yaml:11: model.params.filters: expected at most 3 convolutions"),
        ("train", broken("logistic_regression", "linear_regression"),
         "params.yaml:9: model.name: expected a model for classification"),
        ("extract-representations", broken("- input", "- inptu"),
         "params.yaml:13: representations.layers: expected one of penultimate, input, decision, found 'inptu'"),
        ("preprocess-split", lambda root: (root / "data/raw/X.npy").unlink(),
         "data/raw/X.npy: expected a file, found none"),
        ("preprocess-split", truncated("data/raw/X.npy"), "data/raw/X.npy: expected an array of numbers, found a"),
        ("extract-representations", truncated("data/model/weights.npz"),
         "data/model/weights.npz: expected a checkpoint with coefficients and intercepts, found a damaged file"),
        ("evaluate", truncated("data/representations/representations.json"),
         "data/representations/representations.json: expected JSON, found a damaged file"),
        ("train", broken("name: small", "name: [1]"), "params.yaml:1: name: expected text, found [1]"),
        ("preprocess-split", replaced("data/raw/y.npy", np.full(1797, 10)),
         "data/raw/y.npy: row 0: expected a class from 0 to 9, found 10"),
        ("preprocess-split", replaced("data/raw/y.npy", np.full(1797, 0.5)),
         "data/raw/y.npy: expected integer class labels, found float64"),
        ("preprocess-split", edited("data/raw/dataset.json", "class_names", None),
         "data/raw/dataset.json: class_names: expected a list, each element text, found null"),
        ("train", replaced("data/splits/y_train.npy", np.full(1258, -1)),
         "data/splits/y_train.npy: row 0: expected a class from 0 to 9, found -1"),
        ("extract-representations", replaced("data/splits/index_test.npy", np.zeros(3, int)),
         "data/splits/index_test.npy: expected 359 rows, found 3"),
        ("evaluate", edited("data/representations/representations.json", "task", "foo"),
         'data/representations/representations.json: task: expected one of classification, regression, found "foo"'),
        ("evaluate", edited("data/representations/representations.json", "layers", {"../x": 3}),
         "data/representations/representations.json: layers: expected a section of keys, found "),
        ("evaluate", replaced("data/representations/logits.npy", np.zeros((359, 10))),
         "logits: row 0: expected the probabilities to be their softmax"),
        ("residuals-analysis", replaced("data/representations/index.npy", np.arange(359) - 1),
         "data/representations/index.npy: expected different row numbers of the raw data"),
        ("report", lambda root: (root / "metrics/confusion.csv").write_text("count\n1\n"),
         "metrics/confusion.csv: expected 100 counts, one for each pair of classes"),
        ("report", lambda root: (root / "metrics/history.csv").write_text("a,b\n1,2\n"),
         "metrics/history.csv: expected a column 'epoch', found a, b"),
        ("generate-data", lambda root: (shutil.rmtree(root / "data"), (root / "data").touch()),
         "data"),
        ("report", truncated("data/residuals/samples.parquet"),
         "data/residuals/samples.parquet: expected a Parquet table, found a damaged file"),
        ("report", lambda root: (root / "metrics/history.csv").write_bytes(b""),
         "metrics/history.csv: expected a CSV table, found a damaged file"),
    ],
)  # fmt: skip
def test_bad_input_ends_a_stage_with_one_message_and_changes_nothing(
    repository: Repository, stage: str, damage: Damage, message: str
) -> None:
    damage(repository.root)
    before = repository.content()
    done = repository.stage(stage)
    assert done.returncode == 1
    assert done.stderr.startswith(message), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""
    assert repository.content() == before


# Only where a network is trained or run may TensorFlow be loaded; it takes seconds and a gigabyte.
WITHOUT_TENSORFLOW = [s for s in STAGES if s not in {"train", "extract-representations"}]


@pytest.mark.parametrize("stage", WITHOUT_TENSORFLOW)
def test_a_stage_that_runs_no_network_imports_no_tensorflow(repository: Repository, stage: str) -> None:
    module = stage.replace("-", "_")
    code = (
        f"import sys, runpy; runpy.run_path('stages/{module}.py', run_name='__main__'); "
        "sys.exit(bool({'tensorflow', 'keras', 'torch'} & set(sys.modules)))"
    )
    done = repository.run("python", "-c", code)
    assert done.returncode == 0, done.stderr


@pytest.fixture(autouse=True)
def _no_process_left(tmp_path: Path) -> Iterator[None]:
    yield
    assert no_process_left_in(tmp_path)


def no_process_left_in(folder: Path, seconds: float = 10.0) -> bool:
    """Whether all processes that run in `folder` have ended within `seconds`."""
    end = time.monotonic() + seconds
    while any(str(p.info["cwd"]).startswith(str(folder)) for p in psutil.process_iter(["cwd"])):
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True
