"""Tables in Parquet and Feather files, whose columns have types, in blocks of rows."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.datasets.custom.block_file import reject_full_disk
from mlx.datasets.custom.headers import NAMELESS, reject_equal_names

if TYPE_CHECKING:
    import pyarrow as pa

ROWS_A_BLOCK, VALUES_A_BLOCK = 1 << 16, 1 << 19


def arrow_schema(path: Path) -> "tuple[list[str], list[str]]":
    """Return the names of the columns of a Parquet or Feather file, and those that hold the index of a data frame.

    Raises
    ------
    DataError
        Two columns have one name, or the rows that it claims don't fit on the disk.
    ValueError, OSError
        It is damaged.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    if path.suffix.lower() == ".parquet":
        with ParquetFile(path) as file:
            schema = file.schema_arrow
            reject_full_disk(0, file.metadata.num_rows * file.metadata.num_columns)
    else:
        with pa.OSFile(str(path)) as source:
            schema = pa.ipc.open_file(source).schema
    names = [str(name) for name in schema.names]
    reject_equal_names(names, path)
    index = _index_of(schema.pandas_metadata)
    return names, [name for name in names if name in index]


def arrow_blocks(path: Path, names: Sequence[str] | None) -> "Iterator[list[pa.Array]]":
    """Yield the cells of the columns `names`, all where it is None, in blocks of rows.

    Raises
    ------
    ValueError, OSError
        It is damaged.
    """
    n_columns = len(arrow_schema(path)[0])
    rows = max(1, min(ROWS_A_BLOCK, VALUES_A_BLOCK // max(1, n_columns)))
    for batch in _batches(path, names, rows):
        for first in range(0, batch.num_rows, rows):
            yield batch.slice(first, rows).columns


def _batches(path: Path, names: Sequence[str] | None, rows: int) -> "Iterator[pa.RecordBatch]":
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    if path.suffix.lower() == ".parquet":
        columns = None if names is None else list(names)
        with ParquetFile(path) as file:
            for group in range(file.num_row_groups):  # asked for several, it keeps what it read of each
                yield from file.iter_batches(rows, row_groups=[group], columns=columns)
        return
    with pa.OSFile(str(path)) as source:
        every = pa.ipc.open_file(source).schema.names
        places = range(len(every)) if names is None else [every.index(name) for name in names]
        reader = pa.ipc.open_file(source, options=pa.ipc.IpcReadOptions(included_fields=list(places)))
        for number in range(reader.num_record_batches):
            yield reader.get_batch(number)


def index_lines(path: Path, index: Collection[str]) -> list[str]:
    """Return a line on each column of a data frame's index that is left out."""
    lines = []
    for name in index:
        if NAMELESS.fullmatch(name):
            lines.append(f"{path}: left out '{name}', an index without a name")
        else:
            lines.append(
                f"{path}: left out '{name}', the index of the data frame that it was written from; "
                "to use it, name it in dataset.params.features"
            )
    return lines


def _index_of(metadata: Any) -> list[str]:
    """Return the columns that hold the index of a data frame; a range index has none."""
    found = metadata.get("index_columns") if isinstance(metadata, dict) else None
    return [name for name in found if isinstance(name, str)] if isinstance(found, list) else []
