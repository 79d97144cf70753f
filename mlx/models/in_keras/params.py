"""The parameters of the Keras networks."""

from typing import Annotated

from pydantic import Field

from mlx.core.settings import Settings

Width = Annotated[int, Field(ge=1, le=65_536)]


class CnnParams(Settings):
    """A convolutional network: blocks of 3x3-like convolution and 2x2 pooling, then dense layers.

    Attributes
    ----------
    filters : of each convolution; each is followed by a pooling that halves the image.
    kernel_size : side of the filters, in pixels.
    hidden_layers : widths of the dense layers; the last one is the penultimate representation.
    dropout : share of the dense units that each training step leaves out.
    l2 : weight of the squared weights in the loss.
    """

    filters: list[Width] = Field([32, 64], min_length=1)
    kernel_size: int = Field(3, ge=1, le=255)
    hidden_layers: list[Width] = Field([128, 64])
    dropout: float = Field(0.25, ge=0, lt=1)
    l2: float = Field(0.0, ge=0)


KERAS_PARAMS: dict[str, type[Settings]] = {"cnn": CnnParams}
"""Each network's name and the schema of its `params`."""
