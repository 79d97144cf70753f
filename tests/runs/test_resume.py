"""A training that is killed at any moment and started again ends with the same bytes, as a user runs it."""

import contextlib
import json
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import CNN, SMALL, Repository

from mlx.core.stage import Step, run_stage
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.train import train

pytestmark = pytest.mark.slow

TRAINED: dict[str, dict[str, Any]] = {
    "cnn": CNN | {
        "model": {"name": "cnn", "params": {"filters": [4], "hidden_layers": [8], "dropout": 0.5}},
        "training": {
            "epochs": 40, "batch_size": 4, "early_stopping_patience": 40, "learning_rate": 0.003,
            "params": {"schedule": "cosine", "warmup_epochs": 1, "augmentation": {"flip": True, "noise": 0.05}},
        },
    },
    "mlp": SMALL | {
        "model": {"name": "mlp"},
        "training": {
            "epochs": 80, "early_stopping_patience": 80, "optimizer": "adamw",
            "params": {"schedule": "plateau", "schedule_params": {"patience": 2}, "augmentation": {"noise": 0.05}},
        },
    },
}  # fmt: skip


@pytest.fixture
def prepared(repository: Repository, capsys: pytest.CaptureFixture[str]) -> Callable[[dict[str, Any]], Repository]:
    """Set a configuration, and make what the stage `train` reads, unless the repository has it from one like that."""

    def prepare(params: dict[str, Any]) -> Repository:
        repository.configure(params)
        for folder in ("data/model", "data/representations", "data/residuals", "data/report", "metrics", "checkpoints"):
            shutil.rmtree(repository.root / folder, ignore_errors=True)
        if params["dataset"] != SMALL["dataset"]:
            for step in (generate_data, preprocess_split):
                stage(repository, step)
        capsys.readouterr()
        return repository

    return prepare


def stage(repository: Repository, step: Step) -> None:
    """Run a stage in this process."""
    with contextlib.chdir(repository.root):
        run_stage(step)


def killed(repository: Repository, *, after: str, lines: int = 1, wait: float) -> str:
    """Start the stage `train`; kill it `wait` seconds after that many lines that begin so; return what it said."""
    said = ""
    with subprocess.Popen(
        ("python", "stages/train.py"),
        cwd=repository.root,
        env=repository.environment,
        text=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as stage:
        assert stage.stderr is not None
        for line in stage.stderr:
            said += line
            lines -= line.startswith(after)
            if not lines:
                break
        else:
            pytest.fail(f"the stage ended without a line that begins so: {after!r}\n{said}")
        time.sleep(wait)
        stage.send_signal(signal.SIGKILL)
    return said


Prepared = Callable[[dict[str, Any]], Repository]


@pytest.mark.parametrize(("name", "kills"), [("cnn", 1), ("mlp", 4)])  # TensorFlow takes seconds to start
def test_a_training_killed_at_random_moments_ends_with_the_same_bytes(
    prepared: Prepared, tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, kills: int
) -> None:
    repository = prepared(TRAINED[name])
    twin = repository.copy(tmp_path / "twin")
    stage(twin, train)
    moments = random.Random(name)  # noqa: S311  # when to kill is no secret
    # The line of the second epoch says that the checkpoint of the first is written, on the slowest machine too.
    said = [killed(repository, after="  epoch ", lines=2, wait=moments.uniform(0, 0.15)) for _ in range(kills)]
    assert all("train: continues after epoch" in again for again in said[1:])
    capsys.readouterr()
    stage(repository, train)
    assert "train: continues after epoch" in capsys.readouterr().err
    assert repository.content() == twin.content()
    assert sorted(path.name for path in (repository.root / "checkpoints").iterdir()) == sorted(
        path.name for path in (twin.root / "checkpoints").iterdir()
    )


def test_another_configuration_starts_anew_and_says_so(
    prepared: Prepared, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    training = TRAINED["mlp"]["training"] | {"epochs": 400, "early_stopping_patience": None}  # never too fast to kill
    repository = prepared(TRAINED["mlp"] | {"training": training})
    killed(repository, after="  epoch 40/", wait=0)  # the second line
    changed = training | {"epochs": 2}
    repository.configure(TRAINED["mlp"] | {"training": changed, "output": {"save_checkpoints": False}})
    twin = repository.copy(tmp_path / "twin")
    stage(twin, train)
    said = capsys.readouterr().err
    assert "train: no checkpoints are saved (output.save_checkpoints), so a killed training starts over" in said
    assert list((twin.root / "checkpoints").iterdir()) == []
    repository.configure(TRAINED["mlp"] | {"training": changed, "output": {"checkpoint_frequency": 2}})
    stage(repository, train)
    assert (
        "train: starts over, as the checkpoints are of another training: training.epochs was 400 and is 2"
        in capsys.readouterr().err.splitlines()
    )
    assert repository.content() == twin.content()
    assert sorted(path.name for path in (repository.root / "checkpoints").iterdir()) == ["best", "epoch_0002"]


def test_fields_that_a_model_can_not_use_are_named(prepared: Prepared, capsys: pytest.CaptureFixture[str]) -> None:
    params = {"epochs": 3, "params": {"weight_decay": 0.1}}
    stage(prepared(SMALL | {"training": params, "output": {"checkpoint_frequency": 5}}), train)
    assert capsys.readouterr().err.splitlines() == [
        "train: no effect on logistic_regression, which is fitted all at once: training.epochs, "
        "training.params.weight_decay, output.checkpoint_frequency"
    ]


def test_a_class_that_a_network_never_sees_is_named(prepared: Prepared, capsys: pytest.CaptureFixture[str]) -> None:
    repository = prepared(SMALL | {"model": {"name": "mlp"}, "training": {"epochs": 1}})
    path = repository.root / "data/splits/y_train.npy"
    y = np.load(path)
    np.save(path, np.where(y >= 8, 0, y))
    stage(repository, train)
    said = capsys.readouterr().err.splitlines()
    assert "train: no training sample of 8, 9: mlp can't learn what it never sees" in said


def test_samples_that_do_not_fit_in_memory_are_refused_by_a_model_that_needs_all_of_them(
    prepared: Prepared, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = prepared(SMALL)
    splits = repository.root / "data/splits"
    description = json.loads((splits / "preprocessing.json").read_text())
    (splits / "preprocessing.json").write_text(json.dumps(description | {"sample_shape": [1000, 1000, 1]}))
    np.save(splits / "y_train.npy", np.resize(np.load(splits / "y_train.npy"), 125_000))
    for part, n in (("train", 125_000), ("val", len(np.load(splits / "y_val.npy")))):
        shape = (n, 1000, 1000, 1)
        np.lib.format.open_memmap(splits / f"X_{part}.npy", "w+", np.float64, shape).flush()  # a terabyte, unwritten
    with pytest.raises(SystemExit) as end:
        stage(repository, train)
    assert end.value.code == 1
    assert "logistic_regression is fitted to all samples at once: expected at most " in capsys.readouterr().err
