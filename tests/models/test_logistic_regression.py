"""The logistic regression of scikit-learn."""

import numpy as np
import pytest
from stripes import Silent, samples

from mlx.models import ModelSettings, TaskSpec, build_model
from mlx.training import Samples, TrainingSettings, fit_model

STRIPES = TaskSpec("classification", (8, 8, 1), 3)


def test_logistic_regression_is_scikit_learns() -> None:
    from sklearn.linear_model import LogisticRegression

    for k in (2, 3):
        task_spec = TaskSpec("classification", (8, 8, 1), k)
        data = samples(STRIPES, 200)
        keep = data.y < k
        X, y = data.X[keep], data.y[keep]
        model = build_model(ModelSettings(name="logistic_regression", params={"C": 0.5}), task_spec, seed=0)
        fit_model(model, Samples(X, y), Samples(X, y), TrainingSettings(), Silent())
        flat = X.reshape(len(X), -1).astype(float)
        oracle = LogisticRegression(C=0.5, max_iter=1000).fit(flat, y).predict_proba(flat)
        probabilities = model.outputs(X).probabilities
        assert probabilities is not None
        np.testing.assert_allclose(probabilities, oracle, atol=1e-12)


def test_logistic_regression_says_when_it_does_not_converge() -> None:
    model = build_model(ModelSettings(name="logistic_regression", params={"max_iter": 1}), STRIPES, seed=0)
    with pytest.warns(RuntimeWarning, match=r"did not converge in 1 iterations; raise model\.params\.max_iter"):
        fit_model(model, samples(STRIPES), samples(STRIPES), TrainingSettings(), Silent())
