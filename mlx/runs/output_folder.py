"""The folder of an experiment's runs."""

import os
from pathlib import Path

from mlx.config import ExperimentConfig
from mlx.core.errors import SettingsError
from mlx.core.paths import repository_root, what_is
from mlx.core.user_code import names_function


def output_folder(config: ExperimentConfig) -> Path:
    """Return the folder of an experiment's runs, which need not exist yet.

    Raises
    ------
    SettingsError
        It can't be made, or is a link out of the repository; or as `check_functions`.
    """
    check_functions(config)
    folder, root = config.output.folder() / config.name, repository_root()
    nearest = next(place for place in (folder, *folder.parents) if place.exists() or place.is_symlink())
    if not folder.resolve().is_relative_to(root):
        fault = f"expected a folder inside of {root}, found a link to {folder.resolve()}"
    elif not nearest.is_dir():
        fault = f"expected a folder, found {what_is(nearest)}: {nearest}"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        fault = f"expected a folder that can be written to, found {nearest}"
    else:
        return folder
    raise SettingsError(f"output.directory: {fault}")


def check_functions(config: ExperimentConfig) -> None:
    """Reject an experiment with a function in its own output directory: the function may be part of a copied run.

    Raises
    ------
    SettingsError
        Names the key.
    """
    directory = config.output.folder().resolve()
    for key, value in (("dataset.path", config.dataset.path), ("model.architecture", config.model.architecture)):
        if value is None or not names_function(value):
            continue
        if (repository_root() / value.rpartition(":")[0]).resolve().is_relative_to(directory):
            raise SettingsError(
                f"{key}: {value}: expected a file of the repository's own, found one in the output directory, in which "
                "nothing is run as code; if the function is yours, move it to another folder, such as examples"
            )
