"""The test samples that two runs share, and that neither model was trained on."""

from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import open_array
from mlx.core.group_names import DUPLICATES
from mlx.core.paths import Workspace
from mlx.core.recorded import RECORDED
from mlx.pipeline.model_outputs import ModelOutputs, open_model_outputs
from mlx.pipeline.sample_columns import read_group_labels
from mlx.results.comparison import SharedSamples
from mlx.stats.duplicates import Duplicates, find_duplicates
from mlx.stats.groups import Groups
from mlx.stats.status import OK, Reason


class ComparedRun(Protocol):
    """A run, or a folder with what a model recorded."""

    @property
    def id(self) -> str:
        """Name."""

    @property
    def workspace(self) -> Workspace:
        """The folder."""

    def config(self) -> dict[str, Any]:
        """Return its configuration; without a dataset where the samples are known by their numbers alone."""


@dataclass(frozen=True)
class SharedOutputs:
    """The recorded outputs of two runs, and the rows (n,) of each that hold the samples to compare on.

    Attributes
    ----------
    samples
        How many there are, and why there are none.
    outputs, rows
        Of the first and the second run; empty where there are no samples to compare on.
    groups
        Which of the n samples belong together; None where each is its own.
    """

    samples: SharedSamples
    outputs: tuple[ModelOutputs, ...] = ()
    rows: tuple[Array, ...] = ()
    groups: Groups | None = None


def shared_outputs(first: ComparedRun, second: ComparedRun) -> SharedOutputs:
    """Find the test samples that both runs recorded, by their rows in the raw data of the same dataset.

    Test sets of other splits overlap in part. Of a run whose split is not recorded, the training samples are unknown;
    they are no test samples of its own, and so none of the shared ones.

    Raises
    ------
    ArtifactError
        What a model predicted is damaged, or the configuration of a run.
    """
    pair = SharedSamples(first=first.id, second=second.id)
    for run in (first, second):
        if not (run.workspace.representations / "representations.json").exists():
            return SharedOutputs(replace(pair, status=Reason.NO_RECORDED_OUTPUTS(run.id)))
    ours, theirs = (open_model_outputs(run.workspace.representations) for run in (first, second))
    pair = replace(pair, n_first=len(ours.index), n_second=len(theirs.index))
    datasets = [run.config()["dataset"] for run in (first, second) if _dataset_is_known(run)]
    if (len(datasets) == 2 and datasets[0] != datasets[1]) or ours.task != theirs.task:
        return SharedOutputs(replace(pair, status=Reason.DIFFERENT_DATASETS()))
    index, mine, other = np.intersect1d(ours.index, theirs.index, return_indices=True)
    if not len(mine):
        return SharedOutputs(replace(pair, status=Reason.NO_SHARED_SAMPLES()))
    if not np.array_equal(ours.y_true[mine], theirs.y_true[other]):
        return SharedOutputs(replace(pair, status=Reason.DIFFERENT_LABELS()))
    unseen = ~np.isin(index, np.concatenate([_trained_on(first), _trained_on(second)]))
    n, n_shared = int(unseen.sum()), len(index)
    pair = replace(pair, n_shared=n_shared, n_trained=n_shared - n, n=n)
    if n == 0:
        return SharedOutputs(replace(pair, status=Reason.ALL_TRAINED_ON()))
    same = n_shared == pair.n_first == pair.n_second
    status = OK if same else Reason.DIFFERENT_TEST_SETS(n_shared, pair.n_first, pair.n_second)
    duplicates = _duplicates(duplicates_of(ours, mine[unseen]), duplicates_of(theirs, other[unseen]))
    groups = groups_by(first.config().get("residuals", {}).get("groups"), first.workspace, index[unseen], duplicates)
    n_groups = None if groups is None else groups.count
    pair = replace(pair, n_groups=n_groups, n_duplicates=duplicates.count, status=status)
    return SharedOutputs(pair, (ours, theirs), (mine[unseen], other[unseen]), groups)


def _dataset_is_known(run: ComparedRun) -> bool:
    """Return whether more than the numbers of its samples is known of a run."""
    return "dataset" in (config := run.config()) and config["dataset"].get("name") != RECORDED


def _duplicates(first: Duplicates, second: Duplicates) -> Duplicates:
    """Return the samples that are exact duplicates for both models: the same input, and no chance of a coarse layer."""
    both = np.stack([first.first, second.first])
    _, earliest, pair = np.unique(both, axis=1, return_index=True, return_inverse=True)
    return Duplicates(earliest[pair.ravel()])


def duplicates_of(recorded: ModelOutputs, rows: Array) -> Duplicates:
    """Return which of some samples have the same representation and output."""
    layer, outputs = next(iter(recorded.layers.values())), recorded.probabilities
    return find_duplicates(layer[rows], recorded.y_pred[rows, None] if outputs is None else outputs[rows])


def groups_by(name: str | None, workspace: Workspace, index: Array, duplicates: Duplicates) -> Groups | None:
    """Return which samples belong together by ``residuals.groups`` of a run; None where each is its own.

    Parameters
    ----------
    name
        Of the column, or `DUPLICATES`.
    workspace
        Of the run.
    index
        (n,) rows of the samples in the raw data.
    duplicates
        Which of them are equal.
    """
    if name is None:
        return None
    if name == DUPLICATES:
        return Groups.of(duplicates.first)
    labels = read_group_labels(workspace, name, index)
    assert labels is not None, "a column"
    return Groups.of(labels)


def _trained_on(run: ComparedRun) -> Array:
    path = run.workspace.splits / "index_train.npy"
    return np.asarray(open_array(path, ndim=1)) if path.exists() else np.empty(0, dtype=np.intp)
