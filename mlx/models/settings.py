"""The `model` section of the configuration."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator

from mlx.core.settings import Settings, known_name
from mlx.models.in_keras.params import KERAS_PARAMS
from mlx.models.in_numpy.params import NUMPY_PARAMS
from mlx.models.in_sklearn.params import SKLEARN_PARAMS

PARAMS: dict[str, type[Settings]] = dict(sorted((KERAS_PARAMS | NUMPY_PARAMS | SKLEARN_PARAMS).items()))
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
