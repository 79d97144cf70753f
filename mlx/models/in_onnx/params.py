"""The parameters of an exported network."""

from typing import Annotated, Literal

from pydantic import Field

from mlx.core.descriptions import FileName
from mlx.core.settings import ANY_CASE, Settings


class OnnxParams(Settings):
    """Which tensors of the file are what.

    Attributes
    ----------
    output
        Name of the tensor with a column for each class, or the values of a regression; by default the only output.
    output_type
        logits or probabilities, of a classification; auto takes the output of a softmax for probabilities.
    layers
        Tensors that represent a sample, by the names that they get, from input to output; by default the input of the
        last linear layer, as ``penultimate``.
    pool
        How positions are summarized: mean, of feature maps (m, c, h, w) over h and w and of sequences (m, t, d) over t;
        or flatten, which keeps all.
    channels
        Where the network expects the channels of an image: first, as PyTorch; last; or auto, by its input.
    """

    output: str | None = Field(None, min_length=1)
    output_type: Annotated[Literal["auto", "logits", "probabilities"], ANY_CASE] = "auto"
    layers: dict[FileName, str] = Field({})
    pool: Annotated[Literal["mean", "flatten"], ANY_CASE] = "mean"
    channels: Annotated[Literal["auto", "first", "last"], ANY_CASE] = "auto"
