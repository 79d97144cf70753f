"""The results of a study, read from its folder."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mlx.core.artifacts import read_csv, read_json
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.output import output_directory
from mlx.core.reading import ABSENT, REMAKE
from mlx.core.settings import nearest
from mlx.results.comparison import Metric
from mlx.results.schema import RowSchema
from mlx.results.study import (
    CELLS,
    DIFFERENCES,
    RUNS,
    TRIALS,
    VARIANCE,
    CellDifference,
    CellEstimate,
    StudyRun,
    StudyTrial,
    VarianceComponents,
)
from mlx.studies.plan import read_study

STUDY = "study.json"
REPEAT = "; 'mlx study run FILE' writes it again"

T = TypeVar("T")


@dataclass(frozen=True)
class FinishedStudy:
    """What ``study.json`` and the tables of a study hold."""

    folder: Path
    about: dict[str, Any]
    runs: tuple[StudyRun, ...]
    cells: tuple[CellEstimate, ...]
    differences: tuple[CellDifference, ...]
    variance: tuple[VarianceComponents, ...]
    trials: tuple[StudyTrial, ...]

    @property
    def metrics(self) -> list[Metric]:
        """The metrics, in order."""
        return list(dict.fromkeys(row.metric for row in self.cells))

    @property
    def names(self) -> list[str]:
        """The names of the cells, in order."""
        return [cell["name"] for cell in self.about["cells"]]

    def estimates(self, metric: Metric) -> dict[str, CellEstimate]:
        """Return a row for each cell, of the widest question that its runs answer."""
        return {row.cell: row for row in self.cells if row.metric == metric}

    def chosen(self, names: Sequence[str], where: str) -> list[Metric]:
        """Return metrics by their names, or all.

        Raises
        ------
        SettingsError
            The metric is unknown to the study.
        """
        known = {str(metric): metric for metric in self.metrics}
        for name in names:
            if name not in known:
                hint = nearest(name, known)
                raise SettingsError(f"{where}: expected one of {', '.join(known)}, found '{name}'{hint}")
        return [known[name] for name in names] or self.metrics


def study_folder(identity: str) -> Path:
    """Return the folder of a study by its file, its folder, or its name.

    Raises
    ------
    SettingsError
        There is none.
    """
    path = Path(identity)
    if path.suffix.lower() in {".yaml", ".yml", ".json"} and path.is_file():
        return read_study(path).folder
    for folder in (path, output_directory() / identity):
        if (folder / STUDY).is_file():
            return folder
    known = sorted(found.parent.name for found in output_directory().glob(f"*/{STUDY}"))
    there = nearest(identity, known) or (f"; there are {', '.join(known)}" if known else "")
    expected = "expected a study that was run, by its file, folder or name"
    raise SettingsError(f"{identity}: {expected}, found none below {output_directory()}{there}")


def read_finished(folder: Path) -> FinishedStudy:
    """Read the results of a study.

    Raises
    ------
    ArtifactError
        A file is missing or damaged.
    """
    if not (folder / STUDY).is_file():
        raise ArtifactError(f"{folder / STUDY}: expected a file, found none{REPEAT}")
    return FinishedStudy(
        folder=folder,
        about=read_json(folder / STUDY, remedy=REPEAT),
        runs=_rows(folder, RUNS),
        cells=_rows(folder, CELLS),
        differences=_rows(folder, DIFFERENCES),
        variance=_rows(folder, VARIANCE),
        trials=_rows(folder, TRIALS) if (folder / TRIALS.file).is_file() else (),
    )


def _rows(folder: Path, schema: RowSchema[T]) -> tuple[T, ...]:
    path = folder / schema.file
    try:
        return schema.rows(path, read_csv(path, schema.columns, text=schema.text))
    except ArtifactError as error:
        raise ArtifactError(f"{str(error).removesuffix(ABSENT).removesuffix(REMAKE)}{REPEAT}") from None
