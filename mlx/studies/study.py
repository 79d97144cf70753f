"""A whole study: its search, its runs, and the tables that are made of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace

from mlx.core.locks import run_lock
from mlx.core.paths import Workspace
from mlx.core.workers import Workers
from mlx.runs.code_state import warn_of_other_code
from mlx.studies.plan import PlannedRun, Study
from mlx.studies.progress import StudyDisplay
from mlx.studies.running import Outcome, Runner
from mlx.studies.search import Searched, Trial, search
from mlx.studies.sharing import SHARED, clear_shared


@dataclass(frozen=True)
class StudyRuns:
    """The runs of a study.

    Attributes
    ----------
    study
        With the values in its cells that the search chose.
    outcomes
        Of all runs of the cells, in order.
    trials, chosen
        Of the search, and the number of the trial whose values each cell has.
    """

    study: Study
    outcomes: tuple[Outcome, ...]
    trials: tuple[Trial, ...] = ()
    chosen: Mapping[str, int] = field(default_factory=dict)


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
        workers.require([run.config.resources for run in runs_of(study)])
        runner = Runner(study.folder, workers, threads=study.settings.threads)
        found = Searched(study.cells, (), {})
        if study.settings.search is not None:
            display = StudyDisplay(dict.fromkeys(cell_names(study), study.settings.search.trials), "trial")
            with closing(display):
                found = search(study, runner, display.show)
            study = replace(study, cells=found.cells)
        planned = runs_of(study)
        display = StudyDisplay(Counter(run.cell for run in planned))
        with closing(display):
            outcomes = runner.run(planned, show=display.show)
        clear_shared(study.folder)
    return StudyRuns(study, tuple(outcomes), found.trials, found.chosen)


def runs_of(study: Study) -> Sequence[PlannedRun]:
    """Return the runs of all cells, in order."""
    return [run for cell in study.cells for run in study.runs_of(cell)]


def cell_names(study: Study) -> list[str]:
    """Return the names of the cells, in order."""
    return [cell.name for cell in study.cells]
