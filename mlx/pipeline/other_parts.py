"""Opens what `extract-representations` recorded of training and validation samples, for what is fitted on them."""

from dataclasses import replace

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import RepresentationsDescription, Split, read_description
from mlx.core.last_layer import read_last_layer
from mlx.core.paths import Workspace
from mlx.pipeline.model_outputs import open_model_outputs
from mlx.residuals.parts import OtherParts, RecordedPart


def open_other_parts(workspace: Workspace, groups: Array | None = None) -> OtherParts:
    """Return the training and validation part of a classification, as far as they are recorded.

    Parameters
    ----------
    groups
        (n_val,), labels of which validation samples belong together; None where each is its own.

    Raises
    ------
    ArtifactError
        A file is missing or damaged.
    """
    described = read_description(workspace.representations / "representations.json", RepresentationsDescription)
    train, val = (_open(workspace, split) if split in described.samples else None for split in ("train", "val"))
    val = val and replace(val, groups=groups)
    layer = described.last_layer
    width, n_classes = described.layers.get(layer or "", 0), len(described.class_names)
    return OtherParts(train, val, read_last_layer(workspace.representations, layer, width, n_classes))


def _open(workspace: Workspace, split: Split) -> RecordedPart:
    found = open_model_outputs(workspace.representations, split)
    assert found.probabilities is not None, "a classification"
    y_true, y_pred, index = (np.asarray(values) for values in (found.y_true, found.y_pred, found.index))
    return RecordedPart(found.layers, found.probabilities, found.logits, y_true, y_pred, index)
