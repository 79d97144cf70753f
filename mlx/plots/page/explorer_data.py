"""The data of the explorer within the bytes that the page has for them: samples, columns, details and images."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.plots.page.details import details, looked_at_first
from mlx.plots.page.packing import pack, pack_json
from mlx.plots.page.points import MOST_POINTS, choose_points
from mlx.plots.page.sample_columns import PROJECTIONS, SampleColumn, projections_of, sample_columns
from mlx.plots.page.sample_texts import pack_texts, texts_of
from mlx.plots.page.selections import issue_samples, presets
from mlx.plots.page.sheets import Sheets, pack_sheets
from mlx.plots.page.views import View, views_of
from mlx.plots.report.inputs import AnyReport, ClassificationReport
from mlx.plots.style import COLORS

CORE_SHARE, COLUMNS_SHARE, SHARE, LEAST_SHARE = 0.5, 0.4, 0.68, 0.1
"""Parts of the page's bytes: for the columns without which there are fewer samples, for all columns where those take
less, for everything of the explorer, and for the images where the columns leave less."""

FEWER = 0.7
"""Fewer samples are tried in steps of this factor."""

MOST_CLASSES = 120  # of a confusion matrix in which cells can be clicked


@dataclass(frozen=True)
class ExplorerData:
    """What the page's script is given.

    Attributes
    ----------
    n_points
        Samples of the page.
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

    n_points: int
    views: tuple[View, ...]
    projections: dict[str, str]
    has_matrix: bool
    json: str
    sheets: Sheets | None
    n_texts: int = 0
    left_out: tuple[str, ...] = ()

    @property
    def n_shown(self) -> int:
        """How many samples have an image or a text."""
        return self.n_texts if self.sheets is None else self.sheets.count


def explorer_data(report: AnyReport, *, page_bytes: int) -> ExplorerData | None:
    """Choose and pack; None where there are no samples."""
    columns, packed = _core(report, int(CORE_SHARE * page_bytes))
    if not len(columns[0].values):
        return None
    used = sum(len(one) for one in packed.values())
    left_out = []
    for column in columns[len(packed) :]:
        text = _packed(column)
        if used + len(text) <= COLUMNS_SHARE * page_bytes:
            packed[column.key], used = text, used + len(text)
        else:
            left_out.append(column.label)
    samples = report.samples.set_index("index", drop=False).loc[columns[0].values]
    order, n_first = looked_at_first(report, samples)
    kept = [one for one in columns if one.key in packed]
    projections = {kind: PROJECTIONS[kind] for kind in projections_of(set(packed))}
    views, cells = tuple(views_of(report.task, packed)), _cells(report)
    content = {
        "task": report.task,
        "classes": [str(name) for name in report.class_names],
        "colors": COLORS,
        "ramp": _ramp(),
        "projections": projections,
        "confusion": cells,
        "views": [_drawn(view) for view in views],
        "issues": {str(kind): numbers for kind, numbers in issue_samples(report).items()},
        "presets": [[one.heading, one.label, one.query] for one in presets(report)],
        "order": pack(order).as_dict(),
        **details(report, samples, order).as_dict(),
    }
    text = _json(content)
    sheets, n_texts = None, 0
    budget = max(int(SHARE * page_bytes) - used - len(text), int(LEAST_SHARE * page_bytes))
    if report.images is not None:
        sheets = pack_sheets(report.images, report.image_rows(samples.iloc[order]), n_first, budget)
    elif report.texts is not None:
        texts, n_texts = pack_texts(texts_of(report, samples["index"].iloc[order]), budget)
        text = f'{{"texts":{json.dumps(texts)},{text[1:]}'
    atlas = sheets and {key: getattr(sheets, key) for key in ("width", "height", "count")}
    joined = ",".join(f'{{"packed":{packed[one.key]},{_json(_described(one))[1:]}' for one in kept)
    text = f'{{"columns":[{joined}],"atlas":{json.dumps(atlas)},{text[1:]}'.replace("<", "\\u003c")
    return ExplorerData(len(samples), views, projections, bool(cells), text, sheets, n_texts, tuple(left_out))


def _core(report: AnyReport, budget: int) -> tuple[list[SampleColumn], dict[str, str]]:
    """Return the columns of as many samples as fit, and those that can't be left out packed."""
    limit = MOST_POINTS
    while True:
        columns = sample_columns(report, choose_points(report.samples, task=report.task, limit=limit))
        packed = {one.key: _packed(one) for one in columns if one.group in {"prediction", "place"}}
        if sum(map(len, packed.values())) <= budget or limit < 1000:
            return columns, packed
        limit = int(FEWER * min(limit, len(columns[0].values)))


def _packed(column: SampleColumn) -> str:
    content: Any = pack_json(list(column.values)) if column.kind == "text" else pack(column.values).as_dict()
    return _json(content)


def _described(column: SampleColumn) -> dict[str, Any]:
    names = ("key", "label", "about", "kind", "group", "categories")
    return {name: value for name in names if (value := getattr(column, name))}


def _drawn(view: View) -> dict[str, str]:
    return {"key": view.key, "title": view.title, "x": view.x, "y": view.y, "xLabel": view.x_label,
            "yLabel": view.y_label}  # fmt: skip


def _json(content: Any) -> str:
    """Return compact JSON; half of a surrogate pair, which UTF-8 cannot hold, becomes ``?``."""
    text = json.dumps(content, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")


def _cells(report: AnyReport) -> list[list[int]]:
    """Return actual class, predicted class and count of every cell that is not empty; none of a matrix too large."""
    if not isinstance(report, ClassificationReport) or len(report.class_names) > MOST_CLASSES:
        return []
    counts = report.evaluation.confusion
    return [[int(i), int(j), int(counts[i, j])] for i, j in zip(*np.nonzero(counts), strict=True)]


def _ramp(steps: int = 32) -> list[str]:
    """Colors from small to large, which color-blind people tell apart too."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps["viridis"](share)) for share in np.linspace(0, 0.92, steps)]
