"""Reads what `extract-representations` recorded; arrays from any other framework can enter here."""

from dataclasses import dataclass
from typing import Literal

from mlx.core.arrays import Array, open_array
from mlx.core.artifacts import REMAKE, read_json
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace


@dataclass(frozen=True)
class Recorded:
    """What a model said of n test samples; all arrays are memory-mapped.

    Attributes
    ----------
    task, class_names : what was predicted; no names for regression.
    y_true, y_pred : (n,) labels or values.
    index : (n,) row of each sample in the raw data.
    layers : representations, (n, d) each, by layer, the layer of the headline first.
    probabilities : (n, K), None for regression.
    logits : (n, K), None where the model has none.
    """

    task: Literal["classification", "regression"]
    class_names: tuple[str, ...]
    y_true: Array
    y_pred: Array
    index: Array
    layers: dict[str, Array]
    probabilities: Array | None
    logits: Array | None


def read_recorded(workspace: Workspace) -> Recorded:
    """Open ``data/representations/``.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or its rows are not as many as the others'.
    """
    folder = workspace.representations
    described = read_json(folder / "representations.json")
    y_true = open_array(folder / "y_true.npy", ndim=1)
    n = len(y_true)

    def scores(name: str, present: bool) -> Array | None:
        return open_array(folder / f"{name}.npy", ndim=2, rows=n) if present else None

    try:
        task, names, layers = described["task"], tuple(described["class_names"]), list(described["layers"])
        has_logits = described["has_logits"]
    except KeyError as error:
        raise ArtifactError(f"{folder / 'representations.json'}: expected the key {error}{REMAKE}") from None
    return Recorded(
        task=task,
        class_names=names,
        y_true=y_true,
        y_pred=open_array(folder / "y_pred.npy", ndim=1, rows=n),
        index=open_array(folder / "index.npy", ndim=1, rows=n),
        layers={name: open_array(folder / f"{name}.npy", ndim=2, rows=n) for name in layers},
        probabilities=scores("probabilities", task == "classification"),
        logits=scores("logits", has_logits),
    )
