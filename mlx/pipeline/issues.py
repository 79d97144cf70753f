"""Reads what `residuals-analysis` needs of every part of the data to find samples to look at."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.arrays import open_array
from mlx.core.artifacts import read_parquet
from mlx.core.descriptions import SPLITS, RepresentationsDescription, read_description
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.paths import CROSS_FIT, Workspace
from mlx.core.recorded import RECORDED_ARRAYS
from mlx.core.samples import open_index, open_targets
from mlx.pipeline.model_outputs import ModelOutputs, open_model_outputs
from mlx.residuals import ResidualsSettings
from mlx.residuals.issues import EqualSamples, Part, TrainingEvidence, find_issues
from mlx.residuals.issues.analysis import Issues
from mlx.residuals.issues.parts import ReadInputs


def issues_of(
    workspace: Workspace,
    test: ModelOutputs,
    settings: ResidualsSettings,
    groups: Array | None,
    map: OrderedMap = in_order,
) -> Issues:
    """Find samples to look at in every part that is recorded; `test` is what was opened of the test part.

    ``groups`` (n_val,) are labels of which validation samples belong together; None where each is its own.

    Raises
    ------
    ArtifactError
        An artifact is missing or damaged.
    """
    folder = workspace.representations
    described = read_description(folder / "representations.json", RepresentationsDescription)
    others = [split for split in SPLITS if split in described.samples and split != "test"]
    parts = [_part("test", test), *(_part(split, open_model_outputs(folder, split)) for split in others)]
    parts = [replace(part, groups=groups) if part.split == "val" else part for part in parts]
    elsewhere = test.model == RECORDED_ARRAYS  # there are neither inputs nor a training to look at
    rows = {} if elsewhere else _rows_of_parts(workspace.splits)
    return find_issues(
        parts,
        test.class_names,
        seed=settings.seed,
        confidence=settings.confidence,
        equal=_equal_samples(workspace.splits, rows),
        evidence=_evidence(workspace, len(test.class_names), trained=not elsewhere),
        read_inputs=_reader(workspace.splits, rows) if rows else None,
        map=map,
    )


def _part(split: str, recorded: ModelOutputs) -> Part:
    layer = next(iter(recorded.layers.values()))
    index, y_true, y_pred = (np.asarray(values) for values in (recorded.index, recorded.y_true, recorded.y_pred))
    return Part(split, index, y_true, y_pred, layer, recorded.probabilities, recorded.logits)


def _rows_of_parts(splits: Path) -> dict[str, Indices]:
    """Return the raw rows of each part; none where they are not recorded."""
    paths = {split: splits / f"index_{split}.npy" for split in SPLITS}
    return {split: np.asarray(open_array(path, ndim=1)) for split, path in paths.items() if path.exists()}


def _equal_samples(splits: Path, rows: Mapping[str, Indices]) -> EqualSamples | None:
    """Return which raw samples are equal; None if unknown, as for data that an earlier version divided."""
    path = splits / "duplicates.parquet"
    if not (rows and path.exists()):
        return None
    table = read_parquet(path, ["row", "group"])
    group = np.zeros(len(table), np.int64)
    group[table["row"].to_numpy()] = table["group"].to_numpy()
    return EqualSamples(group, rows)


def _reader(splits: Path, rows: Mapping[str, Indices]) -> ReadInputs:
    """Return a function that reads the prepared inputs of raw rows, from whichever part has each."""

    def read(wanted: Indices) -> Array:
        shape = open_array(splits / "X_test.npy").shape[1:]
        found = np.empty((len(wanted), *shape))
        for split, own in rows.items():
            here = np.isin(wanted, own)
            if here.any():
                order = np.argsort(own)
                places = order[np.searchsorted(own, wanted[here], sorter=order)]
                found[here] = open_array(splits / f"X_{split}.npy")[places]
        return found

    return read


def _evidence(workspace: Workspace, n_classes: int, *, trained: bool) -> TrainingEvidence | None:
    """Return what a training recorded of its samples; None where nothing is known of a training."""
    folder, dynamics = workspace.representations / CROSS_FIT, workspace.model / "dynamics.parquet"
    if folder.is_dir():
        y = open_targets(folder / "y_true.npy", n_classes=n_classes)
        logits = folder / "logits.npy"
        return TrainingEvidence(
            index=open_index(folder / "index.npy", rows=len(y)),
            y_true=y,
            probabilities=open_array(folder / "probabilities.npy", ndim=2, rows=len(y)),
            logits=open_array(logits, ndim=2, rows=len(y)) if logits.exists() else None,
        )
    if not trained:
        return None
    if not dynamics.exists():
        return TrainingEvidence()
    table = read_parquet(dynamics, ["index", "area_under_margin"])
    margins, rows = (table[name].to_numpy() for name in ("area_under_margin", "index"))
    return TrainingEvidence(margin_index=rows, area_under_margin=margins)
