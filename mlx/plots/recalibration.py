"""Reliability before and after recalibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mlx.plots.reliability import plot_reliability
from mlx.plots.style import PAGE, figure, styled
from mlx.plots.text import significant
from mlx.results.recalibration import RecalibratedMetric, Recalibration
from mlx.stats.calibrators import Calibrator

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = {
    Calibrator.NONE: "as predicted",
    Calibrator.TEMPERATURE: "temperature",
    Calibrator.VECTOR: "vector scaling",
    Calibrator.ISOTONIC: "isotonic",
}


@styled
def plot_recalibration(recalibration: Recalibration, *, level: float = 0.95) -> Figure:
    """Draw a reliability diagram for each calibrator that could be fitted, with its Brier score.

    The title of the chosen one says so: it has the lowest cross-validated Brier score on validation samples.
    """
    shown = recalibration.calibrators
    made = figure(PAGE, 0.6 + (PAGE - 0.4) / 4)
    panels = made.subplots(1, max(len(shown), 2), sharey=True)
    for ax, calibrator in zip(panels, shown, strict=False):
        plot_reliability(recalibration.reliability.of(calibrator), level=level, ax=ax)
        ax.get_legend().remove()
        chosen = " (chosen)" if calibrator is recalibration.chosen else ""
        ax.set_title(f"{TITLES[calibrator]}{chosen}\nBrier {_brier(recalibration, calibrator)}", fontsize=8)
        ax.set_xlabel("confidence")
        if calibrator is not shown[0]:
            ax.set_ylabel("")
    for ax in panels[len(shown) :]:
        ax.set_visible(False)
    return made


def _brier(recalibration: Recalibration, calibrator: Calibrator) -> str:
    wanted = (calibrator, RecalibratedMetric.BRIER)
    return significant(next(one.after for one in recalibration.effects if (one.calibrator, one.metric) == wanted))
