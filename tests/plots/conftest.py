"""Reports for the tests of figures and page."""

from contextlib import nullcontext

import pytest
from drawn_reports import drawn
from made_pages import LOOKED_AT, PAGES, WITHOUT_FIGURES
from made_reports import make_classification, make_regression
from undrawn import blank

from mlx.plots.dark import dark_png
from mlx.plots.page import render_page
from mlx.plots.report.figures import draw_report
from mlx.plots.style import render_png


@pytest.fixture(scope="session")
def classification():
    """Build the report of a classification with any names, sizes and quirks."""
    return make_classification


@pytest.fixture(scope="session")
def regression():
    return make_regression


@pytest.fixture(scope="module")
def browser():
    from browser import started  # which only these tests need, with Selenium

    with started() as browser:
        yield browser


@pytest.fixture(scope="session")
def pages(tmp_path_factory, classification, regression):
    """Write the page of any inputs, each once."""
    folder, written = tmp_path_factory.mktemp("pages"), {}

    def write(name):
        if name not in written:
            inputs = PAGES[name](regression if name == "regression" else classification)
            figures = {} if name in WITHOUT_FIGURES else dict(draw_report(inputs))
            with nullcontext() if name in LOOKED_AT else blank():
                images = {key: render_png(made, 50) for key, made in figures.items()}
            dark = {key: png for key, made in figures.items() if (png := dark_png(made, images[key]))}
            path = folder / f"{name}.html"
            path.write_text(render_page(inputs, images, dark), encoding="utf-8", errors="replace")
            written[name] = path, inputs
        return written[name]

    return write


@pytest.fixture(scope="session")
def shown(classification):
    """One classification, its pictures and its page."""
    inputs = classification()
    images = drawn(inputs)
    return inputs, images, render_page(inputs, images)
