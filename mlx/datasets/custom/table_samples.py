"""Features and target from a table in a file."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import ColumnDescription, Kind
from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.features import feature, leave_out
from mlx.datasets.custom.suspects import copies_of_target, id_columns
from mlx.datasets.custom.table_files import (
    Column,
    Table,
    appended,
    column_of,
    differ_in_text,
    read_table,
)
from mlx.datasets.custom.table_labels import missing_words, table_labels
from mlx.datasets.custom.targets import Task
from mlx.datasets.custom.written_numbers import Mark, Marks, Written, read_written
from mlx.datasets.dataset import reject_oversized
from mlx.datasets.roles import Role, role_values

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class TableSamples:
    """What was read.

    Attributes
    ----------
    X
        Features, float64 of shape (samples, features), as in `mlx.core.descriptions.ColumnDescription`.
    labels
        The target as it is in the file: integers, floats, booleans or text, shape (samples,).
    rows, n_rows
        Which of the table's rows the samples are, and how many it has.
    notes
        What the user should know: columns and rows left out, columns that look like ids.
    roles
        Values (samples,) of the columns with a role.
    columns
        All columns: the features in the order of `X`, and then the others.
    n_first
        How many of the table's rows are those of the first file.
    """

    X: Array
    labels: Array
    rows: Array
    n_rows: int
    notes: tuple[str, ...]
    roles: dict[str, Array]
    columns: tuple[ColumnDescription, ...]
    n_first: int


@dataclass(frozen=True)
class TableRules:
    """How a table is read.

    Attributes
    ----------
    target
        The target's column.
    task
        What the target is for, or ``auto``.
    features
        The columns to use; all others where it is None.
    decimal
        Decimal mark of numbers in text; inferred where it is None.
    separator
        Between the cells of a CSV; inferred where it is None.
    roles
        Of columns that are no features; those that the table lacks are passed over.
    """

    target: str
    task: Task | Literal["auto"] = "auto"
    features: Sequence[str] | None = None
    decimal: Mark | None = None
    separator: str | None = None
    roles: Mapping[str, Role] = field(default_factory=dict)


def read_table_samples(path: Path, rules: TableRules, test: Path | None = None) -> TableSamples:
    """Read a CSV or Parquet table.

    Parameters
    ----------
    test
        A second file with the same columns, whose rows follow those of `path`.

    Raises
    ------
    DataError
        If the table can't be read, or a column is not there or holds what is no feature.
    SettingsError
        If its separator or its decimal mark is ambiguous.
    """
    table, written, marks = _read(path, rules, test)
    answer = column_of(table.frame, rules.target, path, "target")
    known = answer.notna().to_numpy()
    if not known.any():
        raise DataError(f"{path}: expected values in column '{rules.target}', the target, found none")
    rows = np.flatnonzero(known)
    names = _feature_names(table.frame, path, rules)
    read = [feature(table.frame[name], path, marks, written.get(name)) for name in names]
    columns = _usable(read, path, rules)
    suspicious = id_columns(columns, table.frame, path) if rules.features is None else []
    labels = table_labels(
        answer[known],
        path,
        task=rules.task,
        gaps=not known.all(),
        marks=marks,
        typed=path.suffix.lower() != ".csv",
    )
    if rules.features is None:
        suspicious += copies_of_target(columns, rows, labels, rules.target, path)
    roles = {
        name: role_values(table.frame[name], role, f"{path}: column '{name}'")[rows]
        for name, role in rules.roles.items()
        if name in table.frame
    }
    reject_oversized(str(path), len(rows), len(columns), way_out=leave_out())
    return TableSamples(
        np.column_stack([column.numbers[rows] for column in columns]),
        labels,
        rows,
        len(table.frame),
        (*table.left_out, *suspicious, *_left_out(read, known, labels, rules.target, path)),
        roles,
        (
            *(column.description(rows) for column in (*columns, *(c for c in read if c.reason))),
            *_others(roles, table, rules),
        ),
        table.n_first,
    )


def _read(path: Path, rules: TableRules, test: Path | None) -> tuple[Table, dict[str, Written], Marks]:
    """Return the table, its columns of text as numbers, and what is known of the fractions in them.

    A CSV in which some number has a comma, or whose cells are divided by semicolons, is read as text
    throughout: ``1.234`` may mean 1234 in it, and a parser of numbers would not notice.
    """
    targets = [rules.target, *rules.roles]
    wanted = {*targets, *(rules.features or ())}

    def read(as_text: bool | None) -> Table:
        first, *others = (
            read_table(file, targets=targets, wanted=wanted, separator=rules.separator, as_text=as_text)
            for file in (path, test)
            if file is not None
        )
        if test is None:
            return first
        if not as_text and first.separator and differ_in_text(first, others[0]):
            return read(True)
        return appended(first, others[0], path, test)

    table = read(None if rules.decimal is None else rules.decimal == ",")
    written = _written_numbers(table.frame, rules)
    semicolons = table.separator == ";"
    if rules.decimal is None and table.separator and not semicolons and any(map(_has_comma, written.values())):
        table = read(True)
        written = _written_numbers(table.frame, rules)
    shown = frozenset(mark for column in written.values() for mark in column.shows())
    return table, written, Marks(rules.decimal, shown, semicolons)


def _written_numbers(frame: "pd.DataFrame", rules: TableRules) -> dict[str, Written]:
    """Return the columns of text that are used, without a target whose task is classification."""
    import pandas as pd

    used = frame.columns if rules.features is None else [rules.target, *rules.features]
    names = [name for name in used if name in frame.columns and name not in rules.roles]
    if rules.task == "classification":
        names = [name for name in names if name != rules.target]
    texts = {name: frame[name].dropna() for name in names if isinstance(frame[name].dtype, pd.StringDtype)}
    return {name: read_written(values.tolist()) for name, values in texts.items() if len(values)}


def _has_comma(column: Written) -> bool:
    ambiguous = column.ambiguous()
    return "," in column.shows() or (ambiguous is not None and "," in ambiguous)


def _feature_names(frame: "pd.DataFrame", path: Path, rules: TableRules) -> list[str]:
    """Return the columns to use as features: the settings' own, or all but the target and those with a role."""
    target, roles = rules.target, rules.roles
    others = [name for name in frame.columns if name != target and name not in roles]
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
            column_of(frame, name, path, "features")
    return names


