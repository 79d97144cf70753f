"""The linked plots of the page, as a Bokeh document: one source of samples behind all of them.

Bokeh, because all plots over one source share its selection, 3000 points stay fast on a canvas, and its one script
(1.3 MB, without widgets and tables) leaves room for pictures in a page of 5 MB. Altair draws SVG, which screen readers
can walk, but its page needs Vega, Vega-Lite and the embedder, a Rust binary of 40 MB to bundle them, and a
specification for every link between plots. The scripts beside this module add what a canvas lacks for keyboard and
screen reader: the arrow keys move from sample to sample, and the table of samples holds the same numbers as text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mlx.plots.style import CORRECT, WRONG

if TYPE_CHECKING:
    from bokeh.models import ColumnDataSource
    from bokeh.plotting import figure

    from mlx.core.array_types import Array

HEIGHT = 380  # pixels
FOCUSED = ":focus-visible { outline: 2px solid #005a8f !important; }"  # Bokeh's own dots are too pale to see
SAMPLES, CURSOR = "samples", "cursor"
"""Names of the sources: all samples, and the one that pointer or keyboard is at."""


@dataclass(frozen=True)
class View:
    """One plot of samples.

    Attributes
    ----------
    key
        Names it in the page.
    title, text
        Its heading, and how to read it.
    x, y
        Columns of the samples.
    x_label, y_label
        What stands at the axes.
    """

    key: str
    title: str
    text: str
    x: str
    y: str
    x_label: str
    y_label: str


def linked_document(views: Sequence[View], columns: Mapping[str, Array], wrong: Array) -> dict[str, Any]:
    """Return the JSON of a Bokeh document, with a root named after each view; the same for the same arguments.

    The `columns` (n_points,) are the numbers of the samples; those that are `wrong` (n_points,) are drawn as crosses.
    """
    from bokeh.document import Document
    from bokeh.models import ColumnDataSource

    looks = {"color": [WRONG if w else CORRECT for w in wrong], "marker": ["x" if w else "circle" for w in wrong]}
    source = ColumnDataSource({**columns, **looks}, name=SAMPLES)
    cursor = ColumnDataSource({name: [] for name in columns}, name=CURSOR)
    document = Document()
    for view in views:
        document.add_root(_plot(view, source, cursor))
    return _with_own_ids(document.to_json(deferred=False))


def _plot(view: View, source: ColumnDataSource, cursor: ColumnDataSource) -> figure:
    from bokeh.models import BoxSelectTool, HoverTool, LassoSelectTool, PanTool, ResetTool, TapTool, WheelZoomTool
    from bokeh.plotting import figure

    box, lasso, pan, wheel = BoxSelectTool(), LassoSelectTool(), PanTool(), WheelZoomTool()
    hover = HoverTool(tooltips=None, visible=False)
    options: dict[str, Any] = {  # not checked, as Bokeh's stubs are incomplete beside some other packages
        "name": view.key, "height": HEIGHT, "sizing_mode": "stretch_width", "x_axis_label": view.x_label,
        "y_axis_label": view.y_label, "tools": [box, lasso, pan, wheel, ResetTool(), TapTool(visible=False), hover],
        "active_drag": box, "active_scroll": None, "border_fill_color": "#ffffff", "background_fill_color": "#ffffff",
    }  # fmt: skip
    plot = figure(**options)
    plot.toolbar.logo = None  # it links to a site
    plot.toolbar.stylesheets = [FOCUSED]
    plot.grid.grid_line_color = "#e6e6e6"
    plot.outline_line_color = None
    for axis in plot.axis:
        axis.update(axis_label_text_font_style="normal", axis_label_text_color="#222222",
                    major_label_text_color="#222222", axis_line_color="#8a8a8a")  # fmt: skip
    points = plot.scatter(
        view.x, view.y, source=source, size=8, marker="marker", fill_color="color", line_color="color",
        line_width=1.4, fill_alpha=0.55, line_alpha=0.95, nonselection_fill_alpha=0.07, nonselection_line_alpha=0.15,
        selection_fill_alpha=0.9, selection_line_alpha=1, name="points",
    )  # fmt: skip
    plot.scatter(view.x, view.y, source=cursor, size=17, fill_color=None, line_color="#000000", line_width=2.5,
                 name="ring")  # fmt: skip
    for tool in (box, lasso, hover):
        tool.renderers = [points]
    return plot


def _with_own_ids(document: Any) -> dict[str, Any]:
    """Number the models of a document from 1 on: Bokeh's own numbers count all models of the process."""
    numbers: dict[str, str] = {}

    def renumbered(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: numbers.setdefault(inner, f"m{len(numbers) + 1}")
                if key == "id" and isinstance(inner, str)
                else renumbered(inner)
                for key, inner in value.items()
            }
        return [renumbered(inner) for inner in value] if isinstance(value, list) else value

    made: dict[str, Any] = renumbered(document)
    return made


def bokeh_script() -> str:
    """Return the library that draws the document, as it stands in a ``<script>``."""
    from bokeh.resources import Resources

    return str(Resources(mode="inline", components=["bokeh"]).js_raw[0])
