"""The `model` section of the configuration."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationInfo, field_validator, model_validator

from mlx.core.paths import from_root
from mlx.core.settings import Settings, known_name, nearest
from mlx.core.user_code import function_file, names_function
from mlx.models.catalogue import FAMILIES, FUNCTION, MODELS


class ModelSettings(Settings):
    """The model to train.

    Attributes
    ----------
    name
        One of `MODELS`, in any case; or one of `FAMILIES`, of which `architecture` then names the variant.
    architecture
        The family of a network that has variants; for ``custom`` and ``sklearn``, the function that makes the model as
        ``file.py:name``, from the root of the repository; or a file: of ``sklearn`` with the ending .skops, of ``onnx``
        with .onnx.
    params
        The parameters of the model, checked against its schema.
    """

    name: str
    architecture: str | None = Field(None, validate_default=True)
    params: dict[str, Any] = Field({}, validate_default=True)

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> type[Settings] | None:
        """Return the schema of `params` for the model that `values` name."""
        spec = MODELS.get(str(_named_by_variant(values).get("name")).lower())
        return spec.params if spec is not None and key == "params" else None

    @model_validator(mode="before")
    @classmethod
    def _by_variant(cls, values: Any) -> Any:
        return _named_by_variant(values) if isinstance(values, Mapping) else values

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return known_name(name, MODELS.keys() | FAMILIES)

    @field_validator("architecture")
    @classmethod
    def _known_architecture(cls, architecture: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("name", "")
        if name in MODELS and (kinds := MODELS[name].made_by):
            return _maker(architecture, kinds)
        if name in MODELS and (family := MODELS[name].family):
            return _family(name, family, architecture)
        if name in FAMILIES:
            variants = FAMILIES[name]
            hint = nearest(architecture, variants) if architecture else ""
            raise ValueError(f"expected one of {', '.join(variants)}, found {_shown(architecture)}{hint}")
        if architecture is not None and name:
            raise ValueError(f"expected none, as {name} has no variants, found '{architecture}'")
        return architecture

    @field_validator("params")
    @classmethod
    def _checked(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        spec = MODELS.get(info.data.get("name", ""))
        return spec.params.model_validate(params).as_dict() if spec else params

    def files(self) -> dict[str, Path]:
        """Return the files that the model is made from, by key."""
        found: dict[str, Path] = {}
        if (made_by := self.architecture) and MODELS[self.name].made_by:
            found["model.architecture"] = from_root(function_file(made_by) if names_function(made_by) else made_by)
        if isinstance(weights := self.params.get("pretrained"), str):
            found["model.params.pretrained"] = from_root(weights)
        return found

    def parameters(self) -> Settings:
        """Return the parameters of the model, defaults filled in, as an instance of its schema."""
        return MODELS[self.name].params.model_validate(self.params)


def _named_by_variant(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Exchange a family in ``name`` and its variant in ``architecture``, so that ``name`` identifies the network."""
    name, architecture = (str(values.get(key)).lower() for key in ("name", "architecture"))
    if architecture in FAMILIES.get(name, ()):
        return {**values, "name": architecture, "architecture": name}
    return values


def _maker(architecture: str | None, kinds: tuple[str, ...]) -> str:
    """Return what makes the model: a function, or a file with one of the endings."""
    if architecture is not None:
        if FUNCTION in kinds and names_function(architecture):
            return architecture
        if architecture.lower().endswith(tuple(kind for kind in kinds if kind != FUNCTION)):
            return architecture
    wanted = {FUNCTION: f"the function that makes the model as {FUNCTION}"}
    expected = " or ".join(wanted.get(kind, f"a file with the ending {kind}") for kind in kinds)
    raise ValueError(f"expected {expected}, found {_shown(architecture)}")


def _family(name: str, family: str, architecture: str | None) -> str | None:
    if architecture is None or architecture.lower() == family:
        return family if architecture else None
    raise ValueError(f"expected {family}, the family of {name}, or nothing, found '{architecture}'")


def _shown(architecture: str | None) -> str:
    return "nothing" if architecture is None else f"'{architecture}'"
