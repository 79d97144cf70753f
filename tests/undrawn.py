"""Figures that stay blank, where tests are not about pictures: drawing takes more than half of their time."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest


@contextmanager
def blank() -> Iterator[None]:
    """Leave figures blank."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("matplotlib.backends.backend_agg.FigureCanvasAgg.draw", lambda canvas: canvas.get_renderer())
        yield
