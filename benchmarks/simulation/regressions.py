"""Designs for regressions, and what the evaluation and the residuals analysis say of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx.evaluation.regression import evaluate_regression
from mlx.evaluation.settings import EvaluationSettings
from mlx.residuals import ResidualsSettings
from mlx.residuals.regression.analysis import analyze_regression
from simulation.targets import NAN, Outcome, metric_outcomes


@dataclass(frozen=True)
class RegressionDesign:
    """Targets that miss one model's predictions by independent noise, and two more models that are worse.

    Attributes
    ----------
    name
        In the tables.
    n
        Test samples.
    freedom
        Degrees of freedom of the noise, which has a t distribution; infinite for normal noise.
    """

    name: str
    n: int
    freedom: float = np.inf

    @property
    def heavy(self) -> bool:
        """Whether the noise is not normal."""
        return bool(np.isfinite(self.freedom))

    @property
    def known(self) -> dict[str, float]:
        """Values of the population that few samples of heavy tails carry, so that a large sample is still off."""
        variance = self.freedom / (self.freedom - 2) if self.heavy else 1.0
        squares = [0.25 * variance, *((0.25 + own**2) * variance for own in (0.3, 0.4))]
        (rmse, *roots), (r2, *explained) = np.sqrt(squares), 1 - np.array(squares) / (1 + squares[0])
        return {
            "rmse": rmse,
            "r2": r2,
            "difference of rmse": roots[1] - roots[0],
            "difference of r2": explained[1] - explained[0],
        }

    def draw(self, generator: np.random.Generator, n: int, *, null: bool) -> tuple[np.ndarray, ...]:
        """Draw the targets (n,), and what the models predict; of the two, the second is worse except under the null."""
        signal = generator.normal(size=n)
        shape = (3, n)
        noise = generator.standard_t(self.freedom, size=shape) if self.heavy else generator.normal(size=shape)
        true = signal + 0.5 * noise[0]
        return true, signal, signal + 0.3 * noise[1], signal + (0.3 if null else 0.4) * noise[2]


def regression_outcomes(true: np.ndarray, pred: np.ndarray, settings: ResidualsSettings) -> Iterator[Outcome]:
    """Yield the numbers of ``residuals.json`` that can have a p-value or an interval."""
    found = analyze_regression(true, pred, index=np.arange(true.size), settings=settings).summary.as_metrics()
    for key in found:
        if key.endswith("_p"):
            name = key.removesuffix("_p")
            low, high, estimate = (found.get(part) for part in (f"{name}_low", f"{name}_high", name))
            numbers = (NAN if value is None else value for value in (estimate, low, high, found[key]))
            yield Outcome(name, *numbers, str(found["status"]))


def regression_metrics(true: np.ndarray, pred: np.ndarray, settings: EvaluationSettings) -> Iterator[Outcome]:
    """Yield the metrics of ``evaluation.json``."""
    return metric_outcomes(evaluate_regression(true, pred, settings=settings).metrics)
