"""Features and target from a table in a file."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.features import feature, leave_out
from mlx.datasets.custom.suspects import copies_of_target, id_columns
from mlx.datasets.custom.table_files import (
    Column,
    Table,
    appended,
    column_of,
    differ_in_text,
    encode,
    read_table,
    row_name,
)
from mlx.datasets.custom.table_labels import missing_words, table_labels
from mlx.datasets.custom.targets import Task
from mlx.datasets.custom.written_numbers import Mark, Marks, Written, read_written
from mlx.datasets.roles import role_values

if TYPE_CHECKING:
    import pandas as pd

Missing = Literal["error", "drop", "mean"]


@dataclass(frozen=True)
class TableSamples:
    """What was read.

    Attributes
    ----------
    X
        Features, float64 of shape (samples, features).
    labels
        The target as it is in the file: integers, floats, booleans or text, shape (samples,).
    rows, n_rows
        Which of the table's rows the samples are, and how many it has.
    details
        The features' names, the categories of columns of text, and what was done about missing values.
    notes
        What the user should know: columns left out, columns that look like ids.
    roles
        Values (samples,) of the columns with a role.
    columns
        Names of all columns.
    n_first
        How many of the table's rows are those of the first file.
    """

    X: Array
    labels: Array
    rows: Array
    n_rows: int
    details: dict[str, Any]
    notes: tuple[str, ...]
    roles: dict[str, Array]
    columns: tuple[str, ...]
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
    encoding
        Of columns of text, see `mlx.datasets.custom.table_files.encode`.
    missing
        What to do about missing and infinite values. The mean is that of all rows, test rows included.
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
    encoding: Literal["onehot", "ordinal"] = "onehot"
    missing: Missing = "error"
    decimal: Mark | None = None
    separator: str | None = None
    roles: Mapping[str, str] = field(default_factory=dict)


def read_table_samples(path: Path, rules: TableRules, test: Path | None = None) -> TableSamples:
    """Read a CSV or Parquet table.

    Parameters
    ----------
    test
        A second file with the same columns, whose rows follow those of `path`.

    Raises
    ------
    DataError
        If the table can't be read, a column is not there or holds no numbers or text, or a value is missing.
    SettingsError
        If its separator or its decimal mark is ambiguous.
    """
    table, written, marks = _read(path, rules, test)
    answer = column_of(table.frame, rules.target, path, "target")
    names = _feature_names(table.frame, path, rules)
    columns = [feature(table.frame[name], path, marks, written.get(name)) for name in names]
    suspicious = id_columns(columns, table.frame, path) if rules.features is None else []
    known = answer.notna().to_numpy()
    _reject_empty(columns, known, path, rules)
    columns, keep, details = _without_gaps(columns, known, path, rules)
    _reject_missing(columns, ~known, keep, path, rules)
    X, encoded = encode(columns, rules.encoding, path)
    details["features"] = encoded
    details["categories"] = {c.name: list(c.categories) for c in columns if c.categories is not None}
    rows = np.flatnonzero(keep)
    labels = table_labels(
        answer[keep],
        path,
        task=rules.task,
        gaps=not known.all(),
        marks=marks,
        typed=path.suffix.lower() != ".csv",
    )
    dropped = len(keep) - len(rows)
    gaps = [f"{path}: left out {dropped} of {len(keep)} rows, in which a value is missing"] if dropped else []
    if rules.features is None:
        suspicious += copies_of_target(columns, rows, labels, rules.target, path)
    notes = (*table.left_out, *suspicious, *gaps, *_missing_names(labels, rules.target, path))
    roles = {
        name: role_values(table.frame[name], role, f"{path}: column '{name}'")[rows]
        for name, role in rules.roles.items()
        if name in table.frame
    }
    return TableSamples(
        X[rows], labels, rows, len(table.frame), details, notes, roles, tuple(map(str, table.frame)), table.n_first
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


def _reject_empty(columns: Sequence[Column], known: Array, path: Path, rules: TableRules) -> None:
    """Reject columns without any value, which neither the mean nor dropping rows can mend."""
    if not known.any():
        raise DataError(f"{path}: expected values in column '{rules.target}', the target, found none")
    for column in columns:
        if np.isnan(column.numbers).all():
            raise DataError(f"{path}: expected values in column '{column.name}', found none; {leave_out()}")


def _without_gaps(
    columns: list[Column], known: Array, path: Path, rules: TableRules
) -> tuple[list[Column], Array, dict[str, Any]]:
    """Return the columns, which rows to keep, and what was done about missing values."""
    keep = np.ones(len(known), bool)
    details: dict[str, Any] = {}
    if rules.missing == "drop":
        keep = known & np.all([~np.isnan(column.numbers) for column in columns], axis=0)
        details["dropped_rows"] = int((~keep).sum())
        if not keep.any():
            gaps = {column.name: int(np.isnan(column.numbers).sum()) for column in columns}
            worst = max(gaps, key=gaps.__getitem__)
            raise DataError(
                f"{path}: expected rows without missing values, found none: column '{worst}' has none in {gaps[worst]} "
                f"of {len(keep)}; {leave_out()}"
            )
    elif rules.missing == "mean":
        details["filled"] = {c.name: int(np.isnan(c.numbers).sum()) for c in columns if np.isnan(c.numbers).any()}
        columns = [_filled(column) for column in columns]
    return columns, keep, details


def _missing_names(labels: Array, target: str, path: Path) -> list[str]:
    words = missing_words(labels)
    if not words:
        return []
    return [
        f"{path}: column '{target}', the target, has {' and '.join(map(repr, words))}, taken for the name of a class; "
        "if it means a missing value, leave those cells empty"
    ]


def _filled(column: Column) -> Column:
    gaps = np.isnan(column.numbers)
    if column.categories is not None or not gaps.any():
        return column  # text has no mean: what is missing stays so and is an error
    return Column(column.name, np.where(gaps, column.numbers[~gaps].mean(), column.numbers), None)


def _reject_missing(columns: Sequence[Column], unknown: Array, keep: Array, path: Path, rules: TableRules) -> None:
    numbers = {column.name for column in columns if column.categories is None}
    gaps = {column.name: np.isnan(column.numbers) for column in columns} | {rules.target: unknown}
    for name, missing in gaps.items():
        missing = missing & keep
        if missing.any():
            row = int(np.argmax(missing)) + 1
            or_mean = ", or to mean" if name in numbers and rules.missing == "error" else ""
            raise DataError(
                f"{path}: expected a finite value in each row of column '{name}', found none in "
                f"{row_name(row)} ({int(missing.sum())} in all); set dataset.params.missing to drop{or_mean}"
            )
