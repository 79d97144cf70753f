"""The `output` section of the configuration: where a run is kept, and how much of it."""

from pathlib import Path

from pydantic import Field, field_validator

from mlx.core.settings import Settings

WORKSPACE = frozenset({"data", "metrics", "mlx", "stages", ".dvc", ".git"})
"""Folders in which a run would be taken for part of the project."""


class OutputSettings(Settings):
    """What is kept beside the results; nothing here changes a number.

    Attributes
    ----------
    directory : folder below the current one in which `mlx run-experiment` makes a folder for each run;
        the DVC pipeline writes into its own folders.
    save_checkpoints : keep the training's state while it goes on, so that a killed one can continue.
    checkpoint_frequency : epochs from one checkpoint to the next.
    """

    directory: str = "outputs"
    save_checkpoints: bool = True
    checkpoint_frequency: int = Field(1, ge=1)

    @field_validator("directory")
    @classmethod
    def _inside(cls, directory: str) -> str:
        here = Path.cwd().resolve()
        inside = (here / directory).resolve()
        if inside == here or not inside.is_relative_to(here) or inside.relative_to(here).parts[0] in WORKSPACE:
            raise ValueError(f"expected a folder of its own below the current one, found '{directory}'")
        return directory


DEFAULT_OUTPUT = OutputSettings()
