"""Writes recorded arrays as the artifacts of the steps up to `extract-representations`."""

from collections.abc import Container, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import ArrayWriter, open_array, write_array
from mlx.core.artifacts import write_json, write_parquet
from mlx.core.checks import check_finite, check_matrix, check_rows_sum_to_one
from mlx.core.console import note
from mlx.core.descriptions import (
    SPLITS,
    DatasetDescription,
    RepresentationsDescription,
    Split,
    ValidationDescription,
)
from mlx.core.last_layer import write_last_layer
from mlx.core.lineage import identity
from mlx.core.paths import CROSS_FIT, NUMBERS, TEXTS
from mlx.core.recorded import RECORDED_ARRAYS
from mlx.core.samples import naming, open_index, open_targets
from mlx.core.sparse import SparseWriter
from mlx.datasets.roles import LARGEST_EXACT
from mlx.received.files import NOTHING_BESIDE, Beside
from mlx.received.last_layer import checked_last_layer
from mlx.received.parts import Recording
from mlx.received.predictions import Received
from mlx.received.sparse import is_sparse

if TYPE_CHECKING:
    import pandas as pd


def write_outputs(
    folder: Path,
    recording: Recording,
    beside: Beside = NOTHING_BESIDE,
    splits: Container[Split] = SPLITS,
    made_from: Mapping[str, str] | None = None,
) -> RepresentationsDescription:
    """Write ``data/representations/`` into an empty `folder`: the arrays of the parts in `splits`, and what is beside.

    Raises
    ------
    MlxError
        An array is damaged, or contains no predictions.
    """
    for split in recording.parts:
        if split in splits:
            (folder / split).mkdir()
            _write_part(folder / split, recording, split)
    described = _description(recording, splits)
    if described.class_names and beside.last_layer and (last := checked_last_layer(beside.last_layer, recording.test)):
        write_last_layer(folder, last)
        described = described.model_copy(update={"last_layer": last.layer})
    # By their content, and not by what they were made from, so that the results of every entrance are the same bytes.
    known = identity(described.as_dict(), sorted(set(folder.rglob("*.npy")) - _layer_files(folder, described)))
    described = described.model_copy(update={"made_from": dict(made_from or {}), "identity": known})
    write_json(folder / "representations.json", described.as_dict())
    if beside.cross_fit is not None and described.class_names:
        _copy_cross_fit(beside.cross_fit, folder / CROSS_FIT, len(described.class_names))
    return described


def _layer_files(folder: Path, described: RepresentationsDescription) -> set[Path]:
    return {folder / split / f"{name}.npy" for split in described.samples for name in described.layers}


def write_samples(folder: Path, recording: Recording, name: str, **about: Any) -> DatasetDescription:
    """Write ``data/raw/`` into an empty `folder`, whose rows are the numbers of the samples.

    ``X.npy`` has the images, ``numbers.npy`` their numbers.

    Parameters
    ----------
    name
        Of the data, for the reader.
    about
        Further fields of the description.
    """
    test = recording.test
    n = 1 + max(int(part.max()) for part in recording.numbers.values())
    widths = recording.widths()
    described = DatasetDescription(
        name=name,
        task=recording.task,
        class_names=list(test.class_names),
        shape=[n, *(test.images.shape[1:] if test.images is not None else [next(iter(widths.values()))])],
        dtype=str(test.images.dtype) if test.images is not None else "float64",
        source=_source(recording),
        seed=None,
        augmentation=None,
        factors=list(test.factors),
        details={},
        **{"params": {}, **about},
    )
    if test.factors:
        write_parquet(folder / "factors.parquet", _factor_table(recording, n))
    if test.images is not None:
        _write_images(folder, recording)
    if test.texts is not None:
        _write_texts(folder, recording)
    write_json(folder / "dataset.json", described.as_dict())
    return described


