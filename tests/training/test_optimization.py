"""What the configuration says of the optimizer reaches the model whole, or is named."""

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from mlx.core.errors import SettingsError
from mlx.models import IterativeModel, Optimization, TaskSpec
from mlx.models.in_keras.runtime import keras
from mlx.training import TrainingSettings
from mlx.training.optimization import optimization_of
from mlx.training.settings import TrainingParams

TASK_SPEC = TaskSpec("classification", (2,), 3)
Y = np.array([0, 0, 0, 1, 2, 2])


def made(task_spec: TaskSpec = TASK_SPEC, **params: Any) -> Optimization:
    return optimization_of(TrainingSettings.model_validate({"optimizer": "SGD", "params": params}), task_spec, Y)


@pytest.mark.slow
def test_every_number_is_passed_on() -> None:
    numbers = {"momentum": 0.9, "weight_decay": 0.01, "clip_norm": 1.0, "clip_value": 0.5, "label_smoothing": 0.1}
    assert made(**numbers) == Optimization("sgd", 0.001, n_samples=len(Y), **numbers)
    assert made() == Optimization("sgd", 0.001, n_samples=len(Y))
    adamw = TrainingSettings(optimizer="adamw")
    assert optimization_of(adamw, TASK_SPEC, Y).weight_decay == keras().optimizers.AdamW().weight_decay


def test_balanced_weights_are_those_of_scikit_learn() -> None:
    expected = compute_class_weight("balanced", classes=np.arange(3), y=Y)
    np.testing.assert_allclose(made(class_weights="balanced").class_weights or (), expected)
    assert made(class_weights=[1.0, 2.0, 0.0]).class_weights == (1.0, 2.0, 0.0)
    assert made(TaskSpec("regression", (2,), 0), class_weights="balanced").class_weights is None


@pytest.mark.parametrize("weights", [[1.0, 2.0], [0.0, 0.0, 0.0]])
def test_weights_that_suit_no_classes_are_refused(weights: list[float]) -> None:
    with pytest.raises(SettingsError, match="expected a weight for each of 3 classes, not all 0, found"):
        made(class_weights=weights)


def test_the_contract_knows_every_field_of_the_section() -> None:
    own, params = set(TrainingSettings.model_fields) - {"params"}, TrainingParams.model_fields
    of_every_model = {"cross_fit"}  # the step fits further models, which know nothing of it
    assert own - of_every_model | {f"params.{name}" for name in params} == IterativeModel.training_fields
    given = TrainingSettings.model_validate({"epochs": 3, "params": {"momentum": 0.5}})
    assert given.set_fields() == {"epochs", "params.momentum"}
    assert TrainingSettings.model_validate(given.as_dict()).set_fields() == {"epochs", "params.momentum"}
