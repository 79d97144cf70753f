"""The parameters of ``shapes``: what to make, and how hard to make it."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlx.datasets.looks import LOOKS
from mlx.datasets.params import ClassParams, bad_value

SMALLEST, LARGEST = 8, 2048

Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1)]


class ShapesParams(ClassParams):
    """Parameters of ``shapes``: what to make, and how hard to make it.

    Intensities are fractions of the way from black to white, lengths are fractions of the image's
    shorter side. Every range is drawn from uniformly, for each sample.

    The defaults are set so that a small convolutional network trained on 700 of 1000 images gets about
    nine in ten of the others right: its mistakes are there to be studied. Wide rotation, full jitter and
    inverted shapes are much harder, and need more images.

    Attributes
    ----------
    image_size
        Pixels: one number for square images, or height and width; each from 8 to 2048.
    channels
        1 for grey, 3 for coloured shapes on coloured backgrounds.
    n_classes
        How many of the looks to use, in the order of `LOOKS`.
    min_size, max_size
        Diameter of the circle around the shape.
    jitter
        How much of the free room around the shape its position uses: 0 centred, 1 up to the border.
    rotation
        Largest rotation to either side, in degrees.
    min_contrast, max_contrast
        Difference of intensity between shape and background.
    inverted
        Share of the samples whose shape is darker than its background.
    noise
        Largest standard deviation of the normal noise in every pixel; each sample has its own.
    occlusion
        Largest area of the rectangle in front of the shape, as a fraction of the shape's own.
    """

    n_classes: Annotated[int, Field(ge=2)] = 5
    image_size: int | list[int] = 32
    channels: Literal[1, 3] = 1
    min_size: Positive = 0.45
    max_size: Annotated[Positive, Field(validate_default=True)] = 0.75
    jitter: Fraction = 0.4
    rotation: Annotated[float, Field(ge=0, le=180)] = 15.0
    min_contrast: Positive = 0.2
    max_contrast: Annotated[Positive, Field(validate_default=True)] = 0.8
    inverted: Fraction = 0.0
    noise: Fraction = 0.15
    occlusion: Fraction = 0.4

    @property
    def height_width(self) -> tuple[int, int]:
        """Height and width in pixels."""
        size = self.image_size
        return (size, size) if isinstance(size, int) else (size[0], size[1])

    @field_validator("image_size", mode="plain")
    @classmethod
    def _one_or_two_lengths(cls, value: Any) -> int | list[int]:
        lengths = value if isinstance(value, list) and len(value) == 2 else [value]
        if not all(type(length) is int and SMALLEST <= length <= LARGEST for length in lengths):
            raise bad_value(f"an integer from {SMALLEST} to {LARGEST}, or [height, width]", value)
        return value  # type: ignore[no-any-return]

    @field_validator("n_classes")
    @classmethod
    def _a_look_for_each(cls, n_classes: int) -> int:
        if n_classes > len(LOOKS):
            raise bad_value(f"at most {len(LOOKS)} classes, as many as there are looks", n_classes)
        return n_classes

    @field_validator("max_size", "max_contrast")
    @classmethod
    def _not_below_the_least(cls, value: float, info: ValidationInfo) -> float:
        lowest = str(info.field_name).replace("max", "min")
        if value < info.data.get(lowest, 0):
            raise bad_value(f"at least {lowest} = {info.data[lowest]:g}", value)
        return value
