"""Partial correlation of similarity and entropy given groups, such as whether the prediction was right."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats, Integers
from mlx.core.errors import DataError
from mlx.core.scale import NO_EXPONENT, exponent_of, in_unit, unit_sized
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.tests import CORRELATIONS, Question, TestResult
from mlx.stats.correlation import is_constant, midranks
from mlx.stats.permutation import permutation_p_value, permuted_products
from mlx.stats.status import Reason, no_interval

P_METHOD = "permutation within groups"

MIN_BEYOND_GROUPS = 3
"""Fewest samples beyond one a group for a partial correlation."""

RELATIVE_TOLERANCE = 1e-12
"""The spread of a group counts as nothing below this share of its largest value."""


def correlations_given_correctness(
    x: Floats, y: Floats, correct: npt.ArrayLike, *, layer: str = "", settings: ResidualsSettings
) -> list[TestResult]:
    """Pearson and Spearman correlation of similarity and entropy given whether the prediction was right.

    Both columns are centered within every group, which is what regressing them on the groups leaves; for
    Spearman their midranks over all samples are. The p-value permutes y within groups, which is exact
    where x and y are independent given the group, whatever the groups' sizes, centers and spreads.

    There is no interval here: an x that is a similarity shares samples, and needs the node bootstrap.

    Parameters
    ----------
    x, y
        (n_samples,), similarity and entropy; samples where either is NaN are left out.
    correct
        (n_samples,), what is held fixed; any labels of groups.
    layer
        Of the similarity, for the results.
    settings
        Seed and permutations.

    Returns
    -------
    list of TestResult
        One a statistic.
    """
    labels = np.unique(np.asarray(correct), return_inverse=True)[1]
    if not x.shape == y.shape == labels.shape or x.ndim != 1:
        raise DataError(f"expected columns of one shape (n,), found {x.shape}, {y.shape} and {labels.shape}")
    rows = np.flatnonzero(~(np.isnan(x) | np.isnan(y)))
    rows = rows[np.argsort(labels[rows], kind="stable")]
    x, y, labels = x[rows], y[rows], np.unique(labels[rows], return_inverse=True)[1]
    question = Question.SIMILARITY_ENTROPY_GIVEN_CORRECTNESS
    asked = [
        TestResult(question=question, layer=layer, statistic=statistic, n=rows.size, seed=settings.seed)
        for statistic in CORRELATIONS
    ]
    if rows.size - (int(labels.max(initial=-1)) + 1) < MIN_BEYOND_GROUPS:
        return [replace(test, status=Reason.TOO_FEW_BEYOND_GROUPS(MIN_BEYOND_GROUPS)) for test in asked]
    left_x, left_y = (np.stack([_values_within(v, labels), *_within(midranks(v)[None], labels)]) for v in (x, y))
    for column, left in (("x", left_x), ("y", left_y)):
        if not left[0].any():
            return [replace(test, status=Reason.CONSTANT_WITHIN_GROUPS(column)) for test in asked]
    left_x, left_y = (left / np.linalg.norm(left, axis=1, keepdims=True) for left in (left_x, left_y))
    permuted = _permuted(left_x, left_y, np.bincount(labels), settings)
    found = []
    for row, test in enumerate(asked):
        r = float(np.clip(left_x[row] @ left_y[row], -1.0, 1.0))
        made = replace(test, estimate=r, status=no_interval(Reason.SHARED_SAMPLES()))
        found.append(made.with_p(permutation_p_value(r, permuted[row]), P_METHOD, settings.n_permutations))
    return found


def _values_within(values: Floats, labels: Integers) -> Floats:
    """Values (n,), sorted by group, less the mean of their group, in the unit of the largest; 0 in a constant group."""
    parts = []
    for members in np.split(values, np.flatnonzero(np.diff(labels)) + 1):
        scaled = unit_sized(members)
        left = scaled - scaled.mean()
        constant = is_constant(scaled, RELATIVE_TOLERANCE)
        parts.append((np.zeros_like(left), NO_EXPONENT) if constant else (left, exponent_of(members)))
    unit = max(exponent for _, exponent in parts)
    return unit_sized(np.concatenate([in_unit(left, unit - exponent) for left, exponent in parts]))


def _within(columns: Floats, labels: Integers) -> Floats:
    sizes = np.bincount(labels)
    means = np.stack([np.bincount(labels, weights=column) / sizes for column in columns])
    result: Floats = columns - means[:, labels]
    return result


def _permuted(x: Floats, y: Floats, sizes: Sequence[int] | Integers, settings: ResidualsSettings) -> Floats:
    total = np.zeros((len(x), settings.n_permutations))
    start = 0
    for label, size in enumerate(sizes):
        span = slice(start, start + int(size))
        generator = stream(settings.seed, Stream.PARTIAL_PERMUTATION, label)
        total += permuted_products(x[:, span], y[:, span], settings.n_permutations, generator)
        start += int(size)
    return total
