"""Folders of recorded outputs, and the pipeline on them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.pipeline.steps import STEPS

K, SIZES = 3, {"test": 120, "val": 60, "train": 90}
QUICK = {"n_bootstrap": 100, "n_permutations": 19, "projections": []}


def record(folder: Path, sizes: dict[str, int] = SIZES, *, regression: bool = False) -> Path:
    """Write a folder of recorded arrays, whose samples are numbered in any order."""
    generator = np.random.default_rng(0)
    numbers = np.split(generator.permutation(sum(sizes.values())), np.cumsum(list(sizes.values()))[:-1])
    for (split, n), index in zip(sizes.items(), numbers, strict=True):
        place = folder / split
        place.mkdir(parents=True)
        y = generator.integers(K, size=n)
        h = (2 * np.eye(K, 8)[y] + generator.normal(size=(n, 8))).astype(np.float32)
        arrays = {"penultimate": h, "conv": h[:, :5], "index": index}
        arrays |= {"y_true": h[:, 0], "y_pred": h[:, 1]} if regression else {"y_true": y, "logits": h[:, :K]}
        for name, array in arrays.items():
            np.save(place / f"{name}.npy", array)
        rows = [{"size": int(i % 7), "patient": f"p{i // 2}"} for i in range(n)]
        (place / "metadata.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        (place / "texts.jsonl").write_text("".join(f'{{"text": "sample {i} \\u2028 of {split}"}}\n' for i in range(n)))
    task = "regression" if regression else "classification"
    described = {"task": task, "class_names": [] if regression else ["x", "y", "z"], "model": "Net",
                 "layers": {"penultimate": 8, "conv": 5}, "has_logits": not regression, "samples": sizes}  # fmt: skip
    (folder / "representations.json").write_text(json.dumps(described))
    return folder


def configured(path: Path | str, **sections: Any) -> ExperimentConfig:
    dataset = {"name": "recorded", "path": str(path), "params": sections.pop("params", {})}
    whole = {"name": "r", "dataset": dataset, "model": {"name": "recorded"}, "residuals": QUICK}
    return ExperimentConfig.model_validate(whole | sections)


def run(folder: Path, config: ExperimentConfig, steps: int = 4) -> Workspace:
    workspace = Workspace(folder)
    for step in STEPS[:steps]:
        step(workspace, **{name: getattr(config, name) for name in sections_of(step)})
    return workspace


def changed(file: str, change: Callable[[Any], Any]) -> Callable[[Path], None]:
    return lambda folder: np.save(folder / file, change(np.load(folder / file)))
