"""ImageNet's weights from ``keras.applications``, downloaded into Keras's cache, and their input scales."""

import os
import re
from pathlib import Path
from typing import Any

from mlx.core.errors import SettingsError
from mlx.models.in_keras.runtime import keras

MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (123.68, 116.779, 103.939)
SCALES: dict[str, tuple[Any, Any]] = {
    "caffe": (255.0, [-mean for mean in CAFFE_MEAN]),
    "tf": (2.0, -1.0),
    "torch": ([1 / d for d in DEVIATION], [-m / d for m, d in zip(MEAN, DEVIATION, strict=True)]),
}
"""Factor and offset that map values in 0 … 1 (``preprocessing.scaling: unit``) to the input scale of the weights."""


def imagenet_scaled(image: Any, mode: str) -> Any:
    """Scale images in 0 … 1 as the weights expect them; a single channel is repeated three times.

    Raises
    ------
    SettingsError
        The images have neither 1 nor 3 channels.
    """
    layers = keras().layers
    channels = image.shape[-1]
    if channels not in (1, 3):
        raise SettingsError(
            f"expected false, as the pretrained weights are for 3 channels (or 1, shown as 3) and these images "
            f"have {channels}, found true",
            key=("model", "params", "pretrained"),
        )
    if channels == 1:
        image = layers.Concatenate(name="as_rgb")([image, image, image])
    scale, offset = SCALES[mode]
    return layers.Rescaling(scale, offset, name="as_imagenet")(image)


def load_imagenet_weights(model: Any, application: str, mode: str) -> None:
    """Copy the weights of Keras's network `application` into the layers of the same names in `model`.

    Weights of the mode "caffe" expect channels in the order blue, green, red; the first kernel is reversed instead
    of every image.

    Raises
    ------
    SettingsError
        The weights are not in Keras's cache and can't be downloaded: says which file to put where.
    """
    make = getattr(keras().applications, application)
    try:
        source = make(weights="imagenet", include_top=False, input_shape=(224, 224, 3))
    except Exception as error:  # urllib's and Keras's own, depending on the failure
        raise _unavailable(application, error) from None
    reverse = mode == "caffe"
    for layer in source.layers:
        if not layer.weights or layer.name.startswith("normalization"):
            continue
        values = layer.get_weights()
        if reverse:
            values[0], reverse = values[0][:, :, ::-1], False
        model.get_layer(layer.name).set_weights(values)


def _unavailable(application: str, error: Exception) -> SettingsError:
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "models"
    if url := re.search(r"https?://\S+\.h5", str(error)):
        remedy = f"put {url[0]} there as {home / url[0].rpartition('/')[2]}, or set it to false"
    else:
        remedy = f"mend {home} ({' '.join(str(error).split())[:200]}), or set it to false"
    return SettingsError(
        f"expected the weights of {application} in Keras's cache or a connection to fetch them, found neither; "
        f"{remedy}",
        key=("model", "params", "pretrained"),
    )
