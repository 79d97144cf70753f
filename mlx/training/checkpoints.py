"""Keeps a training on disk while it goes on: what continues it after a kill, and its weights on the way.

The folder of checkpoints holds

- ``last/`` and, for the case that it is damaged, ``previous/``: all that the next epoch depends on;
- ``epoch_0005/`` and so on: the weights after every so many epochs;
- ``best/``: the weights with the lowest validation loss so far.

Each is a folder of JSON and ``.npz``, whole or absent; the last two kinds make a model again
(`load_checkpoint`). Nothing is unpickled, and whatever has been changed since it was written is refused.
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
from mlx.models import IterativeModel
from mlx.models.catalogue import DESCRIPTION, rebuild_model
from mlx.models.npz import write_npz
from mlx.training.divergence import rate_of
from mlx.training.fingerprint import Fingerprint, difference, digest_of
from mlx.training.progress import Epoch, Progress
from mlx.training.state import numbered_weights, read_state, read_weights, write_kept

NEW, LAST, PREVIOUS, BEST = "new", "last", "previous", "best"
DIVERGED = "diverged.json"
WEIGHTS = "weights.npz"
WORK_PER_SYNC = 5
"""Seconds of training for each second of waiting for the disk, which epochs of milliseconds are not worth."""
OURS = re.compile(rf"{NEW}|{LAST}|{PREVIOUS}|{BEST}|epoch_\d{{4,}}|{re.escape(DIVERGED)}|\..*\.tmp")


class Checkpoints:
    """The checkpoints of one training.

    Parameters
    ----------
    folder : where they are; made when the first one is written.
    fingerprint : of the training: one with another fingerprint is not continued.
    frequency : epochs from one checkpoint to the next.
    description : of the model, from which it can be rebuilt.
    say : is told in a line whether the training continues or starts anew, and why.
    """

    def __init__(
        self,
        folder: Path,
        *,
        fingerprint: Fingerprint,
        frequency: int,
        description: ModelDescription,
        say: Callable[[str], None],
    ) -> None:
        self.folder, self.fingerprint, self.frequency = folder, fingerprint, frequency
        self.description, self.say = description, say
        self._next_sync = 0.0

    def restore(self, model: IterativeModel) -> Progress:
        """Put `model` where a training with the same fingerprint was killed, and return how far that was.

        Where there is none, the checkpoints of another training are removed: this one starts anew.
        """
        for name in (NEW, LAST, PREVIOUS):
            if not (self.folder / name).exists():
                continue
            before = model.state()
            try:
                kept = read_state(self.folder / name)
                if changed := difference(kept.fingerprint, self.fingerprint):
                    self.say(f"starts anew, as the checkpoints are of another training: {changed}")
                    break
                model.set_state(kept.state)
                if kept.progress.best_weights:
                    _check_like(self.folder / name, kept.progress.best_weights, model)
            except ArtifactError as error:
                model.set_state(before)
                self.say(f"{error}; this checkpoint is not used")
                continue
            self.say(f"continues after epoch {kept.progress.epoch}, from {self.folder / name}")
            self._recall_divergence(model)
            return kept.progress
        self._recall_divergence(model)
        clear_checkpoints(self.folder)
        return Progress()

    def keep(self, model: IterativeModel, progress: Progress) -> None:
        """Write what there is to be kept after an epoch, what continues the training last."""
        if progress.best == progress.epoch:
            self._keep_weights(BEST, model, progress)
        if progress.epoch % self.frequency:
            return
        self._keep_weights(f"epoch_{progress.epoch:04d}", model, progress)
        begin = time.monotonic()
        durable = begin >= self._next_sync
        with replacing_folder(self.folder / NEW, durable=durable) as folder:
            write_kept(folder, self.fingerprint, model, progress)
        if durable:
            self._next_sync = time.monotonic() + WORK_PER_SYNC * (time.monotonic() - begin)
        # At any moment one of the three is whole, and the first of them is the newest.
        _discard(self.folder / PREVIOUS)
        if (self.folder / LAST).exists():
            (self.folder / LAST).replace(self.folder / PREVIOUS)
        (self.folder / NEW).replace(self.folder / LAST)

    def _keep_weights(self, name: str, model: IterativeModel, progress: Progress) -> None:
        with replacing_folder(self.folder / name) as folder:
            write_npz(folder / WEIGHTS, numbered_weights(model.weights()))
            write_json(folder / DESCRIPTION, self.description.as_dict())
            write_json(folder / "checkpoint.json", {"epoch": progress.epoch} | progress.history[-1])

    def diverged(self, epoch: int, reached: Epoch) -> None:
        """Note that the training ended in `epoch`, so that the next start can say so."""
        losses = {name: str(value) for name, value in reached.items()}
        self.folder.mkdir(parents=True, exist_ok=True)
        write_json(self.folder / DIVERGED, {"fingerprint": digest_of(self.fingerprint), "epoch": epoch} | losses)
        if (self.folder / LAST).exists():
            self.say(f"{self.folder / LAST} keeps the last state before, {self.folder / BEST} the best weights")

    def _recall_divergence(self, model: IterativeModel) -> None:
        try:
            found = read_json(self.folder / DIVERGED)
        except ArtifactError:
            return
        if found.get("fingerprint") == digest_of(self.fingerprint):
            self.say(
                f"the same data and configuration diverged in epoch {found.get('epoch')} when they were last "
                f"trained, and will again: lower {rate_of(model.training_fields)}"
            )

    def finish(self) -> None:
        """Leave the weights, and let the next start begin anew: the results of this training are written."""
        for name in (NEW, LAST, PREVIOUS):
            _discard(self.folder / name)


def _discard(path: Path) -> None:
    """Remove a folder so that it is whole until it is gone."""
    if os.path.lexists(path):
        going = path.with_name(f".{path.name}.going.tmp")
        remove(going)
        path.replace(going)
        remove(going)


def clear_checkpoints(folder: Path) -> None:
    """Remove what an earlier training left in `folder`, and nothing else that may be there."""
    if not folder.is_dir():
        return
    # What a training could continue from goes first.
    for path in sorted(folder.iterdir(), key=lambda path: path.name not in {NEW, LAST, PREVIOUS}):
        if not OURS.fullmatch(path.name):
            continue
        remove(path)


def load_checkpoint(folder: Path) -> IterativeModel:
    """Make the model again that ``best/`` or ``epoch_0005/`` holds.

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
