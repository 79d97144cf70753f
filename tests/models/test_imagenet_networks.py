"""The networks drawn for ImageNet: Keras's own at full size, halved less where images are small."""

from typing import Any

import numpy as np
import pytest

from mlx.core.errors import SettingsError
from mlx.models import ModelSettings, TaskSpec, build_model
from mlx.models.in_keras.applications import APPLICATIONS, _layers_of
from mlx.models.in_keras.runtime import keras

pytestmark = pytest.mark.slow

DRAWN = {application.name: application for application in APPLICATIONS.values()}
FULL = TaskSpec("classification", (224, 224, 3), 3)
WHOLE = TaskSpec("classification", (128, 128, 3), 3)  # a smaller image none of whose halvings is skipped
IMAGES = np.random.default_rng(0).random((2, 224, 224, 3)).astype(np.float32)


def features(model: Any, images: Any, layer: str = "avg_pool") -> Any:
    model.expect_few_steps()
    return model.outputs(images, (layer,)).representations[layer]


def pretend_weights(monkeypatch: pytest.MonkeyPatch, application: str) -> Any:
    """Put a network of random weights in the place of the one whose weights would be fetched."""
    make = getattr(keras().applications, application)
    kept: dict[str, Any] = {}

    def made(weights: str, **options: Any) -> Any:
        assert weights == "imagenet"
        kept["network"] = make(weights=None, **options)
        return kept["network"]

    if application in DRAWN:  # before its function is replaced
        _layers_of(DRAWN[application])
    monkeypatch.setattr(keras().applications, application, made)
    return kept


