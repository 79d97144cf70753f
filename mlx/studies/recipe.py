"""The runs of a cell of a study that was run."""

from pathlib import Path

from mlx.core.artifacts import read_csv, read_json
from mlx.core.errors import SettingsError
from mlx.core.settings import nearest

STUDY = "study.json"
RUNS = "runs.csv"


def runs_of_cell(folder: Path, cell: str | None = None) -> list[Path]:
    """Return the folders of the finished runs of a cell, by default of the baseline.

    Raises
    ------
    SettingsError
        The study has no such cell, or none of its runs is finished.
    ArtifactError
        A table of the study is missing or damaged.
    """
    about = read_json(folder / STUDY)
    names = [each["name"] for each in about["cells"]]
    name = cell or about.get("baseline") or names[0]
    if name not in names:
        raise SettingsError(f"--cell: expected one of {', '.join(names)}, found '{name}'{nearest(name, names)}")
    runs = read_csv(folder / RUNS, ["run", "cell", "status"], text=["run", "cell", "status"])
    found = runs.loc[(runs["cell"] == name) & (runs["status"] == "finished"), "run"]
    if not len(found):
        raise SettingsError(f"{folder}: expected finished runs of the cell '{name}', found none")
    return [folder / run for run in found]
