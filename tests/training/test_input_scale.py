"""A network that is given values far from 1 is warned of, with the key to set."""

from typing import Any

import numpy as np
import pytest

from mlx.models import ModelSettings, TaskSpec, build_model
from mlx.training.input_scale import scale_warnings, target_warnings

pytestmark = pytest.mark.slow

PIXELS = np.arange(2 * 64, dtype=np.uint8).reshape(2, 8, 8, 1) * 2
OWN = """
def plain(n_classes, sample_shape, scaled):
    import keras
    first = [keras.layers.Rescaling(1 / 255)] if scaled else []
    return keras.Sequential([keras.Input(sample_shape), *first, keras.layers.Flatten(), keras.layers.Dense(n_classes)])
"""


def warned(name: str, X: Any = PIXELS, scaling: str = "none", **settings: Any) -> list[str]:
    chosen = ModelSettings(name=name, **settings)
    task_spec = TaskSpec("classification", X.shape[1:], 3)
    return scale_warnings(chosen, build_model(chosen, task_spec, seed=0), X, scaling)


@pytest.mark.parametrize("name", ["cnn", "keras_mlp", "rnn", "mlp", "vgg11"])
def test_pixels_to_255_into_a_network_are_warned_of(name: str) -> None:
    (line,) = warned(name)
    assert line == (
        f"the samples reach 254, on which {name} trains badly or not at all; "
        "set preprocessing.scaling to unit (8-bit values by 255)"
    )


@pytest.mark.parametrize("X", [PIXELS.astype(np.float32), np.full((5, 7), -1e6)], ids=["pixels", "table"])
def test_other_large_values_ask_for_standardization(X: Any) -> None:
    (line,) = warned("keras_mlp", X)
    assert line.endswith("set preprocessing.scaling to standard")


@pytest.mark.parametrize(
    ("name", "X", "scaling"),
    [
        ("cnn", PIXELS / np.float32(255), "unit"),
        ("cnn", PIXELS // 128, "none"),
        ("keras_mlp", np.random.default_rng(0).normal(0, 4, (50, 7)), "none"),
        ("random_forest", PIXELS, "none"),  # scale changes nothing, or is not learned by steps
        ("svm", PIXELS, "none"),
    ],
)
def test_what_trains_as_it_is_passes_without_a_word(name: str, X: Any, scaling: str) -> None:
    assert warned(name, X, scaling) == []


def test_a_network_of_ones_own_may_scale_by_itself(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    said = [warned("custom", architecture="own.py:plain", params={"scaled": scaled}) for scaled in (True, False)]
    assert [len(lines) for lines in said] == [0, 1]


def test_pretrained_weights_ask_for_their_scale(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = ModelSettings(name="mobilenet", params={"pretrained": True})
    model = build_model(ModelSettings(name="keras_mlp"), TaskSpec("classification", (8, 8, 1), 3), seed=0)
    for scaling in ("none", "standard"):
        (line,) = scale_warnings(chosen, model, PIXELS, scaling)
        assert f"preprocessing.scaling is {scaling}; set it to unit" in line
    assert scale_warnings(chosen, model, PIXELS / 255, "unit") == []


@pytest.mark.parametrize(
    ("name", "unit", "remedy"),
    [
        ("random_forest", 1e-9, "multiply them by a constant in the data"),
        ("svm", 0.05, "multiply them by a constant in the data, or lower model.params.epsilon, which is 0.1"),
        ("mlp", 1e-200, "multiply them by a constant in the data"),
        ("linear_regression", 1e-200, None),
        ("svm", 1.0, None),
        ("random_forest", 0.0, None),
    ],
)
def test_targets_to_which_a_model_fits_a_constant_are_warned_of(name: str, unit: float, remedy: str | None) -> None:
    settings, y = ModelSettings(name=name), np.random.default_rng(0).normal(size=50) * unit
    said = target_warnings(settings, build_model(settings, TaskSpec("regression", (3,), 0), seed=0), y)
    assert [line.partition("; ")[2] for line in said] == ([] if remedy is None else [remedy])
