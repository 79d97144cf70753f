"""Runs of which the recorded outputs are all there is, to compare models whose errors are known."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array, Flags, Floats
from mlx.core.linear_fit import LinearFit
from mlx.pipeline.model_outputs import ModelOutputs
from mlx.results.comparison import Metric, PairedTest
from mlx.runs.compare import compare_runs
from mlx.runs.owners import Owner
from mlx.runs.run import Run, Summary, read_run
from mlx.stats.gates import ValidationErrors

NO_FIT: LinearFit | None = None


def run_in(folder: Path, recorded: ModelOutputs, *, index_train: Array | None = None, **sections: Any) -> Run:
    """Write a run with the recorded outputs."""
    representations = folder / "data/representations"
    representations.mkdir(parents=True)
    arrays = {"y_true": recorded.y_true, "y_pred": recorded.y_pred, "index": recorded.index, **recorded.layers}
    if recorded.probabilities is not None:
        arrays["probabilities"] = recorded.probabilities
    for name, array in arrays.items():
        np.save(representations / f"{name}.npy", array)
    described = {
        "task": recorded.task,
        "class_names": list(recorded.class_names),
        "model": recorded.model,
        "layers": {name: layer.shape[1] for name, layer in recorded.layers.items()},
        "has_logits": False,
    }
    (representations / "representations.json").write_text(json.dumps(described))
    if index_train is not None:
        (folder / "data/splits").mkdir()
        np.save(folder / "data/splits/index_train.npy", index_train)
    config = {"dataset": {"name": "digits"}, "model": {"name": "mlp"}, **sections}
    (folder / "config.json").write_text(json.dumps(config))
    summary = Summary(
        name=folder.name, status="finished", started="", owner=Owner.of_this_process(), versions={}, commit=None
    )
    (folder / "summary.json").write_text(json.dumps(summary.as_dict()))
    return read_run(folder)


def classifier(
    y_true: Array, probabilities: Floats, layer: Floats, *, validation: ValidationErrors | None = None
) -> ModelOutputs:
    """Return outputs whose predictions are the most probable classes."""
    k = probabilities.shape[1]
    return ModelOutputs(
        task="classification",
        class_names=tuple(f"class {label}" for label in range(k)),
        y_true=y_true,
        y_pred=probabilities.argmax(axis=1),
        index=np.arange(len(y_true)),
        layers={"penultimate": layer},
        probabilities=probabilities,
        logits=None,
        model="mlp",
        linear_fit=NO_FIT,
        validation=validation,
    )


def regression(y_true: Floats, y_pred: Floats) -> ModelOutputs:
    """Return outputs of a regression."""
    n = len(y_true)
    return ModelOutputs(
        "regression", (), y_true, y_pred, np.arange(n), {"input": np.ones((n, 1))}, None, None, "mlp", NO_FIT, None
    )


def two_classifiers(
    n: int, generator: np.random.Generator, *, sharpness: tuple[float, float] = (1.0, 1.0), ease: float = 1.0
) -> tuple[ModelOutputs, ModelOutputs]:
    """Draw two classifiers of three classes on the same samples, which agree in part.

    The probabilities of the samples are those of the labels, sharpened; each model sees them with noise of its own.
    """
    evidence = ease * 2 * generator.normal(size=(n, 3))
    y_true = (evidence + generator.gumbel(size=(n, 3))).argmax(axis=1)
    found = []
    for factor in sharpness:
        logits = factor * (evidence + 0.7 * generator.normal(size=(n, 3)))
        p = np.exp(logits - logits.max(axis=1, keepdims=True))
        layer = np.eye(3, 6)[logits.argmax(axis=1)] + 0.3 * generator.normal(size=(n, 6)) / (1 + np.abs(logits[:, :1]))
        found.append(classifier(y_true, p / p.sum(axis=1, keepdims=True), layer))
    return found[0], found[1]


def wrong(recorded: ModelOutputs) -> Flags:
    """Return which predictions are wrong."""
    return np.asarray(recorded.y_true != recorded.y_pred)


def compared(folder: Path, *models: ModelOutputs) -> dict[Metric | None, PairedTest]:
    runs = [run_in(folder / f"model_{i}/1", one) for i, one in enumerate(models)]
    return {test.metric: test for test in compare_runs(runs[:2]).tests}