def _factor_table(recording: Recording, n: int) -> "pd.DataFrame":
    """Return what is known of samples in n rows; integers that floats beside gaps can't hold become text."""
    import pandas as pd

    parts = [(part, recording.numbers[split]) for split, part in recording.parts.items() if part.factors]
    table = pd.concat([pd.DataFrame(dict(part.factors), index=numbers) for part, numbers in parts])
    for name, values in table.select_dtypes("integer").items():
        if len(table) < n and (values.abs() > LARGEST_EXACT).any():
            table[name] = values.astype(str)
    table = table.reindex(range(n))
    for split, columns in recording.known.items():
        for name, column in columns.items():
            kind = table[name].dtype
            if (column.dtype.kind == "O") == (kind.kind == "O") and name not in recording.parts[split].factors:
                table[name] = table[name].fillna(pd.Series(column, index=recording.numbers[split]).astype(kind))
    return table


def write_labels(folder: Path, recording: Recording, split: Split) -> None:
    """Write ``y_true.npy`` and ``index.npy`` of a part into an empty `folder`."""
    _write_numbers(folder, {"y_true": recording.parts[split].y_true}, recording, split)


def _write_numbers(folder: Path, labels: Mapping[str, Array], recording: Recording, split: Split) -> None:
    dtype = np.float64 if recording.task == "regression" else np.int64
    for name, values in labels.items():
        write_array(folder / f"{name}.npy", values.astype(dtype))
    write_array(folder / "index.npy", recording.numbers[split].astype(np.int64))


def _write_part(folder: Path, recording: Recording, split: Split) -> None:
    part = recording.parts[split]
    scores = {"probabilities": part.probabilities, "logits": part.logits}
    for name, array in ({name: rows for name, rows in scores.items() if rows is not None} | part.layers).items():
        _copy(array, folder, name)
    _write_numbers(folder, {"y_true": part.y_true, "y_pred": part.y_pred}, recording, split)


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


def _description(recording: Recording, splits: Container[Split]) -> RepresentationsDescription:
    test, val = recording.test, recording.parts.get("val")
    return RepresentationsDescription(
        task=recording.task,
        class_names=list(test.class_names),
        model=RECORDED_ARRAYS,
        layers=recording.widths(),
        sparse=[name for name, array in test.layers.items() if is_sparse(array)],
        has_logits=test.logits is not None,
        samples={split: len(part.y_true) for split, part in recording.parts.items() if split in splits},
        validation=None if val is None or recording.task == "regression" else _validation(val),
    )


def _validation(val: Received) -> ValidationDescription:
    return ValidationDescription(n=len(val.y_true), errors=int((val.y_true != val.y_pred).sum()))


def _source(recording: Recording) -> str:
    sizes = {split: len(part.y_true) for split, part in recording.parts.items()}
    others = "".join(f", {size} {split}" for split, size in sizes.items() if split != "test")
    classes = f" of {len(names)} classes" if (names := recording.test.class_names) else ""
    beside = f" (beside{others[1:]})" if others else ""
    return f"{sizes['test']} samples{beside}{classes}; layers {', '.join(recording.test.layers)}"


def _write_images(folder: Path, recording: Recording) -> None:
    """Write the images of the test part, and those of other parts that have its size and type."""
    first = recording.test.images
    assert first is not None, "there are images"
    shown = {split: images for split, part in recording.parts.items() if (images := part.images) is not None}
    for split, images in list(shown.items()):
        if (images.shape[1:], images.dtype) != (first.shape[1:], first.dtype):
            note(f"{images}: left out of the page, as they differ from those of the test part in size or type")
            del shown[split]
    n = sum(len(recording.numbers[split]) for split in shown)
    with ArrayWriter(folder / "X.npy", (n, *first.shape[1:]), first.dtype.newbyteorder("=")) as writer:
        for images in shown.values():
            for block in images.chunks():
                writer.append(block)
    write_array(folder / "y.npy", np.concatenate([recording.parts[split].y_true for split in shown]))
    write_array(folder / NUMBERS, np.concatenate([recording.numbers[split] for split in shown]))


def _write_texts(folder: Path, recording: Recording) -> None:
    import pandas as pd

    tables = [
        pd.DataFrame({"index": recording.numbers[split], "text": part.texts})
        for split, part in recording.parts.items()
        if part.texts is not None
    ]
    write_parquet(folder / TEXTS, pd.concat(tables, ignore_index=True))


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
