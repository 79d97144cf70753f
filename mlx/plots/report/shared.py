"""Figures that the reports of both tasks have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from mlx.core.column_descriptions import ColumnDescription
from mlx.plots.curves import plot_learning_curves, recorded_quantities
from mlx.plots.images import plot_sample_cards, plot_sample_grid
from mlx.plots.issues import drawn_counts, plot_issue_counts
from mlx.plots.report.inputs import AnyReport
from mlx.plots.report.samples import choose_grid
from mlx.plots.sets import plot_set_coverage
from mlx.plots.settings import ReportSettings
from mlx.plots.style import COLUMN, figure, styled
from mlx.plots.table import as_drawn, plot_class_scatter, plot_target_histogram
from mlx.plots.text import class_labels, significant
from mlx.results.issues import Issue, IssueKind
from mlx.results.prediction_sets import Looked

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from mlx.core.array_types import Array


def draw_samples(
    X: Array,
    y: Array,
    class_names: tuple[str, ...],
    settings: ReportSettings,
    columns: Sequence[ColumnDescription] = (),
) -> Axes:
    """Draw images by class, the rows of a table, or, where there are no classes, the distribution of the targets.

    `columns` are those of `X`, where these are raw rows of a table.
    """
    if not class_names:
        return plot_target_histogram(y)
    if X.ndim > 2:
        return plot_sample_grid(X, y, class_names, images_per_class=settings.images_per_class)
    return plot_class_scatter(as_drawn(X, columns), y, class_names, max_points=settings.max_points)


def samples(report: AnyReport) -> Axes | None:
    """Draw some of the raw samples."""
    raw, settings = report.raw, report.settings
    if raw is None or raw.inputs is None:
        return None
    rows = choose_grid(raw.targets, task=report.task, images=raw.images is not None, settings=settings)
    return draw_samples(np.asarray(raw.inputs[rows]), raw.targets[rows], report.class_names, settings, raw.columns)


def issue_counts(report: AnyReport) -> Axes | None:
    """Draw how many samples there are to look at."""
    counts = report.residuals.issue_counts
    return plot_issue_counts(counts) if drawn_counts(counts) else None


ISSUE_HEADINGS = {
    IssueKind.LABEL: "Labels that are likely wrong",
    IssueKind.LEAK: "Test and validation samples that repeat another part",
    IssueKind.DUPLICATE: "Repeated in their own part",
    IssueKind.OUTLIER: "Far from all training samples",
    IssueKind.CONFIDENTLY_WRONG: "Wrong, and sure of it",
}


def issue_images(report: AnyReport) -> Axes | None:
    """Draw the first samples of each kind as images, at most ``samples_shown``."""
    if report.raw is None or report.images is None:
        return None
    chosen: dict[tuple[IssueKind, int], Issue] = {}
    for kind in ISSUE_HEADINGS:
        own = [issue for issue in report.residuals.issues if issue.kind is kind and report.raw.has(issue.index)]
        chosen |= {(kind, issue.index): issue for issue in own[: report.settings.samples_shown]}
    if not chosen:
        return None
    issues = list(chosen.values())
    rows = report.raw.rows(np.array([issue.index for issue in issues]))
    names, targets = class_labels(report.class_names, width=12), report.raw.targets[rows]
    titles = [_issue_title(issue, target, names) for issue, target in zip(issues, targets, strict=True)]
    return plot_sample_cards(report.images[rows], titles, groups=[ISSUE_HEADINGS[issue.kind] for issue in issues])


def _issue_title(issue: Issue, value: float, names: Sequence[str]) -> str:
    """Return the label, what it may be instead or which sample is repeated, and where the sample is."""
    lines = [names[int(value)] if names else significant(float(value))]
    if issue.suggested_label is not None:
        lines.append(f"→ {names[issue.suggested_label]}?")
    if issue.related_index is not None:
        lines.append(f"= {issue.related_index}")
    return "\n".join([*lines, f"{issue.split} {issue.index}"])


@styled
def learning_curves(report: AnyReport) -> Figure | None:
    """Draw the loss above one more recorded quantity."""
    if report.training is None or not len(history := report.training.history):
        return None
    quantities = recorded_quantities(history)
    single = len(history) == 1
    made = figure(COLUMN, (1.25 if single else 2.0) * len(quantities))
    panels = list(made.subplots(len(quantities), 1, squeeze=False)[:, 0])
    for k, (ax, quantity) in enumerate(zip(panels, quantities, strict=True)):
        plot_learning_curves(history, quantity=quantity, ax=ax)
        if k and not single:  # legend, epoch and best epoch are those of the panel above
            ax.set_title("")
            ax.get_legend().remove()
        elif not single and len(panels) > 1:
            ax.set_xlabel("")
    made.align_ylabels(panels)
    return made


def set_coverage(report: AnyReport) -> Axes | None:
    """Draw the coverage of the first prediction sets, or intervals, where there are any."""
    rows = report.residuals.prediction_sets
    shown = [row for row in rows if (row.alpha, row.method) == (rows[0].alpha, rows[0].method)]
    of_factors = {Looked.FACTOR, Looked.SLICE}
    shown = [replace(row, subject=report.plain(row.subject)) if row.kind in of_factors else row for row in shown]
    return plot_set_coverage(shown) if shown and not np.isnan(shown[0].coverage) else None
