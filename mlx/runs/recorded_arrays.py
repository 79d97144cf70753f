"""Analyzes recorded arrays of any framework: writes them as a workspace, and runs the last steps of the pipeline.

These steps read the outputs and representations of a model, and need neither a configuration nor the model.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import ArrayWriter, open_array, write_array
from mlx.core.artifacts import read_json, replacing_folder, write_json, write_parquet
from mlx.core.checks import check_finite, check_matrix, check_rows_sum_to_one
from mlx.core.console import note
from mlx.core.descriptions import DatasetDescription, RepresentationsDescription, Split, Task, ValidationDescription
from mlx.core.errors import SettingsError
from mlx.core.locks import run_lock
from mlx.core.own_folders import remove
from mlx.core.paths import CROSS_FIT, Workspace
from mlx.core.samples import naming, open_index, open_targets
from mlx.core.sparse import SparseWriter
from mlx.core.workers import SERIAL, Workers
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.report import NUMBERS, report
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.runs.analysis_settings import AnalysisSettings
from mlx.runs.received import Received, Rows, is_sparse
from mlx.runs.recorded_files import RecordedPart
from mlx.runs.recorded_parts import COMMAND, Names, receive_parts, sample_numbers
from mlx.stats.grouping import DUPLICATES, unknown_groups

RECORDED = "recorded arrays"
"""The name of the model in a workspace that this module wrote."""


def analyze(
    parts: Mapping[Split, RecordedPart],
    output: Path,
    workers: Workers = SERIAL,
    *,
    name: str,
    settings: AnalysisSettings,
    cross_fit: Path | None = None,
    names: Names = COMMAND,
    say: Callable[[str], None] = note,
) -> Path:
    """Evaluate and analyze recorded outputs; return the path of the report's page.

    Parameters
    ----------
    parts
        The test part, which is analyzed, and the other parts that are recorded.
    output
        Folder to write, with the layout of a workspace: ``data/`` and ``metrics/``.
    workers
        Where the tasks of the residuals analysis run.
    name
        Of the data, for the reader.
    settings
        Of the three steps.
    cross_fit
        Folder of outputs for training samples by models not trained on them, as `cross_fit_in` returns it.
    names
        What the arguments are called in messages.
    say
        Receives a line for each step, of what it read, found and wrote.

    Raises
    ------
    MlxError
        An array is damaged, of another shape than the others, or contains no predictions; or `output` contains other
        files.
    """
    _check_output(output)
    workspace = Workspace(output)
    with run_lock(workspace):
        lay_out(parts, workspace, name, settings.residuals.groups, names, cross_fit)
        say(evaluate(workspace, evaluation=settings.evaluation))
        say(residuals_analysis(workspace, workers, residuals=settings.residuals))
        say(report(workspace, report=settings.report))
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


def lay_out(
    parts: Mapping[Split, RecordedPart],
    workspace: Workspace,
    name: str,
    groups: str | None = None,
    names: Names = COMMAND,
    cross_fit: Path | None = None,
) -> None:
    """Write ``data/representations/`` and ``data/raw/`` in place of the earlier steps."""
    received = receive_parts(parts, groups, names)
    test = received["test"]
    if groups not in {None, DUPLICATES, *test.factors}:
        raise unknown_groups(str(groups), test.factors, key=names.get("groups", "groups"))
    numbers = sample_numbers(parts, received)
    with replacing_folder(workspace.representations) as folder:
        for split, part in received.items():
            (folder / split).mkdir()
            _write_part(folder / split, part, numbers[split])
        described = _description(parts["test"].task, received)
        write_json(folder / "representations.json", described.as_dict())
        if cross_fit is not None and described.class_names:
            _copy_cross_fit(cross_fit, folder / CROSS_FIT, len(described.class_names))
        # The results of an earlier analysis are of other arrays.
        for earlier in (workspace.metrics, workspace.residuals, workspace.report):
            remove(earlier)
    _describe_data(workspace, name, described, test, numbers)


def _write_part(folder: Path, part: Received, numbers: Array) -> None:
    scores = {"probabilities": part.probabilities, "logits": part.logits}
    for name, array in ({name: rows for name, rows in scores.items() if rows is not None} | part.layers).items():
        _copy(array, folder, name)
    dtype = np.float64 if part.probabilities is None else np.int64
    for name, values in (("y_true", part.y_true), ("y_pred", part.y_pred)):
        write_array(folder / f"{name}.npy", values.astype(dtype))
    write_array(folder / "index.npy", numbers.astype(np.int64))


def _copy_cross_fit(source: Path, folder: Path, n_classes: int) -> None:
    folder.mkdir()
    y = open_targets(source / "y_true.npy", n_classes=n_classes)
    arrays = {"y_true": y, "index": open_index(source / "index.npy", rows=len(y))}
    for name in ("probabilities", "logits"):
        if name == "probabilities" or (source / f"{name}.npy").exists():
            arrays[name] = np.asarray(open_array(source / f"{name}.npy", ndim=2, rows=len(y)), np.float64)
            with naming(source):
                check_matrix(name, arrays[name], (len(y), n_classes))
                check_finite(name, arrays[name], 0)
    for name, array in arrays.items():
        write_array(folder / f"{name}.npy", array)


def _description(task: Task, received: Mapping[Split, Received]) -> RepresentationsDescription:
    test, val = received["test"], received.get("val")
    return RepresentationsDescription(
        task=task,
        class_names=list(test.class_names),
        model=RECORDED,
        layers={name: array.shape[1] for name, array in test.layers.items()},
        sparse=[name for name, array in test.layers.items() if is_sparse(array)],
        has_logits=test.logits is not None,
        samples={split: len(part.y_true) for split, part in received.items()},
        validation=None if val is None or task == "regression" else _validation(val),
    )


def _validation(val: Received) -> ValidationDescription:
    return ValidationDescription(n=len(val.y_true), errors=int((val.y_true != val.y_pred).sum()))


def _describe_data(
    workspace: Workspace,
    name: str,
    recorded: RepresentationsDescription,
    test: Received,
    numbers: Mapping[Split, Array],
) -> None:
    """Write ``data/raw/``, whose rows are the numbers of the samples.

    Factors and images are known of the test part alone: ``X.npy`` has its images, and ``numbers.npy`` their numbers.
    """
    import pandas as pd

    n = 1 + max(int(part.max()) for part in numbers.values())
    described = DatasetDescription(
        name=name,
        task=recorded.task,
        class_names=recorded.class_names,
        shape=[n, *(test.images.shape[1:] if test.images is not None else [next(iter(recorded.layers.values()))])],
        dtype=str(test.images.dtype) if test.images is not None else "float64",
        source=_source(recorded),
        seed=None,
        params={},
        augmentation=None,
        factors=list(test.factors),
        details={},
    )
    with replacing_folder(workspace.raw) as folder:
        if test.factors:
            table = pd.DataFrame(dict(test.factors), index=numbers["test"])
            write_parquet(folder / "factors.parquet", table.reindex(range(n)))
        if test.images is not None:
            _write_images(folder, test.images, test.y_true, numbers["test"])
        write_json(folder / "dataset.json", described.as_dict())


def _source(recorded: RepresentationsDescription) -> str:
    sizes = recorded.samples
    others = "".join(f", {size} {split}" for split, size in sizes.items() if split != "test")
    classes = f" of {len(recorded.class_names)} classes" if recorded.class_names else ""
    beside = f" (beside{others[1:]})" if others else ""
    return f"{sizes['test']} samples{beside}{classes}; layers {', '.join(recorded.layers)}"


def _write_images(folder: Path, images: Rows, targets: Array, numbers: Array) -> None:
    with ArrayWriter(folder / "X.npy", images.shape, images.dtype.newbyteorder("=")) as writer:
        for block in images.chunks():
            writer.append(block)
    write_array(folder / "y.npy", targets)
    write_array(folder / NUMBERS, numbers)


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
