"""What a classifier says of samples of known class: that class's probability, whether it is right, and its margin."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy.special import logsumexp

from mlx.core.array_types import Array, Flags, Floats, Indices

MOST_VALUES = 1 << 20
"""Logits that are kept until they are evaluated together."""


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
        place = np.argsort(order)
        return SampleOutcomes(self.p_true[place], self.correct[place], self.margin[place])


def outcomes_of(logits: Array, y: Array) -> SampleOutcomes:
    """Compute the outcomes from `logits` (n, n_classes) and the true classes ``y`` (n,), in float64."""
    rows, scores = np.arange(len(y)), np.array(logits, np.float64)
    correct = scores.argmax(axis=1) == y
    own, total = scores[rows, y], logsumexp(scores, axis=1)
    scores[rows, y] = -np.inf
    return SampleOutcomes(np.exp(own - total), correct, own - scores.max(axis=1))


@dataclass
class OutcomeCollector:
    """Collects the outcomes of an epoch batch by batch; many batches are evaluated at a time.

    Attributes
    ----------
    as_logits
        Makes logits of classes (m, n_classes) of what the batches are given as.
    """

    as_logits: Callable[[Floats], Floats]
    _scores: list[Floats] = field(default_factory=list)
    _labels: list[Array] = field(default_factory=list)
    _done: list[SampleOutcomes] = field(default_factory=list)
    _size: int = 0

    def add(self, scores: Floats, y: Array) -> None:
        """Add a batch; its scores are copied."""
        self._scores.append(scores.copy())
        self._labels.append(y)
        self._size += scores.size
        if self._size >= MOST_VALUES:
            self._evaluate()

    def result(self) -> SampleOutcomes:
        """Return the outcomes of all batches, in their order."""
        if self._scores:
            self._evaluate()
        parts = ([getattr(one, name) for one in self._done] for name in ("p_true", "correct", "margin"))
        return SampleOutcomes(*map(np.concatenate, parts))

    def _evaluate(self) -> None:
        scores, labels = np.concatenate(self._scores), np.concatenate(self._labels)
        self._done.append(outcomes_of(self.as_logits(scores), labels))
        self._scores, self._labels, self._size = [], [], 0
