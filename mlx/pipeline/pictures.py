"""Reads what only the pictures of a classification show: curves, similarities across classes, mean images."""

from dataclasses import replace

import numpy as np

from mlx.core.arrays import Array, open_array
from mlx.core.artifacts import REMAKE, read_csv
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.plots.images import RESIDUALS_SHOWN
from mlx.plots.inputs import CONFIDENTLY_WRONG, ReportInputs
from mlx.plots.matrix import THUMBNAILS_UP_TO

MEAN_OF = 200
"""Images that a class's mean is taken of: its blur changes no more with further ones."""


def with_pictures(workspace: Workspace, inputs: ReportInputs, *, images: bool) -> ReportInputs:
    """Add to `inputs` what further pictures need; without a model's folder no raw sample is read.

    Raises
    ------
    MlxError
        An artifact is missing or damaged.
    """
    curves = {
        "precision_recall": read_csv(workspace.metrics / "precision_recall.csv", ("class", "recall", "precision")),
        "risk_coverage": read_csv(workspace.residuals / "risk_coverage.csv", ("score", "layer", "coverage", "risk")),
        "temperature": read_csv(workspace.residuals / "temperature.csv", ("temperature", "log_loss", "entropy_wrong")),
    }
    inputs = replace(inputs, curves=curves, overview=_overview(workspace, inputs))
    if not workspace.model.exists():
        return inputs
    targets = np.asarray(open_array(workspace.raw / "y.npy", ndim=1))
    inputs = replace(inputs, targets=targets)
    return _with_images(open_array(workspace.raw / "X.npy", rows=len(targets)), inputs) if images else inputs


def _overview(workspace: Workspace, inputs: ReportInputs) -> Array | None:
    if inputs.tests is None or "overview" not in inputs.samples:
        return None
    layer = inputs.tests.loc[inputs.tests["name"] == "similarity and entropy", "layer"].iloc[0]
    path = workspace.residuals / "similarity" / f"{layer}.overview.npy"
    matrix = np.asarray(open_array(path, ndim=2))
    n = int((inputs.samples["overview"] >= 0).sum())
    if matrix.shape != (n, n):
        raise ArtifactError(f"{path}: expected shape ({n}, {n}), as samples.parquet says, found {matrix.shape}{REMAKE}")
    return matrix


def _with_images(X: Array, inputs: ReportInputs) -> ReportInputs:
    s = inputs.samples
    if inputs.overview is not None and 0 < len(inputs.overview) <= THUMBNAILS_UP_TO:
        shown = s.loc[s["overview"] >= 0].sort_values("overview")["index"]
        inputs = replace(inputs, overview_images=np.asarray(X[shown.to_numpy()]))
    if inputs.card_rows is None or inputs.targets is None:
        return inputs
    sure = np.array([group == CONFIDENTLY_WRONG for group in inputs.card_groups], bool)
    rows = inputs.card_rows[sure][:RESIDUALS_SHOWN]
    if not len(rows):
        return inputs
    means = [_mean_image(X, inputs.targets, int(label)) for label in s["y_pred"].iloc[rows]]
    found = np.asarray(X[s["index"].to_numpy()[rows]])
    return replace(inputs, residual_rows=rows, residual_images=found, residual_references=np.stack(means))


def _mean_image(X: Array, targets: Array, label: int) -> Array:
    own = np.flatnonzero(targets == label)[:MEAN_OF]
    if not len(own):
        return np.zeros(X.shape[1:], np.float64)
    return np.asarray(np.asarray(X[own]).mean(axis=0, dtype=np.float64))
