"""Layers of one model, and several runs, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.core.errors import DataError
from mlx.plots.style import MUTED, axes_or_new, category_style, draw_interval_lines, few_ticks, name_rows, styled
from mlx.plots.text import class_labels, number
from mlx.results.comparison import PairedTest
from mlx.results.questions import Question, Scope, Statistic
from mlx.results.tests import TestResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SCOPES = {Scope.POOLED: "all samples", Scope.WITHIN_CLASS: "within class"}


@styled
def plot_layers(tests: Sequence[TestResult], *, ax: Axes | None = None) -> Axes:
    """Draw Pearson's r of similarity and entropy in each layer, with its interval, over all samples and within class.

    Parameters
    ----------
    tests
        Tests of other questions are not drawn.
    """
    wanted = (Question.SIMILARITY_ENTROPY, Statistic.PEARSON)
    asked = [test for test in tests if (test.question, test.statistic) == wanted]
    layers = list(dict.fromkeys(test.layer for test in asked))
    ax = axes_or_new(ax, height=0.95 + 0.34 * max(2, len(layers)))
    ax.axvline(0, color=MUTED, linestyle=":", linewidth=1)
    for k, (scope, label) in enumerate(SCOPES.items()):
        shown = [test for test in asked if test.scope is scope]
        look = category_style(k)
        place = np.array([layers.index(test.layer) for test in shown], float) + 0.3 * (k - 0.5)
        value, low, high = np.array([(test.estimate, test.low, test.high) for test in shown]).reshape(-1, 3).T
        draw_interval_lines(ax, place, value, low, high, look.color)
        ax.plot(value, place, color=look.color, marker=look.marker, linestyle="none", label=label)
    name_rows(ax, class_labels(layers, width=18))
    ax.set(xlabel="Pearson's r (no unit)", ylabel="layer")
    few_ticks(ax)
    ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), ncols=2, handletextpad=0.1, columnspacing=0.8)
    return ax


@styled
def plot_runs(
    metrics: Mapping[str, Mapping[str, float]], metric: str, *, unit: str = "", ax: Axes | None = None
) -> Axes:
    """Draw one metric of several runs, a row each, with its interval where there is one.

    Parameters
    ----------
    metrics
        By run, its metrics: `metric`, and ``<metric>_low``, ``<metric>_high`` where known.
    unit
        Of the metric, for the label; none for a share.

    Raises
    ------
    DataError
        No run has the metric.
    """
    known = {run: found for run, found in metrics.items() if np.isfinite(number(found, metric))}
    if not known:
        raise DataError(f"{metric}: expected a number in at least one of {len(metrics)} runs, found none")
    ax = axes_or_new(ax, height=0.7 + 0.22 * max(2, len(known)))
    keys, place, color = (metric, f"{metric}_low", f"{metric}_high"), np.arange(len(known)), category_style(0).color
    value, low, high = np.array([[number(found, key) for key in keys] for found in known.values()]).T
    draw_interval_lines(ax, place, value, low, high, color)
    ax.plot(value, place, color=color, marker="o", markersize=4.5, linestyle="none")
    name_rows(ax, class_labels(list(known), width=26))
    ax.set_xlabel(f"{metric.replace('_', ' ')} ({unit or 'no unit'})")
    few_ticks(ax)
    return ax


@styled
def plot_tests(tests: Sequence[PairedTest], names: Sequence[str], *, label: str, ax: Axes | None = None) -> Axes:
    """Draw differences of two models, a row each, with intervals at the level by which the verdicts go.

    Parameters
    ----------
    tests
        Those without a difference are not drawn; of one without an interval there is the point alone.
    names
        Of their rows.
    label
        Of the difference, with its unit.
    """
    known = [(test, name) for test, name in zip(tests, names, strict=True) if np.isfinite(test.difference)]
    ax = axes_or_new(ax, height=0.7 + 0.26 * max(1, len(known)))
    ax.axvline(0, color=MUTED, linestyle=":", linewidth=1)
    ends = [(test.difference, test.low_holm, test.high_holm) for test, _ in known]
    value, low, high = np.array(ends).reshape(-1, 3).T
    place, color = np.arange(len(known), dtype=float), category_style(0).color
    draw_interval_lines(ax, place, value, low, high, color)
    tested = np.isfinite(low)
    for which, face in ((tested, color), (~tested, "none")):
        ax.plot(
            value[which], place[which], color=color, marker="o", markersize=4.5, markerfacecolor=face, linestyle="none"
        )
    name_rows(ax, class_labels([name for _, name in known], width=30))
    ax.set_xlabel(label)
    few_ticks(ax)
    return ax
