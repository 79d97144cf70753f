"""A model as a folder: ``model.json`` describes it, ``weights.npz`` holds its arrays."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.artifacts import read_json, replacing_folder, write_json
from mlx.core.errors import ArtifactError
from mlx.models.in_numpy.trainer import Trainer
from mlx.models.npz import read_npz, write_npz

DESCRIPTION, WEIGHTS = "model.json", "weights.npz"


class CheckpointError(ArtifactError, ValueError):
    """A checkpoint that can't be loaded; also a ValueError, as callers of an estimator expect."""


@dataclass(frozen=True)
class Checkpoint:
    """The state of a model.

    Attributes
    ----------
    type
        Name of its class.
    architecture
        Widths and activations, which determine the shapes of the weights.
    hyperparameters
        The arguments of its constructor.
    fitted
        What it learned beside the arrays, such as class labels, as JSON values.
    optimizer
        Type and number of steps; None without an optimizer.
    arrays
        Weights, biases and the optimizer's vectors, float64, by name.
    """

    type: str
    architecture: dict[str, Any]
    hyperparameters: dict[str, Any]
    fitted: dict[str, Any]
    optimizer: dict[str, Any] | None
    arrays: Mapping[str, Array]


def write_checkpoint(checkpoint: Checkpoint, path: Path) -> None:
    """Write `checkpoint` into the folder `path`, completely or not at all.

    Raises
    ------
    ArtifactError
        The folder holds other files.
    """
    others = sorted({file.name for file in path.iterdir()} - {DESCRIPTION, WEIGHTS}) if path.is_dir() else []
    if others or (path.exists() and not path.is_dir()):
        found = f"one with {others[0]}" if others else "a file"
        raise CheckpointError(f"{path}: expected a new folder or one of a checkpoint, found {found}")
    with replacing_folder(path) as folder:
        write_npz(folder / WEIGHTS, {name: np.asarray(a, np.float64) for name, a in checkpoint.arrays.items()})
        shapes = {name: list(np.shape(array)) for name, array in checkpoint.arrays.items()}
        content = vars(checkpoint) | {"arrays": shapes}
        write_json(folder / DESCRIPTION, content | {"sha256": _digest(content, folder / WEIGHTS)})


def read_checkpoint(path: Path, type_name: str) -> Checkpoint:
    """Read the checkpoint of a model of the class `type_name` from the folder `path`.

    Raises
    ------
    ArtifactError
        A file is missing, damaged or altered, or of another kind of model.
    """
    content = read_json(path / DESCRIPTION)
    names = tuple(field.name for field in fields(Checkpoint))
    if absent := [name for name in (*names, "sha256") if name not in content]:
        raise CheckpointError(f"{path / DESCRIPTION}: expected a key '{absent[0]}' of a checkpoint, found none")
    if content["type"] != type_name:
        raise CheckpointError(f"{path / DESCRIPTION}: expected a checkpoint of {type_name}, found {content['type']}")
    if not (path / WEIGHTS).is_file():
        raise CheckpointError(f"{path / WEIGHTS}: expected a checkpoint, found none")
    if content.pop("sha256") != _digest(content, path / WEIGHTS):
        raise CheckpointError(f"{path}: expected what was saved, found files that were altered or damaged since")
    content["arrays"] = read_npz(path / WEIGHTS, tuple(content["arrays"]))
    return Checkpoint(**{name: content[name] for name in names})


def _digest(content: Mapping[str, Any], weights: Path) -> str:
    """Return the SHA-256 of the contents of both files, independent of the layout of the JSON."""
    digest = hashlib.sha256(json.dumps(content, sort_keys=True).encode())
    digest.update(weights.read_bytes())
    return digest.hexdigest()


def labels_as_json(labels: Array) -> dict[str, Any]:
    """Return class labels and their type as JSON values.

    Raises
    ------
    ArtifactError
        They are not numbers, texts or booleans.
    """
    kind = labels.dtype.kind
    if kind == "O" and all(isinstance(label, str) for label in labels):
        kind = "U"
    if kind not in "biufU":
        raise CheckpointError(f"classes: expected numbers or texts to save, found {labels.dtype}")
    return {"dtype": "object" if labels.dtype.kind == "O" else labels.dtype.str, "values": labels.tolist()}


def labels_from_json(content: Mapping[str, Any]) -> Array:
    """Return the class labels of `labels_as_json`."""
    return np.array(content["values"], np.dtype(content["dtype"]))


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return hyperparameters as JSON values, with NumPy's scalars converted."""
    content: dict[str, Any] = json.loads(json.dumps(values, default=lambda value: value.item()))
    return content


def optimizer_as_saved(trainer: Trainer | None) -> tuple[dict[str, Any] | None, dict[str, Array]]:
    """Return the description of a trainer's optimizer for the JSON, and its vectors."""
    if trainer is None:
        return None, {}
    optimizer = trainer.optimizer
    described = {
        "type": type(optimizer).__name__.lower(),
        "learning_rate": optimizer.learning_rate,
        "n_steps": optimizer.n_steps,
    }
    return described, {f"optimizer_{name}": vector for name, vector in optimizer.slots.items()}


def restore_optimizer(trainer: Trainer, checkpoint: Checkpoint) -> None:
    """Set the state of the optimizer of `trainer` to that in `checkpoint`."""
    assert checkpoint.optimizer is not None
    vectors = {name: checkpoint.arrays[f"optimizer_{name}"] for name in trainer.optimizer.slots}
    trainer.optimizer.set_state({"n_steps": np.array(checkpoint.optimizer["n_steps"], np.int64), **vectors})


_INVALID = (
    KeyError, TypeError, ValueError, AttributeError, IndexError, AssertionError, ArithmeticError, MemoryError,
)  # fmt: skip


@contextmanager
def adopting(path: str | Path) -> Iterator[None]:
    """Convert the errors that invalid contents raise into one `CheckpointError`."""
    try:
        yield
    except _INVALID as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"{path}: expected a checkpoint that makes a model, found {error!r}") from None
