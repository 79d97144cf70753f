"""What is measured of a simulated test set: every p-value and interval, from the functions that users call."""

from collections.abc import Iterator
from dataclasses import fields
from typing import NamedTuple

import numpy as np

from mlx.evaluation.classification import evaluate_classification
from mlx.evaluation.settings import EvaluationSettings
from mlx.residuals import ResidualsSettings
from mlx.residuals.classification import analyze_classification
from mlx.results.metrics import CalibrationTest, Estimate, MetricSet
from mlx.results.questions import Question
from mlx.results.tests import TestResult
from mlx.stats.gates import ValidationErrors
from simulation.sample import Sample

NAN = float("nan")


class Outcome(NamedTuple):
    """A statistic of one test set; NaN where missing, for the reason in ``status``."""

    target: str
    estimate: float
    low: float
    high: float
    p: float
    status: str
    method: str = ""


def residual_outcomes(
    sample: Sample, validation: ValidationErrors | None, settings: ResidualsSettings
) -> Iterator[Outcome]:
    """Yield the rows of ``tests.csv`` that can have a p-value or an interval."""
    n_classes = sample.probabilities.shape[1]
    if sample.groups:
        settings = settings.model_copy(update={"groups": sample.groups})
    found = analyze_classification(
        {"layer": sample.representation},
        logits=None,
        probabilities=sample.probabilities,
        y_true=sample.y_true,
        y_pred=sample.y_pred,
        class_names=[str(label) for label in range(n_classes)],
        index=np.arange(len(sample.y_pred)),
        settings=settings,
        factors=sample.factors,
        validation=validation,
    )
    for one in found.tests:
        if one.family and one.label in {None, 0, n_classes - 1}:
            yield Outcome(_target(one), one.estimate, one.low, one.high, one.p, str(one.status), one.method)


def _target(one: TestResult) -> str:
    name = "weak slice" if one.question is Question.SLICE else one.name
    scope = {None: str(one.scope), 0: "first class"}.get(one.label, "last class")
    return f"{name}, {scope}, {one.statistic}"


def evaluation_outcomes(
    sample: Sample, validation: ValidationErrors | None, settings: EvaluationSettings
) -> Iterator[Outcome]:
    """Yield the numbers of ``evaluation.json`` that can have a p-value or an interval."""
    names = [str(label) for label in range(sample.probabilities.shape[1])]
    found = evaluate_classification(
        sample.y_true,
        sample.y_pred,
        sample.probabilities,
        class_names=names,
        settings=settings,
        validation=validation,
        groups=sample.group_labels,
    )
    yield from metric_outcomes(found.metrics)


def metric_outcomes(metrics: MetricSet) -> Iterator[Outcome]:
    for field in fields(metrics):
        value = getattr(metrics, field.name)
        if isinstance(value, Estimate):
            ends = value.interval
            yield Outcome(field.name, value.value, ends.low, ends.high, NAN, str(value.status), ends.method)
        elif isinstance(value, CalibrationTest):
            yield Outcome(field.name, NAN, NAN, NAN, value.p, str(value.status))
        elif field.name == "ece_p":
            yield Outcome(field.name, NAN, NAN, NAN, value, "ok")
