"""The `model` section of the configuration, and the parameters of each model."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from mlx.core.settings import Settings, known_name

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


class LogisticRegressionParams(Settings):
    """scikit-learn's multinomial logistic regression, under its own parameter names.

    Attributes
    ----------
    C : inverse strength of the L2 penalty.
    max_iter : most iterations of L-BFGS.
    tol : gradient size at which it stops.
    """

    C: float = Field(1.0, ge=1e-12, le=1e12)
    max_iter: int = Field(1000, ge=1, le=10_000_000)
    tol: float = Field(1e-4, gt=0)


class LinearRegressionParams(Settings):
    """Least squares with an intercept; it has nothing to choose."""


PARAMS: dict[str, type[Settings]] = {
    "cnn": CnnParams,
    "linear_regression": LinearRegressionParams,
    "logistic_regression": LogisticRegressionParams,
}
"""Each model's name and the schema of its `params`."""


class ModelSettings(Settings):
    """Which model is trained.

    Attributes
    ----------
    name : one of `PARAMS`, in any case.
    architecture : a variant of the model; none of the present models has any.
    params : the model's own parameters, checked against its schema.
    """

    name: str
    architecture: str | None = None
    params: dict[str, Any] = Field({}, validate_default=True)

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> type[Settings] | None:
        """Return the schema of `params` for the model that `values` names."""
        return PARAMS.get(str(values.get("name")).lower()) if key == "params" else None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return known_name(name, PARAMS)

    @field_validator("architecture")
    @classmethod
    def _no_variants(cls, architecture: str | None, info: ValidationInfo) -> str | None:
        if architecture is not None:
            raise ValueError(f"expected none, as {info.data.get('name')} has no variants, found '{architecture}'")
        return architecture

    @field_validator("params")
    @classmethod
    def _checked(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        schema = PARAMS.get(info.data.get("name", ""))
        return schema.model_validate(params).as_dict() if schema else params

    def parameters(self) -> Settings:
        """Return the model's own parameters, defaults filled in, as its schema."""
        return PARAMS[self.name].model_validate(self.params)
