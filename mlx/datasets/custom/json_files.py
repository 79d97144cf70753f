"""Tables in JSON files: an array of records, a record a line, or columns by name."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mlx.core.errors import DataError
from mlx.datasets.custom.headers import reject_equal_names
from mlx.datasets.custom.text_files import encoding_of, not_utf8, open_text
from mlx.datasets.custom.typed_cells import Unusable
from mlx.datasets.dataset import IN_MEMORY_LIMIT

if TYPE_CHECKING:
    import pyarrow as pa

LINES = (".jsonl", ".ndjson")
RECORDS_A_BLOCK, VALUES_A_BLOCK = 20_000, 500_000
PIECE, LONGEST_RECORD = 1 << 20, 1 << 28

Record = dict[str, Any]
Hook = Callable[[list[tuple[str, Any]]], Record]


def json_blocks(path: Path) -> "Iterator[tuple[list[str], list[pa.Array | Unusable]]]":
    """Yield the names of the columns so far, and an array for each, in blocks of records.

    Columns come in the order of their first records; where a record lacks one, its value is missing.

    Raises
    ------
    DataError
        A line or element is no record, or a name occurs twice in it.
    ValueError
        It is not JSON.
    """
    names: dict[str, None] = {}
    held: list[Record] = []
    for record in _records(path):
        names.update(dict.fromkeys(record))
        held.append(record)
        if len(held) >= RECORDS_A_BLOCK or len(held) * len(names) >= VALUES_A_BLOCK:
            yield _block(held, list(names), path)
            held = []
    if held:
        yield _block(held, list(names), path)


def _block(records: list[Record], names: list[str], path: Path) -> "tuple[list[str], list[pa.Array | Unusable]]":
    reject_equal_names(names, path)
    return names, [_array([record.get(name) for record in records]) for name in names]


def _array(values: list[Any]) -> "pa.Array | Unusable":
    """Return the values as an Arrow array of numbers, truth values or text; `Unusable` where these are mixed."""
    import pyarrow as pa

    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int}:
        try:
            return pa.array(values, pa.int64())
        except OverflowError:
            pass
    if kinds and kinds <= {int, float}:
        return pa.array([None if value is None else _float(value) for value in values], pa.float64())
    if len(kinds) > 1 or kinds & {list, dict}:
        return Unusable(len(values), " and ".join(sorted(kind.__name__ for kind in kinds)))
    return pa.array(values)


def _float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf") if value > 0 else float("-inf")


def _records(path: Path) -> Iterator[Record]:
    hook = _rejecting_equal_names(path)
    with open_text(path, encoding_of(path)) as file:
        try:
            if path.suffixes[-1 if path.suffix != ".gz" else -2].lower() in LINES:
                yield from _lines(file, path, hook)
                return
            yield from _elements(file, path, hook)
        except UnicodeDecodeError as error:
            raise not_utf8(path, error.object[error.start : error.start + 4]) from None


def _rejecting_equal_names(path: Path) -> Hook:
    def hook(pairs: list[tuple[str, Any]]) -> Record:
        record = dict(pairs)
        if len(record) < len(pairs):
            reject_equal_names([name for name, _ in pairs], path)
        return record

    return hook


def _lines(file: IO[str], path: Path, hook: Hook) -> Iterator[Record]:
    """Yield the record of each line that is not blank."""
    decode = json.JSONDecoder(object_pairs_hook=hook).decode
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = decode(line)
        except json.JSONDecodeError as error:
            raise DataError(
                f"{path}: expected a JSON record in line {number}, found {_cut(line)} ({error.msg})"
            ) from None
        if not isinstance(record, dict):
            raise DataError(f"{path}: expected a JSON record in line {number}, found {_cut(line)}")
        yield record


def _cut(text: str) -> str:
    text = text.strip()
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _elements(file: IO[str], path: Path, hook: Hook) -> Iterator[Record]:
    """Yield the records of an array, or the rows of columns by name."""
    decode = json.JSONDecoder(object_pairs_hook=hook).raw_decode
    text = file.read(PIECE)
    at = _next(text, 0)
    if text[at : at + 1] != "[":
        yield from _columns(file, text, path, hook)
        return
    at, number, ended = at + 1, 0, False
    while True:
        at = _next(text, at)
        try:
            if text[at : at + 1] == "]":
                break
            if number and text[at : at + 1] == ",":
                at = _next(text, at + 1)
            record, stop = decode(text, at)
        except json.JSONDecodeError as error:
            if ended or len(text) - at > LONGEST_RECORD:
                raise ValueError(f"element {number + 1} of the array: {error.msg}") from None
            more = file.read(max(PIECE, len(text) - at))  # twice as much each time, so that each is scanned few times
            text, at, ended = text[at:] + more, 0, not more
            continue
        number += 1
        if not isinstance(record, dict):
            raise ValueError("neither a list of rows nor columns by name")
        yield record
        at = stop


_SPACE = re.compile(r"[ \t\r\n]*")


def _next(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None
    return found.end()


def _columns(file: IO[str], start: str, path: Path, hook: Hook) -> Iterator[Record]:
    """Yield the rows of an object that has a list of values, or an object of them by row, for each column."""
    import pandas as pd

    text = start + file.read(IN_MEMORY_LIMIT)
    if file.read(1):
        raise DataError(f"{path}: expected columns by name in at most {IN_MEMORY_LIMIT / 1e9:.0f} GB, found more")
    content = json.loads(text, object_pairs_hook=hook)
    if not isinstance(content, dict):
        raise ValueError("neither a list of rows nor columns by name")
    table = pd.DataFrame(content, dtype=object)
    for row in table.itertuples(index=False, name=None):
        yield {str(name): _plain(value) for name, value in zip(table.columns, row, strict=True)}


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and value != value else value
