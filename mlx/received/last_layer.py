"""The last layer of a recorded classifier, as it is given: weights and bias that make the logits of a layer."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.errors import DataError
from mlx.core.last_layer import BIAS, WEIGHTS, LastLayer
from mlx.received.predictions import Received
from mlx.received.rows import read_rows
from mlx.received.sparse import is_sparse

PARTS = ("weights", "bias")


@dataclass(frozen=True)
class GivenLastLayer:
    """Weights (d, K), or (K, d) as PyTorch has them, and a bias (K,): arrays or files.

    Attributes
    ----------
    weights, bias
        As `mlx.received.rows.read_rows` reads them.
    called
        Where they are from, for messages.
    layer
        Of which layer they make the logits; by default the first.
    """

    weights: Any
    bias: Any
    called: str
    layer: str | None = None


def last_layer_in(folder: Path, layer: str | None) -> GivenLastLayer | None:
    """Return the files ``last_layer_weights.npy`` and ``last_layer_bias.npy`` of a folder, if there are any."""
    weights, bias = folder / WEIGHTS, folder / BIAS
    return GivenLastLayer(weights, bias, str(weights), layer) if weights.exists() else None


def given_last_layer(given: Any, called: str) -> GivenLastLayer | None:
    """Return ``weights`` and ``bias`` of a mapping, or of an ``.npz`` file.

    Raises
    ------
    DataError
        It is neither, or lacks one of them.
    """
    if given is None:
        return None
    if isinstance(given, str | Path):
        return GivenLastLayer(Path(given), Path(given), called)
    if not isinstance(given, Mapping) or {*given} != {*PARTS}:
        found = ", ".join(map(str, given)) if isinstance(given, Mapping) else type(given).__name__
        raise DataError(f"{called}: expected weights and bias by name, or a .npz file with both, found {found}")
    return GivenLastLayer(given["weights"], given["bias"], called)


def checked_last_layer(given: GivenLastLayer, test: Received) -> LastLayer | None:
    """Return the last layer of what is received of the test part; None of a layer that is not recorded.

    Raises
    ------
    DataError
        The numbers are damaged, of other shapes, or make other logits of the layer.
    """
    name = given.layer or next(iter(test.layers))
    if name not in test.layers:
        return None
    layer: Any = test.layers[name]
    logits = test.logits
    if logits is None or is_sparse(layer):
        missing = "logits" if logits is None else f"a dense layer '{name}'"
        raise DataError(f"{given.called}: expected {missing} beside the last layer, found none")
    rows = [next(iter(array.chunks())) for array in (layer, logits)]
    n = min(map(len, rows))
    weights, bias = (_floats(getattr(given, part), f"{given.called}: {part}", part) for part in PARTS)
    for made in (LastLayer(name, weights, bias), LastLayer(name, np.ascontiguousarray(weights.T), bias)):
        if made.weights.shape == (rows[0].shape[1], rows[1].shape[1]) and made.gives(rows[0][:n], rows[1][:n]):
            return made
    raise DataError(
        f"{given.called}: expected weights of shape ({rows[0].shape[1]}, {rows[1].shape[1]}) and a bias of shape "
        f"({rows[1].shape[1]},) that make the logits of layer '{name}', found weights of shape {weights.shape} and a "
        f"bias of shape {bias.shape}{', which make others' if weights.size == rows[0].shape[1] * bias.size else ''}"
    )


def _floats(given: Any, what: str, kind: str) -> Floats:
    found = np.asarray(read_rows(given, what, kind=kind).whole(), np.float64)
    if not np.isfinite(found).all():
        raise DataError(f"{what}: expected finite numbers, found others")
    return found
