"""Bad configurations and damaged artifacts end a stage with one message, and change nothing."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from repository import Repository

from mlx.core.stage import run_stage
from mlx.pipeline.steps import STEPS

pytestmark = pytest.mark.slow

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
         "params.yaml:13: training.learnign_rate: expected one of batch_size, cross_fit, early_stopping_patience, "
         "epochs, learning_rate, optimizer, params, seed, found an unknown key; did you mean 'learning_rate'?"),
        ("train", broken("  seed: 1", "  epochs: -3"),
         "params.yaml:13: training.epochs: expected an integer of at least 1, found -3"),
        ("train", broken("  seed: 1", "  epochs: '3'"),
         'params.yaml:13: training.epochs: expected an integer of at least 1, found "3"'),
        ("train", broken("training:\n  seed: 1\n", ""),
         "params.yaml: training: expected a section of keys, found nothing"),
        ("train", broken("  seed: 1", "  seed: [1"), "params.yaml:14:16: not valid YAML: "),
        ("train", broken("evaluation: {}", "evaluatoin: {}"), "params.yaml:18: evaluatoin: expected one of dataset, "),
        ("train", broken("logistic_regression", "cnn\n  params:\n    filters: [1, 2, 3, 4]"),
         "params.yaml:13: model.params.filters: expected at most 3 convolutions"),
        ("train", broken("logistic_regression", "linear_regression"),
         "params.yaml:11: model.name: expected a model for classification"),
        ("extract-representations", broken("- input", "- inptu"),
         "params.yaml:15: representations.layers: expected one of penultimate, input, standardised, decision, "
         "found 'inptu'"),
        ("preprocess-split", lambda root: (root / "data/raw/X.npy").unlink(),
         "data/raw/X.npy: expected a file, found none"),
        ("preprocess-split", truncated("data/raw/X.npy"), "data/raw/X.npy: expected an array of numbers, found a"),
        ("extract-representations", truncated("data/model/weights.npz"),
         "data/model/weights.npz: expected a checkpoint with coefficients and intercepts and mean and scale, found a"),
        ("evaluate", truncated("data/representations/representations.json"),
         "data/representations/representations.json: expected JSON, found a damaged or foreign file"),
        ("train", broken("name: small", "name: [1]"), "params.yaml:1: name: expected text, found [1]"),
        ("preprocess-split", replaced("data/raw/y.npy", np.full(500, 10)),
         "data/raw/y.npy: row 0: expected a class from 0 to 9, found 10"),
        ("preprocess-split", replaced("data/raw/y.npy", np.full(500, 0.5)),
         "data/raw/y.npy: expected integer class labels, found float64"),
        ("preprocess-split", edited("data/raw/dataset.json", "class_names", None),
         "data/raw/dataset.json: class_names: expected a list, each element text, found null"),
        ("train", replaced("data/splits/y_train.npy", np.full(350, -1)),
         "data/splits/y_train.npy: row 0: expected a class from 0 to 9, found -1"),
        ("extract-representations", replaced("data/splits/index_test.npy", np.zeros(3, int)),
         "data/splits/index_test.npy: expected 100 rows, found 3"),
        ("evaluate", edited("data/representations/representations.json", "task", "foo"),
         'data/representations/representations.json: task: expected one of classification, regression, found "foo"'),
        ("evaluate", edited("data/representations/representations.json", "layers", {"../x": 3}),
         "data/representations/representations.json: layers: expected a section of keys, found "),
        ("evaluate", replaced("data/representations/test/logits.npy", np.zeros((100, 10))),
         "data/representations/test/logits.npy: row 0: expected the probabilities to be their softmax"),
        ("residuals-analysis", replaced("data/representations/test/index.npy", np.arange(100) - 1),
         "data/representations/test/index.npy: row 0: expected a row number of the raw data, found -1"),
        ("residuals-analysis", replaced("data/representations/test/index.npy", np.zeros(100, int)),
         "data/representations/test/index.npy: expected different row numbers of the raw data"),
        ("report", lambda root: (root / "metrics/confusion.csv").write_text("actual,predicted,count\n0,0,1\n"),
         "metrics/confusion.csv: expected 100 counts, one for each pair of classes"),
        ("report", lambda root: (root / "metrics/history.csv").write_text("a,b\n1,2\n"),
         "metrics/history.csv: expected a column 'epoch', found a, b"),
        ("generate-data", lambda root: (shutil.rmtree(root / "data"), (root / "data").touch()),
         "data"),
        ("report", truncated("data/residuals/samples.parquet"),
         "data/residuals/samples.parquet: expected a Parquet table, found a damaged or foreign file"),
        ("report", lambda root: (root / "metrics/history.csv").write_bytes(b""),
         "metrics/history.csv: expected a CSV table, found a damaged or foreign file"),
    ],
)  # fmt: skip
def test_bad_input_ends_a_stage_with_one_message_and_changes_nothing(
    repository: Repository,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    stage: str,
    damage: Damage,
    message: str,
) -> None:
    damage(repository.root)
    before = repository.content()
    monkeypatch.chdir(repository.root)
    step = next(step for step in STEPS if step.__name__ == stage.replace("-", "_"))
    with pytest.raises(SystemExit) as ended:
        run_stage(step)
    assert ended.value.code == 1
    said = capsys.readouterr()
    assert said.err.startswith(message)
    assert len(said.err.splitlines()) == 1
    assert said.out == ""
    assert repository.content() == before
