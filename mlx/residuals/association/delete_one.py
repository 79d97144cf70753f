"""Pearson's correlation without each sample in turn, in closed form: the delete-one jackknife.

A similarity a_i is a mean over all classmates, so that all a_i share the same samples. Deleting (or
resampling) rows of the finished table (a_i, H_i) would leave that out: its intervals are too narrow. Here a
deleted sample is also missing from the mean of every other sample. Within a class let μ be the mean direction,
v_i = u_i − μ and β_i = v_i·μ, so that a_i = (n β_i + constant) / (n − 1). Without sample j

    a_i − 1 = p_i + k_j,   p_i = ((n−1) β_i − v_i·v_j) / (n−2),   k_j = −((n−1) w + β_j) / (n−2),

with w = 1 − ‖μ‖² the mean of ‖v‖². The sums of p, p² and p·H over i ≠ j need v_j·Σ β_i v_i, v_j·Σ H_i v_i
and v_jᵀ(VᵀV)v_j: O(n·d²) for all j, and nothing cancels where all directions are nearly alike.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.scale import exponent_of, in_unit
from mlx.residuals.similarity.directions import Directions, dense
from mlx.stats.correlation import in_own_unit

LARGEST = 4096
"""Rows or columns, whichever are fewer, of the largest matrix of products: beyond, delete tenths."""


def is_small_enough(units: Directions, classes: list[Integers]) -> bool:
    """Whether the matrices that this takes are of a moderate size."""
    return units.n_features <= LARGEST or all(rows.size <= LARGEST for rows in classes)


@dataclass(frozen=True)
class LeaveOneOutSums:
    """Sums over the samples of one class that stay when one of its n is deleted, each (n,) but ``n``.

    Attributes
    ----------
    n
        Samples of the class before the deletion, at least 3.
    shift
        k_j: what every a − 1 of the class has in common.
    x, xx
        Σ p and Σ p².
    y, yy, xy
        Σ H, Σ H² and Σ p·H, with H centered in the class, in units of 2^exponent.
    exponent
        See there.
    """

    n: int
    shift: Floats
    x: Floats
    xx: Floats
    y: Floats
    yy: Floats
    xy: Floats
    exponent: int

    def in_unit(self, exponent: int) -> "LeaveOneOutSums":
        """Return the same with entropies in units of 2^exponent."""
        step = exponent - self.exponent
        y, yy, xy = in_unit(self.y, step), in_unit(self.yy, 2 * step), in_unit(self.xy, step)
        return LeaveOneOutSums(self.n, self.shift, self.x, self.xx, y, yy, xy, exponent)

    def centered(self) -> tuple[Floats, Floats, Floats]:
        """Sums of squares of a, of H, and of products, about the means of the class: each (n,)."""
        m = self.n - 1
        return self.xx - self.x**2 / m, self.yy - self.y**2 / m, self.xy - self.x * self.y / m


def delete_each(units: Directions, rows: Integers, entropy: Floats) -> LeaveOneOutSums:
    """Sums of one class without each of its samples.

    Parameters
    ----------
    units, rows
        Directions, and which n ≥ 3 of them are the class.
    entropy
        (n,), entropies of those rows.
    """
    n, width = rows.size, units.n_features
    mean = sum(units.take(rows[block]).sum(axis=0) for block in row_blocks(n, width)) / n
    deviations = _Deviations(units, rows, np.asarray(mean))
    beta, length = np.empty(n), np.empty(n)
    for block, v in deviations:
        beta[block], length[block] = v @ mean, np.einsum("ij,ij->i", v, v)
    beta -= beta.mean()
    scaled, exponent = in_own_unit(entropy)
    y = scaled - scaled.mean()
    to_beta, to_y, fourth = deviations.projected(beta, y)
    size = n - 2
    return LeaveOneOutSums(
        n=n,
        shift=-((n - 1) * length.mean() + beta) / size,
        x=(length - (n - 1) * beta) / size,
        xx=((n - 1) ** 2 * (beta @ beta - beta**2) - 2 * (n - 1) * (to_beta - beta * length) + fourth - length**2)
        / size**2,
        y=-y,
        yy=y @ y - y**2,
        xy=((n - 1) * (beta @ y - beta * y) - to_y + y * length) / size,
        exponent=exponent,
    )


@dataclass(frozen=True)
class _Deviations:
    """v = u − μ of the rows of a class, in blocks."""

    units: Directions
    rows: Integers
    mean: Floats

    def __iter__(self) -> Iterator[tuple[slice, Floats]]:
        for block in row_blocks(self.rows.size, self.mean.size):
            yield block, dense(self.units.take(self.rows[block])) - self.mean

    def projected(self, beta: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """v_j·Σ β_i v_i, v_j·Σ y_i v_i and Σ_i (v_i·v_j)², each (n,)."""
        n, width = self.rows.size, self.mean.size
        by_rows = n < width  # the Gram matrix of rows or of columns, whichever is smaller
        weighted, gram = np.zeros((2, width)), np.zeros((0, 0) if by_rows else (width, width))
        for block, v in self:
            weighted += np.stack([beta[block], y[block]]) @ v
            if not by_rows:
                gram += v.T @ v
        sides, fourth = np.empty((2, n)), np.zeros(n)
        for block, v in self:
            sides[:, block] = weighted @ v.T
            if by_rows:
                for _, other in self:
                    fourth[block] += ((v @ other.T) ** 2).sum(axis=1)
            else:
                fourth[block] = np.einsum("ij,ij->i", v @ gram, v)
        return sides[0], sides[1], fourth


def class_pearson(deletion: LeaveOneOutSums) -> Floats:
    """Correlation in one class without each of its samples (n,); NaN where nothing varies."""
    return _ratio(*deletion.centered())


def pooled_pearson(
    units: Directions, classes: list[Integers], entropy: Floats, similarity: Floats
) -> tuple[Floats, Floats, list[LeaveOneOutSums | None]]:
    """Correlation over all classes, and within class, without each sample.

    Parameters
    ----------
    units
        Directions of all samples.
    classes
        Rows of every class that has at least two.
    entropy, similarity
        Of all samples.

    Returns
    -------
    tuple
        Both correlations, a value a sample in the order of ``classes``, and the sums of every class; None for a
        class of two, which the deletion of one leaves without a similarity.
    """
    rows = np.concatenate(classes)
    unit = exponent_of(entropy[rows])
    a, y = similarity[rows] - 1, in_unit(entropy[rows], unit)
    y -= y.mean()
    center = float(a.mean())
    a -= center
    ends = np.cumsum([members.size for members in classes])
    parts = [np.stack([a[end - m.size : end], y[end - m.size : end]]) for m, end in zip(classes, ends, strict=True)]
    raw = np.array([_sums(part) for part in parts])
    about, inner = _within_classes(entropy, classes, parts)
    deletions: list[LeaveOneOutSums | None] = []
    stay, inside = np.empty((6, rows.size)), np.empty((3, rows.size))
    for label, (members, end) in enumerate(zip(classes, ends, strict=True)):
        span = slice(end - members.size, end)
        deletion = delete_each(units, members, entropy[members]) if members.size > 2 else None
        deletions.append(deletion)
        stay[:, span], inside[:, span] = (np.delete(sums, label, axis=0).sum(axis=0)[:, None] for sums in (raw, about))
        if deletion is not None:
            stay[:, span] += _shifted(deletion.in_unit(unit), center, float(parts[label][1].mean()))
            inside[:, span] += np.stack(deletion.in_unit(inner).centered())
    n, x, y, xx, yy, xy = stay
    return _ratio(xx - x**2 / n, yy - y**2 / n, xy - x * y / n), _ratio(*inside), deletions


def _sums(part: Floats) -> list[float]:
    x, y = part
    return [float(x.size), float(x.sum()), float(y.sum()), float(x @ x), float(y @ y), float(x @ y)]


def _within_classes(entropy: Floats, classes: list[Integers], parts: list[Floats]) -> tuple[Floats, int]:
    """Sums about the means of the classes (n_classes, 3), and the exponent of the unit of the entropies in them."""
    scaled = [in_own_unit(entropy[members]) for members in classes]
    unit = max(exponent for _, exponent in scaled)
    inner = [in_unit(y, unit - exponent) for y, exponent in scaled]
    return np.array([_centered_sums(np.stack([part[0], y])) for part, y in zip(parts, inner, strict=True)]), unit


def _centered_sums(part: Floats) -> list[float]:
    x, y = part - part.mean(axis=1, keepdims=True)
    return [float(x @ x), float(y @ y), float(x @ y)]


def _shifted(deletion: LeaveOneOutSums, center: float, mean_y: float) -> Floats:
    """Sums of a class about the center of all classes: number, x, y, x², y² and x·y, (6, n)."""
    m, q = deletion.n - 1, deletion.shift - center
    return np.stack(
        [
            np.full(deletion.n, float(m)),
            deletion.x + m * q,
            deletion.y + m * mean_y,
            deletion.xx + 2 * q * deletion.x + m * q**2,
            deletion.yy + 2 * mean_y * deletion.y + m * mean_y**2,
            deletion.xy + mean_y * deletion.x + q * deletion.y + m * q * mean_y,
        ]
    )


def _ratio(xx: Floats, yy: Floats, xy: Floats) -> Floats:
    scale = np.sqrt(xx.clip(0)) * np.sqrt(yy.clip(0))
    r: Floats = np.divide(xy, scale, out=np.full(xy.shape, np.nan), where=scale > 0)
    return r.clip(-1.0, 1.0)
