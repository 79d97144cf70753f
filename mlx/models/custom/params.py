"""The parameters of a custom model: the arguments of its function."""

from typing import ClassVar

from pydantic import ConfigDict

from mlx.core.settings import Settings


class CustomModelParams(Settings):
    """Arguments of the function, by name."""

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)
