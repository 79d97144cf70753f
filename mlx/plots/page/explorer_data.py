"""The data of the explorer within the bytes that the page has for them: samples, columns, details and images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.plots.page.details import MOST_DETAILED, details, looked_at_first
from mlx.plots.page.mistakes import MATRIX_UP_TO
from mlx.plots.page.packing import pack
from mlx.plots.page.page_samples import PageSamples
from mlx.plots.page.points import MOST_POINTS
from mlx.plots.page.sample_columns import PROJECTIONS, SampleColumn, projections_of, sample_columns
from mlx.plots.page.sample_texts import pack_texts, texts_of
from mlx.plots.page.selections import FOUND_AS, Pairs, issue_samples, presets
from mlx.plots.page.sheets import Sheets, pack_sheets
from mlx.plots.page.views import View, views_of
from mlx.plots.report.inputs import AnyReport, ClassificationReport
from mlx.plots.style import COLORS

if TYPE_CHECKING:
    from collections.abc import Collection

    from pandas import DataFrame

    from mlx.core.array_types import Integers

CORE_SHARE, COLUMNS_SHARE, SHARE, LEAST_SHARE = 0.5, 0.6, 0.72, 0.08
"""Parts of the page's bytes: for the columns without which there are fewer samples, for all columns, for everything of
the explorer, and for the images where the columns leave less."""

CORE = {"index", "split", "y_true", "y_pred", "correct", "confidence", "entropy", "similarity", "residual"}
"""Columns that are never left out, with the places in the first map."""

MANY, STEPS_OF_MANY = 50_000, 4096
"""Of more points than `MANY` the place in a map is one of so many steps across: a tenth of a pixel."""

FEWER, FEWEST = 0.7, 1000
"""Fewer samples are tried in steps of this factor, down to so many."""

MOST_CLASSES = 120  # of a confusion matrix in which cells can be clicked


@dataclass(frozen=True)
class ExplorerData:
    """What the page's script is given.

    Attributes
    ----------
    sizes
        Samples of the page by part, the test part first.
    views, projections
        Plots of the samples; names of the projections of their map, by kind.
    has_matrix
        Whether the confusion matrix is drawn.
    json
        As it stands in a ``<script>``.
    sheets
        Images of the samples that are looked at first; None without images.
    n_texts
        How many samples have a text in place of an image, those that are looked at first.
    left_out
        Labels of columns that there is no room for.
    """

    sizes: dict[str, int]
    views: tuple[View, ...]
    projections: dict[str, str]
    has_matrix: bool
    json: str
    sheets: Sheets | None
    n_texts: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def n_points(self) -> int:
        """Samples of the page."""
        return sum(self.sizes.values())

    @property
    def n_shown(self) -> int:
        """How many samples have an image or a text."""
        return self.n_texts if self.sheets is None else self.sheets.count


def explorer_data(report: AnyReport, *, page_bytes: int) -> ExplorerData | None:
    """Choose and pack; None where there are no samples."""
    samples, columns, packed = _fitted(report, page_bytes)
    if not len(samples.frame):
        return None
    used = sum(map(len, packed.values()))
    order, n_first = _pictured_first(report, samples.frame, *looked_at_first(report, samples))
    kept = [one for one in columns if one.key in packed]
    left_out = tuple(one.label for one in columns if one.key not in packed)
    projections = {kind: PROJECTIONS[kind] for kind in projections_of(set(packed))}
    views, cells = tuple(views_of(report.task, packed)), _cells(report)
    content = {
        "task": report.task,
        "classes": [str(name) for name in report.class_names],
        "colors": COLORS,
        "ramps": {"light": _ramp(0, 0.92), "dark": _ramp(0.25, 1)},
        "projections": projections,
        "confusion": cells,
        "views": [_drawn(view, packed) for view in views],
        "issues": _issues(report),
        "presets": [[one.heading, one.label, one.query] for one in presets(report)],
        **details(report, samples, order).as_dict(),
    }
    text = _json(content)
    sheets, n_texts = None, 0
    budget = max(int(SHARE * page_bytes) - used - len(text), int(LEAST_SHARE * page_bytes))
    if report.images is not None:
        shown = samples.frame.iloc[order][report.has_picture(samples.frame)[order]]
        sheets = pack_sheets(report.images, report.image_rows(shown), n_first, budget)
    elif report.texts is not None:
        shown = samples.frame.iloc[order][report.has_picture(samples.frame)[order]]
        texts, n_texts = pack_texts(texts_of(report, shown["index"]), budget)
        text = f'{{"texts":{json.dumps(texts)},{text[1:]}'
    atlas = sheets and {key: getattr(sheets, key) for key in ("width", "height", "count")}
    first = pack(order[: max(MOST_DETAILED, n_texts, sheets.count if sheets else 0)]).as_dict()
    joined = ",".join(f'{{"packed":{packed[one.key]},{_json(_described(one))[1:]}' for one in kept)
    text = f'{{"columns":[{joined}],"atlas":{_json(atlas)},"order":{_json(first)},{text[1:]}'.replace("<", "\\u003c")
    return ExplorerData(samples.sizes(), views, projections, bool(cells), text, sheets, n_texts, left_out)


def _pictured_first(report: AnyReport, frame: DataFrame, order: Integers, n_first: int) -> tuple[Integers, int]:
    """Put the samples with an image or a text before the others, and count such among the first of the order."""
    has_picture = report.has_picture(frame)[order]
    return order[np.argsort(~has_picture, kind="stable")], int(has_picture[:n_first].sum())


def _issues(report: AnyReport) -> dict[str, tuple[str, dict[str, Any]]]:
    """Return how samples with an issue are called, and by part, their numbers and those of what they repeat, packed."""
    return {
        str(kind): (FOUND_AS[kind], {split: _pairs(pairs) for split, pairs in found.items()})
        for kind, found in issue_samples(report).items()
    }


def _pairs(pairs: Pairs) -> list[dict[str, Any]]:
    table = np.array([(number, np.nan if other is None else other) for number, other in pairs], np.float64)
    return [pack(column).as_dict() for column in table.T]


def _fitted(report: AnyReport, page_bytes: int) -> tuple[PageSamples, list[SampleColumn], dict[str, str]]:
    """Return as many samples as there is room for, their columns, and those packed that fit, by their keys."""
    every = PageSamples.of(report)
    limit = MOST_POINTS
    while True:
        samples = every.limited(limit, task=report.task)
        columns = sample_columns(report, samples.frame)
        map_ = next((one.key[:-1] for one in columns if one.group == "place"), None)
        core = [one for one in columns if one.key in CORE or one.key[:-1] == map_]
        packed = {one.key: _packed(one) for one in core}
        used = sum(map(len, packed.values()))
        if used <= CORE_SHARE * page_bytes or limit < FEWEST:
            break
        limit = int(FEWER * min(limit, len(samples.frame)))
    for column in sorted(columns, key=lambda one: one.group == "place"):
        if column.key not in packed and used < COLUMNS_SHARE * page_bytes:
            text = _packed(column)
            if used + len(text) <= COLUMNS_SHARE * page_bytes:
                packed[column.key], used = text, used + len(text)
    return samples, columns, packed


def _packed(column: SampleColumn) -> str:
    are_many = column.group == "place" and len(column.values) > MANY
    return _json((pack(column.values, most_steps=STEPS_OF_MANY) if are_many else pack(column.values)).as_dict())


def _described(column: SampleColumn) -> dict[str, Any]:
    names = ("key", "label", "about", "kind", "group", "categories")
    return {name: value for name in names if (value := getattr(column, name))}


def _drawn(view: View, columns: Collection[str]) -> dict[str, Any]:
    known = {"key": view.key, "title": view.title, "text": view.text, "x": view.x, "y": view.y, "xLabel": view.x_label,
             "yLabel": view.y_label}  # fmt: skip
    other = view.elsewhere
    return known | ({"elsewhere": _drawn(other, columns)} if other and {"split", other.x} <= set(columns) else {})


def _json(content: Any) -> str:
    """Return compact JSON; half of a surrogate pair, which UTF-8 cannot hold, becomes ``?``."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")


def _cells(report: AnyReport) -> list[list[int]]:
    """Return true class, predicted class and count of every cell that is not empty.

    Of few classes the matrix is beside the answer; of too many, none can be read.
    """
    if not isinstance(report, ClassificationReport) or not MATRIX_UP_TO < len(report.class_names) <= MOST_CLASSES:
        return []
    counts = report.evaluation.confusion
    return [[int(i), int(j), int(counts[i, j])] for i, j in zip(*np.nonzero(counts), strict=True)]


def _ramp(first: float, last: float, steps: int = 32) -> list[str]:
    """Colors from small to large, which color-blind people tell apart too, between two shares of viridis."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps["viridis"](share)) for share in np.linspace(first, last, steps)]
