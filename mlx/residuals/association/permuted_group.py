"""Similarity and entropy of a group of samples, and their products under permutation of the entropies."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.scale import in_unit
from mlx.residuals.association.layer import Layer
from mlx.stats.correlation import SIMILARITY_TOLERANCE, in_own_unit, merge_entropies, midranks
from mlx.stats.permutation import permuted_products


@dataclass(frozen=True)
class PermutedProducts:
    """Sums over a group within which entropies are permuted; those of several groups add up.

    Attributes
    ----------
    n
        Samples of the group.
    xx, yy, xy
        (2,), sums of squares and of products about the means of the group: first of values, then of midranks
        as shares of n + 1, so that a large group does not dominate by its larger ranks.
    permuted
        (2, n_permutations), xy with the entropies permuted.
    exponent
        Entropies are in units of 2^exponent, so that none is too small to be squared.
    """

    n: int
    xx: Floats
    yy: Floats
    xy: Floats
    permuted: Floats
    exponent: int

    @property
    def correlations(self) -> tuple[Floats, Floats]:
        """Pearson's and Spearman's (2,), and those of the permutations (2, n_permutations); NaN where all are tied."""
        scale = np.sqrt(self.xx) * np.sqrt(self.yy)
        scale[scale == 0] = np.nan
        return (self.xy / scale).clip(-1, 1), self.permuted / scale[:, None]

    def in_unit(self, exponent: int) -> "PermutedProducts":
        """Return the same with entropies in units of 2^exponent."""
        step = np.array([exponent - self.exponent, 0])
        return PermutedProducts(
            n=self.n,
            xx=self.xx,
            yy=in_unit(self.yy, 2 * step),
            xy=in_unit(self.xy, step),
            permuted=in_unit(self.permuted, step[:, None]),
            exponent=exponent,
        )


def permute(layer: Layer, rows: Integers, n_permutations: int, generator: np.random.Generator) -> PermutedProducts:
    """Permute the entropies of the samples in ``rows`` among themselves."""
    x, y = np.empty((2, rows.size)), np.empty((2, rows.size))
    entropy = layer.entropy[rows]
    x[0], (y[0], exponent) = layer.similarity[rows], in_own_unit(entropy)
    x[1] = midranks(x[0], SIMILARITY_TOLERANCE) / (rows.size + 1)
    y[1] = midranks(merge_entropies(entropy)) / (rows.size + 1)
    for scores in (x, y):
        scores -= scores.mean(axis=1, keepdims=True)
    xx, yy, xy = (np.einsum("sn,sn->s", *pair) for pair in ((x, x), (y, y), (x, y)))
    return PermutedProducts(rows.size, xx, yy, xy, permuted_products(x, y, n_permutations, generator), exponent)


def add_groups(groups: Sequence[PermutedProducts]) -> PermutedProducts:
    """Add up groups, each of which was permuted by itself."""
    exponent = max(group.exponent for group in groups)
    groups = [group.in_unit(exponent) for group in groups]
    return PermutedProducts(
        sum(group.n for group in groups),
        np.sum([group.xx for group in groups], axis=0),
        np.sum([group.yy for group in groups], axis=0),
        np.sum([group.xy for group in groups], axis=0),
        np.sum([group.permuted for group in groups], axis=0),
        exponent,
    )
