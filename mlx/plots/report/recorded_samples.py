"""What the model made of recorded samples: of the test part, and of the other parts, which the page shows beside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mlx.core.arrays import release_pages
from mlx.core.checks import row_blocks
from mlx.core.log_scores import log_softmax, surprise
from mlx.core.streams import stream
from mlx.stats.prediction_scores import log_of_rows
from mlx.stats.row_scores import entropy_from_log_probabilities

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Array, Integers

SEED = 0
"""Of the samples that are taken where there are too many."""

Columns = dict[str, "Array"]

ALL = slice(0, None)


@dataclass(frozen=True)
class RecordedOutputs:
    """What the model made of the samples of one part.

    Attributes
    ----------
    index
        (n_samples,), what the column ``index`` of the samples table calls each.
    probabilities
        (n_samples, n_classes); None where they are unknown.
    representation
        Of the first layer, (n_samples, ...); None where it is unknown.
    """

    index: Array
    probabilities: Array | None = None
    representation: Array | None = None

    def rows(self, index: Array) -> Array:
        """Return the rows of samples that the column ``index`` names, (m,), each of which is among them."""
        order = np.argsort(self.index, kind="stable")
        found: Array = order[np.searchsorted(self.index, index, sorter=order)]
        return found


@dataclass(frozen=True, eq=False)
class OtherPart:
    """What was recorded of n samples of one part; the scores may be memory-mapped.

    Attributes
    ----------
    split
        Name of the part, ``val`` or ``train``.
    index
        (n,) row of each sample in the raw data.
    y_true, y_pred
        (n,) labels or values.
    probabilities, logits
        (n, n_classes); None of a regression, or where they are unknown.
    """

    split: str
    index: Array
    y_true: Array
    y_pred: Array
    probabilities: Array | None = None
    logits: Array | None = None

    def columns(self, rows: Integers) -> Columns:
        """Return the columns of the table of samples that need nothing but the outputs, for some rows (m,)."""
        y_true, y_pred = self.y_true[rows], self.y_pred[rows]
        found = {"index": self.index[rows], "y_true": y_true, "y_pred": y_pred}
        if self.probabilities is None:
            residual = y_true - y_pred
            return found | {"residual": residual, "abs_residual": np.abs(residual)}
        return found | {"correct": y_true == y_pred} | _scores(self.probabilities, self.logits, rows, y_true, y_pred)


@dataclass(frozen=True, eq=False)
class OtherSamples:
    """The parts beside the test part.

    Attributes
    ----------
    parts
        In the order in which the page has them.
    read_factors
        Returns factors by their names for rows of the raw data (m,), those that are known; a missing value is NaN,
        None or NaT.
    """

    parts: tuple[OtherPart, ...]
    read_factors: Callable[[Sequence[str], Array], DataFrame]

    def sizes(self) -> dict[str, int]:
        """Return how many samples of each part were recorded."""
        return {part.split: len(part.index) for part in self.parts}

    def outputs(self) -> dict[str, RecordedOutputs]:
        """Return the outputs of each part."""
        return {part.split: RecordedOutputs(part.index, part.probabilities) for part in self.parts}

    def splits_of(self, numbers: Sequence[int]) -> dict[int, str]:
        """Return the part of each of the numbers that is among these samples, in their order."""
        found: dict[int, str] = {}
        for part in self.parts:
            found |= dict.fromkeys(np.asarray(numbers)[np.isin(numbers, part.index)].tolist(), part.split)
        return {number: found[number] for number in numbers if number in found}

    def chosen(self, limit: int, first: Collection[int]) -> Integers:
        """Return at most `limit` places among all of `parts`, in the order in which they are to be taken.

        Samples whose numbers are in `first` precede; the others follow in a seeded random order.
        """
        numbers = np.concatenate([part.index for part in self.parts])
        is_first = np.isin(numbers, list(first))
        order = stream(SEED).permutation(len(numbers))
        return order[np.argsort(~is_first[order], kind="stable")][:limit]

    def frame(self, places: Integers, factors: Sequence[str]) -> DataFrame:
        """Return a row for each of the places, in ascending order: outputs and the named factors, and ``split``."""
        import pandas as pd

        ends = np.cumsum([len(part.index) for part in self.parts])
        frames, rest = [], np.sort(places)
        for part, end in zip(self.parts, ends, strict=True):
            own, rest = rest[rest < end], rest[rest >= end]
            frames.append(pd.DataFrame({"split": part.split, **part.columns(own - (end - len(part.index)))}))
        whole = pd.concat(frames, ignore_index=True)
        known = self.read_factors(factors, whole["index"].to_numpy())
        return pd.concat([whole, known.add_prefix("factor.")], axis=1)


def _scores(probabilities: Array, logits: Array | None, rows: Integers, y_true: Array, y_pred: Array) -> Columns:
    """Return confidence, entropy and surprise (m,), as of the test samples; a block of rows is in memory at a time."""
    found = {name: np.empty(len(rows)) for name in ("confidence", "entropy", "surprise")}
    for where in row_blocks(len(rows), probabilities.shape[1]):
        p = np.asarray(probabilities[rows[where]], np.float64)
        z = None if logits is None else np.asarray(logits[rows[where]], np.float64)
        log_p = log_of_rows(p) if z is None else log_softmax(z)
        found["confidence"][where] = np.exp(log_p[np.arange(len(p)), y_pred[where]])
        found["entropy"][where] = entropy_from_log_probabilities(log_p)
        found["surprise"][where] = surprise(p, z, y_true[where], ALL)
        for scores in (probabilities, logits):
            if scores is not None:
                release_pages(scores)
    return found
