"""What the parameters of every generated image set have in common."""

from collections.abc import Sized
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlx.datasets.params import ClassParams, Fraction, Positive, bad_value

SMALLEST, LARGEST = 8, 2048


class ImageParams(ClassParams):
    """Parameters of every generated image set.

    Intensities are fractions of the way from black to white, lengths are fractions of the image's
    shorter side. Every range is drawn from uniformly, for each sample. With `class_weights` or
    `label_noise` each sample's class, or mistake, is drawn on its own: the shares hold on average.

    Attributes
    ----------
    n_classes
        How many of the looks to use, in their order.
    n_samples
        As of every set of classes, and at most 100 million.
    image_size
        Pixels: one number for square images, or height and width; each from 8 to 2048.
    channels
        1 for gray, 3 for colors.
    min_contrast, max_contrast
        Difference of intensity between foreground and background.
    inverted
        Share of the samples whose foreground is darker than their background.
    noise
        Largest standard deviation of the normal noise in every pixel; each sample has its own.
    occlusion
        Largest area of the rectangle in front, as a fraction of the area it may hide.
    """

    looks: ClassVar[Sized] = ()

    n_classes: Annotated[int, Field(ge=2)] = 5
    n_samples: Annotated[int, Field(ge=1, le=100_000_000, validate_default=True)] = 1000
    image_size: int | list[int] = 32
    channels: Literal[1, 3] = 1
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

    @property
    def sample_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of an image."""
        return (*self.height_width, self.channels)

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
        if n_classes > len(cls.looks):
            raise bad_value(f"at most {len(cls.looks)} classes, as many as there are looks", n_classes)
        return n_classes

    @field_validator("*")
    @classmethod
    def _not_below_its_minimum(cls, value: Any, info: ValidationInfo) -> Any:
        """Check the upper end of each range, ``max_*``, against ``min_*``."""
        lowest = str(info.field_name).replace("max_", "min_")
        if lowest != info.field_name and value < info.data.get(lowest, value):
            raise bad_value(f"at least {lowest} = {info.data[lowest]:g}", value)
        return value
