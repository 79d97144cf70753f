"""A Keras network starts from weights in a file, and layers of it are frozen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlx.core.errors import SettingsError
from mlx.models import ModelSettings, TaskSpec, build_model, load_model, save_model
from mlx.training import Samples, TrainingSettings, fit_model

pytestmark = pytest.mark.slow

PARAMS: dict[str, Any] = {"hidden_layers": [6, 5]}


class Silent:
    def begin(self, history: object) -> None: ...

    def batch(self) -> None: ...

    def epoch(self, number: int, metrics: dict[str, float]) -> None: ...


def network(seed: int, n_classes: int = 3, **params: Any) -> Any:
    settings = ModelSettings(name="keras_mlp", params=PARAMS | params)
    return build_model(settings, TaskSpec("classification", (4,), n_classes), seed=seed)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    folder = tmp_path_factory.mktemp("weights")
    model = network(1)
    save_model(model, ModelSettings(name="keras_mlp", params=PARAMS), folder, ["a", "b", "c"])
    model.network.save_weights(folder / "model.weights.h5")
    return folder, model.weights()


@pytest.mark.parametrize("file", ["model.keras", "model.weights.h5"])
def test_a_network_starts_from_the_weights_of_a_file(weights: tuple[Path, list[Any]], file: str) -> None:
    folder, expected = weights
    for ours, theirs in zip(network(2, pretrained=str(folder / file)).weights(), expected, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_an_output_for_other_classes_starts_at_random(weights: tuple[Path, list[Any]]) -> None:
    folder, expected = weights
    found = network(2, 5, pretrained=str(folder / "model.keras")).weights()
    for ours, theirs in zip(found[:-2], expected[:-2], strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert found[-1].shape == (5,)


def test_frozen_layers_keep_their_weights_and_the_model_is_loaded_again(tmp_path: Path) -> None:
    model = network(1, freeze=1)
    before = model.weights()
    generator = np.random.default_rng(0)
    samples = Samples(generator.normal(size=(40, 4)).astype(np.float32), generator.integers(0, 3, 40))
    fit_model(model, samples, samples, TrainingSettings(epochs=2, batch_size=8), Silent())
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.weights(), strict=True)]
    assert changed == [False, False, True, True, True, True]
    save_model(model, ModelSettings(name="keras_mlp", params=PARAMS | {"freeze": 1}), tmp_path, ["a", "b", "c"])
    for ours, theirs in zip(load_model(tmp_path).weights(), model.weights(), strict=True):  # type: ignore[attr-defined]
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"freeze": 3}, "expected less than 3, the layers with weights .*, found 3"),
        ({"pretrained": "absent.keras"}, "absent.keras"),
    ],
)
def test_weights_that_cannot_be_used_are_named(params: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        network(0, **params)
    assert caught.value.key[-1] in params


def test_the_weights_of_another_network_are_rejected(weights: tuple[Path, list[Any]]) -> None:
    with pytest.raises(SettingsError, match="it holds 6 arrays where 4 belong"):
        network(0, hidden_layers=[7], pretrained=str(weights[0] / "model.weights.h5"))


@pytest.mark.parametrize("found", [True, "weights.pkl"])
def test_what_names_no_weights_is_rejected(found: Any) -> None:
    with pytest.raises(ValueError, match="pretrained"):
        network(0, pretrained=found)
