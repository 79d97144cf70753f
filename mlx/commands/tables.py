"""Plain tables for a terminal: columns as wide as they need to be, numbers to the right."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlx.runs.run import Run

HEADLINES = ("accuracy", "log_loss", "rmse", "r2", "pearson")
"""What a row of a run shows of its metrics, where it has them."""


def headline(run: "Run") -> list[float | None]:
    """Return the `HEADLINES` of a run, None where it has none."""
    found = {**run.summary.metrics.get("residuals", {}), **run.summary.metrics.get("evaluation", {})}
    return [found.get(name) for name in HEADLINES]


def as_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Lay out rows under their columns; columns that are empty in every row are left out."""
    filled = [[*row, *[None] * (len(columns) - len(row))] for row in rows]
    kept = [i for i in range(len(columns)) if i == 0 or any(row[i] not in (None, "") for row in filled)]
    cells = [[columns[i] for i in kept], *([_cell(row[i]) for i in kept] for row in filled)]
    widths = [max(len(row[j]) for row in cells) for j in range(len(kept))]
    right = [all(not isinstance(row[i], str) for row in filled) for i in kept]
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
