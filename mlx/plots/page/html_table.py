"""A table of the page: its first rows are shown, all of them where it is unfolded; numbers rounded for reading."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mlx.plots.page.escaping import safe
from mlx.plots.text import MINUS, PValue, fixed, significant, thousands

FIRST_ROWS = 5
"""Rows that are shown of a folded table; styles/tables.css hides those after them."""

MAX_ROWS = 500
ONE_LINE = 24  # characters of a cell that is never broken


@dataclass(frozen=True)
class Bounds:
    """An interval in one cell, which sorts by its lower end."""

    low: float
    high: float

    def __str__(self) -> str:
        known = math.isfinite(self.low) and math.isfinite(self.high)
        return f"{_number(self.low)} to {_number(self.high)}" if known else ""

    def __float__(self) -> float:
        return float(self.low)


@dataclass(frozen=True)
class Linked:
    """Text with a link, as HTML."""

    text: str
    html: str

    def __str__(self) -> str:
        return self.text


def selecting(text: str, query: str) -> Linked | str:
    """Return text that selects samples in the explorer, as `mlx.plots.page.selections` writes a query."""
    return Linked(text, f'<a href="#explore" data-select="{safe(query)}">{safe(text)}</a>') if query else text


@dataclass(frozen=True)
class About:
    """What stands under a table.

    Attributes
    ----------
    file
        Its complete table, relative to the page; empty without one.
    meanings
        What a column has, by its heading.
    """

    file: str = ""
    meanings: Mapping[str, str] = field(default_factory=dict)


def html_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]], about: About | None = None) -> str:
    """Build a table in a box that scrolls by itself, folded to its first rows, with what its columns mean.

    The first column names the rows; numbers are right-aligned. Beyond 500 rows the first 500 are on the page.
    """
    about = about or About()
    numeric = [k > 0 and _is_numeric([row[k] for row in rows]) for k in range(len(head))]
    top = "".join(_heading(name, numeric[k], about.meanings.get(name, "")) for k, name in enumerate(head))
    body = "\n".join(_row(row, numeric) for row in rows[:MAX_ROWS])
    return (
        f'<div class="table"><div class="scroll" role="region" aria-label="{safe(caption)}" tabindex="0">\n'
        f'<table class="sortable"><caption>{safe(caption)}</caption>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>\n{_under(caption, head, len(rows), about)}</div>"
    )


def _heading(name: str, numeric: bool, meaning: str) -> str:
    title = f' title="{safe(meaning)}"' if meaning else ""
    return f'<th scope="col"{_align(numeric)}{title}>{safe(name)}</th>'


def _under(caption: str, head: Sequence[str], n_rows: int, about: About) -> str:
    known = {name: about.meanings[name] for name in head if name in about.meanings}
    meanings = "".join(f"<div><dt>{safe(name)}</dt><dd>{safe(text)}</dd></div>" for name, text in known.items())
    parts = [_all_rows(n_rows)] if n_rows > FIRST_ROWS else []
    parts += ["what the columns mean"] if meanings else []
    said = " and ".join(parts)
    more = f"<dl>{meanings}</dl>" if meanings else ""
    hidden = f'<span class="hidden"> of {safe(caption)}</span>'
    fold = f"<details><summary>{said[:1].upper()}{said[1:]}{hidden}</summary>{more}</details>" if said else ""
    name = about.file.rsplit("/", 1)[-1]
    file = f'<a href="{safe(about.file)}">{safe(name)}</a>' if name else ""
    return f'<div class="under">{fold}{file}</div>' if fold or file else ""


def _all_rows(n_rows: int) -> str:
    return f"all {n_rows} rows" if n_rows <= MAX_ROWS else f"the first {MAX_ROWS} of {thousands(n_rows)} rows"


def _row(row: Sequence[object], numeric: Sequence[bool]) -> str:
    first, *rest = row
    cells = "".join(
        f"<td{_align(numeric[k]) or _long(value)}{_exact(value)}>{_cell(value)}</td>" for k, value in enumerate(rest, 1)
    )
    return f'<tr><th scope="row"{_long(first)}{_exact(first)}>{_cell(first)}</th>{cells}</tr>'


def _align(numeric: bool) -> str:
    return ' class="n"' if numeric else ""


def _long(value: object) -> str:
    """Mark text that is broken into lines, where all other cells keep to one."""
    return ' class="long"' if len(str(value)) > ONE_LINE else ""


def _exact(value: object) -> str:
    """The number itself beside the rounded one that is shown, by which the page sorts."""
    return f' data-v="{float(value)!r}"' if is_number(value) and not is_unknown(value) else ""  # type: ignore[arg-type]


def _is_numeric(column: Sequence[object]) -> bool:
    """Whether a column is one of numbers: it has some, or percentages, and no other text."""
    known = [value for value in column if not is_unknown(value) and value != ""]
    return bool(known) and all(is_number(value) or str(value).endswith("\N{NO-BREAK SPACE}%") for value in known)


def is_number(value: object) -> bool:
    """Whether a cell holds a number that is shown rounded; a flag is not a number."""
    return isinstance(value, int | float | np.number | PValue | Bounds) and not isinstance(value, bool)


def is_unknown(value: object) -> bool:
    """Whether a cell holds nothing, or a number that is missing."""
    return value is None or (isinstance(value, float | np.floating | PValue | Bounds) and math.isnan(float(value)))


def _cell(value: Any) -> str:
    if isinstance(value, Linked):
        return value.html
    if is_unknown(value):
        return fixed(math.nan)
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if isinstance(value, int | np.integer):
        return thousands(int(value))
    return safe(value)


def _number(x: float) -> str:
    return significant(x) if abs(x) >= 0.01 else f"{x:.2g}".replace("-", MINUS)
