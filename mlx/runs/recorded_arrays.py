"""Analyzes recorded arrays of any framework: writes them as a workspace, and runs the last steps of the pipeline.

These steps read the outputs and representations of a model, and need neither a configuration nor the model.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import ArrayWriter, write_array
from mlx.core.artifacts import read_json, replacing_folder, write_json, write_parquet
from mlx.core.checks import check_finite, check_rows_sum_to_one
from mlx.core.console import note
from mlx.core.descriptions import DatasetDescription, RepresentationsDescription, Split, ValidationDescription
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
from mlx.runs.received import Received, is_sparse
from mlx.runs.recorded_files import RecordedFiles
from mlx.runs.recorded_parts import receive_parts, sample_numbers
from mlx.stats.grouping import DUPLICATES, unknown_groups

RECORDED = "recorded arrays"
"""The name of the model in a workspace that this module wrote."""


def analyze(
    parts: Mapping[Split, RecordedFiles],
    output: Path,
    workers: Workers = SERIAL,
    *,
    name: str,
    seed: int = 42,
    groups: str | None = None,
) -> Path:
    """Evaluate and analyze recorded predictions; return the path of the report's page.

    Parameters
    ----------
    parts
        Files of the test part, which is analyzed, and of the other parts that are recorded.
    name
        Of the data, for the reader.
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
        _lay_out(parts, workspace, name, groups)
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


def _lay_out(parts: Mapping[Split, RecordedFiles], workspace: Workspace, name: str, groups: str | None) -> None:
    """Write ``data/representations/`` and ``data/raw/`` in place of the earlier steps."""
    received = receive_parts(parts, groups)
    test = received["test"]
    if groups not in {None, DUPLICATES, *test.factors}:
        raise unknown_groups(str(groups), test.factors, key="--groups")
    numbers = sample_numbers(parts, received)
    with replacing_folder(workspace.representations) as folder:
        for split, part in received.items():
            (folder / split).mkdir()
            _write_part(folder / split, part, numbers[split])
        described = _description(received)
        write_json(folder / "representations.json", described.as_dict())
        # The results of an earlier analysis are of other arrays.
        for earlier in (workspace.metrics, workspace.residuals, workspace.report):
            remove(earlier)
    _describe_data(workspace, name, described, test.factors, numbers)


def _write_part(folder: Path, part: Received, numbers: Array) -> None:
    scores = {"probabilities": part.probabilities} | ({} if part.logits is None else {"logits": part.logits})
    for name, array in (scores | part.layers).items():
        _copy(array, folder, name)
    for name, values in (("y_true", part.y_true), ("y_pred", part.y_pred), ("index", numbers)):
        write_array(folder / f"{name}.npy", values.astype(np.int64))


def _description(received: Mapping[Split, Received]) -> RepresentationsDescription:
    test, val = received["test"], received.get("val")
    return RepresentationsDescription(
        task="classification",
        class_names=list(test.class_names),
        model=RECORDED,
        layers={name: array.shape[1] for name, array in test.layers.items()},
        sparse=[name for name, array in test.layers.items() if is_sparse(array)],
        has_logits=test.logits is not None,
        samples={split: len(part.y_true) for split, part in received.items()},
        validation=None if val is None else _validation(val),
    )


def _validation(val: Received) -> ValidationDescription:
    return ValidationDescription(n=len(val.y_true), errors=int((val.y_true != val.y_pred).sum()))


def _describe_data(
    workspace: Workspace,
    name: str,
    recorded: RepresentationsDescription,
    factors: Mapping[str, Any],
    numbers: Mapping[Split, Array],
) -> None:
    """Write ``data/raw/``, whose rows are the numbers of the samples; factors are known of the test part alone."""
    import pandas as pd

    n, sizes = 1 + max(int(part.max()) for part in numbers.values()), recorded.samples
    others = "".join(f", {size} {split}" for split, size in sizes.items() if split != "test")
    described = DatasetDescription(
        name=name,
        task="classification",
        class_names=recorded.class_names,
        shape=[n, next(iter(recorded.layers.values()))],
        dtype="float64",
        source=(
            f"{sizes['test']} samples{f' (beside{others[1:]})' if others else ''} of {len(recorded.class_names)} "
            f"classes; layers {', '.join(recorded.layers)}"
        ),
        seed=None,
        params={},
        augmentation=None,
        factors=list(factors),
        details={},
    )
    with replacing_folder(workspace.raw) as folder:
        if factors:
            table = pd.DataFrame(dict(factors), index=numbers["test"])
            write_parquet(folder / "factors.parquet", table.reindex(range(n)))
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
