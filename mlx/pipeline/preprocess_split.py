"""Step `preprocess-split`: divides the raw samples and scales them, block by block."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.arrays import ArrayWriter, open_array, rows_of, write_array
from mlx.core.artifacts import read_parquet, replacing_folder, write_columns, write_json
from mlx.core.console import note, tracked
from mlx.core.descriptions import DatasetDescription, SplitsDescription, read_description
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.core.samples import finite_rows, open_samples, open_targets
from mlx.preprocessing.duplicates import equal_rows, row_digests
from mlx.preprocessing.known_rows import KnownRows
from mlx.preprocessing.overlap import Overlap, notes_of, overlaps_of
from mlx.preprocessing.scaling import Scaler, fit_scaler
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.preprocessing.split import Split, split_rows

FITTED_BYTES, BLOCK_BYTES = 8 << 20, 2 << 20
"""Sizes of the blocks by which the scaling is fitted, whose bounds change the last digits, and of all others."""


def preprocess_split(workspace: Workspace, *, split: SplitSettings, preprocessing: PreprocessingSettings) -> str:
    """Write ``data/splits/``: X, y and the row in raw for each part; ``preprocessing.json``, ``duplicates.parquet``.

    Raises
    ------
    MlxError
        A part would be empty, a class is too small to be divided, a column that the split goes by is missing or a
        feature, or the values don't fit the scaling.
    """
    described = read_description(workspace.raw / "dataset.json", DatasetDescription)
    n, *sample_shape = described.shape
    y = open_targets(workspace.raw / "y.npy", n_classes=len(described.class_names), rows=n)
    X = open_samples(workspace.raw / "X.npy", rows=n, sample_shape=sample_shape)
    source = workspace.raw / "X.npy"
    blocks = (block for _, block in _raw_blocks(source, "looking for equal samples"))
    equal = equal_rows(row_digests(blocks, n))
    known = _known_rows(workspace, described, equal)
    parts = split_rows(y, described.class_names, split, known)
    overlaps = overlaps_of(known, parts)
    notes = notes_of(parts, split, overlaps)
    for line in notes:
        note(f"preprocess-split: warning: {line}")
    scaler = fit_scaler(preprocessing.scaling, X.dtype, _train_blocks(source, parts))
    with replacing_folder(workspace.splits) as folder:
        for name, rows in parts.parts().items():
            write_array(folder / f"y_{name}.npy", y[rows])
            write_array(folder / f"index_{name}.npy", rows)
        _write_scaled(source, folder, parts, scaler)
        write_columns(folder / "duplicates.parquet", {"row": np.arange(n), "group": equal})
        about = _description(described, parts, scaler, overlaps, notes)
        write_json(folder / "preprocessing.json", about.as_dict())
    sizes = ", ".join(f"{len(rows)} {name}" for name, rows in parts.parts().items())
    by = f" by '{parts.by}'" if parts.by else ""
    stratified = split.stratify and described.class_names and parts.method != "time"
    how = f"{parts.method}{by}, {'stratified' if stratified else 'not stratified'}"
    return (
        f"read {workspace.raw}, split {len(y)} samples into {sizes} ({how}), scaling {scaler.scaling}, "
        f"wrote {workspace.splits}"
    )


def _known_rows(workspace: Workspace, described: DatasetDescription, duplicates: Indices) -> KnownRows:
    known = KnownRows(duplicates=duplicates, features=described.details.get("features") or [], roles=described.roles)
    if not (described.roles or described.parts):
        return known
    path = workspace.raw / "roles.parquet"
    table = read_parquet(path, [*described.roles, *([PART] if described.parts else [])])
    if len(table) != (n := len(duplicates)):
        raise ArtifactError(f"{path}: expected {n} rows, found {len(table)}{REMAKE}")
    columns = {name: table[name].to_numpy() for name in described.roles}
    return replace(known, columns=columns, parts=table[PART].to_numpy() if described.parts else None)


PART = "part"
"""The column of ``roles.parquet`` with the source's own part of each sample."""


def _train_blocks(source: Path, parts: Split) -> Iterator[Array]:
    for where, block in _raw_blocks(source, "fitting the scaling", FITTED_BYTES):
        yield block[_within(parts.train, where)]


def _write_scaled(source: Path, folder: Path, parts: Split, scaler: Scaler) -> None:
    """Pass once over the raw samples and append each block's rows to the part that they belong to."""
    shape = open_array(source).shape[1:]
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(ArrayWriter(folder / f"X_{name}.npy", (len(rows), *shape), scaler.dtype))
            for name, rows in parts.parts().items()
        }
        for where, block in _raw_blocks(source, "scaling"):
            for name, rows in parts.parts().items():
                writers[name].append(scaler.apply(block[_within(rows, where)]))


def _raw_blocks(source: Path, label: str, size: int = BLOCK_BYTES) -> Iterator[tuple[slice, Array]]:
    X = open_array(source)
    rows = rows_of(X[:1].nbytes, size)
    return tracked(finite_rows(source, rows), total=-(-len(X) // rows), label=label)


def _within(rows: Array, where: slice) -> Array:
    """Return the members of the ascending `rows` that lie in `where`, counted from its start."""
    first, last = np.searchsorted(rows, (where.start, where.stop))
    inside: Array = rows[first:last] - where.start
    return inside


def _description(
    described: DatasetDescription, parts: Split, scaler: Scaler, overlaps: dict[str, Overlap], notes: list[str]
) -> SplitsDescription:
    return SplitsDescription(
        task=described.task,
        class_names=described.class_names,
        sample_shape=described.shape[1:],
        augmentation=described.augmentation,
        scaling=scaler.scaling,
        dtype=scaler.dtype.name,
        mean=None if scaler.mean is None else scaler.mean.tolist(),
        scale=None if scaler.scale is None else scaler.scale.tolist(),
        sizes={name: len(rows) for name, rows in parts.parts().items()},
        split_method=parts.method,
        split_by=parts.by or None,
        groups={name: found.as_dict() for name, found in overlaps.items()},
        notes=notes,
    )
