"""Which samples pull at a linear fit: leverage and Cook's distance, from the design."""

from dataclasses import dataclass

import numpy as np

from mlx.core.checks import Floats, Scores, check_finite, check_matrix


@dataclass(frozen=True)
class Leverage:
    """How much each sample of a linear regression counts; NaN where ``status`` says why.

    Attributes
    ----------
    leverage
        (n_samples,), diagonal of the hat matrix of the design with an intercept, in [1/n, 1]; its mean is
        the number of coefficients over n.
    cooks_distance
        (n_samples,), how far leaving the sample out would move the fit, in standard errors of the
        coefficients together (Cook 1977), for residuals of a least-squares fit to this design; above 1 is
        much. NaN where the leverage is 1.
    status
        ``"ok"``, or what is missing and why.
    """

    leverage: Floats
    cooks_distance: Floats
    status: str


def leverage_of(residual: Floats, design: Scores | None) -> Leverage:
    """Measure the pull of every sample, by QR of the centred, scaled design: O(n·d²).

    Parameters
    ----------
    residual
        (n_samples,), in any unit.
    design
        (n_samples, n_features), the inputs of a linear model, without the column of ones; or None.

    Raises
    ------
    DataError
        If the design has another number of rows, or for the first row with a value that is not finite.
    """
    n = residual.size
    nothing = np.full(n, np.nan)
    if design is None:
        return Leverage(nothing, nothing, "no leverage (no design of a linear model)")
    check_matrix("design", design, (n, None))
    if design.shape[1] + 1 >= n:
        return Leverage(nothing, nothing, f"no leverage ({design.shape[1] + 1} coefficients for {n} samples)")
    columns = np.asarray(design, dtype=np.float64)
    check_finite("design", columns, 0)
    columns = columns - columns.mean(axis=0)
    scale = np.linalg.norm(columns, axis=0)
    columns = columns[:, scale > 0] / scale[scale > 0]
    left, lengths, _ = np.linalg.svd(columns, full_matrices=False)
    rank = int((lengths > lengths.max(initial=0.0) * max(columns.shape) * np.finfo(np.float64).eps).sum())
    leverage = 1 / n + np.einsum("ij,ij->i", left[:, :rank], left[:, :rank])
    leverage = np.minimum(leverage, 1.0)
    n_coefficients = rank + 1
    mean_square = float(residual @ residual) / (n - n_coefficients)
    rest = 1 - leverage
    pull = np.divide(leverage, rest**2, out=np.full(n, np.nan), where=rest > 1e-12)
    if mean_square == 0:
        return Leverage(leverage, nothing, "no Cook's distance (residuals are all 0)")
    return Leverage(leverage, residual**2 / (n_coefficients * mean_square) * pull, "ok")
