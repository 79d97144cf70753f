"""Tables of the report page: numbers rounded for reading, every text escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mlx.plots.columns import HEAD, ColumnSummary, column_counts
from mlx.plots.page.escaping import safe
from mlx.plots.page.mistakes import confused_pairs
from mlx.plots.text import (
    MINUS,
    PValue,
    fixed,
    level_text,
    number,
    percent,
    signed,
    significant,
    status_text,
    thousands,
)
from mlx.results.classification_residuals import ClassSummary
from mlx.results.evaluation_tables import ClassEvaluation
from mlx.results.schema import RowSchema
from mlx.stats.permutation import is_at_floor
from mlx.stats.status import OK

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Array

T = TypeVar("T")

P_COLUMNS = {"p", "p_holm", "p_bh"}
MAX_ROWS = 500
ONE_LINE = 24  # characters of a cell that is never broken


def html_table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Build a table in a box that scrolls by itself.

    The first column names the rows; numbers are right-aligned. Beyond 500 rows the first 500 are
    shown, and the caption says so.
    """
    if len(rows) > MAX_ROWS:
        caption = f"{caption} (the first {MAX_ROWS} of {thousands(len(rows))} rows)"
    numeric = [k > 0 and _is_numeric([row[k] for row in rows]) for k in range(len(head))]
    top = "".join(f'<th scope="col"{_align(numeric[k])}>{safe(name)}</th>' for k, name in enumerate(head))
    body = "\n".join(_row(row, numeric) for row in rows[:MAX_ROWS])
    return (
        f'<div class="scroll" role="region" aria-label="{safe(caption)}" tabindex="0">\n'
        f'<table class="sortable"><caption>{safe(caption)}</caption>\n<thead><tr>{top}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def metrics_table(caption: str, metrics: Mapping[str, Any]) -> str:
    """Build the table of one metrics file: a row per number, with its interval or its status."""
    flat = flatten(metrics)
    beside = {key + end for key in flat for end in ("_low", "_high", "_status", "_permutations")}
    flat |= {
        key: PValue(value, is_at_floor(value, flat.get(f"{key.removesuffix('_p')}_permutations") or 0))
        for key, value in flat.items()
        if key.endswith("_p") and _is_number(value)
    }
    rows = [
        (key.replace("_", " "), value, _bounds(number(flat, f"{key}_low"), number(flat, f"{key}_high"), significant)
         or status_text(flat.get(f"{key}_status", "")))
        for key, value in flat.items() if key not in beside
    ]  # fmt: skip
    head = ["metric", "value"]
    if any(row[2] for row in rows):
        head.append(f"{level_text(metrics['confidence'])} interval" if "confidence" in metrics else "status")
    return html_table(caption, head, [row[: len(head)] for row in rows]) if rows else ""


def _bounds(low: float, high: float, write: Callable[[float], str]) -> str:
    return f"{write(low)} to {write(high)}" if math.isfinite(low) and math.isfinite(high) else ""


def flatten(metrics: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Metrics as one level of key and value; ``{value, low, high}`` becomes ``key, key_low, key_high``."""
    flat: dict[str, Any] = {}
    for key, value in metrics.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            inner = flatten(value)
            main = next((k for k in ("value", "estimate") if k in inner), None)
            flat |= {name if k == main else f"{name}_{k}": v for k, v in inner.items()}
        elif not isinstance(value, list | tuple):
            flat[name] = value
    return flat


def names_table(caption: str, values: Mapping[str, Any]) -> str:
    """Build a table of names and what they stand for, whatever it is but None; empty without any."""
    rows = [(name, _plain(value)) for name, value in _leaves(values) if value is not None]
    return html_table(caption, ["name", "value"], rows) if rows else ""


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _leaves(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        elif not isinstance(value, Mapping):
            yield f"{prefix}{key}", value


def columns_table(columns: Sequence[ColumnSummary]) -> str:
    """Build the table of the columns of the data, which is folded under its counts by use."""
    rows = [(*first, signed(values)) for *first, values in (one.cells() for one in columns)]
    table = html_table("Columns of the raw data", HEAD, rows)
    return f"<details><summary>{safe(column_counts(columns))}</summary>\n{table}\n</details>"


def classes_table(classes: Sequence[ClassSummary], scores: Sequence[ClassEvaluation], *, level: float) -> str:
    """Build the table of classes: counts, precision and recall, correlation, status."""
    scores_of = {score.label: score for score in scores}
    head = ["class", "samples", "predicted", "precision", "recall", "entropy", "similarity",
            "r", f"{level_text(level)} interval", "p", "p (Holm)", "note"]  # fmt: skip
    rows = [
        (
            one.name, one.n_true, one.n_predicted, scores_of[one.label].precision, scores_of[one.label].recall,
            one.entropy_mean, one.similarity_mean, one.pearson, _bounds(one.pearson_low, one.pearson_high, fixed),
            *(_bounded(p, one.pearson_p, one.pearson_permutations) for p in (one.pearson_p, one.pearson_p_holm)),
            "" if one.status.pearson.is_ok else status_text(one.status),
        )
        for one in classes
    ]  # fmt: skip
    kept = [k for k in range(len(head)) if any(not _is_unknown(row[k]) and row[k] != "" for row in rows)]
    return html_table("Each predicted class", [head[k] for k in kept], [[row[k] for k in kept] for row in rows])


def rows_table(caption: str, schema: RowSchema[T], rows: Sequence[T], columns: Sequence[str] = ()) -> str:
    """Build the table of those `columns` (all by default) that hold anything; empty without rows."""
    frame = schema.frame(rows).astype(object)
    for column in P_COLUMNS & set(frame):
        frame[column] = np.array([
            _bounded(getattr(row, column), getattr(row, "p", math.nan), getattr(row, "n_permutations", 0))
            for row in rows
        ], dtype=object)  # fmt: skip
    known = frame.where(frame.notna() & (frame != ""), None)
    return frame_table(caption, known[list(columns or schema.columns)])


def _bounded(shown: float, p: float, n_permutations: int) -> PValue | None:
    """Return a p-value, or one that was adjusted from `p`, as an upper bound where `p` is one; None where missing."""
    return None if math.isnan(shown) else PValue(shown, is_at_floor(p, n_permutations))


def frame_table(caption: str, frame: DataFrame) -> str:
    """Build the table of the columns that hold anything; empty without rows."""
    kept = [c for c in frame if frame[c].notna().any() and not (c == "status" and frame[c].eq(str(OK)).all())]
    rows = [[status_text(row[c]) if c == "status" else row[c] for c in kept] for row in frame.to_dict("records")]
    return html_table(caption, [str(c).replace("_", " ") for c in kept], rows) if rows and kept else ""


def mistakes_table(confusion: Array, names: Sequence[str], *, most: int = 8) -> str:
    """Build the table of the most frequent confusions; empty for a perfect model."""
    counts = np.asarray(confusion)
    rows = [
        (names[actual], names[predicted], count, percent(count / counts[actual].sum()))
        for actual, predicted, count in confused_pairs(counts, most)
    ]
    head = ("actual", "predicted as", "times", "share of the class")
    return html_table("Most frequent mistakes", head, rows) if rows else ""


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
    return f' data-v="{float(value)!r}"' if _is_number(value) and not _is_unknown(value) else ""  # type: ignore[arg-type]


def _is_numeric(column: Sequence[object]) -> bool:
    """Whether a column is one of numbers: it has some, or percentages, and no other text."""
    known = [value for value in column if not _is_unknown(value) and value != ""]
    return bool(known) and all(_is_number(value) or str(value).endswith("\N{NO-BREAK SPACE}%") for value in known)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.number | PValue) and not isinstance(value, bool)


def _is_unknown(value: object) -> bool:
    return value is None or (isinstance(value, float | np.floating | PValue) and math.isnan(float(value)))


def _cell(value: Any) -> str:
    if _is_unknown(value):
        return fixed(math.nan)
    if isinstance(value, float | np.floating):
        x = float(value)
        return significant(x) if abs(x) >= 0.01 else f"{x:.2g}".replace("-", MINUS)
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return thousands(int(value))
    return safe(value)
