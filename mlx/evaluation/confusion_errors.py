"""Standard errors of metrics that follow from the confusion counts, by the delta method.

Each metric is a function f of the diagonal h, the row sums r and the column sums s of the table of shares. A cell
(i, j) then influences it by ∂f/∂r_i + ∂f/∂s_j + [i = j] ∂f/∂h_i, and the variance of these numbers over the cells,
divided by n, is that of the metric. With few errors it is estimated from few cells; so the table is smoothed first:
every class gets one more sample, distributed as the right and the wrong predictions of all classes are.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Counts, Floats, Integers
from mlx.evaluation.confusion import confusion_metrics


@dataclass(frozen=True)
class Slopes:
    """Derivatives of a metric by the diagonal, the row sums and the column sums, (n_classes,) each."""

    hits: Floats
    support: Floats
    predicted: Floats

    def influence(self, y_true: Integers, y_pred: Integers) -> Floats:
        """Influence (n_samples,) of each sample with these labels and predictions, of mean 0."""
        found = self.support[y_true] + self.predicted[y_pred] + np.where(y_true == y_pred, self.hits[y_true], 0.0)
        result: Floats = found - found.mean()
        return result


@dataclass(frozen=True)
class SmoothedEstimate:
    """A metric of the smoothed table, and its standard error."""

    value: float
    error: float


def smoothed_estimates(
    confusion: Counts, effect: Callable[[Slopes], float] = lambda _: 1.0
) -> dict[str, SmoothedEstimate]:
    """Return the smoothed value and the standard error of each metric that is no proportion.

    The standard error has the factor √(n/(n − K)), at most √2, for the K classes of the test set, whose shares of right
    predictions are all estimated.

    Parameters
    ----------
    confusion
        (n_classes, n_classes), counts of n > K samples in K ≥ 1 classes; row true, column predicted.
    effect
        Design effect on a metric with these derivatives; its counts are divided by it before they are smoothed.
    """
    whole, found = _Table.of(confusion), {}
    with np.errstate(divide="ignore", invalid="ignore"):  # of a single class or prediction, which no gate lets pass
        for name, slopes_of in SLOPES.items():
            by = effect(slopes_of(whole.hits, whole.support, whole.predicted))
            table = whole if by == 1 else _Table.of(confusion / by)
            margins = table.hits, table.support, table.predicted
            found[name] = SmoothedEstimate(confusion_metrics(*margins)[name], table.standard_error(slopes_of(*margins)))
    return found


@dataclass(frozen=True)
class _Table:
    """A smoothed table of shares: its margins, its counts, and what smoothing adds to a class.

    Attributes
    ----------
    hits, support, predicted
        (n_classes,), shares of the samples with those that were added.
    counts
        (n_classes, n_classes), as they are.
    present
        (n_classes,), 1 for a class of the test set, which gets one more sample, and 0.
    wrong
        Share of that sample that is predicted wrongly, as any other class.
    total
        Samples with those that were added.
    """

    hits: Floats
    support: Floats
    predicted: Floats
    counts: Counts | Floats
    present: Floats
    wrong: float
    total: float

    @classmethod
    def of(cls, confusion: Counts | Floats) -> "_Table":
        """Smooth the counts."""
        n, right, k = float(confusion.sum()), float(np.trace(confusion)), len(confusion)
        wrong = (n - right + 0.5) / (n + 1) if k > 1 else 0.0
        support = confusion.sum(axis=1)
        present = (support > 0).astype(np.float64)
        n_present = float(present.sum())
        elsewhere = wrong / max(1, k - 1)
        total = n + n_present
        hits = np.diag(confusion) + (1 - wrong) * present
        predicted = confusion.sum(axis=0) + (1 - wrong) * present + elsewhere * (n_present - present)
        return cls(hits / total, (support + present) / total, predicted / total, confusion, present, wrong, total)

    def standard_error(self, slope: Slopes) -> float:
        """Standard error of the metric with these derivatives, from the variance of the influence over the cells."""
        by_row, by_column, on = slope.support, slope.predicted, slope.hits
        mean = self.support @ by_row + self.predicted @ by_column + self.hits @ on
        square = self.support @ by_row**2 + self.predicted @ by_column**2 + 2 * self._product(by_row, by_column)
        square += self.hits @ (on**2 + 2 * on * (by_row + by_column))
        n, k = self.counts.sum(), self.present.sum()
        return float(np.sqrt(max(0.0, square - mean**2) / max(n - k, n / 2)))

    def _product(self, by_row: Floats, by_column: Floats) -> float:
        """Mean over the samples of the product of a number of their true class and one of their predicted class."""
        added = by_row * self.present
        off = self.wrong / max(1, by_row.size - 1)
        smoothing = (1 - self.wrong - off) * (added @ by_column) + off * added.sum() * by_column.sum()
        return float((by_row @ (self.counts @ by_column) + smoothing) / self.total)


def _balanced_accuracy(h: Floats, r: Floats, s: Floats) -> Slopes:
    weight = _inverse(r) / (r > 0).sum()
    return Slopes(weight, -weight * h * _inverse(r), np.zeros_like(s))


def _macro_recall(h: Floats, r: Floats, s: Floats) -> Slopes:
    weight = _inverse(r) / (r + s > 0).sum()
    return Slopes(weight, -weight * h * _inverse(r), np.zeros_like(s))


def _macro_precision(h: Floats, r: Floats, s: Floats) -> Slopes:
    weight = _inverse(s) / (r + s > 0).sum()
    return Slopes(weight, np.zeros_like(r), -weight * h * _inverse(s))


def _weighted_precision(h: Floats, r: Floats, s: Floats) -> Slopes:
    precision = h * _inverse(s)
    return Slopes(r * _inverse(s), precision, -precision * r * _inverse(s))


def _macro_f1(h: Floats, r: Floats, s: Floats) -> Slopes:
    weight = _inverse(r + s) / (r + s > 0).sum()
    by_margin = -2 * h * _inverse(r + s) * weight
    return Slopes(2 * weight, by_margin, by_margin)


def _weighted_f1(h: Floats, r: Floats, s: Floats) -> Slopes:
    weight, f1 = r * _inverse(r + s), 2 * h * _inverse(r + s)
    return Slopes(2 * weight, f1 * (1 - weight), -f1 * weight)


def _cohen_kappa(h: Floats, r: Floats, s: Floats) -> Slopes:
    beyond = 1 - r @ s
    by_chance = -(1 - h.sum()) / beyond**2
    return Slopes(np.full_like(h, 1 / beyond), by_chance * s, by_chance * r)


def _matthews_corrcoef(h: Floats, r: Floats, s: Floats) -> Slopes:
    left, above = 1 - r @ r, 1 - s @ s
    scale = np.sqrt(left * above)
    value = (h.sum() - r @ s) / scale
    return Slopes(np.full_like(h, 1 / scale), value * r / left - s / scale, value * s / above - r / scale)


def _inverse(values: Floats) -> Floats:
    return np.divide(1.0, values, out=np.zeros_like(values), where=values > 0)


SLOPES: dict[str, Callable[[Floats, Floats, Floats], Slopes]] = {
    "balanced_accuracy": _balanced_accuracy,
    "macro_precision": _macro_precision,
    "weighted_precision": _weighted_precision,
    "macro_recall": _macro_recall,
    "macro_f1": _macro_f1,
    "weighted_f1": _weighted_f1,
    "cohen_kappa": _cohen_kappa,
    "matthews_corrcoef": _matthews_corrcoef,
}
"""Derivatives by the diagonal, the row sums and the column sums of a table of shares."""
