"""The results of a study: its runs measured together, and the files that hold what they say."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.artifacts import write_csv, write_json
from mlx.core.descriptions import SplitsDescription, read_description
from mlx.core.paths import Workspace, repository_root
from mlx.pipeline.model_outputs import ModelOutputs, open_model_outputs
from mlx.results.comparison import Metric
from mlx.results.schema import RowSchema
from mlx.results.study import (
    CELLS,
    DIFFERENCES,
    ENSEMBLES,
    RUNS,
    TRIALS,
    VARIANCE,
    EnsembleEstimate,
    StudyRun,
    StudyTrial,
)
from mlx.runs.shared_samples import duplicates_of, groups_by
from mlx.stats.groups import Groups
from mlx.studies.ensemble import ensemble_rows
from mlx.studies.infer import StudyInference, infer
from mlx.studies.measure import measure_cell
from mlx.studies.plan import is_generated
from mlx.studies.running import Outcome
from mlx.studies.study import StudyRuns
from mlx.studies.values import MetricValues, Repeats, Varies
from mlx.studies.verdicts import verdicts

STUDY = "study.json"


@dataclass(frozen=True)
class StudyResults:
    """What a study found.

    Attributes
    ----------
    done
        Its runs.
    values
        By cell, the metrics of its finished runs; without cells that have none.
    repeats
        What differs between the runs of a cell.
    level
        Of the intervals.
    inference, runs, trials, ensembles
        Rows of the tables.
    """

    done: StudyRuns
    values: Mapping[str, Mapping[Metric, MetricValues]]
    repeats: Repeats
    level: float
    inference: StudyInference
    runs: tuple[StudyRun, ...]
    trials: tuple[StudyTrial, ...]
    ensembles: tuple[EnsembleEstimate, ...] = ()

    @property
    def task(self) -> str:
        """What is predicted; empty where no run is finished."""
        metrics = next(iter(self.values.values()), {})
        return "regression" if Metric.MAE in metrics else "classification" if metrics else ""


def results_of(done: StudyRuns) -> StudyResults:
    """Measure the finished runs of a study, and infer what they say.

    Raises
    ------
    ArtifactError
        What a model predicted is damaged.
    """
    finished = _comparable(done)
    config = next((runs[0].planned.config for runs in finished.values()), None)
    level = 0.95 if config is None else config.evaluation.confidence
    values = {cell: _measured(runs) for cell, runs in finished.items()}
    repeats = _repeats(done, finished, values)
    chosen = done.study.settings.metrics
    kept = {
        cell: {metric: found for metric, found in metrics.items() if chosen is None or metric in chosen}
        for cell, metrics in values.items()
    }
    return StudyResults(
        done=done,
        values=kept,
        repeats=repeats,
        level=level,
        inference=infer(kept, done.study.baseline, repeats, level),
        runs=tuple(_run_rows(done, finished, values)),
        trials=tuple(_trial_rows(done)),
        ensembles=tuple(row for cell, runs in finished.items() for row in _ensemble(cell, runs, values[cell], level)),
    )


def write_results(results: StudyResults) -> None:
    """Write ``study.json`` and the tables, the same bytes for the same runs, also where the study wants a copy."""
    settings = results.done.study.settings
    _write_tables(results, results.done.study.folder)
    if settings.tables is not None:
        _write_tables(results, repository_root() / settings.tables)


def _write_tables(results: StudyResults, folder: Path) -> None:
    tables: list[tuple[RowSchema[Any], tuple[Any, ...]]] = [
        (RUNS, results.runs),
        (CELLS, results.inference.cells),
        (DIFFERENCES, results.inference.differences),
        (VARIANCE, results.inference.variance),
        (ENSEMBLES, results.ensembles),
    ]
    if results.done.study.settings.search is not None:
        tables.append((TRIALS, results.trials))
    for schema, rows in tables:
        write_csv(folder / schema.file, schema.frame(rows))
    write_json(folder / STUDY, described(results))


def described(results: StudyResults) -> dict[str, Any]:
    """Return ``study.json``: what was run, and the verdicts in words; times and hosts are in the runs."""
    study, settings = results.done.study, results.done.study.settings
    search = settings.search
    return {
        "name": settings.name,
        "description": settings.description,
        "task": results.task or None,
        "baseline": study.baseline,
        "varies": list(settings.vary),
        "seeds": settings.seed_list(),
        "folds": settings.folds,
        "question": str(results.repeats.question),
        "confidence": results.level,
        "metrics": list(dict.fromkeys(str(metric) for own in results.values.values() for metric in own)),
        "n_runs": len(results.runs),
        "n_failed": sum(run.status == "failed" for run in results.runs),
        "search": None if search is None else search.as_dict(),
        "cells": [
            {
                "name": cell.name,
                "values": dict(cell.values),
                "n_finished": sum(run.cell == cell.name and run.status == "finished" for run in results.runs),
                "n_failed": sum(run.cell == cell.name and run.status == "failed" for run in results.runs),
                "n_tried": sum(trial.cell == cell.name for trial in results.trials) if search else 1,
            }
            for cell in study.cells
        ],
        "verdicts": [verdict.as_dict() for verdict in verdicts(results.inference, results.level)],
    }


def _comparable(done: StudyRuns) -> dict[str, list[Outcome]]:
    """Return the finished runs of each cell that has any; where seeds have their own samples, those of common seeds."""
    finished, settings = finished_runs(done), done.study.settings
    if not finished or (settings.folds is None and settings.vary == ["training"]):
        return finished
    common = set.intersection(*({run.planned.repetition for run in runs} for runs in finished.values()))
    paired = {cell: [run for run in runs if run.planned.repetition in common] for cell, runs in finished.items()}
    return paired if common else finished


def finished_runs(done: StudyRuns) -> dict[str, list[Outcome]]:
    """Return the finished runs of each cell that has any."""
    finished: dict[str, list[Outcome]] = {}
    for outcome in done.outcomes:
        if outcome.reason is None:
            finished.setdefault(outcome.planned.cell, []).append(outcome)
    return finished


def _measured(runs: list[Outcome]) -> dict[Metric, MetricValues]:
    outputs = [_outputs(run) for run in runs]
    return measure_cell(
        outputs, n_bins=runs[0].planned.config.evaluation.n_bins, groups=_groups_of(runs[0], outputs[0])
    )


def _groups_of(run: Outcome, recorded: ModelOutputs) -> Groups | None:
    """Return which test samples belong together by the configuration of a run; None where each is its own."""
    if (name := run.planned.config.residuals.groups) is None:
        return None
    duplicates = duplicates_of(recorded, np.arange(len(recorded.y_true)))
    return groups_by(name, Workspace(run.folder), recorded.index, duplicates)


def _ensemble(
    cell: str, runs: list[Outcome], values: Mapping[Metric, MetricValues], level: float
) -> tuple[EnsembleEstimate, ...]:
    n_bins, outputs = runs[0].planned.config.evaluation.n_bins, [_outputs(run) for run in runs]
    groups = _groups_of(runs[0], outputs[0])
    return ensemble_rows(cell, outputs, values, level=level, n_bins=n_bins, groups=groups)


def _outputs(run: Outcome) -> ModelOutputs:
    return open_model_outputs(Workspace(run.folder).representations)


def _repeats(
    done: StudyRuns, finished: Mapping[str, list[Outcome]], values: Mapping[str, Mapping[Metric, MetricValues]]
) -> Repeats:
    """Return what the runs of a cell have of their own: only the training, where all share their test samples."""
    settings = done.study.settings
    firsts = [runs[0] for runs in finished.values()]
    if "data" in settings.vary and all(is_generated(run.planned.config) for run in firsts):
        return Repeats(Varies.DATA)
    metrics = [next(iter(each.values())) for each in values.values()]
    if not metrics or all(each.samples or each.n_runs == 1 for each in metrics):
        return Repeats()
    if settings.folds is not None:
        return Repeats(Varies.SPLIT, 1 / (settings.folds - 1))
    sizes = read_description(Workspace(firsts[0].folder).splits / "preprocessing.json", SplitsDescription).sizes
    return Repeats(Varies.SPLIT, sizes["test"] / sizes["train"])


def _run_rows(
    done: StudyRuns, finished: Mapping[str, list[Outcome]], values: Mapping[str, Mapping[Metric, MetricValues]]
) -> Iterator[StudyRun]:
    places = {run.planned.name: (cell, place) for cell, runs in finished.items() for place, run in enumerate(runs)}
    for outcome in done.outcomes:
        planned = outcome.planned
        cell, place = places.get(planned.name, ("", 0))
        yield StudyRun(
            run=planned.name,
            cell=planned.cell,
            seed=planned.repetition.seed,
            fold=planned.repetition.fold or 0,
            status="finished" if outcome.reason is None else "failed",
            reason=outcome.reason or "",
            **{str(metric): float(found.estimates[place]) for metric, found in values.get(cell, {}).items()},
        )


def _trial_rows(done: StudyRuns) -> Iterator[StudyTrial]:
    for trial in done.trials:
        best = trial.number == done.chosen.get(trial.cell)
        yield StudyTrial(
            cell=trial.cell,
            trial=trial.number,
            run=trial.run,
            score=np.nan if trial.score is None else trial.score,
            chosen=best,
            values=json.dumps(dict(trial.values), ensure_ascii=False),
            reason=trial.reason or "",
        )
