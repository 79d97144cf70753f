"""What the page knows of some samples beyond their numbers: the most probable classes and the nearest samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.scale import in_unit
from mlx.core.streams import stream
from mlx.plots.page.packing import pack
from mlx.plots.report.inputs import AnyReport, RecordedOutputs
from mlx.stats.nearest import nearest_neighbors

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Array, Integers

N_PROBABLE, N_NEAREST = 5, 5
MOST_DETAILED = 20_000
"""Samples with probabilities: as many as a reader can look through, far fewer than there may be points."""

MOST_PRODUCTS = 4e9
"""Multiplications that the search for the nearest samples may take: a few seconds on one core."""

LARGE_SHARE = 0.1
"""Of a regression's samples, so many with the largest errors count as its mistakes."""


def looked_at_first(report: AnyReport, samples: DataFrame) -> tuple[Integers, int]:
    """Order the samples (positions, n_points) by how likely they are looked at, and count those before the sample.

    Mistakes, the surest first; then samples with an issue; then the others in a seeded random order.
    """
    n = len(samples)
    if report.task == "classification":
        wrong = np.flatnonzero(~samples["correct"].to_numpy(bool))
        size = -np.nan_to_num(samples["confidence"].to_numpy(float)[wrong])
    else:
        error = np.nan_to_num(np.abs(samples["residual"].to_numpy(float)))
        wrong = np.argsort(-error, kind="stable")[: max(1, int(n * LARGE_SHARE))]
        size = -error[wrong]
    first = wrong[np.argsort(size, kind="stable")]
    numbers = [issue.index for issue in report.residuals.issues if issue.split == "test"]
    issues = np.setdiff1d(np.flatnonzero(samples["index"].isin(numbers).to_numpy()), first)
    rest = np.setdiff1d(np.arange(n), np.concatenate([first, issues]))
    shuffled = stream(0).permutation(rest)
    return np.concatenate([first, issues, shuffled]), len(first) + len(issues)


@dataclass(frozen=True)
class Details:
    """Packed details of the samples that are looked at first: each of its tables has a column per rank.

    Attributes
    ----------
    classes, shares
        The most probable classes, and their probabilities.
    nearest
        Positions of the most similar samples of the page.
    """

    classes: tuple[dict[str, Any], ...] = ()
    shares: tuple[dict[str, Any], ...] = ()
    nearest: tuple[dict[str, Any], ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return JSON values."""
        return {"probable": {"classes": self.classes, "shares": self.shares}, "nearest": self.nearest}


def details(report: AnyReport, samples: DataFrame, order: Integers) -> Details:
    """Return the details of `samples` (n_points) in the given order; empty where the outputs were not recorded."""
    if report.outputs is None:
        return Details()
    rows = report.outputs.rows(samples["index"].to_numpy())
    classes, shares = _probable(report.outputs, rows[order[:MOST_DETAILED]])
    return Details(classes, shares, _nearest(report.outputs, rows, order))


def _probable(outputs: RecordedOutputs, rows: Integers) -> tuple[tuple[dict[str, Any], ...], ...]:
    if outputs.probabilities is None:
        return (), ()
    probabilities = np.nan_to_num(np.asarray(outputs.probabilities[rows], dtype=np.float64))
    ranked = np.argsort(-probabilities, axis=1, kind="stable")[:, :N_PROBABLE]
    shares = np.take_along_axis(probabilities, ranked, axis=1).round(4)
    return tuple(tuple(pack(column).as_dict() for column in table.T) for table in (ranked, shares))


def _nearest(outputs: RecordedOutputs, rows: Integers, order: Integers) -> tuple[dict[str, Any], ...]:
    """Return the places of the samples most similar by cosine, nearest first."""
    if outputs.representation is None or len(rows) < 2:
        return ()
    directions = _directions(outputs.representation, rows)
    n, d = directions.shape
    queries = order[: max(1, int(MOST_PRODUCTS / (n * d)))]
    k = min(N_NEAREST, n - 1)
    found = nearest_neighbors(directions, k + 1, queries=directions[queries]).rows
    own = found == queries[:, None]
    own[~own.any(axis=1), -1] = True  # of more equal samples than fit
    others = found[~own].reshape(len(queries), k)
    return tuple(pack(column).as_dict() for column in others.T)


def _directions(representation: Array, rows: Integers) -> Array:
    values = np.nan_to_num(np.asarray(representation[rows]).reshape(len(rows), -1))
    exponents = np.frexp(np.abs(values).max(axis=1, keepdims=True))[1]
    values = in_unit(values, exponents).astype(np.float32)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(norms > 0, norms, 1)
