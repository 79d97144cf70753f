"""Step `generate-data`: writes the samples of a dataset, and what is known of each, block by block."""

import math
import shutil
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from mlx.core.arrays import ArrayWriter, allocate_array, rows_of, write_rows
from mlx.core.artifacts import replacing_folder, write_json, write_parquet
from mlx.core.bars import tracked
from mlx.core.descriptions import DatasetDescription, InputDescription, RecordedDescription
from mlx.core.errors import DataError
from mlx.core.lineage import identity
from mlx.core.paths import Workspace
from mlx.core.recorded import RECORDED
from mlx.core.workers import SERIAL, Workers
from mlx.datasets import Block, Dataset, DatasetSettings, open_dataset
from mlx.datasets.dataset import IndependentBlocks, spans
from mlx.datasets.inputs import fingerprint, inputs_of, inputs_read
from mlx.datasets.recorded import RecordedParams, recorded_folder
from mlx.received.files import files_in
from mlx.received.parts import FILES, open_recording
from mlx.received.writing import write_labels, write_samples

BLOCK_BYTES = 4 << 20
"""Size of a block of finished samples; making them takes five to ten times as much."""


def generate_data(workspace: Workspace, workers: Workers = SERIAL, *, dataset: DatasetSettings) -> str:
    """Write ``data/raw/``: ``X.npy``, ``y.npy``, ``dataset.json``; where known ``factors.parquet``, ``roles.parquet``.

    Raises
    ------
    MlxError
        The dataset can't be made as asked, or its files can't be read.
    """
    if dataset.name == RECORDED:
        return _write_recorded(workspace, dataset)
    source = open_dataset(dataset)  # says what is missing or can't be read, which a hash doesn't
    return write_dataset(workspace, source, dataset, inputs_read(dataset, source), workers)


def _write_recorded(workspace: Workspace, dataset: DatasetSettings) -> str:
    """Write labels, numbers, images and metadata of recorded outputs, with a folder for each part."""
    path, params = recorded_folder(dataset.path), dataset.source()
    assert isinstance(params, RecordedParams)
    if path.resolve() == workspace.representations.resolve():
        raise DataError(f"dataset.path: expected a folder apart from the results of the pipeline, found {path}")
    recording = open_recording(files_in(path), params.groups, {**FILES, "groups": "dataset.params.groups"})
    inputs = {key: fingerprint(at) for key, at in inputs_of(dataset).items()}
    about = RecordedDescription(folder=inputs["dataset.path"], layers=recording.widths())
    with replacing_folder(workspace.raw) as folder:
        name = path.resolve().name
        described = write_samples(folder, recording, name, params=dataset.params, inputs=inputs, recorded=about,
                                  identity=about.folder.sha256)  # fmt: skip
        for split in recording.parts:
            (folder / split).mkdir()
            write_labels(folder / split, recording, split)
    return f"read {described.source} from {path}, wrote {workspace.raw}"


def write_dataset(
    workspace: Workspace,
    source: Dataset,
    settings: DatasetSettings,
    inputs: Mapping[str, InputDescription],
    workers: Workers = SERIAL,
) -> str:
    """Write ``data/raw/`` from `source`, which `settings` describe; return and raise as `generate_data`."""
    with replacing_folder(workspace.raw) as folder:
        _check_space(source, folder)
        factors, gaps, checksums = _write_samples(source, folder, workers)
        if factors:
            write_parquet(folder / "factors.parquet", pd.DataFrame(factors))
        if columns := source.roles.table():
            write_parquet(folder / "roles.parquet", pd.DataFrame(columns))
        described = _description(source, settings, list(factors), gaps, inputs)
        own = _identity(described, checksums, folder)
        write_json(folder / "dataset.json", described.model_copy(update={"identity": own}).as_dict())
    known = f" and {len(factors)} factors each" if factors else ""
    if parts := source.roles.sizes():
        known += f" ({', '.join(f'{size} {part}' for part, size in parts.items())} by the source)"
    shape = "x".join(map(str, source.sample_shape))
    return f"made {source.n_samples} samples of {shape} from {settings.name}{known}, wrote {workspace.raw}"


