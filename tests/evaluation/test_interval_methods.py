"""Intervals of metrics say where they are wider or conservative."""

from pathlib import Path

import numpy as np
import pytest

from mlx.evaluation import EvaluationSettings, evaluate_classification
from mlx.stats.gates import ValidationErrors


def with_errors(n_errors, n=200, n_classes=2):
    y_true = np.arange(n) % n_classes
    y_pred = np.where(np.arange(n) < n_errors, (y_true + 1) % n_classes, y_true)
    p = np.full((n, n_classes), 0.1 / (n_classes - 1))
    p[np.arange(n), y_pred] = 0.9
    return y_true, y_pred, p


@pytest.mark.parametrize(
    ("name", "better"), [("macro_f1", "high"), ("cohen_kappa", "high"), ("log_loss", "low"), ("brier", "low")]
)
def test_an_interval_that_errors_of_the_test_set_let_be_given_is_wider_on_the_side_of_fewer(name, better):
    """Test sets with just enough errors are those that show too many."""
    names = ["a", "b"]
    for n_errors, wider in ((11, True), (14, True), (40, False)):
        given, expected = (
            evaluate_classification(
                *with_errors(n_errors), class_names=names, settings=EvaluationSettings(), validation=validation
            ).metrics
            for validation in (None, ValidationErrors(1000, 5 * n_errors))
        )
        alone, known = (getattr(one, name).interval for one in (given, expected))
        other = {"low": "high", "high": "low"}[better]
        assert getattr(alone, other) == getattr(known, other)
        moved = getattr(alone, better) - getattr(known, better)
        assert (moved > 0 if better == "high" else moved < 0) if wider else moved == 0
        flat = given.as_dict()
        assert ("wider, as errors of the test set itself" in flat.get(f"{name}_method", "")) is wider
        assert type(given).from_dict(Path("evaluation.json"), flat) == given
        assert f"{name}_method" not in expected.as_dict()


def test_conservative_intervals_are_labeled_where_their_numbers_are():
    small = evaluate_classification(
        *with_errors(60, n=300, n_classes=30),
        class_names=[str(label) for label in range(30)],
        settings=EvaluationSettings(),
        validation=ValidationErrors(1000, 200),
    ).metrics.as_dict()
    for name in ("weighted_f1", "cohen_kappa", "matthews_corrcoef", "roc_auc", "average_precision"):
        assert small[f"{name}_method"] == "conservative in many small classes"
    assert "accuracy_method" not in small
