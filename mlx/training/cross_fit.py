"""Outputs for every training sample of a model that was not trained on it: one model for each of k folds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.arrays import write_array
from mlx.core.artifacts import read_json, replacing_folder, write_json
from mlx.core.errors import ArtifactError
from mlx.core.output import OutputSettings
from mlx.core.own_folders import remove
from mlx.core.paths import CROSS_FIT
from mlx.core.reading import digest_of_file, digest_of_values
from mlx.core.streams import stream
from mlx.models import IterativeModel, Model, ModelSettings, TaskSpec, build_model
from mlx.models.build import describe_model
from mlx.models.npz import read_all, write_npz
from mlx.training.augment import Augmentation
from mlx.training.checkpoints import Checkpoints
from mlx.training.fingerprint import Fingerprint
from mlx.training.fit import Callbacks, fit_model
from mlx.training.samples import Samples, SampleSubset
from mlx.training.settings import TrainingSettings

OUTPUTS, DESCRIPTION = "outputs.npz", "fold.json"
BATCH = 256
NEVER = -1
"""The fold of a sample that is never held out."""

CrossFitOutputs = dict[str, Array]
"""Arrays by name: ``probabilities`` (m, K), and ``logits`` (m, K) where the model has them; for all folds together also
``place`` (m,), the place of each sample in the training part, and ``fold`` (m,)."""


def fold_of(y: Array, groups: Indices, k: int, seed: int) -> Indices:
    """Return the fold (n,) of each sample, 0 … k − 1, with the labels ``y`` (n,) in proportion.

    Samples of one of the `groups` (n,), such as equal ones, are in one fold. A class of one group is in no fold (−1),
    as the model of that fold would not know it.
    """
    _, first, group = np.unique(groups, return_index=True, return_inverse=True)
    labels = y[first]
    folds, dealt, generator = np.full(len(first), NEVER), 0, stream(seed)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        if len(members) > 1:
            folds[members] = (dealt + np.arange(len(members))) % k
            dealt += len(members)
    return np.asarray(folds[group], np.int64)


@dataclass(frozen=True)
class CrossFit:
    """Fits a model for each fold, of the kind and by the settings of the training itself.

    Attributes
    ----------
    model, settings, output
        Sections of the configuration.
    task_spec, class_names
        What the models are for.
    augmentation
        Of the training samples.
    checkpoints
        The folder of the checkpoints of the training; those of the folds are in a folder of it.
    fingerprint
        Of the training.
    report
        Receives a line on each fold.
    """

    model: ModelSettings
    settings: TrainingSettings
    output: OutputSettings
    task_spec: TaskSpec
    class_names: Sequence[str]
    augmentation: Augmentation
    checkpoints: Path
    fingerprint: Fingerprint
    report: Callable[[str], None]

    def outputs(self, train: Samples, val: Samples, groups: Indices) -> CrossFitOutputs:
        """Return the outputs for the samples that are held out in some fold, in their order, with ``fold`` (m,).

        Samples of one of the `groups` (n,) are in one fold. Finished folds are not fitted again.
        """
        folds = fold_of(train.y, groups, self.settings.cross_fit, self.settings.seed)
        held_out = np.flatnonzero(folds != NEVER)
        whole: CrossFitOutputs = {"place": held_out, "fold": folds[held_out]}
        for fold in range(k := int(folds.max(initial=NEVER)) + 1):
            rows = np.flatnonzero(folds == fold)
            digest = digest_of_values(self._of_fold(fold) | {"rows": rows.tolist()})
            folder = self.checkpoints / CROSS_FIT / f"fold_{fold + 1}"
            if (found := _kept(folder, digest)) is None:
                self.report(f"cross-fitting, fold {fold + 1} of {k}")
                fitted = self._fit(SampleSubset(train, np.flatnonzero(folds != fold)), val, fold)
                found = _outputs_of(fitted, SampleSubset(train, rows))
                if self.output.save_checkpoints:
                    _keep(folder, digest, found)
            places = np.searchsorted(held_out, rows)
            for name, values in found.items():
                whole.setdefault(name, np.empty((len(held_out), *values.shape[1:]), values.dtype))[places] = values
        return whole

    def _of_fold(self, fold: int) -> Fingerprint:
        return self.fingerprint | {"training.cross_fit": self.settings.cross_fit, "fold": fold + 1}

    def _fit(self, samples: Samples, val: Samples, fold: int) -> Model:
        model = build_model(self.model, self.task_spec, seed=self.settings.seed)
        kept = None
        if self.output.save_checkpoints and isinstance(model, IterativeModel):
            kept = Checkpoints(
                self.checkpoints / CROSS_FIT / f"checkpoints_{fold + 1}",
                self._of_fold(fold),
                self.output.checkpoint_frequency,
                description=describe_model(model, self.model, self.class_names),
                report=lambda line: self.report(f"fold {fold + 1}: {line}"),
            )
        fit_model(model, samples, val, self.settings, Callbacks(()), augmentation=self.augmentation, checkpoints=kept)
        if kept is not None:
            remove(kept.folder)
        return model


def _keep(folder: Path, digest: str, outputs: CrossFitOutputs) -> None:
    with replacing_folder(folder) as new:
        write_npz(new / OUTPUTS, outputs)
        write_json(new / DESCRIPTION, {"digest": digest, "outputs": digest_of_file(new / OUTPUTS)})


def _kept(folder: Path, digest: str) -> CrossFitOutputs | None:
    """Return the outputs of a finished fold; None if there are none of this training."""
    try:
        described = read_json(folder / DESCRIPTION)
        if described != {"digest": digest, "outputs": digest_of_file(folder / OUTPUTS)}:
            return None
        return read_all(folder / OUTPUTS)
    except (ArtifactError, FileNotFoundError):
        return None


def _outputs_of(model: Model, samples: Samples) -> CrossFitOutputs:
    """Run a model over samples in batches of one size, so that no output depends on the size of its batch."""
    found: dict[str, list[Array]] = {}
    for X, y in samples.batches(BATCH, np.arange(len(samples.y))):
        outputs = model.outputs(np.concatenate([X, np.repeat(X[-1:], BATCH - len(X), axis=0)]))
        for name, values in (("probabilities", outputs.probabilities), ("logits", outputs.logits)):
            if values is not None:
                found.setdefault(name, []).append(values[: len(y)])
    return {name: np.concatenate(blocks) for name, blocks in found.items()}


def clear_folds(checkpoints: Path) -> None:
    """Remove the finished folds and their checkpoints, once the outputs are written or not asked for."""
    remove(checkpoints / CROSS_FIT)


def write_cross_fit(folder: Path, outputs: CrossFitOutputs, y: Array, index: Array) -> None:
    """Write the outputs into a new `folder`, with the label and the row in the raw data of each sample.

    ``y`` and ``index`` are (n,), of all training samples.
    """
    folder.mkdir()
    place = outputs["place"]
    arrays = outputs | {"y_true": y[place], "index": index[place]}
    for name, values in arrays.items():
        if name != "place":
            write_array(folder / f"{name}.npy", values)
