"""Reads the blocks of tables into a `BlockFile`, and learns what each column is; again where that changed late."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from mlx.core.errors import DataError
from mlx.core.settings import nearest
from mlx.datasets.custom.block_file import BlockFile
from mlx.datasets.custom.cells import Cells, RawColumn
from mlx.datasets.custom.csv_files import BLOCK_BYTES, BLOCK_BYTES_A_COLUMN, LARGEST_BLOCK, RowTooLongError
from mlx.datasets.custom.typed_cells import TypedCells, Unusable, as_written
from mlx.datasets.custom.written_cells import Accepts, WrittenCells

if TYPE_CHECKING:
    import pyarrow as pa

MOST_TEXTS = 1 << 20
"""A column with more different texts is no feature, and the texts beyond are not kept."""

Blocks = Iterator[tuple[Sequence[str], Sequence["pa.Array | Unusable"]]]


@dataclass(frozen=True)
class Source:
    """A file with a table.

    Attributes
    ----------
    blocks
        Yields the names of the columns so far and their cells, in blocks of rows; takes the bytes of a block of text.
    typed
        Whether the file declares the types of its columns.
    n_columns
        0 where it is not known.
    separator
        Between the cells of a CSV.
    """

    path: Path
    blocks: "Callable[[int], Blocks]"
    typed: bool
    n_columns: int = 0
    separator: str | None = None


@dataclass(frozen=True)
class Wanted:
    """What is wanted of the columns.

    Attributes
    ----------
    accepts
        Of columns that are labels or roles: which texts become numbers; of others all do. These columns have any number
        of texts.
    as_text
        Columns that stay text.
    most_texts
        Of other columns; None for any number.
    """

    accepts: Mapping[str, Accepts]
    as_text: frozenset[str] = frozenset()
    most_texts: int | None = MOST_TEXTS


@dataclass(frozen=True)
class Gathered:
    """What was read: the columns, the file that holds their cells, and how many rows are those of the first source."""

    columns: tuple[RawColumn, ...]
    cells: BlockFile
    n_first: int


def gather(sources: Sequence[Source], wanted: Wanted, needed: Collection[str] | None = None) -> Gathered:
    """Read tables with the same columns, one after the other; beside a text file, others are read as text.

    Parameters
    ----------
    needed
        The columns that later tables have to have, and that are read of them; None for those of the first.

    Raises
    ------
    DataError
        A later table has other columns than the first, or a row is too long.
    """
    if not all(source.typed for source in sources):
        sources = [_in_text(source) if source.typed else source for source in sources]
    n_columns = max(source.n_columns for source in sources)
    block_bytes = max(BLOCK_BYTES, min(LARGEST_BLOCK, BLOCK_BYTES_A_COLUMN * n_columns))
    odd: dict[str, tuple[int, str]] = {}
    while True:
        run = _Run(wanted, needed)
        try:
            for source in sources:
                run.read(source, block_bytes)
        except RowTooLongError:
            if block_bytes >= LARGEST_BLOCK:
                raise DataError(
                    f"{source.path}: expected rows of at most {LARGEST_BLOCK >> 20} MB, found more"
                ) from None
            block_bytes *= 4
            continue
        conflicts = {name for name, cells in run.named() if isinstance(cells, WrittenCells) and cells.conflict}
        if not conflicts:
            return run.gathered(odd)
        odd |= {n: c.odd for n, c in run.named() if isinstance(c, WrittenCells) and c.odd is not None}
        wanted = replace(wanted, as_text=wanted.as_text | conflicts)


def _in_text(source: Source) -> Source:
    """Return a source whose file declares types as one of text."""

    def blocks(block_bytes: int) -> Blocks:
        for names, cells in source.blocks(block_bytes):
            yield names, [_text_of(name, block, source) for name, block in zip(names, cells, strict=True)]

    return replace(source, blocks=blocks, typed=False)


def _text_of(name: str, cells: "pa.Array | Unusable", source: Source) -> "pa.Array":
    found = as_written(cells)
    if isinstance(found, Unusable):
        raise DataError(
            f"{source.path}: column '{name}': expected numbers or text, as the other file is one of text, found "
            f"{found.fault}; remove the column"
        )
    return found


_Key = str | tuple[str, int]


def _keys(names: Sequence[str]) -> list[_Key]:
    """Return what each column is found by: its name, and its place where that is blank."""
    return [name if name.strip() else (name, place) for place, name in enumerate(names)]


class _Run:
    """One reading of all blocks."""

    def __init__(self, wanted: Wanted, needed: Collection[str] | None) -> None:
        self.wanted, self.needed = wanted, needed
        self.cells: dict[_Key, Cells] = {}
        self.file = BlockFile()
        self.first: Source | None = None
        self.n_first = self.n_rows = 0

    def named(self) -> Iterator[tuple[str, Cells]]:
        for key, cells in self.cells.items():
            yield key if isinstance(key, str) else key[0], cells

    def read(self, source: Source, block_bytes: int) -> None:
        appended = self.first is not None
        keys: list[_Key] = []
        for names, block in source.blocks(block_bytes):
            if len(names) != len(keys):
                keys = _keys(names)
                self._add_columns(keys, source)
            if len(block[0]):
                self._append(dict(zip(keys, block, strict=True)))
        if appended:
            if self.n_rows == self.n_first:
                raise DataError(f"{source.path}: expected at least one row below the header, found none")
            self._reject_lacking(keys, source)
        else:
            self.first, self.n_first = source, self.n_rows

    def _add_columns(self, keys: Collection[_Key], source: Source) -> None:
        for key in keys:
            if key in self.cells:
                continue
            if self.first is None:
                self.cells[key] = self._new(_shown(key), source)
            elif self.needed is None and isinstance(key, str):  # without a name it is an index, or can't be asked for
                self._reject_lacking(keys, source)
                raise DataError(
                    f"{source.path}: expected the columns of {self.first.path}, found '{_shown(key)}' beside them; "
                    "remove it, or name the columns to use in dataset.params.features"
                )

    def _reject_lacking(self, keys: Collection[_Key], source: Source) -> None:
        assert self.first is not None
        for key in self.cells:
            if key not in keys and (self.needed is None or key in self.needed):
                others = [_shown(other) for other in keys]
                raise DataError(
                    f"{source.path}: expected the columns of {self.first.path}, found {_none_called(key)} among "
                    f"{', '.join(others[:20])}{nearest(_shown(key), others)}"
                )

    def _new(self, name: str, source: Source) -> Cells:
        accepts = self.wanted.accepts.get(name)
        most = self.wanted.most_texts if accepts is None else None
        if source.typed:
            return TypedCells(decode=accepts is not None, most_texts=most)
        return WrittenCells(accepts or "numbers", as_text=name in self.wanted.as_text, most_texts=most)

    def _append(self, block: "dict[_Key, pa.Array | Unusable]") -> None:
        import pyarrow as pa

        rows = len(next(iter(block.values())))
        gaps = pa.nulls(rows)
        self.file.append([cells.add(block.get(key, gaps)) for key, cells in self.cells.items()])
        self.n_rows += rows

    def gathered(self, odd: Mapping[str, tuple[int, str]]) -> Gathered:
        columns = []
        for place, (name, cells) in enumerate(self.named()):
            column = cells.column(name, place)
            if column.fault and name in odd:
                row, text = odd[name]
                column = replace(column, fault=f"numbers and, in row {row + 1} below the header, {text[:40]!r}")
            columns.append(column)
        return Gathered(tuple(columns), self.file, self.n_first)


def _none_called(key: _Key) -> str:
    return f"no '{key}'" if isinstance(key, str) else "none without a name (a data frame's index: remove it there)"


def _shown(key: _Key) -> str:
    return key if isinstance(key, str) else key[0]
