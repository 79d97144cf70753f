"""Samples on which one cell of a study is right and another wrong, by most of their runs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array, Floats, Indices
from mlx.pipeline.model_outputs import ModelOutputs


@dataclass(frozen=True)
class Disagreement:
    """Samples that a cell gets right and another wrong, by a majority of the runs of each.

    Attributes
    ----------
    right, wrong
        Names of the cells.
    count
        Number of such samples.
    index
        (m,) rows in the raw data of those to look at, the clearest first.
    y_true
        (m,) their classes.
    y_pred
        (m,) what most runs of the wrong cell take them for.
    share
        (m, 2) share of the runs of each cell that are right.
    """

    right: str
    wrong: str
    count: int
    index: Indices
    y_true: Array
    y_pred: Array
    share: Floats


def disagreement(
    right: tuple[str, Sequence[ModelOutputs]], wrong: tuple[str, Sequence[ModelOutputs]], most: int = 8
) -> Disagreement:
    """Find samples that most runs of the first cell get right and most of the second wrong.

    All runs have the same test samples in the same order. The clearest are those whose shares of right runs differ
    most; of equal ones the first in the data.
    """
    shares = np.stack(
        [np.mean([one.y_pred == one.y_true for one in outputs], axis=0) for _, outputs in (right, wrong)], axis=1
    )
    rows = np.flatnonzero((shares[:, 0] > 0.5) & (shares[:, 1] < 0.5))
    shown = rows[np.argsort(shares[rows, 1] - shares[rows, 0], kind="stable")][:most]
    first = wrong[1][0]
    taken = np.stack([np.asarray(one.y_pred)[shown] for one in wrong[1]], axis=1)
    missed = np.array(
        [_most_frequent(labels[labels != true]) for labels, true in zip(taken, first.y_true[shown], strict=True)]
    )
    return Disagreement(
        right=right[0],
        wrong=wrong[0],
        count=int(rows.size),
        index=np.asarray(first.index)[shown],
        y_true=np.asarray(first.y_true)[shown],
        y_pred=missed.astype(np.int64),
        share=shares[shown],
    )


def _most_frequent(labels: Array) -> int:
    return int(np.bincount(labels).argmax())
