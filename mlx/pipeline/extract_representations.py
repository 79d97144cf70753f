"""Step `extract-representations`: one pass of the trained model over the test split."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import ArrayWriter, write_array
from mlx.core.artifacts import replacing_folder, write_json
from mlx.core.console import note, tracked
from mlx.core.descriptions import (
    ModelDescription,
    RepresentationsDescription,
    SplitsDescription,
    ValidationDescription,
    read_description,
)
from mlx.core.linear_fit import write_linear_fit
from mlx.core.paths import Workspace
from mlx.core.samples import finite_rows, open_index, open_samples, open_targets
from mlx.core.sparse import SparseWriter
from mlx.models import Model, Outputs, load_model
from mlx.models.in_numpy.training_design import MOST_FEATURES
from mlx.representations import RepresentationsSettings, extract

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Split = Literal["train", "val", "test"]


def extract_representations(workspace: Workspace, *, representations: RepresentationsSettings) -> str:
    """Write ``data/representations/``: one array for each layer, logits, probabilities, labels, predictions.

    Raises
    ------
    MlxError
        The model lacks a requested layer, or an artifact is damaged.
    """
    model = load_model(workspace.model)
    with replacing_folder(workspace.representations) as folder:
        n, described = record_split(workspace, "test", folder, representations, model=model)
    if described.model == "linear_regression" and model.linear_fit is None and model.n_parameters <= MOST_FEATURES + 1:
        note(
            f"extract-representations: {workspace.model}: expected the training design of the linear regression, found "
            "none, as an earlier version fitted it; there will be no leverage and no prediction interval until it is "
            "fitted again, by 'dvc repro --force train' or, for a run, 'mlx run-experiment'"
        )
    layers = ", ".join(f"{name} ({width})" for name, width in described.layers.items())
    return (
        f"read {workspace.model} and {n} test samples from {workspace.splits}, recorded {layers}, "
        f"wrote {workspace.representations}"
    )


def record_split(
    workspace: Workspace,
    split: Split,
    folder: Path,
    settings: RepresentationsSettings,
    *,
    model: Model | None = None,
) -> tuple[int, RepresentationsDescription]:
    """Run a model over one split of `workspace`, and write its outputs into the empty `folder`.

    `mlx.pipeline.model_outputs.open_model_outputs` reads the folder.

    The `model`, such as that of a checkpoint, takes the place of the one in the workspace.

    Returns
    -------
    n, description
        The number of samples, and what was written.

    Raises
    ------
    MlxError
        The model lacks a requested layer, or an artifact is damaged.
    """
    model = model or load_model(workspace.model)
    y_true, blocks = _samples(workspace, split, model, settings.batch_size)
    index = open_index(workspace.splits / f"index_{split}.npy", rows=len(y_true))
    writers = _write_outputs(extract(model, blocks, settings.layers), folder, len(y_true))
    write_array(folder / "y_true.npy", y_true)
    write_array(folder / "index.npy", index)
    if model.linear_fit is not None:
        write_linear_fit(folder, model.linear_fit)
    validation = _validation(workspace, model, settings.batch_size)
    described = _description(workspace, split, settings.layers, writers, validation)
    write_json(folder / "representations.json", described.as_dict())
    return len(y_true), described


def _samples(workspace: Workspace, split: Split, model: Model, batch_size: int) -> tuple[Array, Iterable[Array]]:
    """Return the targets (n,) of a split, and its samples in batches."""
    y = open_targets(workspace.splits / f"y_{split}.npy", n_classes=model.task_spec.n_classes)
    source = workspace.splits / f"X_{split}.npy"
    open_samples(source, rows=len(y), sample_shape=model.task_spec.sample_shape)
    rows = (block for _, block in finite_rows(source, batch_size))
    return y, tracked(rows, total=-(-len(y) // batch_size), label=f"{split} batches")


def _validation(workspace: Workspace, model: Model, batch_size: int) -> ValidationDescription | None:
    """Count the validation samples and the errors of this model on them, for a classification."""
    if not model.task_spec.n_classes or not (workspace.splits / "y_val.npy").exists():
        return None
    y, blocks = _samples(workspace, "val", model, batch_size)
    if not len(y):
        return None
    predicted = np.concatenate([outputs.predictions for outputs in extract(model, blocks, ())])
    return ValidationDescription(n=len(y), errors=int((predicted != y).sum()))


Writer = ArrayWriter | SparseWriter


def _write_outputs(batches: Iterable[Outputs], folder: Path, n: int) -> dict[str, Writer]:
    """Append the batches to their files; return the writers by name."""
    predictions = []
    with ExitStack() as stack:
        writers: dict[str, Writer] = {}
        for outputs in batches:
            for name, values in _arrays(outputs).items():
                if name not in writers:
                    writer: Writer = _writer(folder, name, n, values)
                    stack.enter_context(writer)
                    writers[name] = writer
                writers[name].append(values)
            predictions.append(outputs.predictions)
    write_array(folder / "y_pred.npy", np.concatenate(predictions))
    return writers


def _writer(folder: Path, name: str, n: int, values: "Array | csr_array[Any]") -> Writer:
    if isinstance(values, np.ndarray):
        return ArrayWriter(folder / f"{name}.npy", (n, values.shape[1]), values.dtype)
    return SparseWriter(folder / f"{name}.npz", (n, values.shape[1]), values.dtype)


def _arrays(outputs: Outputs) -> dict[str, Any]:
    scores = {"logits": outputs.logits, "probabilities": outputs.probabilities}
    return {name: values for name, values in scores.items() if values is not None} | outputs.representations


def _description(
    workspace: Workspace,
    split: Split,
    layers: list[str],
    writers: dict[str, Writer],
    validation: ValidationDescription | None,
) -> RepresentationsDescription:
    model = read_description(workspace.model / "model.json", ModelDescription)
    splits = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    return RepresentationsDescription(
        task=model.task,
        class_names=model.class_names,
        model=model.name,
        layers={name: writers[name].shape[1] for name in layers},
        sparse=[name for name in layers if isinstance(writers[name], SparseWriter)],
        has_logits="logits" in writers,
        split=split,
        validation=validation,
        split_method=splits.split_method,
    )
