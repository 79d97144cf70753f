"""What a model predicts for the validation samples: one half fits and selects, the other calibrates prediction sets."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array, Indices, Integers, Scores
from mlx.core.streams import stream
from mlx.stats.groups import Groups

SEED = 0
"""Fixed: which half a sample is in depends on the validation samples alone, and is the same in every step."""


@dataclass(frozen=True)
class ValidationOutputs:
    """Outputs of a classifier for n validation samples.

    Attributes
    ----------
    probabilities
        (n, n_classes).
    logits
        (n, n_classes), or None.
    y_true
        (n,), labels.
    index
        (n,), what identifies each sample, such as its row in the raw data.
    chose_epoch
        Whether the validation loss also chose the epoch whose weights the model has; None if unknown.
    groups
        (n,), labels of which samples belong together, and so in one half; None where each is its own.
    """

    probabilities: Scores
    logits: Scores | None
    y_true: Integers
    index: Indices
    chose_epoch: bool | None = None
    groups: Array | None = None

    def fitting(self) -> "ValidationOutputs":
        """Return the half that fits and selects: temperatures, weights of scores."""
        return self.take(validation_halves(self.index, self.groups)[0])

    def calibrating(self) -> "ValidationOutputs":
        """Return the half that calibrates prediction sets, and chose nothing else."""
        return self.take(validation_halves(self.index, self.groups)[1])

    def take(self, rows: Integers) -> "ValidationOutputs":
        """Return the outputs for some of the samples, read into memory."""
        logits = None if self.logits is None else np.asarray(self.logits[rows])
        labels, index = np.asarray(self.y_true)[rows], np.asarray(self.index)[rows]
        groups = None if self.groups is None else np.asarray(self.groups)[rows]
        return ValidationOutputs(np.asarray(self.probabilities[rows]), logits, labels, index, self.chose_epoch, groups)


def validation_halves(index: Indices, groups: Array | None = None) -> tuple[Integers, Integers]:
    """Return the rows of the half that fits, and of the half that calibrates sets, which is the larger one of odd n.

    Rows are in ascending order. Which samples are in a half depends on their `index` (n,), not on their order. Samples
    with one label of `groups` (n,) are in one half, so that halves of large groups may be unequal.
    """
    codes, drawn = drawn_groups(index, groups)
    ends = np.concatenate([[0], np.cumsum(np.bincount(codes, minlength=len(drawn))[drawn])])
    fits = np.isin(codes, drawn[: int(np.argmin(np.abs(ends - len(codes) // 2)))])
    return np.flatnonzero(fits), np.flatnonzero(~fits)


def drawn_groups(index: Indices, groups: Array | None, *key: int) -> tuple[Integers, Integers]:
    """Return the group of each sample (n,), and all groups (n_groups,) in an order that is drawn by a fixed seed.

    The order depends on what `index` (n,) is in each group, not on the order of the samples. Without labels `groups`
    (n,), each sample is a group.
    """
    codes = np.arange(len(index)) if groups is None else Groups.of(groups).codes
    first = np.full(int(codes.max(initial=-1)) + 1, np.iinfo(np.int64).max)
    np.minimum.at(first, codes, index)
    return codes, np.argsort(first, kind="stable")[stream(SEED, *key).permutation(len(first))]
