"""A small study that runs in seconds."""

import json
from pathlib import Path
from typing import Any

STUDY: dict[str, Any] = {
    "name": "small",
    "base": {
        "dataset": {"name": "blobs", "params": {"n_samples": 300, "n_classes": 3}},
        "split": {"test_size": 0.4},
        "model": {"name": "mlp", "params": {"hidden_layers": [4]}},
        "training": {"epochs": 3, "learning_rate": 0.01},
        "residuals": {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]},
    },
    "seeds": 2,
    "cells": {"mlp": {}, "linear": {"model": {"name": "logistic_regression"}}},
}


def write_study(folder: Path, **changes: Any) -> Path:
    file = folder / "small.json"
    file.write_text(json.dumps(STUDY | changes))
    return file


def content(study: Path) -> dict[str, bytes]:
    """Every table and artifact of a study, without what holds times and hosts."""
    return {
        str(file.relative_to(study)): file.read_bytes()
        for file in sorted(study.rglob("*"))
        if file.is_file() and not file.name.startswith(".") and ".shared" not in file.parts
        if file.name not in {"summary.json", "run.log"} and not {"checkpoints", "dvclive"} & set(file.parts)
    }
