"""Correlation of samples that may count several times: Pearson, and Spearman by weighted midranks.

Everything works on many weightings at once, one a row, since a bootstrap replicate is a row of counts.
"""

import numpy as np

from mlx.core.array_types import Flags, Floats
from mlx.core.scale import NO_EXPONENT, ROUNDING, exponent_of, in_unit, is_rounding, unit_sized

SIMILARITY_TOLERANCE = 1e-13
"""Mean similarities closer than this are equal: the rounding error of a sum of unit vectors."""

ENTROPY_TOLERANCE = 1e-12
"""Entropies of a group whose spread is below this share of the largest are constant, and two that differ by less
than this share of themselves are tied."""


def entropy_tolerance(entropy: Floats) -> float:
    """Spread up to which these entropies count as constant."""
    return ENTROPY_TOLERANCE * float(np.abs(entropy).max(initial=0.0))


def is_constant(values: Floats, tolerance: float) -> bool:
    """Whether all values are within ``tolerance`` of each other; True for an empty array."""
    return values.size == 0 or float(np.ptp(values)) <= tolerance


def in_own_unit(entropy: Floats) -> tuple[Floats, int]:
    """Divide entropies (n,) by a power of two near the largest, and return its exponent.

    All are 0, and the exponent below any other, where they are constant: their
    rounding errors must not count beside the differences of another group.
    """
    if is_constant(entropy, entropy_tolerance(entropy)):
        return np.zeros(entropy.shape), NO_EXPONENT
    exponent = exponent_of(entropy)
    return in_unit(entropy, exponent), exponent


def merge_ties(values: Floats, tolerance: float, *, relative: float = 0.0) -> Floats:
    """Values (n,) where sorted neighbors at most ``tolerance`` apart are all the least of them; NaN stays NaN.

    ``relative`` adds a share of the larger neighbor to the tolerance.

    Samples that are equal by construction, such as those in the same leaves of all trees, then are tied and
    not ranked by how their sums were rounded.
    """
    order = np.argsort(values)
    ranked = values[order]
    first = np.append(True, ~(np.diff(ranked) <= tolerance + relative * np.abs(ranked[1:])))[: values.size]
    merged = np.empty_like(values)
    merged[order] = ranked[first][np.cumsum(first) - 1]
    return merged


def merge_entropies(entropy: Floats) -> Floats:
    """Entropies (n,) where sorted neighbors that differ by no more than their own rounding are all the least of them.

    A saturated network has entropies of 1e-9 and of 1e-90 beside those near 1: they differ, and are not tied.
    """
    return merge_ties(entropy, 0.0, relative=ENTROPY_TOLERANCE)


def midranks(values: Floats, tolerance: float = 0.0) -> Floats:
    """Ranks (n,) from 1 to n of values (n,); ties, chained within ``tolerance``, share their mean rank."""
    ranks: Floats = weighted_midranks(values, np.ones((1, values.size)), tolerance)[0]
    return ranks


def weighted_midranks(values: Floats, weights: Floats, tolerance: float = 0.0) -> Floats:
    """Midranks that each value would have if it occurred in the data ``weights`` times.

    Parameters
    ----------
    values
        (n,) or (n_replicates, n).
    weights
        (n_replicates, n), counts of at least 0.
    tolerance
        Sorted neighbors at most this far apart are tied.

    Returns
    -------
    Floats
        (n_replicates, n), in [0.5, total weight]; of no meaning where the weight is 0.
    """
    order = np.argsort(values, axis=-1)
    if values.ndim == 1:
        sorted_weights, new = weights.take(order, axis=1), _first_of_ties(values.take(order), tolerance)
        return _sorted_midranks(sorted_weights, np.broadcast_to(new, weights.shape)).take(np.argsort(order), axis=1)
    order += np.arange(len(order))[:, None] * order.shape[1]
    new = _first_of_ties(values.take(order), tolerance)
    ranks = np.empty(weights.shape)
    ranks.ravel()[order] = _sorted_midranks(weights.take(order), new)
    return ranks


