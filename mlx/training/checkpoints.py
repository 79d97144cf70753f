"""Checkpoints of a training: the state from which it resumes after a kill, and the weights along the way.

The folder of checkpoints holds

- ``last/`` and, in case it is damaged, ``previous/``: all that the next epoch depends on;
- ``epoch_0005/`` and so on: the weights after every so many epochs;
- ``best/``: the weights with the lowest validation loss so far.

Each is a folder of JSON and ``.npz``, complete or absent; `load_checkpoint` makes a model from the last two
kinds. Nothing is unpickled, and files that were changed after they were written are rejected.
"""

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

from mlx.core.array_types import Array
from mlx.core.artifacts import read_json, replacing_folder, write_json
from mlx.core.descriptions import ModelDescription
from mlx.core.errors import ArtifactError
from mlx.core.own_folders import remove
from mlx.core.reading import digest_of_values
from mlx.models import IterativeModel
from mlx.models.build import DESCRIPTION, rebuild_model
from mlx.models.npz import write_npz
from mlx.training.divergence import learning_rate_key
from mlx.training.fingerprint import Fingerprint, difference
from mlx.training.progress import EpochMetrics, Progress
from mlx.training.state import numbered_weights, read_state, read_weights, write_state

NEW, LAST, PREVIOUS, BEST = "new", "last", "previous", "best"
STATES = (NEW, LAST, PREVIOUS)
"""The folders from which a training can resume, the newest first."""
DIVERGED = "diverged.json"
WEIGHTS = "weights.npz"
WORK_PER_SYNC = 5
"""Seconds of training for each second of waiting for the disk, so that short epochs do not wait after each."""
OURS = re.compile(rf"{NEW}|{LAST}|{PREVIOUS}|{BEST}|epoch_\d{{4,}}|{re.escape(DIVERGED)}|\..*\.tmp")


class Checkpoints:
    """The checkpoints of one training.

    Parameters
    ----------
    folder
        Made when the first checkpoint is written.
    fingerprint
        Of the training; a training with another fingerprint is not resumed.
    frequency
        Epochs from one checkpoint to the next.
    description
        Of the model, from which it can be rebuilt.
    report
        Receives a line that says whether the training resumes or starts over, and why.
    """

    def __init__(
        self,
        folder: Path,
        fingerprint: Fingerprint,
        frequency: int,
        *,
        description: ModelDescription,
        report: Callable[[str], None],
    ) -> None:
        self.folder, self.fingerprint, self.frequency = folder, fingerprint, frequency
        self.description, self.report = description, report
        self._next_sync = 0.0

    def restore(self, model: IterativeModel) -> Progress:
        """Load the newest usable state of a training with the same fingerprint into `model`; return its progress.

        Without one, the checkpoints of other trainings are removed and the training starts over.
        """
        for path in (self.folder / name for name in STATES):
            if not path.exists():
                continue
            before = model.state()
            try:
                state = read_state(path)
                if changed := difference(state.fingerprint, self.fingerprint):
                    self.report(f"starts over, as the checkpoints are of another training: {changed}")
                    break
                model.set_state(state.model)
                if state.progress.best_weights:
                    _check_like(path, state.progress.best_weights, model)
            except ArtifactError as error:
                model.set_state(before)
                self.report(f"{error}; this checkpoint is not used")
                continue
            self.report(f"continues after epoch {state.progress.epoch}, from {path}")
            self._report_earlier_divergence(model)
            return state.progress
        self._report_earlier_divergence(model)
        clear_checkpoints(self.folder)
        return Progress()

    def save(self, model: IterativeModel, progress: Progress) -> None:
        """Write what is due after an epoch; the state from which the training resumes comes last."""
        if progress.best == progress.epoch:
            self._save_weights(BEST, model, progress)
        if progress.epoch % self.frequency:
            return
        self._save_weights(f"epoch_{progress.epoch:04d}", model, progress)
        begin = time.monotonic()
        durable = begin >= self._next_sync
        with replacing_folder(self.folder / NEW, durable=durable) as folder:
            write_state(folder, self.fingerprint, model, progress)
        if durable:
            self._next_sync = time.monotonic() + WORK_PER_SYNC * (time.monotonic() - begin)
        # At any moment at least one of the three is complete, and the first of them is the newest.
        _discard(self.folder / PREVIOUS)
        if (self.folder / LAST).exists():
            (self.folder / LAST).replace(self.folder / PREVIOUS)
        (self.folder / NEW).replace(self.folder / LAST)

    def _save_weights(self, name: str, model: IterativeModel, progress: Progress) -> None:
        with replacing_folder(self.folder / name) as folder:
            write_npz(folder / WEIGHTS, numbered_weights(model.weights()))
            write_json(folder / DESCRIPTION, self.description.as_dict())
            write_json(folder / "checkpoint.json", {"epoch": progress.epoch} | progress.history[-1])

    def record_divergence(self, epoch: int, metrics: EpochMetrics) -> None:
        """Record that the training diverged in `epoch`, so that the next start can warn of it."""
        losses = {name: str(value) for name, value in metrics.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / DIVERGED, {"fingerprint": digest_of_values(self.fingerprint), "epoch": epoch} | losses)
        if (self.folder / LAST).exists():
            self.report(f"{self.folder / LAST} keeps the last state before, {self.folder / BEST} the best weights")

    def _report_earlier_divergence(self, model: IterativeModel) -> None:
        try:
            diverged = read_json(self.folder / DIVERGED)
        except ArtifactError:
            return
        if diverged.get("fingerprint") == digest_of_values(self.fingerprint):
            self.report(
                f"the same data and configuration diverged in epoch {diverged.get('epoch')} when they were last "
                f"trained, and will again: lower {learning_rate_key(model.training_fields)}"
            )

    def finish(self) -> None:
        """Remove the resumable states once the results of the training are written; the weights stay."""
        for name in STATES:
            _discard(self.folder / name)


def _discard(path: Path) -> None:
    """Remove a folder in such a way that it is complete until it is gone."""
    if os.path.lexists(path):
        renamed = path.with_name(f".{path.name}.going.tmp")
        remove(renamed)
        path.replace(renamed)
        remove(renamed)


def clear_checkpoints(folder: Path) -> None:
    """Remove the checkpoints of an earlier training from `folder`, and no other files; resumable states go first."""
    if folder.is_dir():
        for path in sorted(folder.iterdir(), key=lambda path: path.name not in STATES):
            if OURS.fullmatch(path.name):
                remove(path)


def load_checkpoint(folder: Path) -> IterativeModel:
    """Make the model of a checkpoint such as ``best/`` or ``epoch_0005/``.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or the weights are not those of the model that ``model.json`` describes.
    """
    model = rebuild_model(folder / DESCRIPTION)
    if not isinstance(model, IterativeModel):
        raise ArtifactError(f"{folder / DESCRIPTION}: expected a model that is trained by epochs, found another")
    weights = read_weights(folder / WEIGHTS)
    _check_like(folder / WEIGHTS, weights, model)
    model.set_weights(weights)
    return model


def _check_like(path: Path, weights: list[Array], model: IterativeModel) -> None:
    found, expected = ([(w.shape, str(w.dtype)) for w in group] for group in (weights, model.weights()))
    if found != expected:
        different = [pair for pair in zip(expected, found, strict=False) if pair[0] != pair[1]]
        wanted, there = different[0] if different else (f"{len(expected)} arrays", len(found))
        raise ArtifactError(f"{path}: expected the weights of the model, {wanted}, found {there}")
