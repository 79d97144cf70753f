"""The report page: one HTML file that holds everything it shows and loads nothing."""

from mlx.plots.page.document import render_page

__all__ = ["render_page"]
