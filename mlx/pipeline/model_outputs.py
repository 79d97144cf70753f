"""Reads the files of `extract-representations`; arrays from any other framework can enter here."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import open_array
from mlx.core.console import note
from mlx.core.descriptions import RepresentationsDescription, Split, read_description
from mlx.core.errors import ArtifactError
from mlx.core.linear_fit import LinearFit, read_linear_fit
from mlx.core.paths import Workspace
from mlx.core.reading import ABSENT, REMAKE
from mlx.core.samples import naming, open_index, open_targets
from mlx.core.sparse import open_sparse
from mlx.stats.duplicates import Duplicates, find_duplicates
from mlx.stats.gates import ValidationErrors
from mlx.stats.validation_outputs import ValidationOutputs

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class ModelOutputs:
    """Outputs and representations of n samples; logits, probabilities and dense layers are memory-mapped.

    Attributes
    ----------
    task, class_names
        What is predicted; no names for regression.
    y_true, y_pred
        (n,) labels or values.
    index
        (n,) row of each sample in the raw data.
    layers
        Representations (n, d) by layer, the layer of the headline first; sparse ones as ``csr_array``.
    probabilities
        (n, K), None for regression.
    logits
        (n, K), None where the model has none.
    model
        Name of the model.
    chosen_by_validation
        Whether the validation loss chose the epoch whose weights the model has; None if unknown.
    split_method
        How the data were divided into parts; None where that is unknown.
    linear_fit
        The training design of a linear regression, whose first layer is the input; None for other models.
    validation
        How often the model is wrong on the validation samples; None for regression, or if unknown.
    folder
        Where the arrays are.
    features
        Names of the model's inputs; empty where they have none.
    identity
        Of all that is recorded, see `mlx.core.lineage`; None where it is unknown.
    """

    task: Literal["classification", "regression"]
    class_names: tuple[str, ...]
    y_true: Array
    y_pred: Array
    index: Array
    layers: "dict[str, Array | csr_array[Any]]"
    probabilities: Array | None
    logits: Array | None
    model: str
    linear_fit: LinearFit | None
    validation: ValidationErrors | None
    chosen_by_validation: bool | None = None
    split_method: str | None = None
    folder: Path | None = None
    features: tuple[str, ...] = ()
    identity: str | None = None

    @cached_property
    def duplicates(self) -> Duplicates:
        """The samples of the same representation and output, as the residuals analysis finds them."""
        scores = self.probabilities if self.logits is None else self.logits
        outputs = np.asarray(self.y_pred)[:, None] if scores is None else scores
        return find_duplicates(next(iter(self.layers.values())), outputs)

    def as_validation(self, groups: Array | None) -> ValidationOutputs | None:
        """Return the outputs to fit and to calibrate by, with the label (n,) of each group; None for regression."""
        if self.probabilities is None:
            return None
        labels, index = np.asarray(self.y_true), np.asarray(self.index)
        return ValidationOutputs(self.probabilities, self.logits, labels, index, self.chosen_by_validation, groups)

    @property
    def design(self) -> Array | None:
        """The inputs (n, d) of a linear regression, which every layer of it equals; None for other models."""
        layer = next(iter(self.layers.values()))
        return layer if self.linear_fit and isinstance(layer, np.ndarray) else None


@contextmanager
def naming_model_outputs(workspace: Workspace, recorded: ModelOutputs) -> Iterator[None]:
    """Add the file to the error of a check that rejects the outputs of this workspace's model.

    Without a model, the arrays come from elsewhere, and their user knows them by other names.
    """
    with naming(recorded.folder) if recorded.folder and workspace.model.exists() else nullcontext():
        yield


def open_model_outputs(folder: Path, split: Split = "test") -> ModelOutputs:
    """Open what a folder written by `extract-representations`, such as ``data/representations/``, has of one part.

    Of the test part, it may be a folder of an earlier version, which has the arrays of that part alone.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or has another number of rows or columns than described, or the part is not
        recorded.
    """
    described = read_description(folder / "representations.json", RepresentationsDescription)
    fit_folder, folder = folder, _folder_of(folder, split, described)
    k, counted = len(described.class_names), described.validation
    rows = described.samples.get(split)
    y_true = open_targets(folder / "y_true.npy", n_classes=k, rows=rows)
    n = len(y_true)
    index = open_index(folder / "index.npy", rows=n)

    def scores(name: str) -> Array:
        array = open_array(folder / f"{name}.npy", ndim=2, rows=n)
        if array.shape[1] != k or array.dtype.kind != "f":
            found = f"{array.dtype} of shape {array.shape}"
            raise ArtifactError(f"{folder / name}.npy: expected floats of shape ({n}, {k}), found {found}{REMAKE}")
        return array

    layers = {name: _layer(folder, name, n, described) for name in described.layers}
    return ModelOutputs(
        task=described.task,
        class_names=tuple(described.class_names),
        y_true=y_true,
        y_pred=open_targets(folder / "y_pred.npy", n_classes=k, rows=n),
        index=index,
        layers=layers,
        probabilities=scores("probabilities") if described.task == "classification" else None,
        logits=scores("logits") if described.has_logits else None,
        model=described.model,
        linear_fit=read_linear_fit(fit_folder, next(iter(layers.values())).shape[1]),
        validation=None if counted is None else ValidationErrors(counted.n, counted.errors),
        chosen_by_validation=described.chosen_by_validation,
        split_method=described.split_method,
        features=tuple(described.features),
        folder=folder,
        identity=described.identity,
    )


def is_recorded(folder: Path, split: Split) -> bool:
    """Whether the same folder has the outputs for a part of the data in a folder of its own.

    Raises
    ------
    ArtifactError
        The description is missing or damaged.
    """
    return split in read_description(folder / "representations.json", RepresentationsDescription).samples


def open_validation(folder: Path) -> ModelOutputs | None:
    """Open what the same folder has of the validation part; None where it is not recorded.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or has another number of rows or columns than described.
    """
    return open_model_outputs(folder, "val") if is_recorded(folder, "val") else None


def _folder_of(recorded: Path, split: Split, described: RepresentationsDescription) -> Path:
    """Return where the arrays of a part are; say so where an earlier version wrote them."""
    if split in described.samples:
        return recorded / split
    if described.samples or split != "test":
        found = ", ".join(described.samples or ["test"])
        raise ArtifactError(
            f"{recorded}: expected outputs on the {split} samples, found those on {found}; add {split} to "
            f"representations.splits{ABSENT}"
        )
    note(f"{recorded}: of an earlier version, which recorded the test samples alone; a new run records all parts")
    return recorded


def _layer(folder: Path, name: str, rows: int, described: RepresentationsDescription) -> "Array | csr_array[Any]":
    layer: Array | csr_array[Any]
    if name in described.sparse:
        path = folder / f"{name}.npz"
        layer = open_sparse(path, rows=rows)
    else:
        path = folder / f"{name}.npy"
        layer = open_array(path, ndim=2, rows=rows)
    if layer.shape[1] != (width := described.layers[name]):
        raise ArtifactError(f"{path}: expected rows of {width} numbers, found {layer.shape[1]}{REMAKE}")
    return layer
