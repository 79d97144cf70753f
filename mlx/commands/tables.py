"""Plain-text tables for a terminal, with numbers aligned to the right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx.runs.run import Run

HEADLINES = ("accuracy", "log_loss", "rmse", "r2", "pearson")
"""The metrics in the row of a run, if it has them."""


def headline(run: "Run") -> list[float | None]:
    """Return the `HEADLINES` of a run, None for those that it lacks."""
    metrics = {**run.summary.metrics.get("residuals", {}), **run.summary.metrics.get("evaluation", {})}
    return [metrics.get(name) for name in HEADLINES]


def as_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return the rows under their column names, without columns that are empty in every row."""
    filled = [[*row, *[None] * (len(columns) - len(row))] for row in rows]
    used = [i for i in range(len(columns)) if i == 0 or any(row[i] not in (None, "") for row in filled)]
    cells = [[columns[i] for i in used], *([_cell(row[i]) for i in used] for row in filled)]
    widths = [max(len(row[j]) for row in cells) for j in range(len(used))]
    right = [all(not isinstance(row[i], str) for row in filled) for i in used]
    return "\n".join(
        "  ".join(
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(row, widths, right, strict=True)
        ).rstrip()
        for row in cells
    )


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
