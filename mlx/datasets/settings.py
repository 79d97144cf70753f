"""The ``dataset`` section of a configuration."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from mlx.core.settings import Settings, known_name
from mlx.datasets.catalogue import DATASETS


class DatasetSettings(Settings):
    """Which data to use.

    Every error is at the key it is about: an unknown name at ``name``, a path that would be
    ignored at ``path``, a bad parameter at ``params`` and its own key.

    Attributes
    ----------
    name
        A key of `DATASETS`; case is ignored.
    path
        Where the files are, for the datasets that are read from files: absolute, or from the root of the
        repository (outside of any: from the current folder).
    params
        The dataset's own parameters, checked against its schema; defaults are filled in.
    """

    name: str
    path: str | None = None
    params: dict[str, Any] = Field(default_factory=dict, validate_default=True)

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> type[Settings] | None:
        """Return the schema of `params` for the dataset that `values` names."""
        spec = DATASETS.get(str(values.get("name")).lower())
        return spec.params if spec is not None and key == "params" else None

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        return known_name(name, DATASETS)

    @field_validator("path")
    @classmethod
    def _used(cls, path: str | None, info: ValidationInfo) -> str | None:
        name = info.data.get("name")
        if path is not None and name is not None and not DATASETS[name].takes_path:
            raise PydanticCustomError(
                "unused_path",
                "expected no path, found {path}: {name} reads no files",
                {"path": path, "name": name},
            )
        return path

    @field_validator("params")
    @classmethod
    def _fitting(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        if "name" not in info.data:  # without a dataset there is nothing to check against
            return params
        return DATASETS[info.data["name"]].params.model_validate(params).as_dict()

    def source(self) -> Settings:
        """Return the parameters as the dataset's own typed object, defaults filled in."""
        return DATASETS[self.name].params.model_validate(self.params)
