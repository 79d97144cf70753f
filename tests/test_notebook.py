"""The notebook in docs/ runs, and shows tables, a figure and the page."""

from pathlib import Path

import nbformat
import pytest
from blank_figures import BLANK
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs/analyze.ipynb"


@pytest.mark.slow
def test_the_notebook_shows_what_it_says(tmp_path: Path) -> None:
    book = nbformat.read(NOTEBOOK, as_version=4)
    assert not any(cell.get("outputs") for cell in book.cells), "committed without outputs"
    book.cells.insert(0, nbformat.v4.new_code_cell(BLANK))
    for cell in book.cells:
        cell.source = cell.source.replace('"n_permutations": 999', '"n_permutations": 19, "projections": ["pca"]')
    NotebookClient(book, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    shown = [output for cell in book.cells for output in cell.get("outputs", ())]
    results = [output["data"] for output in shown if output["output_type"] == "execute_result"]
    assert [output["output_type"] for output in shown if output["output_type"] == "error"] == []
    assert "<iframe srcdoc=" in results[0]["text/html"]
    assert "accuracy" in results[0]["text/plain"]
    assert sum("<table" in result.get("text/html", "") for result in results) >= 3
    assert sum("image/png" in result for result in results) == 1
