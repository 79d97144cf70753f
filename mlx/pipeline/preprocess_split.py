"""Step `preprocess-split`: divides the raw samples and scales them, block by block."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import ArrayWriter, open_array, rows_of, write_array
from mlx.core.artifacts import replacing_folder, write_json
from mlx.core.console import tracked
from mlx.core.descriptions import DatasetDescription, SplitsDescription, read_description
from mlx.core.paths import Workspace
from mlx.core.samples import finite_rows, open_samples, open_targets
from mlx.preprocessing.scaling import Scaler, fit_scaler
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.preprocessing.split import Split, split_rows

BLOCK_BYTES = 8 << 20


def preprocess_split(workspace: Workspace, *, split: SplitSettings, preprocessing: PreprocessingSettings) -> str:
    """Write ``data/splits/``: X, y and the row in raw for train, val and test; ``preprocessing.json``.

    Raises
    ------
    MlxError
        A part would be empty, a class is too small to be divided, or the values don't fit the scaling.
    """
    described = read_description(workspace.raw / "dataset.json", DatasetDescription)
    n, *sample_shape = described.shape
    y = open_targets(workspace.raw / "y.npy", n_classes=len(described.class_names), rows=n)
    X = open_samples(workspace.raw / "X.npy", rows=n, sample_shape=sample_shape)
    parts = split_rows(y, described.class_names, split)
    source = workspace.raw / "X.npy"
    scaler = fit_scaler(preprocessing.scaling, X.dtype, _train_blocks(source, parts))
    with replacing_folder(workspace.splits) as folder:
        for name, rows in parts.parts().items():
            write_array(folder / f"y_{name}.npy", y[rows])
            write_array(folder / f"index_{name}.npy", rows)
        _write_scaled(source, folder, parts, scaler)
        write_json(folder / "preprocessing.json", _description(described, parts, scaler).as_dict())
    sizes = ", ".join(f"{len(rows)} {name}" for name, rows in parts.parts().items())
    how = "stratified" if split.stratify and described.class_names else "not stratified"
    return (
        f"read {workspace.raw}, split {len(y)} samples into {sizes} ({how}), scaling {scaler.scaling}, "
        f"wrote {workspace.splits}"
    )


def _train_blocks(source: Path, parts: Split) -> Iterator[Array]:
    for where, block in _raw_blocks(source, "fitting the scaling"):
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


def _raw_blocks(source: Path, label: str) -> Iterator[tuple[slice, Array]]:
    X = open_array(source)
    rows = rows_of(X[:1].nbytes, BLOCK_BYTES)
    return tracked(finite_rows(source, rows), total=-(-len(X) // rows), label=label)


def _within(rows: Array, where: slice) -> Array:
    """Return the members of the ascending `rows` that lie in `where`, counted from its start."""
    first, last = np.searchsorted(rows, (where.start, where.stop))
    inside: Array = rows[first:last] - where.start
    return inside


def _description(described: DatasetDescription, parts: Split, scaler: Scaler) -> SplitsDescription:
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
    )
