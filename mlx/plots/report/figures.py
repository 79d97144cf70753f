"""Which figures a report has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from mlx.plots.report import classification, regression
from mlx.plots.report.inputs import ClassificationReport, RegressionReport

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FIGURES: Mapping[str, Mapping[str, Callable[[Any], Any]]] = {
    "classification": classification.FIGURES,
    "regression": regression.FIGURES,
}
"""By task and name, in reading order: what draws a figure, as Axes or Figure, or None without the data for it."""


def draw_report(report: ClassificationReport | RegressionReport) -> Iterator[tuple[str, Figure]]:
    """Yield the name and Figure of every picture that `report` has the data for, in reading order.

    Names are those of `FIGURES`. A figure is drawn when it is asked for, so that one at a time is in memory.
    """
    for name, draw in FIGURES[report.task].items():
        if (drawn := draw(report)) is not None:
            yield name, getattr(drawn, "figure", drawn)
