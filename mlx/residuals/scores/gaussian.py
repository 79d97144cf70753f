"""Mahalanobis distances to the classes of the training samples, and less that to all of them.

One covariance of the deviations from the class means, shrunk by Ledoit & Wolf (2004), serves all classes (Lee et al.
2018); the relative distance takes out what a sample is away from all training samples (Ren et al. 2021).
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import solve_triangular

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap
from mlx.residuals.scores.layer_part import LayerPart, sums_by_label

ROUNDING = 1e-13
"""Directions whose variance is below this share of the largest have none."""


@dataclass(frozen=True)
class Gaussian:
    """Normal distributions of one covariance.

    Attributes
    ----------
    center
        (n_features,), what coordinates are measured from.
    whitened_means
        (n_means, rank), of each distribution.
    whitening
        (n_features, rank): whitened differences have Mahalanobis' distance as their length.
    """

    center: Floats
    whitened_means: Floats
    whitening: Floats

    def squared_distance(self, block: Floats) -> Floats:
        """Squared Mahalanobis distance (m,) of rows (m, n_features) to the nearest mean."""
        whitened = (block - self.center) @ self.whitening
        means = self.whitened_means
        squares = np.einsum("ij,ij->i", means, means)
        nearest = (squares - 2 * whitened @ means.T).argmin(axis=1)
        away = whitened - means[nearest]
        distances: Floats = np.einsum("ij,ij->i", away, away)
        return distances


@dataclass(frozen=True)
class _SumByLabel:
    labels: Integers
    n_labels: int
    origin: Floats

    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        return sums_by_label(part.read(rows) - self.origin, self.labels[rows], self.n_labels)


@dataclass(frozen=True)
class _Products:
    """Σ x xᵀ and Σ ‖x‖⁴ of deviations x."""

    squares: Floats
    fourth: float

    def __add__(self, other: "_Products") -> "_Products":
        return _Products(self.squares + other.squares, self.fourth + other.fourth)


@dataclass(frozen=True)
class _SumProducts:
    labels: Integers
    means: Floats

    def __call__(self, part: LayerPart, rows: slice) -> _Products:
        away = part.read(rows) - self.means[self.labels[rows]]
        lengths = np.einsum("ij,ij->i", away, away)
        return _Products(away.T @ away, float(lengths @ lengths))


def fit_gaussian(part: LayerPart, labels: Integers, map: OrderedMap) -> Gaussian | None:
    """Fit a mean for each label and one covariance of the deviations from them; None where nothing deviates.

    Parameters
    ----------
    part
        The training samples.
    labels
        (n,), integers from 0.
    """
    known, codes = np.unique(labels, return_inverse=True)
    origin = part.read(slice(0, 1))[0]  # so that a common offset costs no digits
    sums = part.add_up(_SumByLabel(codes, known.size, origin), map)
    means = sums / np.bincount(codes)[:, None] + origin
    found = part.add_up(_SumProducts(codes, means), map)
    whitening, center = _whitening(*ledoit_wolf(found.squares / part.size, found.fourth, part.size)), means.mean(axis=0)
    return Gaussian(center, (means - center) @ whitening, whitening) if whitening.size else None


def _whitening(covariance: Floats, share: float) -> Floats:
    """Return W (d, rank) with W Wᵀ the inverse of a covariance that has a `share` of a multiple of the identity.

    With enough of it every direction has variance, and W is triangular, which takes a tenth of the time.
    """
    d = len(covariance)
    if share > ROUNDING * d:
        root = np.linalg.cholesky(covariance)
        return np.asarray(solve_triangular(root, np.eye(d), lower=True).T)
    variances, axes = np.linalg.eigh(covariance)
    kept = variances > ROUNDING * max(variances[-1], 0.0)
    return np.asarray(axes[:, kept] / np.sqrt(variances[kept]))


def ledoit_wolf(covariance: Floats, fourth: float, n: int) -> tuple[Floats, float]:
    """Shrink a covariance (d, d) of n centered samples, dividing by n, toward a multiple of the identity.

    Parameters
    ----------
    covariance
        Σ x xᵀ / n.
    fourth
        Σ ‖x‖⁴.
    n
        Number of samples.

    Returns
    -------
    shrunk, share
        The covariance, trace unchanged, and the share of the multiple of the identity in it.
    """
    d, scale = len(covariance), float(np.trace(covariance)) / len(covariance)
    square = float(np.einsum("ij,ij->", covariance, covariance))
    noise, spread = (fourth / n - square) / n, square - d * scale**2
    share = min(noise, spread) / spread if noise > 0 and spread > 0 else 0.0
    shrunk: Floats = (1 - share) * covariance
    shrunk[np.diag_indices(d)] += share * scale
    return shrunk, share
