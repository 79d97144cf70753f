"""Analyzes recorded arrays of any framework: writes them as a workspace, and runs the last steps of the pipeline.

These steps read the outputs and representations of a model, and need neither a configuration nor the model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.arrays import ArrayWriter, write_array
from mlx.core.artifacts import read_json, replacing_folder, write_json, write_parquet
from mlx.core.checks import check_finite, check_rows_sum_to_one
from mlx.core.console import note
from mlx.core.descriptions import DatasetDescription, RepresentationsDescription
from mlx.core.errors import SettingsError
from mlx.core.locks import run_lock
from mlx.core.own_folders import remove
from mlx.core.paths import Workspace
from mlx.core.sparse import SparseWriter
from mlx.core.workers import SERIAL, Workers
from mlx.evaluation import EvaluationSettings
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.report import report
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.plots.settings import ReportSettings
from mlx.residuals import ResidualsSettings
from mlx.runs.received import Given, Received, is_sparse, receive
from mlx.stats.grouping import DUPLICATES, unknown_groups

RECORDED = "recorded arrays"
"""The name of the model in a workspace that this module wrote."""

RESERVED = frozenset({"logits", "probabilities", "y_true", "y_pred", "index", "representations"})
"""Names of the files beside those of the layers."""


@dataclass(frozen=True)
class RecordedFiles:
    """The files of the arrays of n samples and K classes.

    Attributes
    ----------
    representations
        By layer, (n, d), or sparse rows in ``.npz``; the layer of the headline first.
    probabilities
        (n, K); or (n,), the probability of the second of two classes.
    labels
        (n,), integers from 0 or names.
    logits
        (n, K), or None.
    predictions
        (n,), as the labels, or None: the class of the largest probability.
    metadata
        Table with a row for each sample (CSV, Parquet, JSON) of what may explain an error, or None.
    class_names
        K names in the order of the columns; by default those of the labels in sorted order, or numbers.

    Files of arrays are ``.npy``, ``.npz``, ``.csv`` or ``.parquet``, see `mlx.runs.received.rows.read_rows`.
    """

    representations: Mapping[str, Path]
    probabilities: Path
    labels: Path
    logits: Path | None = None
    predictions: Path | None = None
    metadata: Path | None = None
    class_names: Sequence[str] = field(default=())


def analyze(
    files: RecordedFiles, output: Path, workers: Workers = SERIAL, *, seed: int = 42, groups: str | None = None
) -> Path:
    """Evaluate and analyze recorded predictions; return the path of the report's page.

    Parameters
    ----------
    output
        Folder to write, with the layout of a workspace: ``data/`` and ``metrics/``.
    workers
        Where the tasks of the residuals analysis run.
    seed
        Of every resample, from 0 to 2³² − 1.
    groups
        As ``evaluation.groups`` and ``residuals.groups``: a column of the metadata, or ``duplicates``; None for
        independent samples.

    Raises
    ------
    MlxError
        A file is missing, damaged, of another shape than the others, or contains no predictions; or `output`
        contains other files.
    """
    if not 0 <= seed < 2**32:
        raise SettingsError(f"--seed: expected an integer from 0 to {2**32 - 1}, found {seed}")
    _check_output(output)
    workspace = Workspace(output)
    with run_lock(workspace):
        _lay_out(files, workspace, groups)
        note(evaluate(workspace, evaluation=EvaluationSettings(seed=seed, groups=groups)))
        note(residuals_analysis(workspace, workers, residuals=ResidualsSettings(seed=seed, groups=groups)))
        note(report(workspace, report=ReportSettings()))
    return workspace.report / "report.html"


def _check_output(output: Path) -> None:
    """Reject a folder that contains anything but the results of an earlier, perhaps interrupted analysis."""
    if not output.exists() or (output.is_dir() and not any(map(_is_result, output.rglob("*")))):
        return
    described = Workspace(output).representations / "representations.json"
    ours = output.is_dir() and {path.name for path in output.iterdir()} <= {"data", "metrics"} and described.is_file()
    if ours and read_json(described).get("model") == RECORDED:
        return
    raise SettingsError(f"--output: expected a new or empty folder, or one of an earlier analysis, found {output}")


def _is_result(path: Path) -> bool:
    """Return whether a path is not just an empty or temporary folder of an interrupted analysis."""
    empty = path.name == "data" or path.name.endswith(".lock")
    return not empty and not any(part.startswith(".representations.") for part in path.parts)


def _receive(files: RecordedFiles, groups: str | None) -> Received:
    for name in files.representations:
        if name.lower() in RESERVED:
            raise SettingsError(
                f"--representations: expected a name other than {', '.join(sorted(RESERVED))}, found '{name}'"
            )
    return receive(
        Given(
            representations=files.representations,
            probabilities=files.probabilities,
            labels=files.labels,
            logits=files.logits,
            predictions=files.predictions,
            factors=files.metadata,
            groups=groups,
            class_names=files.class_names,
            names={"class_names": "--class-names"},
        )
    )


def _lay_out(files: RecordedFiles, workspace: Workspace, groups: str | None) -> None:
    """Write ``data/representations/`` and ``data/raw/`` in place of the earlier steps."""
    received = _receive(files, groups)
    if groups not in {None, DUPLICATES, *received.factors}:
        raise unknown_groups(str(groups), received.factors, key="--groups")
    n = len(received.y_true)
    scores = {"probabilities": received.probabilities}
    if received.logits is not None:
        scores["logits"] = received.logits
    layers, names = received.layers, received.class_names
    with replacing_folder(workspace.representations) as folder:
        for name, array in (scores | layers).items():
            _copy(array, folder, name)
        for name, values in (("y_true", received.y_true), ("y_pred", received.y_pred), ("index", np.arange(n))):
            write_array(folder / f"{name}.npy", values.astype(np.int64))
        described = RepresentationsDescription(
            task="classification",
            class_names=list(names),
            model=RECORDED,
            layers={name: array.shape[1] for name, array in layers.items()},
            sparse=[name for name, array in layers.items() if is_sparse(array)],
            has_logits="logits" in scores,
        )
        write_json(folder / "representations.json", described.as_dict())
        # The results of an earlier analysis are of other arrays.
        for earlier in (workspace.metrics, workspace.residuals, workspace.report):
            remove(earlier)
    _describe(workspace, files, described, received.factors, n)


def _describe(
    workspace: Workspace,
    files: RecordedFiles,
    recorded: RepresentationsDescription,
    factors: Mapping[str, Any],
    n: int,
) -> None:
    import pandas as pd

    described = DatasetDescription(
        name=files.labels.stem,
        task="classification",
        class_names=recorded.class_names,
        shape=[n, next(iter(recorded.layers.values()))],
        dtype="float64",
        source=f"{n} samples of {len(recorded.class_names)} classes; layers {', '.join(recorded.layers)}",
        seed=None,
        params={},
        augmentation=None,
        factors=list(factors),
        details={},
    )
    with replacing_folder(workspace.raw) as folder:
        if factors:
            write_parquet(folder / "factors.parquet", pd.DataFrame(dict(factors)))
        write_json(folder / "dataset.json", described.as_dict())


def _copy(array: Any, folder: Path, name: str) -> None:
    """Copy an array block by block; reject values that are not finite, and probabilities that don't sum to 1."""
    if is_sparse(array):
        with SparseWriter(folder / f"{name}.npz", array.shape, array.dtype) as sparse_writer:
            sparse_writer.append(array)
        return
    dtype = array.dtype.newbyteorder("=")
    if name in {"probabilities", "logits"} and dtype.kind != "f":
        dtype = np.dtype(np.float64)
    row = 0
    with ArrayWriter(folder / f"{name}.npy", array.shape, dtype) as writer:
        for block in array.chunks():
            check_finite(str(array), block, row)
            if name == "probabilities":
                check_rows_sum_to_one(block.astype(np.float64), row)
            writer.append(block)
            row += len(block)
