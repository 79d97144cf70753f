"""A summary of each predicted class: counts, error rate, similarity, entropy and their correlation."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.scale import in_unit, safe_exponent
from mlx.residuals.association.layer import Layer
from mlx.residuals.predictions import Predictions
from mlx.results.classification_residuals import ClassSummary
from mlx.results.questions import CORRELATIONS, Question
from mlx.results.tests import TestResult
from mlx.stats.status import ClassStatus

SUFFIXES = {
    "": "estimate",
    "_low": "low",
    "_high": "high",
    "_p": "p",
    "_permutations": "n_permutations",
    "_p_holm": "p_holm",
    "_p_bh": "p_bh",
}
"""Endings of the columns of a correlation, and the fields of its result."""


def class_summaries(layer: Layer, predictions: Predictions, tests: Sequence[TestResult]) -> tuple[ClassSummary, ...]:
    """Summarize every class, with both correlations in it from the ``tests`` of all layers.

    A class is found by its label: names are for people, and two may be the same.
    """
    own = {
        (test.label, test.statistic): test
        for test in tests
        if test.label is not None and (test.question, test.layer) == (Question.SIMILARITY_ENTROPY, layer.name)
    }
    return tuple(
        _summary(layer, predictions, label, [own[label, statistic] for statistic in CORRELATIONS])
        for label in range(len(predictions.class_names))
    )


def _summary(layer: Layer, predictions: Predictions, label: int, tests: Sequence[TestResult]) -> ClassSummary:
    predicted, true = predictions.y_pred == label, predictions.y_true == label
    n_predicted, n_correct = int(predicted.sum()), int((predicted & true).sum())
    similarity = layer.similarity[predicted]
    pearson, spearman = tests
    correlations: dict[str, Any] = {
        test.statistic + suffix: getattr(test, field) for test in tests for suffix, field in SUFFIXES.items()
    }
    return ClassSummary(
        label=label,
        name=predictions.class_names[label],
        layer=layer.name,
        n_predicted=n_predicted,
        n_true=int(true.sum()),
        n_correct=n_correct,
        error_rate=1 - n_correct / n_predicted if n_predicted else float("nan"),
        status=ClassStatus(pearson.status, spearman.status),
        **_moments("similarity", similarity[~np.isnan(similarity)]),
        **_moments("entropy", layer.entropy[predicted]),
        **correlations,
    )


def _moments(name: str, values: Floats) -> dict[str, Any]:
    mean = float(values.mean()) if values.size else float("nan")
    exponent = safe_exponent([values])
    spread = float(in_unit(in_unit(values, exponent).std(ddof=1), -exponent)) if values.size > 1 else float("nan")
    return {f"{name}_mean": mean, f"{name}_sd": spread}
