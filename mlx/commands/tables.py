"""Plain-text tables, with numbers aligned to the right: whole in a pipe, as wide as the screen on a terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlx.core.console import answer_width, styled

if TYPE_CHECKING:
    from mlx.runs.run import Run

HEADLINES = ("accuracy", "log_loss", "rmse", "r2", "pearson")
"""The metrics in the row of a run, if it has them."""

GAP = 2
"""Spaces between columns."""
SOFT = 18
"""Characters of a text column on a narrow terminal; longer cells continue on further lines."""

STYLES = {
    "failed": "red", "damaged": "red", "fails": "red", "interrupted": "yellow", "not run": "yellow",
    "not enough data": "yellow", "running": "cyan", "passes": "green",
}  # fmt: skip
"""The colors of cells that are worth one."""


def metrics_of(run: "Run") -> dict[str, Any]:
    """Return the metrics of a run by name, those of the evaluation before others of the same name."""
    return {**run.summary.metrics.get("residuals", {}), **run.summary.metrics.get("evaluation", {})}


def headline(run: "Run") -> list[float | None]:
    """Return the `HEADLINES` of a run, None for those that it lacks."""
    metrics = metrics_of(run)
    return [metrics.get(name) for name in HEADLINES]


def result_lines(metrics: Mapping[str, Any], page: str) -> list[str]:
    """Return the `HEADLINES` with their intervals, a line each, and the command that opens the page."""
    from shlex import quote

    rows = [(name, _with_ends(metrics, name)) for name in HEADLINES if isinstance(metrics.get(name), int | float)]
    return [f"{name:<10}  {value}" for name, value in [*rows, ("look at it", f"mlx open {quote(page)}")]]


def _with_ends(metrics: Mapping[str, Any], name: str) -> str:
    low, high = (metrics.get(f"{name}_{end}") for end in ("low", "high"))
    return f"{metrics[name]:.4g}" + ("" if low is None or high is None else f" ({low:.4g} to {high:.4g})")


@dataclass(frozen=True)
class _Column:
    """A column: its head and its cells as text, and whether they are numbers."""

    name: str
    cells: tuple[str, ...]
    to_right: bool
    first: bool = False

    @property
    def natural(self) -> int:
        """Characters that it takes on one line."""
        return max(map(_length, (self.name, *self.cells)))

    def least(self, width: int) -> int:
        """Return the fewest characters that it takes on a terminal of that width."""
        cells = max(map(_length, self.cells), default=0)
        most = max(SOFT, width // 2) if self.first else cells if self.to_right else SOFT
        return max(min(cells, most), *(min(SOFT, _length(word)) for word in self.name.split()))


Spare = Sequence[str | tuple[str, ...]]
"""Columns that a narrow table can do without, those of a tuple only together."""


def as_table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, spare: Spare = (), more: str = "") -> str:
    """Return the rows under their column names, without columns that are empty in every row.

    On a terminal the table fits the screen: long cells continue on further lines, columns that have no room are left
    out, and a line says which and what shows them. Elsewhere every row is one line.

    Parameters
    ----------
    spare
        Columns that are left out first, in this order, those of a tuple together; then those on the right.
    more
        The option that shows all, such as ``--json``.
    """
    filled = [[*row, *[None] * (len(columns) - len(row))] for row in rows]
    every = [
        _Column(
            name, tuple(_cell(row[i]) for row in filled), all(not isinstance(row[i], str) for row in filled), i == 0
        )
        for i, name in enumerate(columns)
        if i == 0 or any(row[i] not in (None, "") for row in filled)
    ]
    width = answer_width()
    if width is None:
        return "\n".join(_lines(every, [column.natural for column in every]))
    kept = _fitting(every, width, spare)
    lines = _lines(kept, _widths(kept, width))
    if left_out := [column.name for column in every if column not in kept]:
        shown_by = f"{more} or a wider terminal shows" if more else "a wider terminal shows"
        said = f"not shown: {', '.join(left_out)} ({shown_by} {'it' if len(left_out) == 1 else 'them'})"
        lines += [styled(line, "dim") for line in broken(said, width)]
    return "\n".join(lines)


def _fitting(columns: Sequence[_Column], width: int, spare: Spare) -> list[_Column]:
    """Return the columns that have room; the first one always does."""
    kept = list(columns)
    together = [(names,) if isinstance(names, str) else names for names in spare]
    named = {name for names in together for name in names}
    together += [(column.name,) for column in reversed(columns) if column.name not in named]
    for names in together:
        if sum(one.least(width) for one in kept) + GAP * (len(kept) - 1) <= width:
            break
        kept = [column for column in kept if column.first or column.name not in names]
    return kept


def _widths(columns: Sequence[_Column], width: int) -> list[int]:
    """Return the width of each column: what is left goes first to those that lack least."""
    widths = [min(column.least(width), width) for column in columns]
    left = width - sum(widths) - GAP * (len(columns) - 1)
    for place in sorted(range(len(columns)), key=lambda k: columns[k].natural - widths[k]):
        more = min(max(0, left), columns[place].natural - widths[place])
        widths[place] += more
        left -= more
    return widths


def _lines(columns: Sequence[_Column], widths: Sequence[int]) -> list[str]:
    """Return the head, and the lines of each row."""
    head = [styled(line, "bold") for line in _row([column.name for column in columns], columns, widths, top=False)]
    rows = (
        _row([column.cells[k] for column in columns], columns, widths, top=True) for k in range(len(columns[0].cells))
    )
    return [*head, *(line for row in rows for line in row)]


def _row(cells: Sequence[str], columns: Sequence[_Column], widths: Sequence[int], *, top: bool) -> list[str]:
    """Return the lines of a row, whose cells begin at its `top` or end at its bottom."""
    parts = [
        [cell] if _length(cell) <= width else broken(cell, width) for cell, width in zip(cells, widths, strict=True)
    ]
    height = max(map(len, parts))
    lines = []
    for place in range(height):
        line = ""
        for cell, part, width, column in zip(cells, parts, widths, columns, strict=True):
            at = place if top else place - height + len(part)
            text = part[at] if 0 <= at < len(part) else ""
            blank = " " * (width - _length(text))
            shown = styled(text, STYLES[cell]) if cell in STYLES else text
            line += f"{blank}{shown}" if column.to_right else f"{shown}{blank}"
            line += " " * GAP
        lines.append(line.rstrip())
    return lines


def _length(text: str) -> int:
    """Return the columns that a text takes on a terminal, where some characters are wide."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def broken(text: str, width: int) -> list[str]:
    """Return a text as lines of at most `width` columns of a terminal, broken between words where that is possible."""
    from rich.console import Console
    from rich.text import Text

    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=width), width, overflow="fold")] or [""]


def as_prose(sentences: Sequence[str]) -> list[str]:
    """Return sentences as lines: on a terminal they are broken between words, and go on with an indent."""
    width = answer_width()
    if width is None:
        return list(sentences)
    lines = []
    for sentence in sentences:
        first, *others = broken(sentence, width - GAP)
        lines += [first, *(f"{' ' * GAP}{line}" for line in others)]
    return lines


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if text.isprintable() else "".join(c if c.isprintable() else " " for c in text)
