"""The networks drawn for ImageNet, on small images: those that no test of the contract trains."""

from pathlib import Path

import numpy as np
import pytest
from stripes import LARGE, TRAINED, samples

from mlx.models import ModelSettings, TaskSpec, build_model, load_model, save_model

DEEP = {"resnet101", "resnet152", *(f"efficientnet_b{i}" for i in range(1, 8))}  # as the others, of more blocks
# Than others of their kind, and saved as these are.
DEEPER = {"mobilenet_v3_large", "resnet34", "vgg13", "vgg16", "vgg19"}
IMAGES = TaskSpec("classification", (8, 8, 1), 3)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(LARGE - TRAINED - DEEP))
def test_a_large_network_is_built_and_loaded_to_the_same_bits(name: str, tmp_path: Path) -> None:
    settings = ModelSettings(name=name)
    model = build_model(settings, IMAGES, seed=1)
    model.expect_few_steps()
    X = samples(IMAGES, 3).X
    if name in DEEPER:
        assert np.isfinite(model.outputs(X).logits).all()
        return
    save_model(model, settings, tmp_path, ["a", "b", "c"])
    loaded = load_model(tmp_path)
    loaded.expect_few_steps()
    outputs, again = (each.outputs(X, (model.penultimate,)) for each in (model, loaded))
    np.testing.assert_array_equal(outputs.logits, again.logits)
    np.testing.assert_array_equal(outputs.representations[model.penultimate], again.representations[model.penultimate])
