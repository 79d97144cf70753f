"""How each training sample was learned, epoch by epoch, and what of it a training writes."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx.config import ExperimentConfig
from mlx.core.artifacts import read_parquet
from mlx.core.dynamics_columns import DYNAMICS
from mlx.core.paths import Workspace
from mlx.models import ModelSettings, Optimization, TaskSpec, build_model
from mlx.models.outcomes import outcomes_of
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.train import train
from mlx.training.dynamics import Dynamics, dynamics_columns

GENERATOR = np.random.default_rng(0)


def dynamics_of(logits: Any, y: Any) -> Dynamics:
    """The dynamics of logits (n_epochs, n, n_classes)."""
    found = Dynamics.before(len(y))
    for epoch in logits:
        found = found.after(outcomes_of(epoch, y))
    return found


def test_a_sample_with_known_dynamics() -> None:
    logits = np.array([(1, 2, 0), (2, 1, 0), (1, 1.5, 0), (3, 1, 0), (4, 1, 2)], float)[:, None, :]
    columns = dynamics_columns(dynamics_of(logits, np.zeros(1, int)), np.array([7]))
    found = {name: values[0] for name, values in columns.items()}
    # To 40 digits, .58581157124327799744 and .25315301199533389723.
    assert found["confidence"] == pytest.approx(0.585811571243278, abs=1e-14)
    assert found["variability"] == pytest.approx(0.2531530119953339, abs=1e-14)
    assert found["area_under_margin"] == pytest.approx(0.7, abs=1e-14)
    assert (found["correctness"], found["forgetting_events"]) == (0.6, 1)
    assert (found["index"], found["epoch_learned"], found["status"]) == (7, 2, "ok")


SCRIPTED = """
import keras
from keras import ops

class Scripted(keras.layers.Layer):
    def build(self, shape):
        self.epoch = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.logits = self.add_weight(shape=(5, 3), trainable=False)
        self.logits.assign([(1, 2, 0), (2, 1, 0), (1, 1.5, 0), (3, 1, 0), (4, 1, 2)])

    def call(self, x, training=None):
        found = 0 * x + ops.take(self.logits, ops.cast(ops.minimum(self.epoch, 4), "int32"), axis=0)
        if training:
            self.epoch.assign_add(1)
        return found

def scripted(n_classes, sample_shape):
    sample = keras.Input(sample_shape)
    logits = Scripted()(keras.layers.Dense(n_classes)(sample))
    return keras.Model(sample, keras.layers.Softmax()(logits))
