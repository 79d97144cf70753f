"""The residuals analyses with their results as the tables that users read."""

from types import SimpleNamespace
from typing import Any

from mlx import residuals
from mlx.results.regression_residuals import COEFFICIENTS, REGRESSION_SAMPLES


def analyze_classification(*arguments: Any, **named: Any) -> SimpleNamespace:
    found = residuals.analyze_classification(*arguments, **named)
    return SimpleNamespace(**found.frames(), matrices=found.matrices, headline=found.headline)


def analyze_regression(*arguments: Any, **named: Any) -> SimpleNamespace:
    found = residuals.analyze_regression(*arguments, **named)
    return SimpleNamespace(
        samples=REGRESSION_SAMPLES.frame(found.samples),
        coefficients=COEFFICIENTS.frame(found.coefficients),
        summary=found.summary.as_metrics(),
    )