def _check_space(source: Dataset, folder: Path) -> None:
    """Reject, before any work, what can't fit on the disk: the samples, and their scaled copy in the splits."""
    values = source.n_samples * math.prod(source.sample_shape)
    needed = values * (source.dtype.itemsize + max(4, source.dtype.itemsize))
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DataError(
            f"dataset {source.name}: expected {needed / 1e9:.1f} GB of free disk for {source.n_samples} samples and "
            f"their scaled copy, found {free / 1e9:.1f} GB; free some, or lower dataset.params.n_samples"
        )


ABOUT = frozenset({"name", "source", "seed", "params", "inputs", "details", "factors", "identity", "made_from"})
"""What ``dataset.json`` tells of the samples' origin and meaning, which no later step divides or learns from."""


def _identity(described: DatasetDescription, checksums: list[int], folder: Path) -> str:
    known = {key: value for key, value in described.as_dict().items() if key not in ABOUT}
    small = [folder / name for name in ("y.npy", "roles.parquet") if (folder / name).exists()]
    return identity({**known, "X": checksums}, small)


def _write_samples(
    source: Dataset, folder: Path, workers: Workers
) -> tuple[dict[str, np.ndarray], list[int], list[int]]:
    """Stream X and y to disk; return the factors, a column each, the gaps of each feature of a table, and X's sums."""
    columns: dict[str, list[np.ndarray]] = {}
    checksums = []
    gaps = np.zeros(len(source.features), np.int64)
    n = source.n_samples
    y_dtype = np.int64 if source.task == "classification" else np.float64
    with ArrayWriter(folder / "y.npy", (n,), y_dtype) as y:
        for block, checksum in _written(source, folder / "X.npy", workers):
            checksums.append(checksum)
            y.append(block.y)
            if len(gaps):
                gaps += np.isnan(block.X).sum(axis=0)
            for name, values in (block.factors or {}).items():
                columns.setdefault(name, []).append(values)
    return {name: np.concatenate(parts) for name, parts in columns.items()}, gaps.tolist(), checksums


def _written(source: Dataset, file: Path, workers: Workers) -> Iterator[tuple[Block, int]]:
    """Yield the blocks of a dataset once their X is in the file, and its CRC-32; workers' blocks are without X here."""
    rows = rows_of(math.prod(source.sample_shape) * source.dtype.itemsize, BLOCK_BYTES)
    total, shape = -(-source.n_samples // rows), (source.n_samples, *source.sample_shape)
    if isinstance(source.blocks, IndependentBlocks):
        allocate_array(file, shape, source.dtype)
        make = _MakeRows(source.blocks, file.absolute())
        try:
            yield from tracked(workers.map(make, spans(source.n_samples, rows)), total=total, label="blocks")
        except DataError:  # a block knows its own samples only: read them all, to name and count what is wrong
            for _ in source.blocks(rows):
                pass
            raise
        return
    with ArrayWriter(file, shape, source.dtype) as X:
        for block in tracked(source.blocks(rows), total=total, label="blocks"):
            samples = np.ascontiguousarray(block.X, source.dtype)
            X.append(samples)
            yield block, zlib.crc32(samples.data)


@dataclass(frozen=True)
class _MakeRows:
    """Makes samples where it is called, and writes their X to the file."""

    blocks: IndependentBlocks
    file: Path

    def __call__(self, span: tuple[int, int]) -> tuple[Block, int]:
        block = self.blocks.between(*span)
        write_rows(self.file, span[0], block.X)
        return replace(block, X=block.X[:0]), zlib.crc32(np.ascontiguousarray(block.X).data)


def _description(
    source: Dataset,
    settings: DatasetSettings,
    factors: list[str],
    gaps: list[int],
    inputs: Mapping[str, InputDescription],
) -> DatasetDescription:
    counted = {column.name: n for column, n in zip(source.features, gaps, strict=True)}
    return DatasetDescription(
        name=source.name,
        task=source.task,
        class_names=list(source.class_names),
        shape=[source.n_samples, *source.sample_shape],
        dtype=source.dtype.name,
        source=source.source,
        seed=source.seed,
        params=settings.params,
        augmentation=source.details.get("augmentation"),
        factors=factors,
        columns=[c.model_copy(update={"gaps": counted.get(c.name, c.gaps)}) for c in source.columns],
        roles=dict(source.roles.roles),
        parts=source.roles.sizes(),
        inputs=dict(inputs),
        details=source.details,
    )
