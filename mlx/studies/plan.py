"""The plan of a study: every run with its whole configuration, checked before the first run begins."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlx.config import ExperimentConfig
from mlx.core.documents import Document, Key, read_document
from mlx.core.errors import SettingsError
from mlx.core.sections import validated
from mlx.runs.output_folder import output_folder
from mlx.studies.design import Cell, baseline_of, cells_of, check_key
from mlx.studies.settings import StudySettings

SEED_KEYS = {
    "training": ("training", "seed"),
    "split": ("split", "seed"),
    "data": ("dataset", "params", "seed"),
}


@dataclass(frozen=True)
class Repetition:
    """What tells the runs of a cell apart.

    Attributes
    ----------
    seed
        Of what the study varies; of cross-validation, the number of the repetition.
    fold
        From 1; None without cross-validation.
    """

    seed: int
    fold: int | None = None

    @property
    def slug(self) -> str:
        """As part of a file name."""
        return f"seed-{self.seed}" if self.fold is None else f"repeat-{self.seed}-fold-{self.fold}"


@dataclass(frozen=True)
class PlannedRun:
    """A run of a study.

    Attributes
    ----------
    name
        Of its folder, in that of the study.
    cell
        Name of its cell.
    """

    name: str
    cell: str
    repetition: Repetition
    config: ExperimentConfig


@dataclass(frozen=True)
class Study:
    """A study file, read and checked.

    Attributes
    ----------
    document, settings
        The file.
    folder
        Of the study's runs and results.
    cells
        In the order of the file; of a search, as they are without the values that it chooses.
    baseline
        Name of a cell.
    """

    document: Document
    settings: StudySettings
    folder: Path
    cells: tuple[Cell, ...]
    baseline: str

    @property
    def repetitions(self) -> tuple[Repetition, ...]:
        """What every cell is repeated with."""
        folds = range(1, self.settings.folds + 1) if self.settings.folds else (None,)
        return tuple(Repetition(seed, fold) for seed in self.settings.seed_list() for fold in folds)

    def runs_of(self, cell: Cell) -> tuple[PlannedRun, ...]:
        """Return the runs of a cell of this study.

        Raises
        ------
        SettingsError
            Its configuration is invalid: a line for each fault.
        """
        return tuple(
            PlannedRun(f"{cell.slug}-{each.slug}", cell.name, each, self.config(cell.document, each))
            for each in self.repetitions
        )

    def config(self, document: Document, repetition: Repetition) -> ExperimentConfig:
        """Return the configuration of a repetition."""
        return validated(self.document_of(document, repetition), ExperimentConfig)

    def document_of(self, document: Document, repetition: Repetition) -> Document:
        """Return the configuration of a cell with the seeds of a repetition, and where each value is from."""
        for key, value, where in self._overrides(repetition):
            document = document.with_value(key, value, where)
        return document

    def _overrides(self, repetition: Repetition) -> Iterator[tuple[tuple[str, ...], object, str]]:
        settings = self.settings
        where = f"{self.document.where(('vary',))} (vary)"
        for part in dict.fromkeys(settings.vary):
            yield SEED_KEYS[part], repetition.seed, where
        if settings.folds is not None and repetition.fold is not None:
            where = f"{self.document.where(('folds',))} (folds)"
            if "split" not in settings.vary:
                yield SEED_KEYS["split"], repetition.seed, where
            yield ("split", "fold"), [repetition.fold - 1, settings.folds], where


def read_study(path: Path) -> Study:
    """Read a study file, and check the configuration of every cell.

    Raises
    ------
    SettingsError
        With a line for each fault: the file and line, the key, what was expected and what was found.
    """
    document = read_document(path)
    settings = validated(document, StudySettings)
    cells = cells_of(document, settings)
    baseline = baseline_of(document, settings, cells)
    unplaced = Study(document, settings, Path(), tuple(cells), baseline)
    faults: list[str] = []
    configs = []
    for cell in cells:
        try:
            configs.append(unplaced.config(cell.document, unplaced.repetitions[0]))
        except SettingsError as error:
            faults += str(error).splitlines()
    if settings.search is not None:
        faults += _search_faults(document, settings)
    if faults:
        raise SettingsError("\n".join(dict.fromkeys(faults)))
    folders = {output_folder(config) for config in configs}
    if len(folders) > 1:
        raise SettingsError(f"{path}: output.directory: expected one folder for all runs of a study, found several")
    return Study(document, settings, folders.pop(), tuple(cells), baseline)


def _search_faults(document: Document, settings: StudySettings) -> Iterator[str]:
    assert settings.search is not None
    for key in settings.search.space:
        above: Key = ("search", "space")
        try:
            check_key(document, above, key)
        except SettingsError as error:
            yield str(error)
        if key in settings.grid:
            yield f"{document.where((*above, key))}: {key}: expected a key of the grid or of the search, found in both"
