"""Reads a table by the settings' rules, and finds out which decimal mark its numbers have."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from mlx.datasets.custom.gathering import Wanted
from mlx.datasets.custom.table_files import Table, read_table
from mlx.datasets.custom.targets import Task
from mlx.datasets.custom.written_cells import Accepts, accepted
from mlx.datasets.custom.written_numbers import Mark, Marks, Seen, Written, mark_of, read_written
from mlx.datasets.roles import Role


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


def read_by_rules(path: Path, rules: TableRules, test: Path | None) -> tuple[Table, dict[str, Written], Marks]:
    """Return the table, its columns of text as numbers, and what is known of the fractions in them.

    In a CSV in which some number has a comma, or whose cells are divided by semicolons, ``1.234`` may mean 1234: a
    column whose numbers turn out to have another decimal mark than they were read with is read again as text.
    """
    accepts: dict[str, Accepts] = {
        rules.target: "integers" if rules.task == "classification" else "plain",
        **accepted(rules.roles),
    }

    def read(as_text: frozenset[str]) -> tuple[Table, dict[str, Written]]:
        wanted = Wanted(accepts, as_text)
        table = read_table(path, wanted, names=rules.features or (), separator=rules.separator, added=test)
        return table, _written_numbers(table, rules)

    table, written = read(frozenset())
    while True:
        seen = _seen_numbers(table, rules)
        semicolons = table.separator == ";"
        every: list[Written | Seen] = [*written.values(), *seen.values()]
        commas = rules.decimal == "," or semicolons or any(map(_has_comma, every))
        known = every if commas else written.values()
        marks = Marks(rules.decimal, frozenset(mark for column in known for mark in column.shows()), semicolons)
        other = {name for name, column in seen.items() if commas and mark_of(column, marks) not in {column.read, None}}
        if not other:
            return table, written, marks if commas else replace(marks, stated=rules.decimal or ".")
        table, written = read(frozenset(other))


def _used(table: Table, rules: TableRules) -> list[str]:
    """Return the columns that are used and may be numbers: not a target whose task is classification."""
    used = table.columns if rules.features is None else [rules.target, *rules.features]
    names = [name for name in used if name in table.columns and name not in rules.roles]
    return [name for name in names if name != rules.target or rules.task != "classification"]


def _written_numbers(table: Table, rules: TableRules) -> dict[str, Written]:
    """Return the columns of text that are used, read as numbers."""
    texts = {name: table.texts(name) for name in _used(table, rules) if table.columns[name].kind == "text"}
    return {
        name: read_written(found)
        for name, found in texts.items()
        if found and not table.columns[name].declared and not table.columns[name].fault
    }


def _seen_numbers(table: Table, rules: TableRules) -> dict[str, Seen]:
    """Return what is known of the decimal marks of columns of numbers that are used and have fractions."""
    columns = [table.columns[name] for name in _used(table, rules)]
    return {column.name: column.seen for column in columns if column.seen.read is not None}


def _has_comma(column: Written | Seen) -> bool:
    ambiguous = column.ambiguous()
    return "," in column.shows() or (ambiguous is not None and "," in ambiguous)


def as_written(table: Table, marks: Marks) -> dict[str, str]:
    """Return how a text file is written, as it was inferred or stated: its separator, and its decimal mark."""
    if table.separator is None:
        return {}
    read = {str(column.seen.read) for column in table.columns.values() if column.seen.read is not None}
    decimal = str(marks.stated) if marks.stated else min({*read, *marks.shown}, default=".")
    return {"separator": table.separator, "decimal": decimal}
