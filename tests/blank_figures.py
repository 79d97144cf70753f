"""Code for other processes, whose figures stay blank, as those of tests of runs do."""

import os
from pathlib import Path

import pytest

BLANK = """from matplotlib.backends.backend_agg import FigureCanvasAgg
FigureCanvasAgg.draw = lambda canvas: canvas.get_renderer()
"""
FEW = """from mlx.plots.report.figures import FIGURES
for task, kept in (("classification", ("class_counts", "confusion")), ("regression", ("residuals_fitted",))):
    FIGURES[task] = {name: FIGURES[task][name] for name in kept}
"""
"""Beside it: a report with pictures, though not with all of them, where how it is drawn is not the subject."""


def leave_few_figures(patch: pytest.MonkeyPatch) -> None:
    """Draw two figures of a report, blank: all of them take more than half of the time of a run."""
    from mlx.plots.report.figures import FIGURES

    patch.setattr("matplotlib.backends.backend_agg.FigureCanvasAgg.draw", lambda canvas: canvas.get_renderer())
    for task, figures in FIGURES.items():
        patch.setitem(FIGURES, task, figures)  # and put back
    exec(FEW, {})  # noqa: S102  # as other processes do


def leave_few_figures_in_processes(patch: pytest.MonkeyPatch, folder: Path) -> None:
    """Draw two figures, blank, in the processes of listed experiments, too; in `folder` is what Python runs first."""
    folder.mkdir()
    code = f"import sys\nif 'mlx.studies.listed' in sys.orig_argv:\n    exec({BLANK + FEW!r}, {{}})\n"
    (folder / "sitecustomize.py").write_text(code)
    patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
