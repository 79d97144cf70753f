"""The `model` section of the configuration."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mlx.core.settings import Settings, known_name, nearest
from mlx.core.user_code import names_function
from mlx.models.custom.params import CUSTOM_PARAMS
from mlx.models.in_keras.params import FAMILIES, KERAS_PARAMS
from mlx.models.in_numpy.params import NUMPY_PARAMS
from mlx.models.in_sklearn.params import SKLEARN_PARAMS

PARAMS: dict[str, type[Settings]] = dict(sorted((KERAS_PARAMS | NUMPY_PARAMS | SKLEARN_PARAMS | CUSTOM_PARAMS).items()))
"""Each model's name and the schema of its `params`."""


FAMILY_OF: dict[str, str] = {name: family for family, members in FAMILIES.items() for name in members}
"""The family of each network that belongs to one."""


class ModelSettings(Settings):
    """Which model is trained.

    Attributes
    ----------
    name : one of `PARAMS`, in any case; or one of `FAMILIES`, whose member `architecture` then names.
    architecture : the family that the network belongs to, if it does to one; of ``custom``, its function as
        ``file.py:name``, from the root of the repository.
    params : the model's own parameters, checked against its schema.
    """

    name: str
    architecture: str | None = Field(None, validate_default=True)
    params: dict[str, Any] = Field({}, validate_default=True)

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> type[Settings] | None:
        """Return the schema of `params` for the model that `values` name."""
        return PARAMS.get(str(_named_by_member(values).get("name")).lower()) if key == "params" else None

    @model_validator(mode="before")
    @classmethod
    def _by_member(cls, values: Any) -> Any:
        return _named_by_member(values) if isinstance(values, Mapping) else values

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return known_name(name, PARAMS | FAMILIES)

    @field_validator("architecture")
    @classmethod
    def _suits(cls, architecture: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("name", "")
        if name == "custom":
            return _function(architecture)
        if name in FAMILY_OF:
            return _family(name, architecture)
        if name in FAMILIES:
            members = FAMILIES[name]
            hint = nearest(architecture, members) if architecture else ""
            raise ValueError(f"expected one of {', '.join(members)}, found {_shown(architecture)}{hint}")
        if architecture is not None and name:
            raise ValueError(f"expected none, as {name} has no variants, found '{architecture}'")
        return architecture

    @field_validator("params")
    @classmethod
    def _checked(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        schema = PARAMS.get(info.data.get("name", ""))
        return schema.model_validate(params).as_dict() if schema else params

    def parameters(self) -> Settings:
        """Return the model's own parameters, defaults filled in, as its schema."""
        return PARAMS[self.name].model_validate(self.params)


def _named_by_member(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Turn a family and its member as `architecture` round, so that ``name`` alone tells the network."""
    name, architecture = (str(values.get(key)).lower() for key in ("name", "architecture"))
    if architecture in FAMILIES.get(name, {}):
        return {**values, "name": architecture, "architecture": name}
    return values


def _function(architecture: str | None) -> str:
    if architecture is None or not names_function(architecture):
        raise ValueError(f"expected the function that makes the model as file.py:name, found {_shown(architecture)}")
    return architecture


def _family(name: str, architecture: str | None) -> str | None:
    if architecture is None or architecture.lower() == FAMILY_OF[name]:
        return FAMILY_OF[name] if architecture else None
    raise ValueError(f"expected {FAMILY_OF[name]}, the family of {name}, or nothing, found '{architecture}'")


def _shown(architecture: str | None) -> str:
    return "nothing" if architecture is None else f"'{architecture}'"