def _usable(columns: Sequence[Column], path: Path, rules: TableRules) -> list[Column]:
    """Return the columns that can be features; reject one that the settings ask for and that can't."""
    usable = [column for column in columns if not column.reason]
    unusable = next((column for column in columns if column.reason), None)
    if unusable and (rules.features is not None or not usable):
        raise DataError(f"{path}: column '{unusable.name}' can't be a feature, as {unusable.reason}; {leave_out()}")
    return usable


def _others(roles: Mapping[str, Array], table: Table, rules: TableRules) -> Iterator[ColumnDescription]:
    """Yield the columns that were not read as features: the target, those with a role, and those not asked for."""
    target = table.frame[rules.target]
    yield ColumnDescription(
        name=rules.target, kind=_kind_of(target.to_numpy()), use="target", gaps=int(target.isna().sum())
    )
    for name, values in roles.items():
        yield ColumnDescription(name=name, kind=_kind_of(values), use=rules.roles[name], gaps=_gaps(values))
    if rules.features is not None:
        others = [name for name in table.frame if name not in {rules.target, *roles, *rules.features}]
        for name in map(str, others):
            values = table.frame[name].to_numpy()
            yield ColumnDescription(
                name=name,
                kind=_kind_of(values),
                use="left out",
                gaps=_gaps(values),
                reason="it is not in dataset.params.features",
            )


def _kind_of(values: Array) -> Kind:
    kinds: dict[str, Kind] = {"M": "date", "b": "boolean", "O": "text", "U": "text"}
    return kinds.get(values.dtype.kind, "numeric")


def _gaps(values: Array) -> int:
    import pandas as pd

    return int(pd.isna(values).sum())


def _left_out(columns: Sequence[Column], known: Array, labels: Array, target: str, path: Path) -> Iterator[str]:
    """Yield a line on each column and on the rows that are left out, and on classes named as gaps are."""
    for column in columns:
        if column.reason:
            yield f"{path}: left out column '{column.name}', as {column.reason}"
    if n := int((~known).sum()):
        yield f"{path}: left out {n} of {len(known)} rows, in which the target '{target}' has no value"
    yield from _missing_names(labels, target, path)


def _missing_names(labels: Array, target: str, path: Path) -> list[str]:
    words = missing_words(labels)
    if not words:
        return []
    return [
        f"{path}: column '{target}', the target, has {' and '.join(map(repr, words))}, taken for the name of a class; "
        "if it means a missing value, leave those cells empty"
    ]
