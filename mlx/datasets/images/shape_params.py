"""The parameters of ``shapes``: what to make, and how hard to make it."""

from typing import Annotated, ClassVar

from pydantic import Field

from mlx.datasets.images.params import ImageParams
from mlx.datasets.images.shape_looks import LOOKS
from mlx.datasets.params import Fraction, Positive


class ShapesParams(ImageParams):
    """Parameters of ``shapes``: those of every image set, the shape being the foreground.

    The defaults are set so that a small convolutional network trained on 700 of 1000 images gets about
    nine in ten of the others right: its mistakes are there to be studied. Wide rotation, full jitter and
    inverted shapes are much harder, and need more images.

    Attributes
    ----------
    min_size, max_size
        Diameter of the circle around the shape.
    jitter
        How much of the free room around the shape its position uses: 0 centered, 1 up to the border.
    rotation
        Largest rotation to either side, in degrees.
    """

    looks: ClassVar[dict[str, object]] = dict(LOOKS)

    min_size: Positive = 0.45
    max_size: Annotated[Positive, Field(validate_default=True)] = 0.75
    jitter: Fraction = 0.4
    rotation: Annotated[float, Field(ge=0, le=180)] = 15.0
