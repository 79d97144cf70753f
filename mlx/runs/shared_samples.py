"""The test samples that two runs share, and that neither model was trained on."""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import open_array
from mlx.pipeline.model_outputs import ModelOutputs, open_model_outputs
from mlx.results.comparison import SharedSamples
from mlx.runs.run import Run
from mlx.stats.status import OK, Reason


@dataclass(frozen=True)
class SharedOutputs:
    """The recorded outputs of two runs, and the rows (n,) of each that hold the samples to compare on.

    Attributes
    ----------
    samples : how many there are, and why there are none.
    outputs, rows : of the first and the second run; empty where there are no samples to compare on.
    """

    samples: SharedSamples
    outputs: tuple[ModelOutputs, ...] = ()
    rows: tuple[Array, ...] = ()


def shared_outputs(first: Run, second: Run) -> SharedOutputs:
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
    if first.config()["dataset"] != second.config()["dataset"] or ours.task != theirs.task:
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
    return SharedOutputs(replace(pair, status=status), (ours, theirs), (mine[unseen], other[unseen]))


def _trained_on(run: Run) -> Array:
    path = run.workspace.splits / "index_train.npy"
    return np.asarray(open_array(path, ndim=1)) if path.exists() else np.empty(0, dtype=np.intp)
