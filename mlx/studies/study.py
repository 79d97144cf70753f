"""A whole study: its search, its runs, and the tables that are made of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from mlx.core.locks import run_lock
from mlx.core.paths import Workspace
from mlx.core.workers import Workers
from mlx.experiment import warn_of_other_code
from mlx.studies.plan import PlannedRun, Study
from mlx.studies.progress import StudyDisplay
from mlx.studies.running import Outcome, Runner
from mlx.studies.search import Trial, search
from mlx.studies.sharing import SHARED


@dataclass(frozen=True)
class StudyRuns:
    """The runs of a study.

    Attributes
    ----------
    study
        With the values in its cells that the search chose.
    outcomes
        Of all runs of the cells, in order.
    trials
        Of the search.
    """

    study: Study
    outcomes: tuple[Outcome, ...]
    trials: tuple[Trial, ...] = ()


def run_study(study: Study, workers: Workers) -> StudyRuns:
    """Run what is not done of a study.

    Raises
    ------
    SettingsError
        Another process works on the study, or a configuration is invalid.
    MlxError
        Every trial of the search failed.
    """
    warn_of_other_code()
    with run_lock(Workspace(study.folder / SHARED)):
        runner = Runner(study.folder, workers, threads=study.settings.threads)
        trials: tuple[Trial, ...] = ()
        if study.settings.search is not None:
            display = StudyDisplay(dict.fromkeys(cell_names(study), study.settings.search.trials), "trial")
            found = search(study, runner, display.show)
            study, trials = replace(study, cells=found.cells), found.trials
        planned = runs_of(study)
        display = StudyDisplay(Counter(run.cell for run in planned))
        outcomes = runner.run(planned, show=display.show)
    return StudyRuns(study, tuple(outcomes), trials)


def runs_of(study: Study) -> Sequence[PlannedRun]:
    """Return the runs of all cells, in order."""
    return [run for cell in study.cells for run in study.runs_of(cell)]


def cell_names(study: Study) -> list[str]:
    """Return the names of the cells, in order."""
    return [cell.name for cell in study.cells]
