"""Features and target from a table in a file."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.class_names import clash_of
from mlx.core.column_descriptions import ColumnDescription, Kind
from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.cells import RawColumn
from mlx.datasets.custom.columns import Column, ColumnRows
from mlx.datasets.custom.features import feature
from mlx.datasets.custom.suspects import Suspicion
from mlx.datasets.custom.table_files import Table, column_of
from mlx.datasets.custom.table_labels import Labels, coded, missing_words, table_labels
from mlx.datasets.custom.table_rules import TableRules, as_written, read_by_rules
from mlx.datasets.custom.written_numbers import looks_like_number
from mlx.datasets.roles import role_values


@dataclass(frozen=True)
class TableSamples:
    """What was read.

    Attributes
    ----------
    X
        Features, float64 of shape (samples, features), as in `mlx.core.column_descriptions.ColumnDescription`.
    labels
        The target as it is in the file.
    notes
        What the user should know: columns and rows left out, columns that look like ids.
    roles
        Values (samples,) of the columns with a role.
    columns
        All columns: the features in the order of `X`, and then the others.
    n_first
        How many of the table's rows are those of the first file.
    written
        The separator and the decimal mark of a text file.
    """

    X: ColumnRows
    labels: Labels
    notes: tuple[str, ...]
    roles: dict[str, Array]
    columns: tuple[ColumnDescription, ...]
    n_first: int
    written: dict[str, str]


def read_table_samples(path: Path, rules: TableRules, test: Path | None = None) -> TableSamples:
    """Read a table in a file of any format.

    Parameters
    ----------
    test
        A second file with the same columns, whose rows follow those of `path`.

    Raises
    ------
    DataError
        If the table can't be read, or a column is missing or can't be a feature.
    SettingsError
        If its separator or its decimal mark is ambiguous.
    """
    table, written, marks = read_by_rules(path, rules, test)
    target = column_of(table.columns, rules.target, path, "target")
    known = table.columns[target].present(table.cells)
    if not known.any() and not table.columns[target].fault:
        raise DataError(f"{path}: expected values in column '{target}', the target, found none")
    read = [feature(table, name, marks, written.get(name)) for name in _feature_names(table.columns, path, rules)]
    columns = _usable(read, path, rules)
    labels = table_labels(table, target, known, task=rules.task, marks=marks)
    compared = labels if labels.codes is not None else coded(labels.values)
    suspicions = _looked_at(table, columns, compared, known)
    suspicious = () if rules.features is not None else tuple(_lines(suspicions, table, target))
    roles = {
        name: role_values(table.series(name, ignored=role == "ignore"), role, f"{path}: column '{name}'", marks)[known]
        for name, role in rules.roles.items()
        if name in table.columns
    }
    return TableSamples(
        ColumnRows(table, columns, known),
        labels,
        (
            *table.left_out,
            *_infinite(suspicions, path),
            *_number_like(columns, path),
            *_look_alikes(columns, path),
            *suspicious,
            *_left_out(read, known, labels, target, path),
        ),
        roles,
        (
            *(look.column.description(look.gaps) for look in suspicions),
            *(column.description(_gaps_of(table, column.raw, known)) for column in read if column.reason),
            *_others(roles, table, known, rules),
        ),
        table.n_first,
        as_written(table, marks),
    )


def _looked_at(table: Table, columns: Sequence[Column], labels: Labels, known: Array) -> list[Suspicion]:
    """Look at all blocks of the features."""
    suspicions = [Suspicion(column, labels) for column in columns]
    seen = 0
    for block, first, stop in table.cells.spans():
        kept = known[first:stop]
        samples = slice(seen, seen := seen + int(kept.sum()))
        for suspicion in suspicions:
            column = suspicion.column
            cells = column.raw.block(table.cells, block, stop - first)
            suspicion.look(column.convert(cells), kept, samples)
            infinite = np.isinf(cells)
            suspicion.infinite += int((infinite & kept).sum()) if infinite.any() else 0
    return suspicions


def _lines(suspicions: Sequence[Suspicion], table: Table, target: str) -> Iterator[str]:
    """Yield a line on each feature that is like an id, and on each copy of the target."""
    ids = [suspicion.id_line(table.cells, table.path) for suspicion in suspicions]
    copies = [suspicion.copy_line(target, table.path) for suspicion in suspicions]
    yield from (line for line in (*ids, *copies) if line is not None)


def _infinite(suspicions: Sequence[Suspicion], path: Path) -> Iterator[str]:
    """Yield a line on each feature with infinite numbers."""
    for look in suspicions:
        if look.infinite:
            infinite = f"infinite numbers in {look.infinite} rows"
            yield f"{path}: column '{look.column.name}' has {infinite}, which count as missing"


def _number_like(columns: Sequence[Column], path: Path) -> Iterator[str]:
    """Yield a line on each column of categories most of which look like numbers."""
    for column in columns:
        alike = [] if column.raw.declared else [text for text in column.categories if looks_like_number(text)]
        if len(alike) >= FEWEST_ALIKE and 2 * len(alike) > len(column.categories):
            yield (
                f"{path}: column '{column.name}' has {len(column.categories)} different texts that look like numbers, "
                f"such as {alike[0][:40]!r}, taken for categories; if they are quantities, write the numbers alone"
            )


def _look_alikes(columns: Sequence[Column], path: Path) -> Iterator[str]:
    """Yield a line on each column with two categories that read the same."""
    for column in columns:
        if clash := clash_of(column.categories, "categories"):
            yield f"{path}: column '{column.name}' has {clash}; they stay two: write them alike if they are one"


FEWEST_ALIKE = 3
"""Of fewer different texts that look like numbers, nobody would take a mean."""


def _gaps_of(table: Table, column: RawColumn, known: Array) -> int:
    """Count the missing cells of a column among the rows that are `known`."""
    blocks = table.cells.spans()
    return sum(int(np.isnan(column.block(table.cells, b, stop - i)[known[i:stop]]).sum()) for b, i, stop in blocks)


def _feature_names(columns: Collection[str], path: Path, rules: TableRules) -> list[str]:
    """Return the columns to use as features: the settings' own, or all but the target and those with a role."""
    target, roles = rules.target, rules.roles
    others = [name for name in columns if name != target and name not in roles]
    names = others if rules.features is None else list(rules.features)
    if both := [name for name in (target, *names) if name in roles]:
        raise SettingsError(
            f"expected columns that are neither features nor the target, found '{both[0]}' ({roles[both[0]]}), which "
            f"is {'the target' if both[0] == target else 'in dataset.params.features'}",
            key=("dataset", "params", "roles"),
        )
    if twice := [name for name, count in Counter(names).items() if count > 1]:
        raise SettingsError(
            f"expected each column once, found '{twice[0]}' twice", key=("dataset", "params", "features")
        )
    if target in names or not names:
        raise DataError(f"{path}: expected columns of features besides the target '{target}', found {names}")
    if rules.features is not None:
        for name in names:
            column_of(columns, name, path, "features")
    return names


