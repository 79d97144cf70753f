"""Code for other processes, whose figures stay blank, as those of tests of runs do."""

BLANK = """from matplotlib.backends.backend_agg import FigureCanvasAgg
FigureCanvasAgg.draw = lambda canvas: canvas.get_renderer()
"""
