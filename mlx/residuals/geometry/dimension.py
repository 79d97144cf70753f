"""Intrinsic dimension of a representation by TwoNN (Facco et al. 2017), as a band.

The ratio μ of the distances to the second and the nearest neighbor follows a Pareto law whose exponent is
the dimension, if the density is even over that distance. It never is quite, so that the estimate depends on
the distance: the same samples are looked at whole, in halves and in quarters, whose neighbors are farther
apart, and what is reported is the band that holds all of these with their sampling error. Edges make it
read low, the more the higher the dimension, for which the upper end makes allowance; noise makes it read
high. Read it as an order of magnitude.
"""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Scores
from mlx.core.ordered_map import within_task
from mlx.core.scale import unit_sized
from mlx.residuals.streams import Stream, stream
from mlx.stats.nearest import nearest_neighbors
from mlx.stats.status import OK, Reason, Status

SCALES = (1, 2, 4)
"""Into how many parts the samples are split."""

MIN_SAMPLES = 100
"""Fewest samples: a quarter of them still has 25 neighborhoods."""

MAX_QUERIES = 2000
"""Samples whose neighbors are looked for: their number sets the sampling error, which is then about 2 %."""

NEAREST = 3
"""Rows that are searched for each: two neighbors, and the row itself."""

CENSORED = 0.1
"""Share of the largest ratios of which only their size in rank is used: they feel the uneven density most."""

QUANTILE = 1.96

EQUAL = 1e-9
"""Logarithms of ratios below this are those of equal distances, but for rounding."""

EDGE = 0.02
"""Share, a dimension, by which the edges of an evenly filled cube lower the estimate: measured on cubes of
2 to 20 dimensions, where 8 reads as 7.1 and 20 as 15.4."""


@dataclass(frozen=True)
class IntrinsicDimension:
    """A band for the intrinsic dimension; NaN where ``status`` says why.

    Attributes
    ----------
    low, high
        The band over all scales, sampling error and an allowance for edges included. It is no confidence
        interval.
    scales
        One estimate for the samples whole, in halves, in quarters.
    n
        Samples of different position that entered.
    n_duplicates
        Samples left out because another has the same position.
    status
        What is missing and why, if anything.
    """

    low: float
    high: float
    scales: tuple[float, ...]
    n: int
    n_duplicates: int
    status: Status


def intrinsic_dimension(representation: Scores, *, seed: int) -> IntrinsicDimension:
    """Estimate the intrinsic dimension of a representation (n_samples, n_features), finite.

    Parameters
    ----------
    representation
        One row a sample; may be memory-mapped.
    seed
        Of the split into parts, and of the choice of samples where there are more than `MAX_QUERIES`.
    """
    values = _distinct(representation)
    n, n_duplicates = len(values), len(representation) - len(values)
    if n < MIN_SAMPLES:
        status = Reason.TOO_FEW_POSITIONS(MIN_SAMPLES)
        return IntrinsicDimension(float("nan"), float("nan"), (), n, n_duplicates, status)
    if n < values.shape[1]:
        values = _in_own_span(values)
    order = stream(seed, Stream.NEIGHBORS).permutation(n)
    estimates, ends = [], []
    for n_parts in SCALES:
        log_ratios = np.concatenate(
            [_log_ratios(values[part], MAX_QUERIES // n_parts) for part in np.array_split(order, n_parts)]
        )
        if np.median(log_ratios) <= EQUAL:
            status = Reason.EQUALLY_FAR()
            return IntrinsicDimension(float("nan"), float("nan"), (), n, n_duplicates, status)
        estimate, error = pareto_exponent(log_ratios)
        estimates.append(estimate)
        ends += [estimate - QUANTILE * error, estimate + QUANTILE * error]
    high = max(ends) * (1 + EDGE * max(estimates))
    return IntrinsicDimension(float(min(ends)), float(high), tuple(estimates), n, n_duplicates, OK)


def _distinct(representation: Scores) -> Scores:
    """Return one row of each position, in the order of first appearance."""
    rows = np.ascontiguousarray(representation)
    values = rows + 0.0  # −0.0 becomes 0.0; whole numbers become floating ones, of another size
    keys = values.view(np.dtype((np.void, values.dtype.itemsize * values.shape[1]))).ravel()
    first = np.sort(np.unique(keys, return_index=True)[1])
    return rows if first.size == len(rows) else rows[first]


def _in_own_span(values: Scores) -> Floats:
    """Turn n rows of more columns so that n columns hold them; their distances stay."""
    centered = unit_sized(np.asarray(values, dtype=np.float64))
    triangle = np.linalg.qr((centered - centered.mean(axis=0)).T, mode="r")
    return np.asarray(triangle, dtype=np.float64).T


def _log_ratios(values: Scores, n_queries: int) -> Floats:
    """Log of the ratio of second to first neighbor distance, for the first ``n_queries`` rows."""
    queries = values[:n_queries]
    found = nearest_neighbors(values, NEAREST, queries=queries, map=within_task)
    others = found.rows != np.arange(len(queries))[:, None]
    others[others.all(axis=1), -1] = False  # the row itself, where it is not the nearest of several at its place
    first, second = found.distances[others].reshape(len(queries), NEAREST - 1).T
    # Positions so near that their distance is below what squares resolve have no ratio.
    ratios: Floats = np.log(np.divide(second, first, out=np.full(first.size, np.nan), where=first > 0))
    return ratios[np.isfinite(ratios)]


def pareto_exponent(log_ratios: Floats) -> tuple[float, float]:
    """Exponent and standard error, from all but the largest tenth, which counts as censored.

    Of r observed in n, the exponent is (r − 1) / (Σ observed + (n − r)·largest observed), without bias.
    """
    ordered = np.sort(log_ratios)
    n = ordered.size
    r = n - int(CENSORED * n)
    estimate = (r - 1) / (float(ordered[:r].sum()) + (n - r) * float(ordered[r - 1]))
    return estimate, estimate / np.sqrt(r)
