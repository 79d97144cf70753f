"""The `output` section of the configuration: where a run is kept, and how much of it."""

import os
from pathlib import Path

from pydantic import Field, field_validator

from mlx.core.documents import read_document
from mlx.core.errors import MlxError
from mlx.core.paths import expanded, foreign_path, repository_root
from mlx.core.settings import Settings

WORKSPACE = frozenset({"data", "metrics", "checkpoints", "dvclive", "mlx", "stages", ".dvc", ".git"})
"""Folders in which a run would be taken for part of the project."""


class OutputParams(Settings):
    """Further parameters of the output; there are none yet, and none is accepted."""


class OutputSettings(Settings):
    """What is kept beside the results; nothing here changes a number.

    Attributes
    ----------
    directory
        Folder below the root of the repository (outside of any: below the current folder) in which `mlx
        run-experiment` makes a folder for each run; the DVC pipeline writes into its own folders. A leading ``~`` is
        the home of the user.
    save_checkpoints
        Keep the training's state while it goes on, so that a killed one can continue.
    checkpoint_frequency
        Epochs from one checkpoint to the next.
    save_logs
        Keep what a run says while it works in ``run.log`` in its folder.
    """

    directory: str = "outputs"
    save_checkpoints: bool = True
    checkpoint_frequency: int = Field(1, ge=1)
    save_logs: bool = True
    params: OutputParams = OutputParams()

    @field_validator("directory")
    @classmethod
    def _inside(cls, directory: str) -> str:
        root, wanted = repository_root(), "expected a folder of its own inside of the repository"
        if (reason := foreign_path(directory)) is not None:
            raise ValueError(f"{wanted}, found '{directory}': {reason}")
        try:
            inside = (root / expanded(directory)).resolve()
        except (OSError, RuntimeError, ValueError):  # a loop of links, a null character
            inside = root
        if any(part.strip() != part for part in Path(directory).parts):
            raise ValueError(f"{wanted}, {root}, found '{directory}', a name with blanks around it")
        if directory.startswith("~") and not root.is_relative_to(expanded("~").resolve()):
            raise ValueError(f"{wanted}, {root}, found '{directory}', which is {inside}, in a home outside of it")
        if inside == root or not inside.is_relative_to(root) or inside.relative_to(root).parts[0] in WORKSPACE:
            plain = os.path.normpath(root / directory) == str(inside)  # neither a link nor ~ on the way
            where = "" if plain else f", which is {inside}"
            raise ValueError(f"{wanted}, {root}, found '{directory}'{where}")
        return directory

    def folder(self) -> Path:
        """Return the directory, resolved against the root of the repository."""
        return repository_root() / expanded(self.directory)


DEFAULT_OUTPUT = OutputSettings()


def output_directory() -> Path:
    """Return the folder of runs that the repository's ``params.yaml`` names, else the default one."""
    try:
        output = read_document(repository_root() / "params.yaml").values.get("output")
        return OutputSettings.model_validate(output or {}).folder()
    except (MlxError, ValueError):  # none, or one that is being edited
        return DEFAULT_OUTPUT.folder()