def _usable(columns: Sequence[Column], path: Path, rules: TableRules) -> list[Column]:
    """Return the columns that can be features; reject one that the settings ask for and that can't."""
    usable = [column for column in columns if not column.reason]
    unusable = next((column for column in columns if column.reason), None)
    if unusable and (rules.features is not None or not usable):
        others = ", and no other can" if rules.features is None else "; leave the column out of dataset.params.features"
        raise DataError(f"{path}: column '{unusable.name}' can't be a feature, as {unusable.reason}{others}")
    return usable


def _others(roles: Mapping[str, Array], table: Table, known: Array, rules: TableRules) -> Iterator[ColumnDescription]:
    """Yield the columns that were not read as features: the target, those with a role, and those not asked for."""
    yield ColumnDescription(
        name=rules.target, kind=KINDS[table.columns[rules.target].kind], use="target", gaps=int((~known).sum())
    )
    for name, values in roles.items():
        fault = table.columns[name].fault
        yield ColumnDescription(
            name=name,
            kind="text" if fault else _kind_of(values),
            use=rules.roles[name],
            gaps=_gaps(values),
            reason=f"it holds {fault}" if fault else "",
        )
    if rules.features is not None:
        for name in table.columns:
            if name not in {rules.target, *roles, *rules.features}:
                yield ColumnDescription(
                    name=name,
                    kind=KINDS[table.columns[name].kind],
                    use="left out",
                    gaps=_gaps_of(table, table.columns[name], known),
                    reason="it is not in dataset.params.features",
                )


KINDS: dict[str, Kind] = {
    "none": "text",
    "integers": "numeric",
    "numbers": "numeric",
    "booleans": "boolean",
    "times": "date",
    "text": "text",
    "other": "text",
}
"""What a column that is no feature is called, by what its cells are."""


def _kind_of(values: Array) -> Kind:
    kinds: dict[str, Kind] = {"M": "date", "O": "text"}
    return kinds.get(values.dtype.kind, "numeric")


def _gaps(values: Array) -> int:
    import pandas as pd

    return int(pd.isna(values).sum())


def _left_out(columns: Sequence[Column], known: Array, labels: Labels, target: str, path: Path) -> Iterator[str]:
    """Yield a line on each column and on the rows that are left out, and on classes named as gaps are."""
    for column in columns:
        if column.reason:
            yield f"{path}: left out column '{column.name}', as {column.reason}"
    if n := int((~known).sum()):
        yield f"{path}: left out {n} of {len(known)} rows, in which the target '{target}' has no value"
    yield from _missing_names(labels.values, target, path)


def _missing_names(labels: Array, target: str, path: Path) -> list[str]:
    words = missing_words(labels)
    if not words:
        return []
    return [
        f"{path}: column '{target}', the target, has {' and '.join(map(repr, words))}, taken for the name of a class; "
        "if it means a missing value, leave those cells empty"
    ]
