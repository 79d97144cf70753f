"""A search for the values of some keys by validation, for each cell of a study; drawn by Optuna.

Trials are drawn in batches of a fixed size, with a sampler that is created from the seed and the number of the batch,
and their results are reported in the order of the trials: what is tried depends neither on the workers nor on how often
the study was interrupted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mlx.core.documents import shown
from mlx.core.errors import ArtifactError, MlxError
from mlx.core.extras import require
from mlx.core.metrics import read_metrics
from mlx.core.streams import seed_sequence
from mlx.studies.design import Cell, with_values
from mlx.studies.plan import PlannedRun, Study
from mlx.studies.running import Outcome, Runner, Show
from mlx.studies.settings import DistributionSettings, SearchSettings

STEPS = ("generate-data", "preprocess-split", "train")
"""A trial is measured on the validation samples, after the training; it never sees the test samples."""


@dataclass(frozen=True)
class Trial:
    """A configuration that was tried.

    Attributes
    ----------
    number
        From 1, in its cell.
    values
        By key.
    score
        The metric on the validation samples; None where the trial failed.
    reason
        Why it failed.
    """

    cell: str
    number: int
    run: str
    values: Mapping[str, Any]
    score: float | None
    reason: str | None = None


@dataclass(frozen=True)
class Searched:
    """What a search found.

    Attributes
    ----------
    cells
        With the best values of each; without those of which every trial failed.
    trials
        All of them, in order.
    chosen
        Number of the best trial of each cell.
    """

    cells: tuple[Cell, ...]
    trials: tuple[Trial, ...]
    chosen: Mapping[str, int]


def search(study: Study, runner: Runner, show: Show | None = None) -> Searched:
    """Try configurations of each cell, and return the cells with the values that were best.

    Raises
    ------
    MissingPackageError
        Optuna is not installed.
    MlxError
        Every trial of every cell failed.
    """
    settings = study.settings.search
    assert settings is not None, "a study with a search"
    require("search", "search")
    trials: dict[str, list[Trial]] = {cell.name: [] for cell in study.cells}
    for batch, first in enumerate(range(0, settings.trials, settings.batch)):
        size = min(settings.batch, settings.trials - first)
        asked = {cell.name: ask(settings, batch, trials[cell.name], size) for cell in study.cells}
        planned = [
            (cell, number, values, _planned(study, cell, number, values))
            for cell in study.cells
            for number, values in enumerate(asked[cell.name], start=first + 1)
        ]
        outcomes = runner.run([run for *_, run in planned], STEPS, show)
        for (cell, number, values, run), outcome in zip(planned, outcomes, strict=True):
            score, reason = _score(outcome, settings.metric)
            trials[cell.name].append(Trial(cell.name, number, run.name, values, score, reason))
    every = tuple(trial for own in trials.values() for trial in own)
    if all(trial.score is None for trial in every):
        raise MlxError(f"{study.document.path}: search: every trial failed, the first one with: {every[0].reason}")
    best = {cell.name: best_of(trials[cell.name], settings) for cell in study.cells}
    chosen = {name: trial for name, trial in best.items() if trial is not None}
    cells = tuple(chosen_cell(study, cell, chosen[cell.name]) for cell in study.cells if cell.name in chosen)
    return Searched(cells, every, {name: trial.number for name, trial in chosen.items()})


def chosen_cell(study: Study, cell: Cell, trial: Trial) -> Cell:
    """Return a cell with the values of a trial."""
    where = f"{study.document.where(('search', 'space'))} (search, trial {trial.number})"
    return replace(
        cell, document=with_values(cell.document, trial.values, where), values={**cell.values, **trial.values}
    )


def best_of(trials: Sequence[Trial], settings: SearchSettings) -> Trial | None:
    """Return the best trial, the first of equal ones; None where all failed."""
    scored = [trial for trial in trials if trial.score is not None]
    sign = 1 if _minimizes(settings) else -1
    return min(scored, key=lambda trial: (sign * (trial.score or 0.0), trial.number), default=None)


def ask(settings: SearchSettings, batch: int, finished: Sequence[Trial], size: int) -> list[dict[str, Any]]:
    """Return the values of the trials of a batch, after the results of all trials before it."""
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = int(seed_sequence(settings.seed, batch).generate_state(1)[0])
    samplers = {"tpe": optuna.samplers.TPESampler, "random": optuna.samplers.RandomSampler}
    study = optuna.create_study(
        direction="minimize" if _minimizes(settings) else "maximize", sampler=samplers[settings.sampler](seed=seed)
    )
    distributions = {key: _distribution(each) for key, each in settings.space.items()}
    for trial in finished:
        failed = trial.score is None
        study.add_trial(
            optuna.trial.create_trial(
                state=optuna.trial.TrialState.FAIL if failed else optuna.trial.TrialState.COMPLETE,
                value=trial.score,
                params={key: _asked(settings.space[key], trial.values[key]) for key in distributions},
                distributions=distributions,
            )
        )
    asked = [study.ask(distributions).params for _ in range(size)]
    return [{key: _value(settings.space[key], params[key]) for key in distributions} for params in asked]


def _minimizes(settings: SearchSettings) -> bool:
    return settings.metric.endswith("loss")


def _distribution(settings: DistributionSettings) -> Any:
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if settings.choices is not None:  # by place, as Optuna takes no lists as choices
        return CategoricalDistribution(tuple(range(len(settings.choices))))
    low, high, step = settings.low, settings.high, settings.step
    assert low is not None
    assert high is not None
    if isinstance(low, int) and isinstance(high, int) and not isinstance(step, float):
        return IntDistribution(low, high, log=settings.log, step=step or 1)
    return FloatDistribution(low, high, log=settings.log, step=step)


def _value(settings: DistributionSettings, asked: Any) -> Any:
    return asked if settings.choices is None else settings.choices[asked]


def _asked(settings: DistributionSettings, value: Any) -> Any:
    return value if settings.choices is None else settings.choices.index(value)


def _planned(study: Study, cell: Cell, number: int, values: Mapping[str, Any]) -> PlannedRun:
    where = f"{study.document.where(('search', 'space'))} (search)"
    repetition = study.repetitions[0]
    config = study.config(with_values(cell.document, values, where), repetition)
    return PlannedRun(f"{cell.slug}-trial-{number}", cell.name, repetition, config)


def _score(outcome: Outcome, metric: str) -> tuple[float | None, str | None]:
    if outcome.reason is not None:
        return None, outcome.reason
    try:
        found = read_metrics(outcome.folder / "metrics" / "training.json")
    except ArtifactError as error:
        return None, str(error)
    if isinstance(score := found.get(metric), int | float):
        return float(score), None
    numbers = [name for name, value in found.items() if name.startswith("val_") and isinstance(value, int | float)]
    status = found.get(f"{metric}_status")
    return None, str(status) if status else f"expected {metric}, found {shown(numbers)}"
