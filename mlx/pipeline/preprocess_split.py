"""Step `preprocess-split`: divides the raw samples, prepares the columns of a table, and scales, block by block."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.arrays import ArrayWriter, open_array, rows_of, stream_rows, write_array
from mlx.core.artifacts import read_parquet, replacing_folder, write_columns
from mlx.core.bars import tracked
from mlx.core.column_descriptions import ColumnDescription, PreparedColumn
from mlx.core.console import note
from mlx.core.descriptions import SPLITS, DatasetDescription, SplitsDescription, read_description
from mlx.core.errors import ArtifactError, DataError
from mlx.core.lineage import made_from, write_identified
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.core.samples import finite_rows, naming, open_index, open_samples, open_targets
from mlx.preprocessing.column_notes import column_notes, filled_text
from mlx.preprocessing.column_plans import plan_columns
from mlx.preprocessing.duplicates import equal_rows, row_digests
from mlx.preprocessing.gaps import Gaps, after_gaps, check_raw
from mlx.preprocessing.known_rows import KnownRows
from mlx.preprocessing.overlap import notes_of, overlaps_of
from mlx.preprocessing.preparation import Preparation, fit_preparation
from mlx.preprocessing.scaling import Scaler, fit_scaler
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.preprocessing.split import Split, split_rows

FITTED_BYTES, BLOCK_BYTES = 8 << 20, 2 << 20
"""Sizes of the blocks by which the scaling is fitted, whose bounds change the last digits, and of all others."""


def preprocess_split(workspace: Workspace, *, split: SplitSettings, preprocessing: PreprocessingSettings) -> str:
    """Write ``data/splits/``: X, y and the row in raw for each part; ``preprocessing.json``, ``duplicates.parquet``.

    What makes features of columns and what scales them is fitted to the training rows alone.

    Raises
    ------
    MlxError
        A part would be empty, a class is too small to be divided, a column that the split goes by is missing or a
        feature, the settings of a column don't fit what it holds, or the values don't fit the scaling.
    """
    described = read_description(workspace.raw / "dataset.json", DatasetDescription)
    if described.recorded is not None:
        return _take_recorded(workspace, described, split, preprocessing)
    n, *sample_shape = described.shape
    y = open_targets(workspace.raw / "y.npy", n_classes=len(described.class_names), rows=n)
    X = open_samples(workspace.raw / "X.npy", rows=n, sample_shape=sample_shape)
    raw = _Raw(workspace.raw / "X.npy", described.features)
    plan = plan_columns(described.columns, preprocessing.columns)
    gaps = Gaps(plan, np.zeros(n, bool))
    equal = equal_rows(row_digests(gaps.counted(raw.blocks("looking for equal samples")), n))
    known = _known_rows(workspace, described, equal)
    drawn = split_rows(y, described.class_names, split, known)
    parts = after_gaps(drawn, gaps, preprocessing.missing)
    preparation = fit_preparation(plan, lambda: raw.rows(parts.train, "fitting the columns"), len(parts.train))
    train = (preparation.apply(block)[0] for block in raw.rows(parts.train, "fitting the scaling", FITTED_BYTES))
    scaler = fit_scaler(preprocessing.scaling, X.dtype, train, preparation.scaled)
    overlaps = overlaps_of(known, parts)
    _check_space(preparation, parts, workspace)
    with replacing_folder(workspace.splits) as folder:
        for name, rows in parts.parts().items():
            write_array(folder / f"y_{name}.npy", y[rows])
            write_array(folder / f"index_{name}.npy", rows)
        columns = _write_prepared(raw, folder, parts, preparation, scaler)
        write_columns(folder / "duplicates.parquet", {"row": np.arange(n), "group": equal})
        about = _description(described, parts, scaler, columns, preparation.features).model_copy(
            update={
                "groups": {name: found.as_dict() for name, found in overlaps.items()},
                **_of_gaps(drawn, parts, columns, notes_of(parts, split, overlaps), preprocessing.missing),
            }
        )
        indices = [folder / f"index_{name}.npy" for name in parts.parts()]
        write_identified(folder / "preprocessing.json", about.as_dict(), indices)
    for line in about.notes:
        note(f"preprocess-split: warning: {line}")
    filled = filled_text(columns)
    return (
        f"read {workspace.raw}, split {len(y)} samples into {_sizes(parts, described, split)}, "
        f"{f'{filled}, ' if filled else ''}scaling {scaler.scaling}, wrote {workspace.splits}"
    )


def _take_recorded(
    workspace: Workspace, described: DatasetDescription, split: SplitSettings, preprocessing: PreprocessingSettings
) -> str:
    """Take labels and numbers of recorded outputs in the parts in which they were recorded."""
    given = {"split": split, "preprocessing": preprocessing}
    if idle := [f"{section}.{name}" for section, one in given.items() for name in sorted(one.model_fields_set)]:
        note(f"preprocess-split: no effect on recorded outputs, whose parts are given: {', '.join(idle)}")
    sizes: dict[str, int] = {}
    with replacing_folder(workspace.splits) as folder:
        for name in SPLITS:
            if (place := workspace.raw / name).is_dir():
                y = open_targets(place / "y_true.npy", n_classes=len(described.class_names))
                write_array(folder / f"y_{name}.npy", y)
                write_array(folder / f"index_{name}.npy", open_index(place / "index.npy", rows=len(y)))
                sizes[name] = len(y)
        about = SplitsDescription(
            task=described.task,
            class_names=described.class_names,
            sample_shape=described.shape[1:],
            augmentation=None,
            scaling="none",
            dtype=described.dtype,
            mean=None,
            scale=None,
            sizes=sizes,
            recorded=described.recorded,
            made_from=made_from(raw=described.identity),
        )
        write_identified(folder / "preprocessing.json", about.as_dict())
    taken = ", ".join(f"{n} {name}" for name, n in sizes.items())
    return f"read {workspace.raw}, took {taken} samples as they were recorded, wrote {workspace.splits}"


def _description(
    described: DatasetDescription,
    parts: Split,
    scaler: Scaler,
    columns: list[PreparedColumn],
    features: list[str],
) -> SplitsDescription:
    """Describe the samples of the parts and their scaling."""
    return SplitsDescription(
        task=described.task,
        class_names=described.class_names,
        sample_shape=[len(features)] if columns else described.shape[1:],
        augmentation=described.augmentation,
        scaling=scaler.scaling,
        dtype=scaler.dtype.name,
        mean=None if scaler.mean is None else scaler.mean.tolist(),
        scale=None if scaler.scale is None else scaler.scale.tolist(),
        sizes={name: len(rows) for name, rows in parts.parts().items()},
        split_method=parts.method,
        split_by=parts.by or None,
        columns=columns,
        features=features,
        made_from=made_from(raw=described.identity),
    )


def _of_gaps(
    drawn: Split, parts: Split, columns: list[PreparedColumn], notes: list[str], missing: str
) -> dict[str, Any]:
    """Return what was done about gaps, how many rows of each part were dropped, and the notes with those on them."""
    dropped = {name: len(rows) - len(parts.parts()[name]) for name, rows in drawn.parts().items()}
    return {
        "missing": missing if columns else None,
        "notes": [*notes, *column_notes(columns, dropped)],
        "dropped_rows": dropped if any(dropped.values()) else {},
    }


def _sizes(parts: Split, described: DatasetDescription, split: SplitSettings) -> str:
    """Return the sizes of the parts, and how they were drawn."""
    sizes = ", ".join(f"{len(rows)} {name}" for name, rows in parts.parts().items())
    by = f" by '{parts.by}'" if parts.by else ""
    stratified = split.stratify and described.class_names and parts.method != "time"
    return f"{sizes} ({parts.method}{by}, {'stratified' if stratified else 'not stratified'})"


def _known_rows(workspace: Workspace, described: DatasetDescription, duplicates: Indices) -> KnownRows:
    known = KnownRows(duplicates=duplicates, features=[c.name for c in described.features], roles=described.roles)
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


@dataclass(frozen=True)
class _Raw:
    """The raw samples in a file, read in blocks and checked.

    Attributes
    ----------
    columns
        Their columns, where they are rows of a table and may have gaps; else every value is finite.
    """

    path: Path
    columns: Sequence[ColumnDescription]

    def blocks(self, label: str, size: int = BLOCK_BYTES) -> Iterator[tuple[slice, Array]]:
        """Yield consecutive blocks (m, …) of about `size` bytes, and which rows they are."""
        X = open_array(self.path)
        rows = rows_of(X[:1].nbytes, size)
        return tracked(self._checked(rows), total=-(-len(X) // rows), label=label)

    def rows(self, wanted: Indices, label: str, size: int = BLOCK_BYTES) -> Iterator[Array]:
        """Yield the ascending rows `wanted` in blocks."""
        for where, block in self.blocks(label, size):
            yield block[_within(wanted, where)]

    def _checked(self, rows: int) -> Iterator[tuple[slice, Array]]:
        if not self.columns:
            yield from finite_rows(self.path, rows)
            return
        with naming(self.path.parent):
            yield from check_raw(stream_rows(self.path, rows), self.columns)


def _check_space(preparation: Preparation, parts: Split, workspace: Workspace) -> None:
    """Reject, before they are written, features of categories that do not fit on the disk."""
    n = sum(map(len, parts.parts().values()))
    needed, free = 8 * n * len(preparation.features), shutil.disk_usage(workspace.root).free
    if needed > free:
        widest = max(preparation.fits, key=lambda fit: len(fit.names))
        raise DataError(
            f"preprocessing.columns: expected {needed / 1e9:.1f} GB of free disk for {n} samples of "
            f"{len(preparation.features)} features, {len(widest.names)} of them of column '{widest.plan.name}', found "
            f"{free / 1e9:.1f} GB; set max_categories, or drop columns"
        )


def _write_prepared(
    raw: _Raw, folder: Path, parts: Split, preparation: Preparation, scaler: Scaler
) -> list[PreparedColumn]:
    """Pass once over the raw samples and append each block's rows to their part; return what became of the columns."""
    shape = (len(preparation.features),) if preparation.fits else open_array(raw.path).shape[1:]
    gaps, unknown = ({name: np.zeros(len(preparation.fits), np.int64) for name in parts.parts()} for _ in range(2))
    with ExitStack() as stack:
        writers = {
            name: stack.enter_context(ArrayWriter(folder / f"X_{name}.npy", (len(rows), *shape), scaler.dtype))
            for name, rows in parts.parts().items()
        }
        for where, block in raw.blocks("scaling"):
            for name, rows in parts.parts().items():
                own = block[_within(rows, where)]
                features, absent = preparation.apply(own)
                writers[name].append(scaler.apply(features))
                gaps[name] += preparation.gaps(own)
                unknown[name] += absent
    return preparation.description(gaps, unknown)


def _within(rows: Array, where: slice) -> Array:
    """Return the members of the ascending `rows` that lie in `where`, counted from its start."""
    first, last = np.searchsorted(rows, (where.start, where.stop))
    inside: Array = rows[first:last] - where.start
    return inside
