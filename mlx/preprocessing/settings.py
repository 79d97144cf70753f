"""The `split` and `preprocessing` sections of the configuration."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlx.core.settings import ANY_CASE, Settings

Fraction = Annotated[float, Field(gt=0, lt=1)]


class SplitSettings(Settings):
    """How the samples are divided.

    Attributes
    ----------
    test_size, val_size : fractions of all samples; the rest trains.
    stratify : give every split the same share of each class (a regression target has none).
    seed : of the draw.
    """

    test_size: Fraction = 0.2
    val_size: Fraction = 0.1
    stratify: bool = True
    seed: int = Field(42, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> "SplitSettings":
        if self.test_size + self.val_size >= 1:
            raise ValueError(
                "expected test_size and val_size to add up to less than 1, "
                f"found {self.test_size:g} + {self.val_size:g}"
            )
        return self


class PreprocessingSettings(Settings):
    """How the values are scaled.

    Attributes
    ----------
    scaling : ``none``; ``unit``: 8-bit values divided by 255; ``standard``: mean 0 and standard
        deviation 1 over the training split, per feature of a table or per channel of an image.
    """

    scaling: Annotated[Literal["none", "unit", "standard"], ANY_CASE] = "none"
