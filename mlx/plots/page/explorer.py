"""The section of the page that explores samples: linked plots, confusion matrix and table."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.page.escaping import safe
from mlx.plots.page.points import PROJECTIONS, choose_points, point_columns, projections_of
from mlx.plots.page.thumbnails import Atlas, pack, thumbnails_of
from mlx.plots.page.views import View, linked_document
from mlx.plots.report.inputs import AnyReport, ClassificationReport
from mlx.plots.style import COLORS
from mlx.plots.text import MINUS, plural, thousands

if TYPE_CHECKING:
    from mlx.core.array_types import Array

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "plus", "x", "star")
MOST_CLASSES = 120  # of a confusion matrix in which cells can be clicked

LABELS = {
    "index": ("sample", "Row in the raw data", 0),
    "y_true": ("actual", "", 3),
    "y_pred": ("predicted", "", 3),
    "correct": ("outcome", "", 0),
    "confidence": ("confidence", "Probability given to the predicted class", 3),
    "entropy": ("entropy", "In nats; 0 is certain", 3),
    "similarity": ("similarity", "Mean cosine similarity to the samples predicted alike", 3),
    "margin": ("margin", "Similarity to the own predicted class minus that to the nearest other one", 3),
    "residual": ("residual", "Actual minus predicted; sorts by size", 3),
    "standardised": ("standardized", "Residual over its standard deviation; sorts by size", 2),
    "leverage": ("leverage", "How unlike the training samples: variance of the prediction by that of a target", 3),
}
"""Columns of the table of samples: heading, explanation, digits."""

HINT = (
    "Drag in a plot to select samples, {cell}or pick rows of the table: all views show the same selection. With the "
    "keyboard, the arrow keys move from sample to sample in a plot, Enter selects one, "
    "Escape clears the selection."
)


def explorer(report: AnyReport) -> str:
    """Build the section's body: frames that the scripts fill, and the data that they fill them with."""
    chosen = report.samples.iloc[choose_points(report.samples, task=report.task)]
    columns = point_columns(chosen, task=report.task)
    views = _views(report.task, columns)
    if not len(chosen) or not views:
        return ""
    atlas = None if report.images is None else pack(thumbnails_of(report.images, report.image_rows(chosen)))
    frames = "\n".join(_frame(view, _controls(view, columns, report.task)) for view in views)
    hint = HINT.format(cell="click a cell of the matrix, " if report.task == "classification" else "")
    confusion = _cells(report.evaluation.confusion) if isinstance(report, ClassificationReport) else []
    payload = _payload(report, columns, views, atlas, confusion)
    sheet = f"<style>.thumb{{background-image:url({atlas.url})}}</style>" if atlas else ""
    return (
        f'<p id="explore-shown">{safe(_shown(report, len(chosen)))}</p>\n<p class="soft">{safe(hint)}</p>\n'
        f"<noscript><p>Without JavaScript, the figures and tables below show the same results.</p></noscript>\n{_BAR}\n"
        f'<div class="views">\n{frames}\n{_MATRIX if confusion else ""}\n</div>\n{_TABLE}\n'
        f'{sheet}<script type="application/json" id="explorer-data">{payload}</script>'
    )


def _shown(report: AnyReport, count: int) -> str:
    n = len(report.samples)
    if count == n:
        return f"All {plural(n, 'test sample')}." if n > 1 else "The only test sample."
    first = "wrong predictions first" if report.task == "classification" else "the largest errors first"
    return (
        f"{thousands(count)} of {plural(n, 'test sample')}: {first}, up to half of those shown, the others evenly "
        "spread. Counts in the confusion matrix, intervals and figures are those of all samples."
    )


def _views(task: str, columns: dict[str, Array]) -> list[View]:
    kinds = projections_of(columns)
    views = []
    if kinds:
        text = "Samples with similar representations are close together; in t-SNE only neighborhoods have a meaning."
        name = PROJECTIONS[kinds[0]]
        views.append(View("map", "Map of representations", text, f"{kinds[0]}_1", f"{kinds[0]}_2",
                          f"{name}, first axis", f"{name}, second axis"))  # fmt: skip
    return views + [view for view in VIEWS[task] if view.x in columns and view.y in columns]


VIEWS = {
    "classification": (
        View("scatter", "Similarity against entropy", "Left: dissimilar to the samples predicted alike. Up: uncertain.",
             "similarity", "entropy", "similarity to samples predicted alike", "entropy (nats)"),
    ),
    "regression": (
        View("fitted", "Residual against prediction", "Above zero the prediction is too low.",
             "y_pred", "residual", "predicted value", f"residual (actual {MINUS} predicted)"),
        View("actual", "Prediction against actual value", "Perfect predictions are on the diagonal.",
             "y_true", "y_pred", "actual value", "predicted value"),
        View("leverage", "Residual against leverage", "Right: samples unlike the training samples.",
             "leverage", "standardised", "leverage", "standardized residual"),
    ),
}  # fmt: skip


