"""What a classifier says of samples of known class: that class's probability, whether it is right, and its margin."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mlx.core.array_types import Array, Flags, Floats, Indices

MOST_VALUES = 1 << 20
"""Logits that are kept, on the device of the model, until they are evaluated together."""


@dataclass(frozen=True)
class SampleOutcomes:
    """The outcomes of n samples.

    Attributes
    ----------
    p_true
        (n,), probability of the true class.
    correct
        (n,), whether the true class is the predicted one.
    margin
        (n,), logit of the true class minus the largest other logit.
    """

    p_true: Floats
    correct: Flags
    margin: Floats

    def sorted_by(self, order: Indices) -> "SampleOutcomes":
        """Return the outcomes of the samples 0 to n − 1, where these are of the samples ``order`` (n,)."""
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        return SampleOutcomes(self.p_true[place], self.correct[place], self.margin[place])


def outcomes_of(logits: Array, y: Array) -> SampleOutcomes:
    """Compute the outcomes from `logits` (n, n_classes) and the true classes ``y`` (n,), in float64."""
    columns, scores = np.arange(len(y)), np.array(np.transpose(logits), np.float64, order="C")  # faster along classes
    predicted = scores.argmax(axis=0)
    scores -= scores[predicted, columns]
    own = scores[y, columns]
    with np.errstate(under="ignore"):
        p_true = np.exp(own) / np.exp(scores).sum(axis=0)
    scores[y, columns] = -np.inf
    return SampleOutcomes(p_true, predicted == y, own - scores.max(axis=0))


class OutcomeCollector:
    """Collects the outcomes of an epoch batch by batch; many batches are evaluated at a time.

    Parameters
    ----------
    n_classes
        Number of classes; 0 for a regression, of which nothing is collected.
    as_logits
        Makes logits (m, n_classes) of the scores (m, any) that are added.
    """

    def __init__(self, n_classes: int, as_logits: Callable[[Array], Array] = np.asarray) -> None:
        self.n_classes, self.as_logits = n_classes, as_logits
        self._waiting: list[tuple[Any, Array]] = []
        self._rows = 0
        self._done: list[SampleOutcomes] = []

    def add(self, scores: Any, y: Array) -> None:
        """Add the `scores` of a batch, an array or a tensor that keeps its values, and the true classes ``y`` (m,)."""
        if not self.n_classes:
            return
        self._waiting.append((scores, y))
        self._rows += len(y)
        if self._rows * self.n_classes >= MOST_VALUES:
            self._evaluate()

    def result(self) -> SampleOutcomes | None:
        """Return the outcomes of all batches, in their order; None of a regression."""
        if self._waiting:
            self._evaluate()
        if not self._done:
            return None
        parts = ([getattr(one, name) for one in self._done] for name in ("p_true", "correct", "margin"))
        return SampleOutcomes(*map(np.concatenate, parts))

    def _evaluate(self) -> None:
        scores, labels = (
            np.concatenate([np.asarray(one) for one in kind]) for kind in zip(*self._waiting, strict=True)
        )
        self._done.append(outcomes_of(self.as_logits(scores), labels))
        self._waiting, self._rows = [], 0
