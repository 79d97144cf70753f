"""Identifies a training by all that it depends on, so that only the same training resumes a checkpoint."""

import json
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mlx
from mlx.core.paths import from_root
from mlx.core.reading import digest_of_file, digest_of_values
from mlx.models import ModelSettings, TaskSpec
from mlx.training.augment import Augmentation
from mlx.training.settings import TrainingSettings

Fingerprint = dict[str, Any]
"""JSON values by dotted name."""

LIBRARIES = ("numpy", "keras", "tensorflow")
CODE = ("core", "models", "training")  # the folders of this package that a training runs


def fingerprint(
    model: ModelSettings,
    training: TrainingSettings,
    augmentation: Augmentation,
    task_spec: TaskSpec,
    data: Mapping[str, Path],
) -> Fingerprint:
    """Return all that determines the numbers of a training.

    The `data` are the files of the arrays that it reads, by name; their contents are hashed in blocks.
    """
    parts: Fingerprint = {
        "model": model.as_dict(),
        "training": {key: value for key, value in training.as_dict().items() if key != "cross_fit"},  # of more models
        "augmentation": vars(augmentation),
        "task_spec": {
            "task": task_spec.task,
            "sample_shape": list(task_spec.sample_shape),
            "n_classes": task_spec.n_classes,
        },
        "data": {name: digest_of_file(path) for name, path in data.items()} | _starting_weights(model),
        "version": {"mlx": mlx.__version__} | {name: _version(name) for name in LIBRARIES},
        "code": {"mlx": _code_digest(), "custom": _custom_digest(model.architecture)},
    }
    return _flat(parts)


def difference(found: Fingerprint, expected: Fingerprint) -> str:
    """Describe how a stored fingerprint differs from the expected one; empty if it does not."""
    names = [name for name in expected | found if found.get(name) != expected.get(name)]
    changes = [_change(name, found.get(name), expected.get(name)) for name in names[:3]]
    return ", ".join(changes) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _change(name: str, found: Any, expected: Any) -> str:
    if name.startswith(("data.", "code.")):
        return f"other {name}"
    return f"{name} was {json.dumps(found)} and is {json.dumps(expected)}"


def _flat(values: Any, above: str = "") -> Fingerprint:
    if not isinstance(values, dict) or not values:
        return {above: values}
    parts = [_flat(value, f"{above}.{key}" if above else str(key)) for key, value in values.items()]
    return {name: value for part in parts for name, value in part.items()}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _code_digest() -> str:
    root = Path(mlx.__file__).parent
    files = [file for folder in CODE for file in (root / folder).rglob("*.py")]
    return digest_of_values({file.relative_to(root).as_posix(): digest_of_file(file) for file in files})


def _starting_weights(model: ModelSettings) -> dict[str, str]:
    path = model.files().get("model.params.pretrained")
    return {"pretrained": digest_of_file(path)} if path is not None and path.is_file() else {}


def _custom_digest(architecture: str | None) -> str | None:
    """Hash the file of ``file.py:function``, which makes a custom model."""
    path = from_root((architecture or "").rpartition(":")[0])
    return digest_of_file(path) if path.is_file() else None
