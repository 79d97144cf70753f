"""The runs of a cell of a study that was run."""

from pathlib import Path

from mlx.core.errors import SettingsError
from mlx.core.output import output_directory
from mlx.core.settings import nearest
from mlx.studies.finished import STUDY, read_finished, study_folder


def study_of(identity: str) -> Path | None:
    """Return the folder of the study that a file, folder or name stands for; None where it is no study.

    Raises
    ------
    SettingsError
        It is a study file that was not run, or is invalid.
    """
    path = Path(identity)
    is_file = path.is_file() and path.suffix.lower() in {".yaml", ".yml", ".json"}
    if is_file or any((folder / STUDY).is_file() for folder in (path, output_directory() / identity)):
        return study_folder(identity)
    return None


def runs_of_cell(folder: Path, cell: str | None = None) -> list[Path]:
    """Return the folders of the finished runs of a cell, by default of the baseline.

    Raises
    ------
    SettingsError
        The cell is unknown, or none of its runs is finished.
    ArtifactError
        A table of the study is missing or damaged.
    """
    study = read_finished(folder)
    name = cell or study.about["baseline"]
    if name not in study.names:
        known, hint = ", ".join(study.names), nearest(name, study.names)
        raise SettingsError(f"--cell: expected one of {known}, found '{name}'{hint}")
    found = [folder / row.run for row in study.runs if row.cell == name and row.status == "finished"]
    if not found:
        raise SettingsError(f"{folder}: expected finished runs of the cell '{name}', found none")
    return found
