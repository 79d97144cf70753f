"""What a linear regression keeps of the samples that it was fitted to: enough for leverage, intervals and errors."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import Field

from mlx.core.array_types import Floats
from mlx.core.arrays import open_array, write_array
from mlx.core.artifacts import write_json
from mlx.core.descriptions import read_description
from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE
from mlx.core.settings import Settings

DESCRIPTION, TRIANGLE, COEFFICIENTS = "linear_fit.json", "linear_fit_triangle.npy", "linear_fit_coefficients.npy"

CONSTANT = 4
"""A feature whose deviations are at most so many roundings of its mean is constant."""


@dataclass(frozen=True)
class LinearFit:
    """The training design of n samples and p coefficients, and how well the fit describes it.

    Attributes
    ----------
    triangle
        (min(n, p), p), R of the QR decomposition of the training design with a column of ones before the features,
        its diagonal not negative.
    coefficients
        (p,), the fitted intercept and weights.
    n
        Number of training samples.
    residual_sd
        Root of the residual variance, in units of y: the sum of squared training residuals over n less the rank of the
        design. None where no degree of freedom is left. The variance itself would underflow for targets of 1e-200.
    least_squares
        Whether the coefficients are those of least squares, up to a tenth of their standard errors: a fit by steps
        may stop earlier, and a penalty pulls them away.
    """

    triangle: Floats
    coefficients: Floats
    n: int
    residual_sd: float | None
    least_squares: bool

    @property
    def axes(self) -> "DesignAxes":
        """The axes of the training design."""
        return design_axes(self.triangle, self.n)


@dataclass(frozen=True)
class DesignAxes:
    """The centered and scaled training design as orthogonal axes: ``(X - center) / scale = left * lengths @ axes``.

    Attributes
    ----------
    center, scale
        (d,), mean and length of each centered feature; where a feature is constant, its size takes the place of its
        length, 1 where it is 0.
    left
        (min(n - 1, d), rank), coordinates of the rows of R below the intercept.
    lengths
        (rank,), singular values, decreasing.
    axes
        (rank, d), orthonormal rows: what the training samples span.
    """

    center: Floats
    scale: Floats
    left: Floats
    lengths: Floats
    axes: Floats

    @property
    def rank(self) -> int:
        """Number of directions that the training samples span, without the intercept."""
        return len(self.lengths)


def design_axes(triangle: Floats, n: int) -> DesignAxes:
    """Decompose R (min(n, d + 1), d + 1) of a design with a column of ones; raises nothing for a finite one.

    Features that float64 can't tell from constant ones, or from combinations of others, span nothing.
    """
    eps = float(np.finfo(np.float64).eps)
    center, inner = triangle[0, 1:] / triangle[0, 0], triangle[1:, 1:]
    scale = column_lengths(inner)
    size = np.abs(triangle[0, 1:])
    constant = scale <= CONSTANT * eps * size
    scale = np.where(constant, np.where(size > 0, size, 1.0), scale)
    left, lengths, axes = np.linalg.svd(np.where(constant, 0.0, inner) / scale, full_matrices=False)
    rank = int((lengths > eps * max(n, len(center)) * lengths.max(initial=0.0)).sum())
    return DesignAxes(center, scale, left[:, :rank], lengths[:rank], axes[:rank])


def column_lengths(matrix: Floats) -> Floats:
    """Return the Euclidean lengths (d,) of the columns of a matrix (m, d), whose squares may overflow or underflow."""
    peak = np.abs(matrix).max(axis=0, initial=0.0)
    peak[peak == 0] = 1.0
    lengths: Floats = peak * np.linalg.norm(matrix / peak, axis=0)
    return lengths


class LinearFitDescription(Settings):
    """``linear_fit.json``: the numbers of a `LinearFit` beside its arrays."""

    n: int = Field(ge=1)
    residual_sd: float | None = Field(ge=0)
    least_squares: bool


def write_linear_fit(folder: Path, fit: LinearFit) -> None:
    """Write `fit` into an existing `folder`, the same bytes for the same fit."""
    write_array(folder / TRIANGLE, fit.triangle)
    write_array(folder / COEFFICIENTS, fit.coefficients)
    described = LinearFitDescription(n=fit.n, residual_sd=fit.residual_sd, least_squares=fit.least_squares)
    write_json(folder / DESCRIPTION, described.as_dict())


def read_linear_fit(folder: Path, n_features: int) -> LinearFit | None:
    """Read the fit of a model with `n_features` inputs from `folder`; None where there is none.

    Raises
    ------
    ArtifactError
        A file is damaged, or of another number of features.
    """
    if not (folder / DESCRIPTION).exists():
        return None
    described = read_description(folder / DESCRIPTION, LinearFitDescription)
    p = n_features + 1
    triangle = _numbers(folder / TRIANGLE, (min(described.n, p), p))
    if not 0.999 < triangle[0, 0] / described.n**0.5 < 1.001:
        raise ArtifactError(
            f"{folder / TRIANGLE}: expected the root of {described.n} samples first, found {triangle[0, 0]:g}{REMAKE}"
        )
    coefficients = _numbers(folder / COEFFICIENTS, (p,))
    return LinearFit(triangle, coefficients, described.n, described.residual_sd, described.least_squares)


def _numbers(path: Path, shape: tuple[int, ...]) -> Floats:
    array = open_array(path, ndim=len(shape))
    if array.shape != shape or array.dtype != np.float64 or not np.isfinite(array).all():
        raise ArtifactError(
            f"{path}: expected finite float64 of shape {shape}, found {array.dtype} of shape {array.shape}{REMAKE}"
        )
    return np.array(array)
