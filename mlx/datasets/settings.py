"""The ``dataset`` section of a configuration."""

from difflib import get_close_matches
from typing import Any

from pydantic import Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from mlx.core.settings import Settings
from mlx.datasets.catalogue import DATASETS


class DatasetSettings(Settings):
    """Which data to use.

    Every error lies at the key it is about: an unknown name at ``name``, a path that would be
    ignored at ``path``, a bad parameter at ``params`` and its own key.

    Attributes
    ----------
    name
        A key of `DATASETS`; case is ignored.
    path
        Where the files are, for the datasets that are read from files.
    params
        The dataset's own parameters, checked against its schema; defaults are filled in.
    """

    name: str
    path: str | None = None
    params: dict[str, Any] = Field(default_factory=dict, validate_default=True)

    @field_validator("name")
    @classmethod
    def _known(cls, name: str) -> str:
        if name.lower() in DATASETS:
            return name.lower()
        near = get_close_matches(name.lower(), DATASETS, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise PydanticCustomError(
            "unknown_dataset",
            "expected one of {known}, found {found}{hint}",
            {"known": ", ".join(DATASETS), "found": name, "hint": hint},
        )

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
