"""Classes that are wrong more often than the other classes together, where a test says so."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.plots.report.inputs import ClassificationReport
from mlx.plots.text import percent, thousands
from mlx.stats.groups import Groups, higher_proportion_p_value, too_few_groups
from mlx.stats.multiple_testing import holm
from mlx.stats.proportions import higher_share_p_values


@dataclass(frozen=True)
class WeakClass:
    """One class: its samples and wrong predictions, and those of all other classes."""

    label: int
    n: int
    n_errors: int
    n_rest: int
    n_errors_rest: int

    @property
    def error_rate(self) -> float:
        """Share of its samples that are wrong."""
        return self.n_errors / self.n

    @property
    def shares(self) -> str:
        """``16 of 80, 20.0 %``: how many of its samples are wrong."""
        return f"{thousands(self.n_errors)} of {thousands(self.n)}, {percent(self.error_rate)}"

    @property
    def rest_error_rate(self) -> float:
        """Share of the samples of other classes that are wrong."""
        return self.n_errors_rest / self.n_rest


def weak_classes(report: ClassificationReport, alpha: float) -> list[WeakClass]:
    """Return the classes that fail more often than the rest, the highest error rate first.

    Fisher's one-sided mid-p, or a score test by group, adjusted over the classes by Holm's method, is at most `alpha`.
    """
    counts = report.evaluation.confusion
    sizes, errors = counts.sum(axis=1), counts.sum(axis=1) - np.diag(counts)
    n, wrong = int(sizes.sum()), int(errors.sum())
    labels = np.flatnonzero((sizes > 0) & (sizes < n))
    named = (report.evaluation.metrics.groups, report.residuals_metrics.get("groups"))
    grouped = {name for name in named if name is not None}
    by_sample = higher_share_p_values(errors[labels], sizes[labels], wrong, n)
    p_holm = holm(_by_group(report, labels, grouped) if grouped else by_sample)
    found = [
        WeakClass(int(k), int(sizes[k]), int(errors[k]), n - int(sizes[k]), wrong - int(errors[k]))
        for k in labels[p_holm <= alpha]
    ]
    return sorted(found, key=lambda one: (-one.error_rate, -one.n_errors))


def _by_group(report: ClassificationReport, labels: Integers, named: Collection[str]) -> Floats:
    """Return a p-value for each class; NaN where the groups are not known here, or too few."""
    known = [report.residuals.sample_factors.get(name) for name in named]
    if len(known) > 1 or known[0] is None:
        return np.full(len(labels), np.nan)
    groups, true = Groups.of(known[0]), report.samples["y_true"].to_numpy()
    wrong = ~report.samples["correct"].to_numpy(bool)
    return np.array([_p_value(wrong, true == k, groups) for k in labels])


def _p_value(wrong: Flags, members: Flags, groups: Groups) -> float:
    if not groups.why_too_few.is_ok or not too_few_groups(members, groups).is_ok:
        return np.nan
    return higher_proportion_p_value(wrong, members, groups)
