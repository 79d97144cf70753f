"""The last layer of a classifier: the linear map from a representation to the logits, and its files."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array, Floats
from mlx.core.arrays import open_array, write_array
from mlx.core.errors import ArtifactError
from mlx.core.reading import REMAKE

WEIGHTS, BIAS = "last_layer_weights.npy", "last_layer_bias.npy"

TOLERANCE = 1e-3
"""Largest difference of logits from what the last layer makes of a representation, as a share of the largest logit."""


@dataclass(frozen=True)
class LastLayer:
    """Logits hW + b of representations h.

    Attributes
    ----------
    layer
        The layer of the representations.
    weights
        W (n_features, n_classes).
    bias
        b (n_classes,).
    """

    layer: str
    weights: Floats
    bias: Floats

    def gives(self, representation: Array, logits: Array) -> bool:
        """Whether it makes these logits (n, n_classes) of a representation (n, n_features)."""
        if representation.shape[1] != len(self.weights) or logits.shape[1] != len(self.bias):
            return False
        made = np.asarray(representation, np.float64) @ self.weights + self.bias
        return bool(np.abs(made - logits).max() <= TOLERANCE * max(1.0, float(np.abs(logits).max())))


def write_last_layer(folder: Path, last: LastLayer) -> None:
    """Write the weights and the bias into an existing `folder`."""
    write_array(folder / WEIGHTS, np.ascontiguousarray(last.weights, np.float64))
    write_array(folder / BIAS, np.asarray(last.bias, np.float64))


def read_last_layer(folder: Path, layer: str | None, width: int, n_classes: int) -> LastLayer | None:
    """Read what `write_last_layer` wrote of the named `layer`; None without a name.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or of another shape than (width, n_classes) and (n_classes,).
    """
    if layer is None:
        return None
    found = []
    for name, shape in ((WEIGHTS, (width, n_classes)), (BIAS, (n_classes,))):
        array = open_array(folder / name)
        if array.shape != shape or array.dtype.kind != "f" or not np.isfinite(array).all():
            wanted = f"finite floats of shape {shape}"
            raise ArtifactError(
                f"{folder / name}: expected {wanted}, found {array.dtype} of shape {array.shape}{REMAKE}"
            )
        found.append(np.asarray(array, dtype=np.float64))
    return LastLayer(layer, *found)
