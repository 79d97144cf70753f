"""The plan of a study: every run with its whole configuration, checked before the first run begins."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mlx.config import ExperimentConfig
from mlx.core.documents import Document, Key, read_document
from mlx.core.errors import SettingsError
from mlx.core.sections import validated
from mlx.datasets.catalogue import DATASETS
from mlx.datasets.files.stored import SubsetParams
from mlx.runs.output_folder import output_folder
from mlx.studies.design import Cell, baseline_of, cells_of, check_key, with_values
from mlx.studies.settings import SearchSettings, StudySettings

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
        for key, value, where in self.seed_values(repetition):
            document = document.with_value(key, value, where)
        return document

    def seed_values(self, repetition: Repetition) -> Iterator[tuple[tuple[str, ...], object, str]]:
        """Yield the keys that a repetition sets, their values, and where these are from."""
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
            faults += _seed_faults(unplaced, cell, configs[-1])
        except SettingsError as error:
            faults += str(error).splitlines()
    if settings.search is not None and not faults:
        faults += _search_faults(unplaced, settings.search)
    if faults:
        raise SettingsError("\n".join(dict.fromkeys(faults)))
    folders = {output_folder(config) for config in configs}
    if len(folders) > 1:
        raise SettingsError(f"{path}: output.directory: expected one folder for all runs of a study, found several")
    return Study(document, settings, folders.pop(), tuple(cells), baseline)


def _seed_faults(study: Study, cell: Cell, config: ExperimentConfig) -> Iterator[str]:
    """Reject what the study sets by itself, and data of which a seed draws none."""
    document = cell.document
    for key, _, _ in study.seed_values(study.repetitions[0]):
        own = any(key[:length] in document.set_by for length in range(1, len(key) + 1))
        if own and document.has(key):
            yield f"{document.where(key)}: {'.'.join(key)}: expected no value beside that of the study, found one"
    if "data" in study.settings.vary and not is_generated(config) and config.dataset.params.get("n_samples") is None:
        yield (
            f"{study.document.where(('vary',))}: vary: data: expected dataset.params.n_samples beside it, as the seed "
            f"of {config.dataset.name} draws samples out of all, found none"
        )


def is_generated(config: ExperimentConfig) -> bool:
    """Return whether other seeds of the data draw other data, rather than other samples of the same."""
    return not issubclass(DATASETS[config.dataset.name].params, SubsetParams)


def _search_faults(study: Study, search: SearchSettings) -> Iterator[str]:
    """Reject keys that are set otherwise, and values that no cell accepts, each tried with the first of all others."""
    first = {key: distribution.tried()[0] for key, distribution in search.space.items()}
    set_by_study = {".".join(key) for key, _, _ in study.seed_values(study.repetitions[0])}
    for key, distribution in search.space.items():
        above: Key = ("search", "space")
        where = study.document.where((*above, key))
        try:
            check_key(study.document, above, key)
            if key in study.settings.grid:
                raise SettingsError(f"{where}: {key}: expected a key of the grid or of the search, found in both")
            if key in set_by_study:
                raise SettingsError(f"{where}: {key}: expected no value beside that of the study, found one")
            for cell, value in itertools.product(study.cells, distribution.tried()):
                tried = with_values(cell.document, {**first, key: value}, f"{where} (search)")
                study.config(tried, study.repetitions[0])
        except SettingsError as error:
            yield from str(error).splitlines()