def _first_of_ties(ranked: Floats, tolerance: float) -> Flags:
    """Whether each of the sorted values (…, n) is the first of a run of ties."""
    new = np.ones(ranked.shape, dtype=bool)
    np.greater(np.diff(ranked), tolerance, out=new[..., 1:])
    return new


def _sorted_midranks(weights: Floats, new: Flags) -> Floats:
    cumulated = np.cumsum(weights, axis=1)
    if not new.all():
        return _tied_ranks(cumulated, new)
    weights -= 1
    weights /= 2
    cumulated -= weights
    return cumulated


def _tied_ranks(cumulated: Floats, new: Flags) -> Floats:
    """Mean ranks in sorted order, where ``new`` marks the first of each run of ties in its row."""
    starts = np.flatnonzero(new)
    ends = np.append(starts[1:], new.size) - 1
    upto = cumulated.ravel()[ends]
    before = np.append(0.0, upto[:-1])
    before[starts % new.shape[1] == 0] = 0.0
    return np.repeat((before + upto + 1) / 2, ends - starts + 1).reshape(new.shape)


def weighted_correlation(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Pearson correlation under each row of weights.

    Parameters
    ----------
    x, y
        (n,) or (n_replicates, n); multiplying either changes nothing.
    weights
        (n_replicates, n), at least 0.

    Returns
    -------
    Floats
        (n_replicates,), in [−1, 1]; NaN where x or y has no spread beyond rounding among what has weight.
    """
    total = weights.sum(axis=1, keepdims=True)
    x, y = unit_sized(x), unit_sized(y)
    with np.errstate(invalid="ignore"):  # a replicate that drew nothing that counts is 0/0: NaN, as said above
        centered = [v - (weights * v).sum(axis=1, keepdims=True) / total for v in (x, y)]
    r, squares = _ratios(centered[0], centered[1], weights)
    # Of values of at most 1: below this the rounding of values and mean may be all that is left.
    for row in np.flatnonzero((squares <= total.T * (16 * ROUNDING) ** 2).any(axis=0)):
        there = weights[row] > 0
        kept = [np.broadcast_to(v, weights.shape)[row, there] for v in (x, y)]
        r[row] = np.nan
        if not any(is_rounding(v) for v in kept):
            w = weights[row, there]
            kept = [unit_sized(v) for v in kept]
            kept = [unit_sized(v - (w @ v) / w.sum())[None] for v in kept]
            r[row] = _ratios(kept[0], kept[1], w[None])[0][0]
    return r


def centered_correlation(x: Floats, y: Floats, weights: Floats) -> Floats:
    """`weighted_correlation` of values (n_replicates, n) that are centered already; NaN where a side is all 0."""
    r, squares = _ratios(x, y, weights)
    for row in np.flatnonzero(~((squares > SAFE_SQUARES[0]) & (squares < SAFE_SQUARES[1])).all(axis=0)):
        there = weights[row] > 0
        r[row] = _ratios(unit_sized(x[row, there])[None], unit_sized(y[row, there])[None], weights[row, there][None])[
            0
        ][0]
    return r


SAFE_SQUARES = (1e-200, 1e200)
"""A sum of squares between these has lost no relevant digits to underflow or overflow."""


def _ratios(x: Floats, y: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Correlations (n_replicates,) of centered values, NaN where 0/0, and both sums of squares (2, n_replicates)."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is computed again, in another unit
        wx = weights * x
        xy, xx = np.einsum("rn,rn->r", wx, y), np.einsum("rn,rn->r", wx, x)
        yy = np.einsum("rn,rn,rn->r", weights, y, y)
        scale = np.sqrt(xx) * np.sqrt(yy)
        r: Floats = np.divide(xy, scale, out=np.full(len(xy), np.nan), where=scale > 0)
    return r.clip(-1.0, 1.0), np.stack([xx, yy])
