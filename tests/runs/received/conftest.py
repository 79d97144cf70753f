"""The two ways to analyze recorded outputs."""

import pytest
from recorded import by_command, in_notebook

import mlx
import mlx.runs.recorded_arrays


@pytest.fixture(params=[by_command, in_notebook], ids=["command", "notebook"])
def door(request, monkeypatch: pytest.MonkeyPatch):
    """Both ways in; the command without the pictures and with few resamples, which no input changes."""
    settings = mlx.runs.recorded_arrays.ResidualsSettings
    quick = {"n_bootstrap": 100, "n_permutations": 19, "projections": ["pca"]}
    monkeypatch.setattr(mlx.runs.recorded_arrays, "ResidualsSettings", lambda **given: settings(**given, **quick))
    monkeypatch.setattr(mlx.runs.recorded_arrays, "report", lambda *_, **__: "")
    monkeypatch.setattr(mlx.runs.recorded_arrays, "evaluate", lambda *_, **__: "")
    return request.param
