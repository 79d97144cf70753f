"""The ways to analyze recorded outputs."""

import pytest
from recorded import by_command, by_function, in_notebook

import mlx.commands.analyze
import mlx.runs.recorded_arrays


@pytest.fixture(params=[by_command, by_function, in_notebook], ids=["command", "function", "notebook"])
def door(request, monkeypatch: pytest.MonkeyPatch):
    """All ways in, without evaluation, results and pictures, and with few resamples, which no input changes."""
    monkeypatch.setattr(mlx.commands.analyze, "_note_results", lambda _: None)
    monkeypatch.setattr(mlx.runs.recorded_arrays, "report", lambda *_, **__: "")
    monkeypatch.setattr(mlx.runs.recorded_arrays, "evaluate", lambda *_, **__: "")
    return request.param
