"""Tables of the report page: of metrics files, of rows of a schema, of names."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mlx.plots.columns import HEAD, ColumnSummary, column_counts
from mlx.plots.confusion import confused_pairs
from mlx.plots.page.glossary import metric_link
from mlx.plots.page.headings import heading, upper_end
from mlx.plots.page.html_table import About, Bounds, Linked, html_table, is_number, is_unknown, selecting
from mlx.plots.page.selections import cell_query, predicted_query
from mlx.plots.text import PValue, level_text, number, percent, signed, significant, status_text
from mlx.results.classification_residuals import CLASSES, ClassSummary
from mlx.results.evaluation_tables import ClassEvaluation
from mlx.results.schema import ArraySchema, RowSchema
from mlx.stats.permutation import is_at_floor
from mlx.stats.status import OK

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Array

T = TypeVar("T")

P_COLUMNS = {"p", "p_holm", "p_bh"}
FACTOR_TEXTS = {"factor", "description"}
NAME_COLUMNS = {"statistic", "score", "metric", "target"}
"""Columns whose values are names of numbers, which are shown as headings are."""

BASICS = ("n", "confidence", "n_dropped", "n_duplicates")
"""Metrics that say what the others are of: they come last."""


def metrics_table(caption: str, metrics: Mapping[str, Any], *, task: str = "", file: str = "") -> str:
    """Build the table of one metrics file: a row per number, with its interval or its status."""
    flat = flatten(metrics)
    beside = {key + end for key in flat for end in ("_low", "_high", "_status", "_permutations")}
    flat |= {
        key: PValue(value, is_at_floor(value, flat.get(f"{key.removesuffix('_p')}_permutations") or 0))
        for key, value in flat.items()
        if key.endswith("_p") and is_number(value)
    }
    flat = dict(sorted(flat.items(), key=lambda item: item[0] in BASICS))
    rows = [
        (Linked(key.replace("_", " "), metric_link(key, task)), value, _interval_or_status(flat, key))
        for key, value in flat.items()
        if key not in beside
    ]
    head = ["metric", "value"]
    if any(row[2] for row in rows):
        head.append(f"{level_text(metrics['confidence'])} interval" if "confidence" in metrics else "status")
    return html_table(caption, head, [row[: len(head)] for row in rows], About(file)) if rows else ""


def _interval_or_status(flat: Mapping[str, Any], key: str) -> str:
    low, high = number(flat, f"{key}_low"), number(flat, f"{key}_high")
    known = math.isfinite(low) and math.isfinite(high)
    return f"{significant(low)} to {significant(high)}" if known else status_text(flat.get(f"{key}_status", ""))


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
    """Build the table of the columns of the data, under their counts by use."""
    rows = [(*first, signed(values)) for *first, values in (one.cells() for one in columns)]
    return html_table(f"Columns of the raw data: {column_counts(columns)}", HEAD, rows)


def classes_table(
    classes: Sequence[ClassSummary], scores: Sequence[ClassEvaluation], *, level: float, folder: str = ""
) -> str:
    """Build the table of classes: counts, precision and recall, correlation, status."""
    scores_of = {score.label: score for score in scores}
    head = ["class", "samples", "predicted", "precision", "recall", "mean entropy (nats)", "mean similarity (cosine)",
            "r", f"{level_text(level)} interval", "p", "p (Holm)", "note"]  # fmt: skip
    rows = [
        (
            selecting(one.name, predicted_query(one.label)), one.n_true, one.n_predicted,
            scores_of[one.label].precision, scores_of[one.label].recall,
            one.entropy_mean, one.similarity_mean, one.pearson, Bounds(one.pearson_low, one.pearson_high),
            *(_bounded(p, one.pearson_p, one.pearson_permutations) for p in (one.pearson_p, one.pearson_p_holm)),
            "" if one.status.pearson.is_ok else status_text(one.status),
        )
        for one in classes
    ]  # fmt: skip
    kept = [k for k in range(len(head)) if any(not is_unknown(row[k]) and row[k] != "" for row in rows)]
    about = About(f"{folder}{CLASSES.file}", CLASS_MEANINGS) if folder else About()
    return html_table("Each predicted class", [head[k] for k in kept], [[row[k] for k in kept] for row in rows], about)


CLASS_MEANINGS = {
    "samples": "test samples of the class",
    "predicted": "test samples that are predicted as it",
    "precision": "share of the samples predicted as it that are of it",
    "recall": "share of its samples that are predicted as it",
    "r": "Pearson's correlation of similarity and entropy of the samples predicted as it",
}


def rows_table(
    caption: str,
    schema: RowSchema[T],
    rows: Sequence[T],
    columns: Sequence[str] = (),
    *,
    folder: str | None = None,
    selects: tuple[str, Callable[[T], str]] | None = None,
    plain: Callable[[str], str] = str,
) -> str:
    """Build the table of those `columns` (all by default) that hold anything; empty without rows.

    Both ends of an interval share a column. The complete table is in `folder`, relative to the page. Cells of one
    column may select samples: `selects` has its name and the query of a row, empty where it selects none. `plain`
    writes factors, and conditions on them, in words.
    """
    frame = schema.frame(rows).astype(object)
    for column in P_COLUMNS & set(frame):
        frame[column] = np.array([
            _bounded(getattr(row, column), getattr(row, "p", math.nan), getattr(row, "n_permutations", 0))
            for row in rows
        ], dtype=object)  # fmt: skip
    for column in FACTOR_TEXTS & set(frame):
        frame[column] = frame[column].map(plain)
    if selects is not None:
        column, query = selects
        cells = [selecting(str(text), query(row)) for text, row in zip(frame[column], rows, strict=True)]
        frame[column] = np.array(cells, dtype=object)
    known = frame.where(frame.notna() & (frame != ""), None)
    return frame_table(caption, known[list(columns or schema.columns)], schema, folder=folder)


def _bounded(shown: float, p: float, n_permutations: int) -> PValue | None:
    """Return a p-value, or one that was adjusted from `p`, as an upper bound where `p` is one; None where missing."""
    return None if math.isnan(shown) else PValue(shown, is_at_floor(p, n_permutations))


def frame_table(
    caption: str,
    frame: DataFrame,
    schema: RowSchema[Any] | ArraySchema[Any] | None = None,
    *,
    folder: str | None = None,
) -> str:
    """Build the table of the columns that hold anything; empty without rows."""
    kept = [str(c) for c in frame if frame[c].notna().any() and not (c == "status" and frame[c].eq(str(OK)).all())]
    joined = {low: high for low in kept if (high := upper_end(low)) in kept}
    columns = [c for c in kept if c not in joined.values()]
    records: list[dict[str, Any]] = frame.to_dict("records")  # type: ignore[assignment]  # columns are text
    rows = [[_value(row, c, joined.get(c)) for c in columns] for row in records]
    meanings = {} if schema is None else schema.meanings
    of_heading = {heading(c): meanings[c].replace("`", "") for c in columns if c in meanings and c not in joined}
    file = "" if schema is None or folder is None else f"{folder}{schema.file}"
    return html_table(caption, [heading(c) for c in columns], rows, About(file, of_heading)) if rows and kept else ""


def _value(row: Mapping[str, Any], column: str, upper: str | None) -> object:
    if upper is not None:
        return Bounds(*(math.nan if is_unknown(row[c]) else float(row[c]) for c in (column, upper)))
    if column in NAME_COLUMNS and isinstance(row[column], str):
        return heading(row[column])
    return status_text(row[column]) if column == "status" else row[column]


def mistakes_table(confusion: Array, names: Sequence[str], *, most: int = 20, file: str = "") -> str:
    """Build the table of the most frequent confusions; empty for a perfect model."""
    counts = np.asarray(confusion)
    rows = [
        (
            names[actual],
            selecting(names[predicted], cell_query(actual, predicted)),
            count,
            percent(count / counts[actual].sum()),
        )
        for actual, predicted, count in confused_pairs(counts, most)
    ]
    head = ("true", "predicted as", "times", "share of the class")
    return html_table("Most frequent mistakes", head, rows, About(file)) if rows else ""
