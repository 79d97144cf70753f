"""Figures of a report as PNG."""

from mlx.plots.report.figures import draw_report
from mlx.plots.style import render_png

ODD_NAMES = (
    "<b>bold</b> & co",
    "猫",
    "犬",
    r"$\alpha_1$ $",
    "tab\tand\nline \x00",
    "x" * 300,
    "",
    "قطة",
    "\ud800",
)


def drawn(report):
    return {name: render_png(made, report.settings.dpi) for name, made in draw_report(report)}
