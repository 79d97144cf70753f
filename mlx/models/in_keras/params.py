"""The parameters of the Keras networks, under the names that users of Keras expect."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, field_validator

from mlx.core.settings import ANY_CASE, Settings

WeightsFile = Annotated[str, StringConstraints(pattern=r"\.(keras|weights\.h5)$")]
Width = Annotated[int, Field(ge=1, le=65_536)]
Activation = Annotated[Literal["relu", "tanh", "sigmoid", "elu", "selu", "gelu", "silu", "leaky_relu"], ANY_CASE]


class NetworkParams(Settings):
    """The parameters of every network.

    Attributes
    ----------
    num_classes
        Number of classes, which must be that of the data; null to infer it.
    dropout
        Share of the units before the output (and of every hidden dense layer) dropped in a training step.
    l2
        Factor of the sum of squared kernel weights added to the loss.
    pretrained
        A file of weights that the training starts from, ``.keras`` or ``.weights.h5``, of a network of the same layers;
        the output may have another number of classes, and then starts at random.
    freeze
        How many layers with weights, counted from the input, are not trained.
    """

    num_classes: int | None = Field(None, ge=2)
    dropout: float = Field(0.0, ge=0, lt=1)
    l2: float = Field(0.0, ge=0)
    pretrained: bool | WeightsFile | None = Field(None, validate_default=True)
    freeze: int = Field(0, ge=0)

    imagenet_weights: ClassVar[bool] = False
    """Whether Keras has weights of ImageNet for the network."""

    @field_validator("pretrained")
    @classmethod
    def _known_weights(cls, pretrained: bool | str | None) -> bool | str | None:
        if pretrained is True and not cls.imagenet_weights:
            raise ValueError("expected a file of weights, as Keras has none for this network, found true")
        return pretrained


class KerasMlpParams(NetworkParams):
    """Dense layers on the flattened sample.

    Attributes
    ----------
    hidden_layers
        Widths; the last one is the penultimate representation.
    activation
        Of the hidden layers.
    """

    hidden_layers: list[Width] = Field([128, 64])
    activation: Activation = "relu"


class CnnParams(NetworkParams):
    """A convolutional network: blocks of a convolution and 2x2 pooling, then dense layers.

    Attributes
    ----------
    filters
        Of each convolution, which is followed by a pooling that halves the image.
    kernel_size
        Side of the filters, in pixels.
    hidden_layers
        Widths of the dense layers; the last one is the penultimate representation.
    """

    filters: list[Width] = Field([32, 64], min_length=1)
    kernel_size: int = Field(3, ge=1, le=255)
    hidden_layers: list[Width] = Field([128, 64])
    dropout: float = Field(0.25, ge=0, lt=1)


class RnnParams(NetworkParams):
    """Recurrent layers over a sequence: the rows of an image from top to bottom, the features of a table in order.

    Attributes
    ----------
    cell
        lstm or gru.
    units
        Width of each recurrent layer; the last one returns its state after the last step.
    bidirectional
        Also read the sequence from its end, with as many units.
    hidden_layers
        Widths of the dense layers after them.
    """

    cell: Annotated[Literal["lstm", "gru"], ANY_CASE] = "gru"
    units: list[Width] = Field([64], min_length=1)
    bidirectional: bool = True
    hidden_layers: list[Width] = Field([64])


class ImageNetParams(NetworkParams):
    """A network designed for ImageNet.

    Attributes
    ----------
    pretrained
        true starts from Keras's weights, which need ``preprocessing.scaling: unit`` and are downloaded once into
        Keras's cache; or a file, as for any network.
    """

    imagenet_weights: ClassVar[bool] = True
    pretrained: bool | WeightsFile | None = False


class ResNet18Params(NetworkParams):
    """A network designed for ImageNet, of which Keras has no weights."""

    pretrained: bool | WeightsFile | None = False


class MobileParams(ImageNetParams):
    """An EfficientNet or a MobileNet, with a default dropout of 0.2."""

    dropout: float = Field(0.2, ge=0, lt=1)


class VggParams(ImageNetParams):
    """A VGG network.

    Attributes
    ----------
    hidden_layers
        Widths of the dense layers; the last one is the penultimate representation.
    batch_norm
        Normalize after each convolution; null for true unless the weights are pretrained.
    """

    hidden_layers: list[Width] = Field([512])
    batch_norm: bool | None = None
    dropout: float = Field(0.25, ge=0, lt=1)
