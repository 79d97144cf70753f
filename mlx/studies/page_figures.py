"""The figures of the page of a study."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.arrays import open_array
from mlx.core.artifacts import read_csv
from mlx.core.descriptions import DatasetDescription, read_description
from mlx.core.paths import Workspace
from mlx.pipeline.model_outputs import open_model_outputs
from mlx.plots.dark import dark_png
from mlx.plots.images import plot_sample_cards
from mlx.plots.study import has_long_names, plot_cells, plot_differences, plot_learning_bands, plot_searched
from mlx.plots.style import render_png
from mlx.plots.text import class_labels, plural
from mlx.results.comparison import LABELS, LOWER_IS_BETTER, Metric
from mlx.results.study import CellEstimate, Question
from mlx.studies.disagreement import Disagreement, disagreement
from mlx.studies.results import StudyResults, finished_runs
from mlx.studies.running import Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 220
MOST_KEYS = 8
"""Keys of a search or a grid that a metric is drawn against."""


@dataclass(frozen=True)
class Shown:
    """A figure of the page, which may need its whole width."""

    section: str
    key: str
    title: str
    text: str
    png: bytes
    wide: bool = False
    dark: bytes | None = None


def study_figures(results: StudyResults) -> Iterator[Shown]:
    """Yield the figures of the page, in the order of their sections."""
    yield from _of_metrics(results)
    yield from _of_learning(results)
    yield from _of_samples(results)
    yield from _of_trials(results)
    yield from _of_grid(results)


def _png(ax: "Axes") -> bytes:
    return render_png(_figure(ax), dpi=DPI)


def _figure(ax: "Axes") -> "Figure":
    figure = ax.get_figure(root=True)
    assert figure is not None, "drawn on a figure"
    return figure


def _of_metrics(results: StudyResults) -> Iterator[Shown]:
    for metric in dict.fromkeys(row.metric for row in results.inference.cells):
        widest = {row.cell: row for row in results.inference.cells if row.metric == metric}
        known = [row for row in widest.values() if row.estimate == row.estimate]
        if not known:
            continue
        runs = {cell: found[metric].estimates for cell, found in results.values.items() if metric in found}
        text = f"The mean over the runs, each of them a short line, with an interval: {ASKED[known[0].question]}."
        png = _png(plot_cells(known, runs, label=_with_unit(metric)))
        yield Shown("cells", f"cells_{metric}", _title(metric), text, png)
        pairs = [
            row for row in results.inference.differences if row.metric == metric and row.difference == row.difference
        ]
        pairs = sorted(pairs, key=lambda row: not row.baseline)[:MOST_PAIRS]
        if pairs:
            text = (
                "The first named minus the second named; where the interval contains 0, no difference is shown. Levels "
                "are those of the adjusted p-values. The table says why a row has no interval."
            )
            png = _png(plot_differences(pairs, label=_with_unit(metric, "difference")))
            wide = has_long_names(pairs)
            yield Shown("differences", f"differences_{metric}", f"Differences of {LABELS[metric]}", text, png, wide)


MOST_PAIRS = 15

ASKED = {
    Question.MODEL: "what other test samples would give with this model",
    Question.TEST_SET: "what other seeds would give on these test samples",
    Question.RECIPE: "what other seeds and other test samples would give",
    Question.SPLITS: "what other splits of these data would give",
    Question.DATA: "what other data would give",
}


def _title(metric: Metric) -> str:
    label = LABELS[metric]
    return f"{label[0].upper()}{label[1:]}"


def _with_unit(metric: Metric, what: str = "") -> str:
    """Return the label of an axis, by default the metric's own, with the unit where there is one."""
    return " ".join(filter(None, (what or LABELS[metric], f"({UNITS[metric]})" if metric in UNITS else "")))


UNITS = {Metric.LOG_LOSS: "nats", Metric.MAE: "units of y", Metric.RMSE: "units of y"}


def _of_learning(results: StudyResults) -> Iterator[Shown]:
    """Yield the validation curves of the cells whose models are trained by epochs."""
    for quantity, title, label in (
        ("val_loss", "Validation loss", "loss (as optimized)"),
        ("val_accuracy", "Validation accuracy", "accuracy (share correct)"),
    ):
        curves = {}
        for cell, runs in finished_runs(results.done).items():
            found = [curve for run in runs if (curve := _curve(run, quantity)) is not None]
            if found:
                curves[cell] = found
        if curves:
            text = (
                "Mean over the runs of a cell that reached the epoch; the band is from the lowest to the highest run."
            )
            yield Shown("learning", f"learning_{quantity}", title, text, _png(plot_learning_bands(curves, label=label)))