"""


@pytest.mark.slow
def test_a_network_with_these_logits_has_these_dynamics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(SCRIPTED)
    config = config_of("custom", architecture="mine.py:scripted", epochs=5, batch_size=200)
    workspace = prepared(tmp_path, config)
    table = read_parquet(written(workspace, config), list(DYNAMICS))[np.load(workspace.splits / "y_train.npy") == 0]
    assert table["confidence"].to_numpy() == pytest.approx(0.585811571243278, abs=1e-14)
    assert table["variability"].to_numpy() == pytest.approx(0.2531530119953339, abs=1e-14)
    assert table["area_under_margin"].to_numpy() == pytest.approx(0.7, abs=1e-14)
    assert {*table["correctness"], *table["forgetting_events"]} == {0.6, 1}


def test_the_sums_agree_with_a_loop_over_samples_and_epochs() -> None:
    epochs, n, k = 9, 40, 4
    logits, y = 2 * GENERATOR.normal(size=(epochs, n, k)), GENERATOR.integers(k, size=n)
    logits[:, 0] = -np.eye(k)[y[0]]  # never right
    found = dynamics_columns(dynamics_of(logits, y), np.arange(n))
    for i in range(n):
        p, margins, right = [], [], []
        for t in range(epochs):
            z = logits[t, i].tolist()
            own = z.pop(y[i])
            p.append(float(np.exp(own) / np.exp([own, *z]).sum()))
            margins.append(own - max(z))
            right.append(own > max(z))
        forgotten = sum(a and not b for a, b in pairwise(right))
        assert found["confidence"][i] == pytest.approx(np.mean(p), rel=1e-12)
        assert found["variability"][i] == pytest.approx(np.std(p), rel=1e-9)
        assert found["area_under_margin"][i] == pytest.approx(np.mean(margins), rel=1e-12)
        assert found["correctness"][i] == pytest.approx(np.mean(right), rel=1e-12)
        assert (found["status"][i] == "never learned") == (not any(right))
        if any(right):
            assert (found["forgetting_events"][i], found["epoch_learned"][i]) == (forgotten, right.index(True) + 1)
    assert found["forgetting_events"].mask[0]
    assert found["epoch_learned"].mask[0]


@pytest.mark.parametrize("name", ["mlp", pytest.param("keras_mlp", marks=pytest.mark.slow)])
def test_an_epoch_has_the_outcomes_of_its_samples_before_their_steps(name: str) -> None:
    n, k = 50, 3
    X, y = GENERATOR.normal(size=(n, 5)).astype(np.float32), GENERATOR.integers(k, size=n)
    model = build_model(ModelSettings(name=name), TaskSpec("classification", (5,), k), seed=0)
    model.prepare(Optimization("sgd", 0.5, n_samples=n))  # type: ignore[attr-defined]
    for _ in range(2):
        before = model.outputs(X[:16]).logits
        batches = [(X[first : first + 16], y[first : first + 16]) for first in range(0, n, 16)]
        found = model.run_epoch(batches, np.random.default_rng(0)).outcomes  # type: ignore[attr-defined]
        assert len(found.correct) == n
        expected = outcomes_of(before, y[:16])
        np.testing.assert_allclose(found.p_true[:16], expected.p_true, rtol=1e-5)
        np.testing.assert_allclose(found.margin[:16], expected.margin, rtol=1e-4, atol=1e-5)
        np.testing.assert_array_equal(found.correct[:16], expected.correct)
    model.set_learning_rate(1e-30)  # type: ignore[attr-defined]
    order = GENERATOR.permutation(n)
    batches = [(X[rows], y[rows]) for rows in np.array_split(order, 4)]
    found = model.run_epoch(batches, np.random.default_rng(0)).outcomes.sorted_by(order)  # type: ignore[attr-defined]
    expected = outcomes_of(model.outputs(X).logits, y)
    np.testing.assert_allclose(found.margin, expected.margin, rtol=1e-4, atol=1e-5)


def config_of(
    model: str, dataset: str = "blobs", *, architecture: str | None = None, **training: Any
) -> ExperimentConfig:
    return ExperimentConfig.model_validate(
        {
            "name": model,
            "dataset": {"name": dataset, "params": {"n_samples": 200, "seed": 1}},
            "model": {"name": model, "architecture": architecture},
            "training": {"epochs": 4} | training,
        }
    )


def prepared(folder: Path, config: ExperimentConfig) -> Workspace:
    workspace = Workspace(folder)
    generate_data(workspace, dataset=config.dataset)
    preprocess_split(workspace, split=config.split, preprocessing=config.preprocessing)
    return workspace


def written(workspace: Workspace, config: ExperimentConfig) -> Path:
    train(workspace, model=config.model, training=config.training)
    return workspace.model / "dynamics.parquet"


@pytest.mark.parametrize(
    ("model", "dataset", "rows"),
    [("mlp", "blobs", 140), ("random_forest", "blobs", 0), ("mlp", "synthetic_regression", 0)],
)
def test_a_training_writes_a_row_for_each_sample_or_none(tmp_path: Path, model: str, dataset: str, rows: int) -> None:
    config = config_of(model, dataset)
    workspace = prepared(tmp_path, config)
    table = read_parquet(written(workspace, config), list(DYNAMICS))
    assert list(table) == list(DYNAMICS)
    assert len(table) == rows
    if rows:
        np.testing.assert_array_equal(table["index"], np.load(workspace.splits / "index_train.npy"))
        assert table["confidence"].between(0, 1).all()
        assert table["confidence"].std() > 0


def test_the_dynamics_follow_the_samples_through_the_shuffled_epochs(tmp_path: Path) -> None:
    config = config_of("logistic_regression")
    workspace = prepared(tmp_path, config)
    y = np.load(workspace.splits / "y_train.npy")
    wrong = np.arange(5)
    y[wrong] = (y[wrong] + 1) % 3
    np.save(workspace.splits / "y_train.npy", y)
    table = read_parquet(written(workspace, config_of("mlp", epochs=20)), list(DYNAMICS))
    margins = table["area_under_margin"].to_numpy()
    assert margins[wrong].max() < np.median(margins[5:])


@pytest.mark.parametrize("model", ["mlp", pytest.param("keras_mlp", marks=pytest.mark.slow)])
def test_a_resumed_training_writes_the_same_bytes(tmp_path: Path, model: str, monkeypatch: Any) -> None:
    from mlx.training.fit import _Training

    config = config_of(model)
    straight = written(prepared(tmp_path / "straight", config), config).read_bytes()
    workspace, run = prepared(tmp_path / "killed", config), _Training._epoch

    def killed(self: Any, before: Any, start: float) -> Any:
        if before.epoch == 2:
            raise KeyboardInterrupt
        return run(self, before, start)

    monkeypatch.setattr(_Training, "_epoch", killed)
    with pytest.raises(KeyboardInterrupt):
        written(workspace, config)
    monkeypatch.undo()
    assert written(workspace, config).read_bytes() == straight
