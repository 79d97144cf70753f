"""The ways to analyze recorded outputs."""

import joblib
import pytest
from recorded import by_command, by_function, in_notebook

import mlx.commands.analyze
import mlx.residuals.classification
import mlx.runs.recorded_arrays


def once(analyze):
    """Analyze a layer once for all ways in and inputs that come to exactly the same arrays, types and names."""
    found = {}

    def analyzed(name, units, predictions, entropy, *, map, **options):
        given = joblib.hash((name, units, predictions, entropy, options), coerce_mmap=True)
        if given not in found:
            found[given] = analyze(name, units, predictions, entropy, map=map, **options)
        return found[given]

    return analyzed


@pytest.fixture(scope="session")
def analyze_once():
    return once(mlx.residuals.classification.analyze_layer)


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out pictures, and the results that are printed from them."""
    monkeypatch.setattr(mlx.commands.analyze, "_note_results", lambda _: None)
    monkeypatch.setattr(mlx.runs.recorded_arrays, "report", lambda *_, **__: "")


@pytest.fixture(params=[by_command, by_function, in_notebook], ids=["command", "function", "notebook"])
def door(request, monkeypatch: pytest.MonkeyPatch, analyze_once, without_pictures):
    """All ways in, without evaluation, results and pictures, and with few resamples, which no input changes.

    Of the tables there is that of the samples.
    """
    monkeypatch.setattr(mlx.residuals.classification, "analyze_layer", analyze_once)
    for module in ("mlx.pipeline.residuals_analysis", "mlx.results.classification_residuals"):
        monkeypatch.setattr(f"{module}.TABLES", {})
    monkeypatch.setattr(mlx.runs.recorded_arrays, "evaluate", lambda *_, **__: "")
    return request.param