def _curve(run: Outcome, quantity: str) -> Any:
    history = read_csv(Workspace(run.folder).metrics / "history.csv")
    if len(history) < 2 or quantity not in history:
        return None
    values = history[quantity].to_numpy(float)
    return values if np.isfinite(values).all() else None


def _of_samples(results: StudyResults) -> Iterator[Shown]:
    """Yield the samples on which the baseline and the best of the others disagree, where they are images."""
    pair = _compared(results)
    if pair is None:
        return
    runs = finished_runs(results.done)
    outputs = {cell: [open_model_outputs(Workspace(run.folder).representations) for run in runs[cell]] for cell in pair}
    raw = Workspace(runs[pair[0]][0].folder).raw
    described = read_description(raw / "dataset.json", DatasetDescription)
    if len(described.shape) != 4:
        return
    images = open_array(raw / "X.npy")
    for right, wrong in (pair, pair[::-1]):
        found = disagreement((right, outputs[right]), (wrong, outputs[wrong]))
        if found.count:
            title = f"{right} right, {wrong} wrong"
            text = (
                f"{plural(found.count, 'test sample')} that most runs of {right} get right and most of {wrong} wrong, "
                "the clearest first; below each, the class, what it is taken for, and the right runs of either."
            )
            key, ax = f"samples_{len(right)}_{right == pair[0]}", _cards(found, images, described)
            yield Shown("samples", key, title, text, png := _png(ax), dark=dark_png(_figure(ax), png))


def _cards(found: Disagreement, images: Any, described: DatasetDescription) -> "Axes":
    names = class_labels(described.class_names, width=10)
    titles = [
        f"{names[true]} as {names[taken]}\n{share[0]:.0%} : {share[1]:.0%}"
        for true, taken, share in zip(found.y_true, found.y_pred, found.share, strict=True)
    ]
    return plot_sample_cards(images[found.index], titles)


def _compared(results: StudyResults) -> tuple[str, str] | None:
    """Return the baseline and the other cell that is best by the first metric, if all share their test samples."""
    first = next((row.metric for row in results.inference.cells), None)
    if results.task != "classification" or first is None:
        return None
    baseline = results.done.study.baseline
    known: dict[str, CellEstimate] = {row.cell: row for row in results.inference.cells if row.metric == first}
    samples = {cell: found[first].samples for cell, found in results.values.items()}
    others = [cell for cell in known if cell != baseline and samples[cell] and samples[cell] == samples.get(baseline)]
    if baseline not in known or not others:
        return None
    sign = 1 if first in LOWER_IS_BETTER else -1
    return baseline, min(others, key=lambda cell: sign * known[cell].estimate)


def _of_trials(results: StudyResults) -> Iterator[Shown]:
    settings = results.done.study.settings.search
    if settings is None:
        return
    values = {trial.run: json.loads(trial.values) for trial in results.trials}
    for key, distribution in list(settings.space.items())[:MOST_KEYS]:
        tried = {}
        for cell in dict.fromkeys(trial.cell for trial in results.trials):
            own = [trial for trial in results.trials if trial.cell == cell and trial.score == trial.score]
            tried[cell] = ([values[trial.run][key] for trial in own], np.array([trial.score for trial in own]))
        label = f"{settings.metric.replace('_', ' ')} (validation)"
        png = _png(plot_searched(tried, key=key, label=label, log=distribution.log))
        yield Shown("tried", f"tried_{key}", key, "A point for each configuration that the search tried.", png)


def _of_grid(results: StudyResults) -> Iterator[Shown]:
    """Yield the first metric of every run against each key of the grid."""
    metric = next((row.metric for row in results.inference.cells), None)
    cells = {cell.name: cell.values for cell in results.done.study.cells}
    if metric is None:
        return
    for key in list(results.done.study.settings.grid)[:MOST_KEYS]:
        points: list[tuple[object, float]] = []
        for cell, found in results.values.items():
            points += [(cells[cell][key], float(value)) for value in found[metric].estimates]
        png = _png(
            plot_searched(
                {"all cells": ([value for value, _ in points], np.array([score for _, score in points]))},
                key=key,
                label=_with_unit(metric),
            )
        )
        text = "A point for each run, whatever the other keys of the grid are."
        yield Shown("tried", f"grid_{key}", key, text, png)
