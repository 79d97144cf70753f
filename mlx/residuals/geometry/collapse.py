"""Neural collapse: whether the representations of a class have shrunk to a point, and the points to a simplex.

Convention: Papyan, Han & Donoho (2020), with the classes' centers weighing equally, so that a class does not
count by its size: the global center is the mean of the class centers, the between-class covariance the mean
over classes, the within-class covariance the mean over samples.
"""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import row_blocks
from mlx.core.scale import unit_sized
from mlx.residuals.similarity.directions import in_range
from mlx.stats.status import OK, Reason, Status

NAN = float("nan")


@dataclass(frozen=True)
class NeuralCollapse:
    """How far a layer has collapsed; every number falls to 0 as it does. NaN where ``status`` says why.

    Attributes
    ----------
    nc1
        Tr(Σ_W Σ_B⁺) / C: spread within classes against spread between them, in [0, ∞).
    nc2_norms
        Coefficient of variation of the lengths of the centered class centers (equal norms).
    nc2_angles
        Standard deviation of the cosines between them over all pairs of classes (equal angles).
    nc2_simplex
        Mean |cosine + 1/(C − 1)|: how far the angles are from the widest that are possible.
    nc3
        ‖W/‖W‖ − M/‖M‖‖ in Frobenius norm, of the last layer's weights and the centered class centers, in
        [0, 2] (self-duality); NaN without weights.
    nc4
        Share of samples that the model assigns to another class than that of the nearest center.
    n_classes
        Classes that occur.
    status
        What is missing and why, if anything.
    """

    nc1: float
    nc2_norms: float
    nc2_angles: float
    nc2_simplex: float
    nc3: float
    nc4: float
    n_classes: int
    status: Status


def neural_collapse(
    representation: Scores, y_true: Integers, y_pred: Integers, *, weights: Scores | None = None
) -> NeuralCollapse:
    """Measure NC1 to NC4 of one layer, in blocks of rows: O(n·d·C) time, O(d·C) memory.

    Parameters
    ----------
    representation
        (n_samples, n_features), finite; may be memory-mapped.
    y_true, y_pred
        (n_samples,), labels; centers are those of the true classes.
    weights
        (n_features, n_classes), of the layer that turns this representation into logits, for NC3.
    """
    representation, _ = in_range(representation)
    labels, own = np.unique(y_true, return_inverse=True)
    k = labels.size
    if k < 2:
        return _undefined(k, Reason.ONE_CLASS())
    centers = _centers(representation, own, k)
    middle = centers.mean(axis=0)
    centered = centers - middle
    lengths = np.linalg.norm(centered, axis=1)
    if not lengths.min() > 1e-12 * max(lengths.max(), np.linalg.norm(middle)):
        return _undefined(k, Reason.CENTERS_COINCIDE())
    nc1, nc4 = _spread_and_disagreement(representation, own, labels, y_pred, centers, middle)
    cosines = ((centered / lengths[:, None]) @ (centered / lengths[:, None]).T)[np.triu_indices(k, 1)]
    nc3, status = NAN, Reason.NO_WEIGHTS()
    if weights is not None:
        columns = unit_sized(np.asarray(weights, dtype=np.float64)[:, labels])
        known = bool(columns.any())
        nc3, status = (_duality(columns, centered), OK) if known else (NAN, Reason.ZERO_WEIGHTS())
    return NeuralCollapse(
        nc1=nc1,
        nc2_norms=float(lengths.std() / lengths.mean()),
        nc2_angles=float(cosines.std()),
        nc2_simplex=float(np.abs(cosines + 1 / (k - 1)).mean()),
        nc3=nc3,
        nc4=nc4,
        n_classes=k,
        status=status,
    )


def _undefined(n_classes: int, status: Status) -> NeuralCollapse:
    return NeuralCollapse(NAN, NAN, NAN, NAN, NAN, NAN, n_classes, status)


def _centers(representation: Scores, own: Integers, k: int) -> Floats:
    sums = np.zeros((k, representation.shape[1]))
    # Sums start at the first row, so that a common offset costs no digits.
    origin = np.asarray(representation[0], dtype=np.float64)
    for rows in row_blocks(*representation.shape):
        block = np.asarray(representation[rows], dtype=np.float64) - origin
        order = np.argsort(own[rows], kind="stable")
        present, starts = np.unique(own[rows][order], return_index=True)
        sums[present] += np.add.reduceat(block[order], starts, axis=0)
    return sums / np.bincount(own)[:, None] + origin


def _spread_and_disagreement(
    representation: Scores, own: Integers, labels: Integers, y_pred: Integers, centers: Floats, middle: Floats
) -> tuple[float, float]:
    centered = centers - middle
    _, lengths, axes = np.linalg.svd(centered, full_matrices=False)
    # k centered centers span at most k − 1 directions; what is below rounding is not counted.
    rank = min(len(centers) - 1, int((lengths > lengths[0] * max(centered.shape) * np.finfo(float).eps).sum()))
    whitened = axes[:rank].T / lengths[:rank]
    squares = np.einsum("ij,ij->i", centered, centered)
    spread, disagree = 0.0, 0
    for rows in row_blocks(*representation.shape):
        block = np.asarray(representation[rows], dtype=np.float64) - middle
        inside = (block - centered[own[rows]]) @ whitened
        spread += float(np.einsum("ij,ij->", inside, inside))
        nearest = (squares - 2 * block @ centered.T).argmin(axis=1)
        disagree += int((labels[nearest] != y_pred[rows]).sum())
    # Σ_B⁺ = C·A s⁻² Aᵀ, whose C and that of the definition cancel.
    return spread / len(own), disagree / len(own)


def _duality(weights: Floats, centered: Floats) -> float:
    return float(np.linalg.norm(weights / np.linalg.norm(weights) - centered.T / np.linalg.norm(centered)))
