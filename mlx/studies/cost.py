"""What a study costs: how many runs are left, and what each takes at most, found before the first one starts."""

from collections.abc import Iterator
from dataclasses import dataclass

from mlx.config import Resolved
from mlx.core.errors import SettingsError
from mlx.core.recorded import RECORDED
from mlx.core.workers import available_cores
from mlx.results.comparison import metrics_of
from mlx.runs.analysis_time import duration
from mlx.runs.dry_run import dry_run, opened
from mlx.runs.footprint import size_text
from mlx.runs.run import read_run
from mlx.studies.execution import is_done
from mlx.studies.plan import PlannedRun, Study
from mlx.studies.step_keys import step_keys


@dataclass(frozen=True)
class CellCost:
    """What the runs of a cell take.

    Attributes
    ----------
    name
        Of the cell.
    runs, done
        Number of its runs, with the trials of a search, and of those that are finished.
    seconds
        Of a run: as finished ones took, else at most.
    measured
        Whether a run is finished.
    disk
        Bytes of a run that shares no file.
    """

    name: str
    runs: int
    done: int
    seconds: float
    measured: bool
    disk: int

    def time(self) -> str:
        """Return the time of a run, for the reader."""
        return f"{duration(self.seconds)}{'' if self.measured else ' at most'}"

    def space(self) -> str:
        """Return the disk of a run, for the reader."""
        return size_text(self.disk)


@dataclass(frozen=True)
class StudyCost:
    """What a study takes, by cell, and warnings of a dry run."""

    cells: tuple[CellCost, ...]
    warnings: tuple[str, ...]

    def facts(self) -> Iterator[str]:
        """Yield lines on all runs that are left."""
        runs, done = (sum(getattr(cell, name) for cell in self.cells) for name in ("runs", "done"))
        left = sum(cell.seconds * (cell.runs - cell.done) for cell in self.cells)
        disk = sum(cell.disk * (cell.runs - cell.done) for cell in self.cells)
        yield f"runs: {runs}, {done} of them done"
        if runs > done:
            cores = available_cores()
            bound = "about" if all(cell.measured for cell in self.cells) else "at most about"
            yield f"time: {bound} {duration(left)} of one process, {duration(left / cores)} of {cores}"
            yield f"disk: at most about {size_text(disk)}, less what runs share"


def cost_of(study: Study) -> StudyCost:
    """Try every cell on a sample of its data, and estimate what the runs that are left take.

    Raises
    ------
    MlxError
        The error with which the runs of a cell would fail.
    """
    check_metrics(study)
    warnings: list[str] = []
    trials = 0 if study.settings.search is None else study.settings.search.trials
    costs = []
    for cell in study.cells:
        runs = study.runs_of(cell)
        document = study.document_of(cell.document, study.repetitions[0])
        first = dry_run(Resolved(runs[0].config, document, ()), timed=True)
        warnings += [f"{cell.name}: {line}" for line in first.warnings]
        taken = [] if trials else _seconds_of_done(study, runs)
        seconds = sum(taken) / len(taken) if taken else first.seconds
        costs.append(CellCost(cell.name, len(runs) + trials, len(taken), seconds, bool(taken), first.disk))
    return StudyCost(tuple(costs), tuple(dict.fromkeys(warnings)))


def check_metrics(study: Study) -> None:
    """Reject metrics that the tasks of the study do not have.

    Raises
    ------
    SettingsError
        There is such a metric.
    """
    datasets = [study.config(cell.document, study.repetitions[0]).dataset for cell in study.cells]
    if study.settings.metrics is None or any(dataset.name == RECORDED for dataset in datasets):
        return
    tasks = {opened(dataset)[0].task for dataset in datasets}
    known = [str(metric) for task in sorted(tasks) for metric in metrics_of(task)]
    if unknown := [metric for metric in study.settings.metrics if metric not in known]:
        where = study.document.where(("metrics",))
        raise SettingsError(
            f"{where}: metrics: expected some of {', '.join(known)}, as the task is {' and '.join(sorted(tasks))}, "
            f"found {', '.join(unknown)}"
        )


def _seconds_of_done(study: Study, runs: tuple[PlannedRun, ...]) -> list[float]:
    """Return how long each of the finished runs took."""
    taken = []
    for run in runs:
        folder = study.folder / run.name
        if is_done(folder, step_keys(run.config, threads=study.settings.threads), {}):
            taken.append(sum(read_run(folder).summary.seconds.values()))
    return taken
