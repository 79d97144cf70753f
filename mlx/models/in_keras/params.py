"""The parameters of the Keras networks, under the names that users of Keras expect."""

from typing import Annotated, Literal

from pydantic import Field

from mlx.core.settings import ANY_CASE, Settings

Width = Annotated[int, Field(ge=1, le=65_536)]
Activation = Annotated[Literal["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "leaky_relu"], ANY_CASE]


class NetworkParams(Settings):
    """What every network has.

    Attributes
    ----------
    num_classes : how many classes it tells apart. The data say so; a number given here has to agree.
    dropout : share of the units before the output (and of every hidden dense layer) that a training step leaves out.
    l2 : weight of the squared kernels in the loss.
    """

    num_classes: int | None = Field(None, ge=2)
    dropout: float = Field(0.0, ge=0, lt=1)
    l2: float = Field(0.0, ge=0)


class KerasMlpParams(NetworkParams):
    """Dense layers on the flattened sample.

    Attributes
    ----------
    hidden_layers : widths; the last one is the penultimate representation.
    activation : of the hidden layers.
    """

    hidden_layers: list[Width] = Field([128, 64])
    activation: Activation = "relu"


class CnnParams(NetworkParams):
    """A convolutional network: blocks of 3x3-like convolution and 2x2 pooling, then dense layers.

    Attributes
    ----------
    filters : of each convolution; each is followed by a pooling that halves the image.
    kernel_size : side of the filters, in pixels.
    hidden_layers : widths of the dense layers; the last one is the penultimate representation.
    """

    filters: list[Width] = Field([32, 64], min_length=1)
    kernel_size: int = Field(3, ge=1, le=255)
    hidden_layers: list[Width] = Field([128, 64])
    dropout: float = Field(0.25, ge=0, lt=1)


class RnnParams(NetworkParams):
    """Recurrent layers over a sequence: the rows of an image from top to bottom, the features of a table in order.

    Attributes
    ----------
    cell : lstm or gru.
    units : width of each recurrent layer; the last one gives its state after the last step.
    bidirectional : read the sequence from its end as well, by as many units again.
    hidden_layers : widths of the dense layers after them.
    """

    cell: Annotated[Literal["lstm", "gru"], ANY_CASE] = "gru"
    units: list[Width] = Field([64], min_length=1)
    bidirectional: bool = True
    hidden_layers: list[Width] = Field([64])


class ImageNetParams(NetworkParams):
    """A network that was drawn for ImageNet.

    Attributes
    ----------
    pretrained : start from the weights that Keras has of it, which want ``preprocessing.scaling: unit``; they are
        fetched once, into Keras's cache. All layers are then trained on.
    """

    pretrained: bool = False


class ResNet18Params(NetworkParams):
    """A network that was drawn for ImageNet, and of which Keras has no weights.

    Attributes
    ----------
    pretrained : only false.
    """

    pretrained: Literal[False] = False


class MobileParams(ImageNetParams):
    """An EfficientNet or a MobileNet, which leave out a fifth of the last units in training."""

    dropout: float = Field(0.2, ge=0, lt=1)


class VggParams(ImageNetParams):
    """A VGG network.

    Attributes
    ----------
    hidden_layers : widths of the dense layers; the last one is the penultimate representation.
    batch_norm : normalize after each convolution; null for wherever the weights are not pretrained.
    """

    hidden_layers: list[Width] = Field([512])
    batch_norm: bool | None = None
    dropout: float = Field(0.25, ge=0, lt=1)
