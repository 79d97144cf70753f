"""Checkpoints of scikit-learn models, and changes to them."""

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits

from mlx.core.errors import ArtifactError
from mlx.models import ModelSettings, TaskSpec, build_model, load_model, save_model

X, Y = load_digits(return_X_y=True)
X, Y = X[:200], Y[:200]
PARAMS: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 3},
    "gradient_boosting": {"max_iter": 2},
    "svm": {},
}
Node = dict[str, Any]
Change = Callable[[Node, dict[str, np.ndarray]], None]


def saved(name: str, folder: Path) -> Path:
    settings = ModelSettings(name=name, params=PARAMS[name])
    model = build_model(settings, TaskSpec("classification", (64,), 10), seed=1)
    model.fit(X, Y, seed=1)  # type: ignore[attr-defined]  # a DirectModel
    folder.mkdir()
    save_model(model, settings, folder, [str(i) for i in range(10)])
    return folder / "model.skops"


def copied(original: Path, folder: Path) -> Path:
    for file in original.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder / original.name


def refused(path: Path, reason: str = "") -> None:
    pattern = rf"model\.skops: expected a scikit-learn model, found a damaged or foreign file \(.*{reason}.*'dvc repro'"
    with pytest.raises(ArtifactError, match=pattern) as caught:
        load_model(path.parent)
    assert "\n" not in str(caught.value)


def altered(path: Path, change: Change) -> None:
    """Write the checkpoint again with a schema and arrays that `change` has been at."""
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
        arrays = {n: np.load(io.BytesIO(archive.read(n))) for n in archive.namelist() if n.endswith(".npy")}
    change(schema, arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
        for name, array in arrays.items():
            with archive.open(name, "w") as entry:
                np.save(entry, array)


def attributes(node: Node) -> Node:
    content: Node = node["content"]["content"]
    return content
