"""ViM, the virtual logit (Wang et al. 2022): what of a representation the training samples do not vary in.

The length of that part, scaled to the size of logits, is the logit of a class of its own; the energy of the logits is
taken from it.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from mlx.core.array_types import Floats
from mlx.core.last_layer import LastLayer
from mlx.core.ordered_map import OrderedMap
from mlx.residuals.scores.layer_part import LayerPart


@dataclass(frozen=True)
class VirtualLogit:
    """The score of a block of samples.

    Attributes
    ----------
    origin
        (n_features,), where all logits are the same.
    complement
        (n_features, n_features − n_principal), orthonormal: where the training samples vary least.
    scale
        Σ max logit / Σ length of that part, over the training samples.
    """

    origin: Floats
    complement: Floats
    scale: float

    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        """Virtual logit less log Σ exp z (m,) of some samples."""
        found: Floats = self.scale * self.length(part, rows) - logsumexp(part.read_logits(rows), axis=1)
        return found

    def length(self, part: LayerPart, rows: slice) -> Floats:
        """Length (m,) of what lies outside of the principal subspace."""
        lengths: Floats = np.linalg.norm((part.read(rows) - self.origin) @ self.complement, axis=1)
        return lengths


def n_principal(n_features: int) -> int:
    """Return the dimension of the principal subspace: 1000 from 2048 features, 512 from 768, half of fewer."""
    if n_features >= 2048:
        return 1000
    return 512 if n_features >= 768 else n_features // 2


@dataclass(frozen=True)
class _SumRows:
    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        return np.asarray(part.read(rows).sum(axis=0))


@dataclass(frozen=True)
class _SumOuter:
    origin: Floats

    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        away = part.read(rows) - self.origin
        return np.asarray(away.T @ away)


@dataclass(frozen=True)
class _SumSizes:
    """Σ max logit and Σ length."""

    score: VirtualLogit

    def __call__(self, part: LayerPart, rows: slice) -> Floats:
        return np.array([part.read_logits(rows).max(axis=1).sum(), self.score.length(part, rows).sum()])


def fit_virtual_logit(part: LayerPart, last: LastLayer | None, map: OrderedMap) -> VirtualLogit | None:
    """Fit to training samples with logits; None where they vary in the principal subspace alone.

    The origin is −W⁺b where the last layer is known, else the mean of the training samples.
    """
    if part.size - (last is None) <= n_principal(part.width):  # so few vary in no further direction
        return None
    if last is None:
        origin = part.add_up(_SumRows(), map) / part.size
    else:
        origin = -np.linalg.pinv(last.weights.T) @ last.bias / 2.0**part.exponent
    axes = np.linalg.eigh(part.add_up(_SumOuter(origin), map) / part.size)[1]
    found = VirtualLogit(origin, axes[:, : part.width - n_principal(part.width)], 1.0)
    logits, lengths = part.add_up(_SumSizes(found), map)
    if not lengths > ROUNDING * part.size * np.linalg.norm(origin):
        return None
    return VirtualLogit(found.origin, found.complement, float(logits / lengths))


ROUNDING = 1e-13
"""Mean lengths below this share of that of the origin are rounding."""