@pytest.mark.parametrize(
    ("name", "application", "task_spec"),
    [("mobilenet", "MobileNet", FULL), ("vgg16", "VGG16", WHOLE), ("resnet50", "ResNet50", WHOLE)],
)
def test_with_keras_weights_it_computes_what_keras_does(
    name: str, application: str, task_spec: TaskSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = pretend_weights(monkeypatch, application)
    model = build_model(ModelSettings(name=name, params={"pretrained": True}), task_spec, seed=0)
    height, width, _ = task_spec.sample_shape
    images = IMAGES[:, :height, :width]
    preprocess = getattr(keras().applications, name).preprocess_input
    theirs = _theirs(kept["network"], task_spec, preprocess(255 * images.copy()))
    np.testing.assert_allclose(features(model, images), theirs, rtol=1e-3, atol=1e-4 * np.abs(theirs).max())


def _theirs(network: Any, task_spec: TaskSpec, images: Any) -> Any:
    """The means of the last maps of Keras's network, whose layers take images of any size."""
    image = keras().Input(task_spec.sample_shape)
    return np.asarray(keras().Model(image, network.call(image))(images, training=False)).mean(axis=(1, 2))


@pytest.mark.parametrize(
    ("name", "documented", "width", "left_out"),
    [
        ("resnet152", 60_419_944, 2048, 7 * 7 * 3 * 64 - 3 * 3 * 1 * 64),  # the stem is smaller, and of one channel
        ("efficientnet_b7", 66_658_687, 2560, 3 * 3 * 2 * 64 + 7),  # and the scaling is not the network's
    ],
)
def test_the_deepest_have_the_weights_that_keras_documents(
    name: str, documented: int, width: int, left_out: int
) -> None:
    with keras().StatelessScope(initialize_variables=False):  # the weights have shapes and no values
        model = build_model(ModelSettings(name=name), TaskSpec("classification", (8, 8, 1), 3), seed=0)
    assert model.n_parameters == documented - (1000 - 3) * (width + 1) - left_out


def test_one_channel_stands_for_three_and_four_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_weights(monkeypatch, "MobileNet")
    settings = ModelSettings(name="mobilenet", params={"pretrained": True})
    gray = build_model(settings, TaskSpec("classification", (30, 41, 1), 3), seed=0)
    assert features(gray, IMAGES[:, :30, :41, :1]).shape == (2, 1024)
    with pytest.raises(SettingsError, match="weights are for 3 channels .* these images have 4"):
        build_model(settings, TaskSpec("classification", (32, 32, 4), 3), seed=0)


def test_without_a_connection_it_says_which_file_to_put_where(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    def refused(**options: Any) -> Any:
        raise Exception("URL fetch failure on https://storage.example/resnet/w_notop.h5: None -- refused")

    _layers_of(APPLICATIONS["resnet50"])
    monkeypatch.setattr(keras().applications, "ResNet50", refused)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(
        SettingsError, match=r"put https://storage.example/resnet/w_notop.h5 there as .*/models/w_notop"
    ):
        build_model(
            ModelSettings(name="resnet50", params={"pretrained": True}),
            TaskSpec("classification", (32, 32, 3), 3),
            seed=0,
        )


def test_vgg_with_weights_it_does_not_fit_is_refused() -> None:
    task_spec = TaskSpec("classification", (32, 32, 3), 3)
    with pytest.raises(SettingsError, match="Keras has no weights of vgg11 but of vgg16 and vgg19"):
        build_model(ModelSettings(name="vgg11", params={"pretrained": True}), task_spec, seed=0)
    with pytest.raises(SettingsError, match="pretrained weights were made without"):
        build_model(ModelSettings(name="vgg16", params={"pretrained": True, "batch_norm": True}), task_spec, seed=0)


@pytest.mark.parametrize(
    ("size", "sides"),
    [(28, [28, 28, 14, 7, 4]), (32, [32, 32, 16, 8, 4]), (64, [64, 32, 16, 8, 4]), (8, [8, 8, 4, 2, 1])],
)
def test_small_images_are_halved_less(size: int, sides: list[int]) -> None:
    model: Any = build_model(ModelSettings(name="resnet18"), TaskSpec("classification", (size, size, 1), 3), seed=0)
    ends = ("conv1_relu", "conv2_block2_out", "conv3_block2_out", "conv4_block2_out", "conv5_block2_out")
    assert [model.network.get_layer(name).output.shape[1] for name in ends] == sides


def test_what_it_says_of_a_sample_does_not_depend_on_the_batch() -> None:
    model = build_model(ModelSettings(name="resnet18"), TaskSpec("classification", (8, 8, 1), 3), seed=0)
    model.expect_few_steps()
    X = np.random.default_rng(1).normal(size=(9, 8, 8, 1)).astype(np.float32)
    np.testing.assert_allclose(model.outputs(X).probabilities[:2], model.outputs(X[:2]).probabilities, atol=1e-5)  # type: ignore[index]


def test_tables_are_refused() -> None:
    for name in ("resnet18", "vgg11", "efficientnet_b0"):
        with pytest.raises(SettingsError, match=rf"samples of shape \(5,\), found {name}, which needs images"):
            build_model(ModelSettings(name=name), TaskSpec("classification", (5,), 3), seed=0)


def test_l2_reaches_every_kernel() -> None:
    for name in ("mobilenet", "resnet18", "vgg11"):
        settings = ModelSettings(name=name, params={"l2": 0.1})
        model: Any = build_model(settings, TaskSpec("classification", (8, 8, 1), 3), seed=0)
        kernels = [w for w in model.network.trainable_weights if "kernel" in w.name]
        assert len(model.network.losses) == len(kernels), name


def test_the_first_network_of_a_process_starts_as_every_later_one() -> None:
    """A list of experiments builds a network that was built before; alone, each is the first, whatever its name."""
    import mlx.models.in_keras.applications as module

    module._layers_of.cache_clear()  # as in a new process
    task_spec = TaskSpec("classification", (8, 8, 1), 3)
    settings = ModelSettings(name="mobilenet_v3_small")
    first, later = (build_model(settings, task_spec, seed=7) for _ in range(2))
    for a, b in zip(first.network.get_weights(), later.network.get_weights(), strict=True):  # type: ignore[attr-defined]
        np.testing.assert_array_equal(a, b)
