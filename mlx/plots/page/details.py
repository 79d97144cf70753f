"""What the page knows of some samples beyond their numbers: the most probable classes and the nearest samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.core.arrays import release_pages
from mlx.core.checks import row_blocks
from mlx.core.scale import in_unit
from mlx.core.streams import stream
from mlx.plots.page.packing import pack
from mlx.plots.page.page_samples import PageSamples
from mlx.plots.page.selections import numbers_of
from mlx.plots.report.inputs import AnyReport
from mlx.plots.report.recorded_samples import RecordedOutputs
from mlx.stats.nearest import nearest_neighbors

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pandas import DataFrame

    from mlx.core.array_types import Array, Integers

N_PROBABLE, N_NEAREST = 5, 5
MOST_DETAILED = 20_000
"""Samples with probabilities: as many as a reader can look through, far fewer than there may be points."""

MOST_PRODUCTS = 4e9
"""Multiplications that the search for the nearest samples may take: a few seconds on one core."""

LARGE_SHARE = 0.1
"""Of a regression's samples, so many with the largest errors count as its mistakes."""


def looked_at_first(report: AnyReport, samples: PageSamples) -> tuple[Integers, int]:
    """Order the samples (positions, n_points) by how likely they are looked at, and count those before the sample.

    Mistakes among the test samples, the surest first; then test samples with an issue, then such of other parts; then
    the rest in a seeded random order, test samples and others by turns.
    """
    frame, is_test = samples.frame, np.arange(len(samples.frame)) < samples.n_test
    if report.task == "classification":
        wrong = np.flatnonzero(~frame["correct"].to_numpy(bool) & is_test)
        size = -np.nan_to_num(frame["confidence"].to_numpy(float)[wrong])
    else:
        error = np.nan_to_num(np.abs(frame["residual"].to_numpy(float)[is_test]))
        wrong = np.argsort(-error, kind="stable")[: max(1, int(samples.n_test * LARGE_SHARE))]
        size = -error[wrong]
    first = wrong[np.argsort(size, kind="stable")]
    issues = np.setdiff1d(np.flatnonzero(frame["index"].isin(numbers_of(report.residuals.issues))), first)
    rest = np.setdiff1d(np.arange(len(frame)), np.concatenate([first, issues]))
    drawn = stream(0)
    shuffled = [drawn.permutation(part) for part in (rest[is_test[rest]], rest[~is_test[rest]])]
    turns = np.concatenate([np.arange(len(part)) for part in shuffled])
    taken = np.concatenate(shuffled)[np.argsort(turns, kind="stable")]
    return np.concatenate([first, issues, taken]), len(first) + len(issues)


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


def details(report: AnyReport, samples: PageSamples, order: Integers) -> Details:
    """Return the details of the samples in the given order; empty where the outputs were not recorded."""
    if report.outputs is None:
        return Details()
    parts = {"test": report.outputs, **({} if report.others is None else report.others.outputs())}
    classes, shares = _probable(parts, samples.frame.iloc[order[:MOST_DETAILED]])
    of_test = order[order < samples.n_test]
    rows = report.outputs.rows(samples.frame["index"].to_numpy()[: samples.n_test])
    return Details(classes, shares, _nearest(report.outputs, rows, of_test, order))


def _probable(
    parts: Mapping[str, RecordedOutputs], samples: DataFrame
) -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    """Return the most probable classes and their probabilities; missing where a part has none."""
    if (first := parts["test"].probabilities) is None:
        return (), ()
    k = min(N_PROBABLE, first.shape[1])
    ranked, shares = np.full((2, len(samples), k), np.nan)
    splits = samples["split"].to_numpy() if "split" in samples else np.full(len(samples), "test")
    for split, outputs in parts.items():
        if (own := np.flatnonzero(splits == split)).size and outputs.probabilities is not None:
            rows = outputs.rows(samples["index"].to_numpy()[own])
            for where in row_blocks(len(own), first.shape[1]):
                p = np.nan_to_num(np.asarray(outputs.probabilities[rows[where]], dtype=np.float64))
                ranked[own[where]] = best = np.argsort(-p, axis=1, kind="stable")[:, :k]
                shares[own[where]] = np.take_along_axis(p, best, axis=1).round(4)
                release_pages(outputs.probabilities)
    return _packed(ranked), _packed(shares)


def _packed(table: Array) -> tuple[dict[str, Any], ...]:
    return tuple(pack(column).as_dict() for column in table.T)


def _nearest(
    outputs: RecordedOutputs, rows: Integers, of_test: Integers, order: Integers
) -> tuple[dict[str, Any], ...]:
    """Return, of samples in the given order, the places of the test samples most similar by cosine, nearest first.

    They are missing of samples that are not `of_test`, whose recorded `rows` (n_test,) are given.
    """
    if outputs.representation is None or len(rows) < 2:
        return ()
    directions = _directions(outputs.representation, rows)
    n, d = directions.shape
    queries = of_test[: max(1, int(MOST_PRODUCTS / (n * d)))]
    k = min(N_NEAREST, n - 1)
    found = nearest_neighbors(directions, k + 1, queries=directions[queries]).rows
    own = found == queries[:, None]
    own[~own.any(axis=1), -1] = True  # of more equal samples than fit
    places = np.flatnonzero(order < n)[: len(queries)]
    others = np.full((places[-1] + 1, k), np.nan)
    others[places] = found[~own].reshape(len(queries), k)
    return _packed(others)


def _directions(representation: Array, rows: Integers) -> Array:
    values = np.nan_to_num(np.asarray(representation[rows]).reshape(len(rows), -1))
    exponents = np.frexp(np.abs(values).max(axis=1, keepdims=True))[1]
    values = in_unit(values, exponents).astype(np.float32)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return values / np.where(norms > 0, norms, 1)
