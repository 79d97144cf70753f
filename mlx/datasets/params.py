"""What the parameters of several datasets have in common."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from mlx.core.settings import Settings

Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
Count = Annotated[int, Field(ge=1)]
Deviation = Annotated[float, Field(ge=0, le=1e6)]  # far beyond any use, and far from where squares overflow
Separation = Annotated[float, Field(gt=0, le=1e6)]
Coordinate = Annotated[float, Field(ge=-1e6, le=1e6)]
Weight = Annotated[float, Field(ge=1e-9, le=1e9)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0, le=1)]


def bad_value(expected: str, found: Any) -> PydanticCustomError:
    """Build the error of a value that has the right type and still can't be used."""
    return PydanticCustomError(
        "unusable_value", "expected {expected}, found {found}", {"expected": expected, "found": str(found)}
    )


def no_more_than_features(n_informative: int | None, info: ValidationInfo) -> int | None:
    """Return the number of informative features where there are as many features.

    Raises
    ------
    PydanticCustomError
        If there are fewer.
    """
    n_features = info.data.get("n_features")
    if n_informative is not None and n_features is not None and n_informative > n_features:
        raise bad_value(f"at most n_features = {n_features}", n_informative)
    return n_informative


class ClassParams(Settings):
    """Parameters of every generated classification set.

    Attributes
    ----------
    n_classes
        Number of classes, at least 2.
    n_samples
        Number of samples, at least one per class.
    seed
        What the samples are drawn with.
    class_weights
        How common each class is, relative to the others: a positive number a class, of any sum. Where
        it is not given, the classes are balanced to within one sample.
    label_noise
        Share of the samples whose label is another than the true one, each wrong label as likely; below 1.
        Where it is above 0, the factors ``label_flipped`` (bool) and ``true_label`` (int64) say which.
    """

    n_classes: Annotated[int, Field(ge=2, le=10_000)] = 3
    n_samples: Annotated[Count, Field(validate_default=True)] = 1000
    seed: Seed = 42
    class_weights: list[Weight] | None = None
    label_noise: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @field_validator("n_samples")
    @classmethod
    def _at_least_one_a_class(cls, n_samples: int, info: ValidationInfo) -> int:
        n_classes = info.data.get("n_classes", 0)
        if n_samples < n_classes:
            raise bad_value(f"at least one sample for each of {n_classes} classes", n_samples)
        return n_samples

    @field_validator("class_weights")
    @classmethod
    def _one_a_class(cls, weights: list[float] | None, info: ValidationInfo) -> list[float] | None:
        n_classes = info.data.get("n_classes")
        if weights is not None and n_classes is not None and len(weights) != n_classes:
            raise bad_value(f"{n_classes} numbers, one per class", weights)
        return weights
