"""What the parameters of several datasets have in common."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from mlx.core.settings import Settings

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Count = Annotated[int, Field(ge=1)]


def bad_value(expected: str, found: Any) -> PydanticCustomError:
    """Build the error of a value that has the right type and still can't be used."""
    return PydanticCustomError(
        "unusable_value", "expected {expected}, found {found}", {"expected": expected, "found": str(found)}
    )


class ClassParams(Settings):
    """Parameters of every generated classification set.

    Attributes
    ----------
    n_classes
        Number of classes, at least 2.
    n_samples
        Number of samples, at least one a class; the classes are balanced to within one sample.
    seed
        What the samples are drawn with.
    """

    n_classes: Annotated[int, Field(ge=2)] = 3
    n_samples: Annotated[Count, Field(validate_default=True)] = 1000
    seed: Seed = 42

    @field_validator("n_samples")
    @classmethod
    def _at_least_one_a_class(cls, n_samples: int, info: ValidationInfo) -> int:
        n_classes = info.data.get("n_classes", 0)
        if n_samples < n_classes:
            raise bad_value(f"at least one sample for each of {n_classes} classes", n_samples)
        return n_samples
