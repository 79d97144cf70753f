"""Writes artifacts whole or not at all, with the same bytes for the same content; reads them with care.

Nothing here unpickles. Files are written under a temporary name beside their place and renamed, so a
killed run leaves either the old content or the new; a step's folder is replaced as a whole.
"""

import errno
import glob
import io
import json
import math
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlx.core.documents import parse_json
from mlx.core.errors import ArtifactError
from mlx.core.own_folders import check_own_folder, check_replaceable, remove
from mlx.core.reading import REMAKE, existing, reading

if TYPE_CHECKING:
    import pandas as pd

    from mlx.core.array_types import Array


@contextmanager
def replacing(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a temporary file name beside `path`; when the block succeeds, it becomes `path`.

    With `durable`, the content is on the disk before it becomes `path`, and the new name is afterwards: for files that
    say how far the work is, and that the work continues from.

    Raises
    ------
    ArtifactError
        `path` is a device, a pipe or a socket, which a file would take the place of.
    OSError
        The disk is full, say; names `path` where it names a file.
    """
    check_replaceable(path)
    temporary = _temporary(path)
    try:
        with naming_final(temporary, path):
            yield temporary
            if durable:
                sync(temporary)
            temporary.replace(path)
            if durable:
                sync(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path, *, durable: bool = False) -> Iterator[Path]:
    """Give a new empty folder beside `path`; when the block succeeds, it takes the place of `path`.

    What an earlier run left in `path` is gone then. Links in it are removed, never what they point to.

    `durable` is as in `replacing`.

    Raises
    ------
    ArtifactError
        `path` is itself a link, or no folder: nothing is removed then.
    OSError
        As `replacing`.
    """
    check_own_folder(path)
    temporary = _temporary(path)
    temporary.mkdir()
    try:
        with naming_final(temporary, path):
            yield temporary
            if durable:
                for inner in (*temporary.rglob("*"), temporary):
                    sync(inner)
            check_own_folder(path)  # again, as much may have happened since
            remove(path)
            temporary.replace(path)
            if durable:
                sync(path.parent)
    finally:
        remove(temporary, ignore_errors=True)


@contextmanager
def naming_final(temporary: Path, path: Path) -> Iterator[None]:
    """Let an error of the system name the file as it will be called; an error without a file name gets `path`."""
    try:
        yield
    except OSError as error:
        if isinstance(error.filename, bytes | int):
            raise
        name = str(path if error.filename is None else error.filename).replace(str(temporary), str(path))
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), name) from None


def sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk; where a system can't for folders, don't."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except OSError:
        if path.is_dir():  # Windows opens none
            return
        raise
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (path.is_dir() and error.errno in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}):
            raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        os.close(descriptor)


def _temporary(path: Path) -> Path:
    """Return the temporary name of this process for `path`, and clear away what a killed one left.

    A workspace has one writer at a time (DVC holds a lock, a run has a folder of its own), so another
    process's leftover has no owner. The name still carries the process: a writer that was killed a
    moment ago may not be gone yet, and must not write into the same file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        remove(leftover, ignore_errors=True)
    return path.with_name(f".{path.name}.{os.getpid()}.tmp")


def write_json(path: Path, content: Mapping[str, Any], *, durable: bool = False) -> None:
    """Write `content` as indented JSON; numbers must be finite (undefined ones are null)."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    with replacing(path, durable=durable) as temporary:
        temporary.write_text(text + "\n", encoding="utf-8", newline="\n")


def write_csv(path: Path, table: "pd.DataFrame") -> None:
    """Write a small table as CSV without its index; floats so that they read back exactly, infinite ones as blanks."""
    finite = table.replace([math.inf, -math.inf], math.nan)
    with replacing(path) as temporary:
        finite.to_csv(temporary, index=False, lineterminator="\n", encoding="utf-8")


def write_parquet(path: Path, table: "pd.DataFrame") -> None:
    """Write a table a row per sample as Parquet without its index."""
    with replacing(path) as temporary:
        table.to_parquet(temporary, engine="pyarrow", index=False)


ROWS_AT_ONCE = 1 << 17
"""Rows of a group in a Parquet file, of which one at a time is held."""


def write_parquet_in_groups(path: Path, n_rows: int, group: "Callable[[slice], pd.DataFrame]") -> None:
    """Write a table of `n_rows` as Parquet, a group of rows at a time, each made when it is written.

    The types of the columns are those of the first group, or of all rows where that has nothing but missing values.
    """
    import pyarrow as pa
    from pyarrow import parquet

    starts = range(0, n_rows, ROWS_AT_ONCE) or [0]
    first = group(slice(0, ROWS_AT_ONCE))
    schema = pa.Schema.from_pandas(first, preserve_index=False)
    if len(starts) > 1 and any(pa.types.is_null(column.type) for column in schema):
        schema = pa.Schema.from_pandas(group(slice(None)), preserve_index=False)
    with replacing(path) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for start in starts:
            frame = group(slice(start, start + ROWS_AT_ONCE)) if start else first
            writer.write_table(pa.Table.from_pandas(frame, schema, preserve_index=False))


def write_columns(path: Path, columns: "Mapping[str, Array]") -> None:
    """Write columns (n,) of numbers as Parquet, without pandas, which takes 50 MB of memory."""
    import pyarrow as pa
    from pyarrow import parquet

    with replacing(path) as temporary:
        parquet.write_table(pa.table(dict(columns)), temporary)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that was made in memory, such as a picture."""
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def read_json(path: Path, *, remedy: str = REMAKE) -> dict[str, Any]:
    """Read a JSON artifact: an object of finite numbers, text, lists and objects, no key of which stands twice.

    Messages on a damaged file end with `remedy`.

    Raises
    ------
    ArtifactError
        It is missing, damaged, or not an object.
    """
    with reading(path, "JSON", remedy=remedy):
        text = existing(path).read_text(encoding="utf-8")
        content = parse_json(text, parse_float=_finite)
        if "\\u" in text:
            json.dumps(content, ensure_ascii=False).encode()  # rejects half a character, which no file can hold
        if text.count("{") + text.count("[") > DEEPEST and _depth(content) > DEEPEST:
            raise ValueError("nested too deeply")
    if not isinstance(content, dict):
        raise ArtifactError(f"{path}: expected a JSON object, found {type(content).__name__}{remedy}")
    return content


DEEPEST = 60
"""Levels that JSON may have: no artifact has ten, and what goes through it in Python must not run out of stack."""


def _depth(content: Any) -> int:
    inside = content.values() if isinstance(content, dict) else content if isinstance(content, list) else ()
    return 1 + max(map(_depth, inside), default=0)


def _finite(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(f"{text} is too large for a number")
    return number


def read_csv(path: Path, columns: Sequence[str] = (), *, text: Sequence[str] = ()) -> "pd.DataFrame":
    """Read a CSV artifact; only an empty cell is missing, so a class may be named "NA".

    It has to have `columns`; the columns `text` are text even where all of it looks like numbers.

    Raises
    ------
    ArtifactError
        It is missing or damaged, or has not all of `columns`.
    """
    import pandas as pd

    with reading(path, "a CSV table"), warnings.catch_warnings():
        warnings.simplefilter("error")  # such as for a column of mixed types
        content = io.BytesIO(existing(path).read_bytes())  # pandas would hide why the system can't read on
        table = pd.read_csv(
            content,
            keep_default_na=False,
            na_values=[""],
            index_col=False,
            encoding="utf-8",
            dtype=dict.fromkeys(text, "str"),
        )
    return _with_columns(path, table, columns)


def read_parquet(path: Path, columns: Sequence[str] = ()) -> "pd.DataFrame":
    """Read a Parquet artifact.

    Raises
    ------
    ArtifactError
        It is missing or damaged, or has not all of `columns`.
    """
    import pandas as pd

    with reading(path, "a Parquet table"):
        with existing(path).open("rb") as file:
            table = pd.read_parquet(file, engine="pyarrow")
        if not table.columns.is_unique:
            raise ValueError("a column stands twice")
    return _with_columns(path, table, columns)


def _with_columns(path: Path, table: "pd.DataFrame", columns: Sequence[str]) -> "pd.DataFrame":
    if absent := [name for name in columns if name not in table]:
        found = ", ".join(map(str, table))[:200]
        raise ArtifactError(f"{path}: expected a column '{absent[0]}', found {found}{REMAKE}")
    return table
