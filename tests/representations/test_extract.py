"""Extraction gives each sample's own values, whatever batch it came in."""

import numpy as np
import pytest

from mlx.core.errors import SettingsError
from mlx.models import ModelSettings, TaskSpec, build_model
from mlx.representations import extract


@pytest.mark.parametrize("name", [pytest.param("cnn", marks=pytest.mark.slow), "logistic_regression"])
@pytest.mark.parametrize("size", [1, 7, 20, 32])
def test_batches_of_any_size_give_a_row_a_sample(name: str, size: int) -> None:
    task_spec = TaskSpec("classification", (8, 8, 1), 3)
    params = {"filters": [2], "hidden_layers": [5]} if name == "cnn" else {}
    model = build_model(ModelSettings(name=name, params=params), task_spec, seed=0)
    X = np.random.default_rng(0).random((20, 8, 8, 1), np.float32)
    whole = model.outputs(X, (model.penultimate,))
    parts = list(extract(model, (X[i : i + size] for i in range(0, 20, size)), ["penultimate"]))
    found = np.concatenate([part.representations["penultimate"] for part in parts])
    np.testing.assert_allclose(found, whole.representations[model.penultimate], atol=1e-6)
    np.testing.assert_array_equal(np.concatenate([part.predictions for part in parts]), whole.predictions)


def test_a_layer_that_the_model_lacks_is_refused_before_anything_is_computed() -> None:
    model = build_model(ModelSettings(name="logistic_regression"), TaskSpec("classification", (4,), 2), seed=0)
    with pytest.raises(SettingsError, match="one of penultimate, input, standardised, decision, found 'conv_1'"):
        list(extract(model, [np.full((1, 4), np.nan)], ["conv_1"]))
