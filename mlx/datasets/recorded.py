"""Recorded outputs of a model as a dataset: a folder of arrays, of whose samples the labels alone are known."""

from pathlib import Path

from pydantic import Field

from mlx.core.errors import DataError, SettingsError
from mlx.core.paths import from_root, what_is
from mlx.core.settings import Settings
from mlx.datasets.dataset import Dataset

KEY = ("dataset", "path")


class RecordedParams(Settings):
    """What is known of recorded outputs beside their folder.

    Attributes
    ----------
    groups
        Column of the metadata that says which samples belong together, for ``evaluation.groups`` and
        ``residuals.groups``; other columns of names and ids are left out.
    """

    groups: str | None = Field(None, min_length=1)


def recorded_folder(path: str | None) -> Path:
    """Return the folder of recorded arrays that ``dataset.path`` names.

    Raises
    ------
    SettingsError
        There is no path.
    DataError
        It is no folder.
    """
    if path is None:
        raise SettingsError("expected the folder of recorded arrays, with a folder 'test', found nothing", key=KEY)
    if not (folder := from_root(path)).is_dir():
        raise DataError(f"dataset.path: expected a folder of recorded arrays, found {what_is(folder)} at {folder}")
    return folder


def open_recorded(params: RecordedParams, path: str | None) -> Dataset:  # noqa: ARG001  # as all
    """Reject recorded outputs where samples are needed, as their inputs are not known."""
    raise SettingsError(
        f"expected a dataset whose samples can be read, found recorded, the outputs of a model in {path}; "
        "'mlx analyze' and 'mlx run-experiment' analyze them",
        key=("dataset", "name"),
    )