def _controls(view: View, columns: dict[str, Array], task: str) -> str:
    kinds = {kind: PROJECTIONS[kind] for kind in projections_of(columns)} if view.key == "map" else {}
    colors = {"outcome": "outcome", "y_true": "actual class", "y_pred": "predicted class", "entropy": "entropy"}
    if task == "regression":
        colors = {"outcome": "sign of the residual", "size": "size of the residual"}
    first = view.key in {"map", "fitted"} or (view.key == "scatter" and not projections_of(columns))
    parts = _choice("projection", "Projection", kinds) if len(kinds) > 1 else ""
    return f'<div class="controls">{parts}{_choice("color", "Color all by", colors)}</div>' if first else ""


def _choice(key: str, label: str, options: dict[str, str]) -> str:
    inner = "".join(f'<option value="{value}">{safe(text)}</option>' for value, text in options.items())
    return f'<label>{label} <select id="{key}">{inner}</select></label>'


def _frame(view: View, controls: str) -> str:
    return (
        f'<figure class="view" id="view-{view.key}"><figcaption><h3>{safe(view.title)}</h3>'
        f"<p>{safe(view.text)}</p>{controls}</figcaption>\n"
        f'<div class="plot" id="plot-{view.key}" tabindex="0" role="application" '
        f'aria-label="{safe(view.title)}: {safe(view.x_label)} across, {safe(view.y_label)} up. Arrow keys move from '
        f'sample to sample."></div><ul class="legend"></ul></figure>'
    )


_BAR = (
    '<div class="bar"><p id="selection" role="status">Nothing is selected.</p>'
    '<button type="button" id="clear" disabled>Clear selection</button></div>'
)
_MATRIX = (
    '<figure class="view" id="view-confusion"><figcaption><h3>Clickable confusion matrix</h3><p>Rows are actual, '
    "columns predicted classes, shaded by share of the row; a cell selects its samples.</p></figcaption>"
    '<div class="scroll-box" tabindex="0" role="region" aria-label="Confusion matrix"><table id="matrix"><caption '
    'class="hidden">Number of samples by actual and predicted class</caption></table></div></figure>'
)
_TABLE = (
    '<figure class="view" id="view-table"><figcaption><h3>Samples</h3><div class="controls"><label>Show '
    '<select id="filter"></select></label></div></figcaption>'
    '<div class="scroll-box" tabindex="0" role="region" aria-label="Table of samples"><table id="rows"><caption '
    'class="hidden">Test samples; only the selected ones where any are selected</caption><thead></thead><tbody></tbody>'
    "</table></div>"
    '<div class="pager"><button type="button" id="previous">Previous</button><span id="page-number"></span>'
    '<button type="button" id="next">Next</button></div></figure>\n'
    '<div id="tip" hidden></div>'
)


def _payload(
    report: AnyReport, columns: dict[str, Array], views: list[View], atlas: Atlas | None, confusion: list[list[int]]
) -> str:
    """Return the data of the views as JSON that can stand in a ``<script>``."""
    wrong = columns["residual"] < 0 if report.task == "regression" else columns["correct"] == 0
    content = {
        "task": report.task,
        "classes": [str(name) for name in report.class_names],
        "colors": COLORS,
        "markers": MARKERS,
        "ramp": _ramp(),
        "projections": {kind: PROJECTIONS[kind] for kind in projections_of(columns)},
        "confusion": confusion,
        "columns": [[name, *LABELS[name]] for name in columns if name in LABELS],
        "atlas": atlas and {key: getattr(atlas, key) for key in ("columns", "width", "height", "count")},
        "views": [{"key": view.key, "x": view.x, "y": view.y} for view in views],
        "bokeh": linked_document(views, columns, wrong),
    }
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")  # no class name ends the script


def _cells(confusion: Array) -> list[list[int]]:
    """Return actual class, predicted class and count of every cell that is not empty; none of a matrix too large."""
    if len(confusion) > MOST_CLASSES:
        return []
    return [[int(i), int(j), int(confusion[i, j])] for i, j in zip(*np.nonzero(confusion), strict=True)]


def _ramp(steps: int = 32) -> list[str]:
    """Colors from small to large, which color-blind people tell apart too."""
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [to_hex(colormaps["viridis"](share)) for share in np.linspace(0, 0.92, steps)]
