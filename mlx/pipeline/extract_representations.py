"""Step `extract-representations`: the one pass of the trained model over the test split."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.arrays import ArrayWriter, open_array, stream_rows, write_array
from mlx.core.artifacts import replacing_folder, write_json
from mlx.core.checks import check_finite
from mlx.core.console import tracked
from mlx.core.descriptions import ModelDescription, RepresentationsDescription, read_description
from mlx.core.paths import Workspace
from mlx.models import Outputs, load_model
from mlx.representations import RepresentationsSettings, extract


def extract_representations(workspace: Workspace, *, representations: RepresentationsSettings) -> str:
    """Write ``data/representations/``: one array a layer, logits, probabilities, labels, predictions.

    Raises
    ------
    MlxError
        The model has no layer of a name asked for, or an artifact is damaged.
    """
    model = load_model(workspace.model)
    source = workspace.splits / "X_test.npy"
    y_true = np.asarray(open_array(workspace.splits / "y_test.npy", ndim=1))
    check_finite(str(workspace.splits / "y_test.npy"), y_true, 0)
    index = np.asarray(open_array(workspace.splits / "index_test.npy", ndim=1, rows=len(y_true)))
    open_array(source, rows=len(y_true))
    blocks = tracked(
        (block for _, block in stream_rows(source, representations.batch_size)),
        total=-(-len(y_true) // representations.batch_size),
        label="batches",
    )
    with replacing_folder(workspace.representations) as folder:
        widths = _write_outputs(extract(model, blocks, representations.layers), folder, len(y_true))
        write_array(folder / "y_true.npy", y_true)
        write_array(folder / "index.npy", index)
        described = _description(workspace, representations.layers, widths)
        write_json(folder / "representations.json", described.as_dict())
    layers = ", ".join(f"{name} ({widths[name]})" for name in representations.layers)
    return (
        f"read {workspace.model} and {len(y_true)} test samples from {workspace.splits}, recorded {layers}, "
        f"wrote {workspace.representations}"
    )


def _write_outputs(batches: Any, folder: Path, n: int) -> dict[str, int]:
    """Append each batch to its files; return the width of every file's rows by its name."""
    predictions = []
    with ExitStack() as stack:
        writers: dict[str, ArrayWriter] = {}
        for outputs in batches:
            for name, values in _columns(outputs).items():
                if name not in writers:
                    writer = ArrayWriter(folder / f"{name}.npy", (n, values.shape[1]), values.dtype)
                    writers[name] = stack.enter_context(writer)
                writers[name].append(values)
            predictions.append(outputs.predictions)
    write_array(folder / "y_pred.npy", np.concatenate(predictions))
    return {name: writer.shape[1] for name, writer in writers.items()}


def _columns(outputs: Outputs) -> dict[str, Any]:
    scores = {"logits": outputs.logits, "probabilities": outputs.probabilities}
    return {name: values for name, values in scores.items() if values is not None} | outputs.representations


def _description(workspace: Workspace, layers: list[str], widths: dict[str, int]) -> RepresentationsDescription:
    model = read_description(workspace.model / "model.json", ModelDescription)
    return RepresentationsDescription(
        task=model.task,
        class_names=model.class_names,
        model=model.name,
        layers={name: widths[name] for name in layers},
        has_logits="logits" in widths,
    )
