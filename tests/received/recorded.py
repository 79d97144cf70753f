"""Recorded outputs, and the ways to analyze them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import mlx
import mlx.runs.recorded_arrays
from mlx.cli import main
from mlx.core.errors import MlxError

N, K = 60, 3
Y = np.arange(N) % K
TWO = np.arange(N) % 2
GENERATOR = np.random.default_rng(0)
R = GENERATOR.normal(size=(N, 4))
P = GENERATOR.dirichlet(np.ones(K), N)
HALF = GENERATOR.uniform(0.01, 0.99, N)
NAMES = np.array(["caf\u00e9", "th\u00e9", "eau"])
OTHER = ["th\u00e9", "caf\u00e9", "eau"]  # an order that is not the sorted one
NAMED = pd.DataFrame(P, columns=OTHER)
FLAGS = {"representations": "--representations", "probabilities": "--probabilities", "labels": "--labels",
         "logits": "--logits", "factors": "--metadata", "class_names": "--class-names"}  # fmt: skip
ARGUMENTS = {"probabilities": "softmax_outputs", "labels": "y_true"}
QUICK = {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]}


def by_command(given: dict[str, Any], folder: Path) -> pd.DataFrame:
    """Save what is given as someone would, and run the command."""
    line = ["analyze", "--output", str(folder / "out")]
    line += [text for key, value in QUICK.items() for text in ("--set", f"residuals.{key}={value}")]
    for name, value in given.items():
        path = str(saved(value, folder / name))
        line += [FLAGS[name], f"layer={path}" if name == "representations" else path]
    try:
        main(line)
    except SystemExit as end:
        raise MlxError(str(end.code)) from None
    return pd.read_parquet(folder / "out/data/residuals/samples.parquet")


def saved(value: Any, path: Path) -> Path | str:
    if isinstance(value, Path | str):
        return value
    if isinstance(value, dict | pd.DataFrame):
        table = pd.DataFrame(value)
        table.to_parquet(path.with_suffix(".parquet"), index=False)
        return path.with_suffix(".parquet")
    if path.name == "class_names":
        np.save(path.with_suffix(".npy"), np.asarray(value).astype(str))
        return path.with_suffix(".npy")
    np.save(path.with_suffix(".npy"), np.asarray(value))
    return path.with_suffix(".npy")


def by_function(given: dict[str, Any], folder: Path) -> pd.DataFrame:
    arguments = {"metadata" if name == "factors" else name: value for name, value in given.items()}
    return mlx.analyze(**arguments, residuals=QUICK).tables["samples"]


def in_notebook(given: dict[str, Any], folder: Path) -> pd.DataFrame:
    arguments = {ARGUMENTS.get(name, name): value for name, value in given.items()}
    analyzer = mlx.ResidualsAnalyzer(**QUICK)
    return analyzer.run_full_analysis(**arguments)["samples"]


BASE = {"representations": R, "probabilities": P, "labels": Y}
TEXT = NAMES[Y]
