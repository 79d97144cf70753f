"""Code for other processes, whose figures stay blank, as those of tests of runs do."""

BLANK = """from matplotlib.backends.backend_agg import FigureCanvasAgg
FigureCanvasAgg.draw = lambda canvas: canvas.get_renderer()
"""
FEW = """from mlx.plots.report.figures import FIGURES
for task, kept in (("classification", ("class_counts", "confusion")), ("regression", ("residuals_fitted",))):
    FIGURES[task] = {name: FIGURES[task][name] for name in kept}
"""
"""Beside it: a report with pictures, though not with all of them, where how it is drawn is not the subject."""
