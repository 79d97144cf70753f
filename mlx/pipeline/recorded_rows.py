"""What a model says of one part of the data, recorded in files, by as many workers as there are.

Every batch is the same whoever runs it, and so are the outputs.
"""

import math
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from mlx.core.array_types import Array
from mlx.core.arrays import allocate_array, write_array, write_rows
from mlx.core.bars import tracked
from mlx.core.descriptions import Split
from mlx.core.ordered_map import OrderedMap, in_order, one_thread_each
from mlx.core.paths import Workspace
from mlx.core.samples import chosen_rows, open_index, open_samples, open_targets
from mlx.core.sparse import SparseWriter
from mlx.core.workers import Serial, Threads, Workers
from mlx.models import Model, Outputs, load_model
from mlx.representations import RepresentationsSettings, extract, sample_rows

if TYPE_CHECKING:
    from scipy.sparse import csr_array

TASK_PRODUCTS = 1 << 33
"""Samples times parameters of a task, at least as many multiplications: a second of work or, of convolutions, more."""


@dataclass(frozen=True)
class Part:
    """The samples of a part of the data that are run through the model.

    Attributes
    ----------
    split
        The part.
    source
        File of the samples.
    rows
        (m,) of them, in ascending order.
    y, index
        (m,) targets, and rows in the raw data.
    """

    split: Split
    source: Path
    rows: Array
    y: Array
    index: Array


@dataclass(frozen=True)
class Column:
    """How the outputs of one name are stored: numbers a sample, and whether as sparse rows."""

    width: int
    sparse: bool


def open_part(workspace: Workspace, split: Split, model: Model, settings: RepresentationsSettings) -> Part | None:
    """Open a part of the data, at most `settings.max_train_samples` of the training part; None without samples."""
    targets, source = workspace.splits / f"y_{split}.npy", workspace.splits / f"X_{split}.npy"
    if split == "val" and not targets.exists():
        return None
    y = open_targets(targets, n_classes=model.task_spec.n_classes)
    if not len(y):
        return None
    open_samples(source, rows=len(y), sample_shape=model.task_spec.sample_shape)
    index = open_index(workspace.splits / f"index_{split}.npy", rows=len(y))
    most = settings.max_train_samples if split == "train" else len(y)
    rows = sample_rows(y, most, n_classes=model.task_spec.n_classes)
    return Part(split, source, rows, y[rows], index[rows])


def record_part(
    part: Part,
    model: Model,
    settings: RepresentationsSettings,
    folder: Path | None,
    stored: Path,
    workers: Workers | None,
) -> tuple[dict[str, Column], Array]:
    """Record the outputs for a part in a folder, if any; return what is stored there by name, and the predictions (m,).

    `stored` is where workers other than this process find the model.
    """
    n, layers, size = len(part.y), tuple(settings.layers) if folder else (), min(settings.batch_size, len(part.y))
    run = _RunModel(model, stored.absolute(), part.source.absolute(), part.rows, layers, size, folder)
    map = _map_of(model, workers)
    starts = _spans(model, size, n, map)
    spans = ((start, min(start + starts.step, n)) for start in starts)
    with ExitStack() as stack:
        with one_thread_each():
            first = next(run.batches((0, size)))  # tells what there is, and how wide it is
        columns, writers = _allocated(_arrays(first), n, folder, stack) if folder else ({}, {})
        predictions = []
        rest = tracked(map(run, spans), total=len(starts), label=f"{part.split} batches")
        for predicted, sparse in chain([run.written([(0, first)])], rest):
            predictions.append(predicted)
            for name, writer in writers.items():
                writer.append(sparse[name])
    predicted = np.concatenate(predictions)
    if folder:
        for name, values in (("y_true", part.y), ("y_pred", predicted), ("index", part.index)):
            write_array(folder / f"{name}.npy", values)
    return columns, predicted


def _allocated(
    arrays: dict[str, Any], n: int, folder: Path, stack: ExitStack
) -> tuple[dict[str, Column], dict[str, SparseWriter]]:
    """Make the files for n samples, given the outputs for some; return how they are stored, and sparse writers."""
    columns = {name: Column(values.shape[1], not isinstance(values, np.ndarray)) for name, values in arrays.items()}
    writers: dict[str, SparseWriter] = {}
    for name, column in columns.items():
        shape, dtype = (n, column.width), arrays[name].dtype
        if column.sparse:
            writers[name] = stack.enter_context(SparseWriter(folder / f"{name}.npz", shape, dtype))
        else:
            allocate_array(folder / f"{name}.npy", shape, dtype)
    return columns, writers


def _spans(model: Model, size: int, n: int, map: OrderedMap) -> range:
    """Return where tasks begin behind the first batch: one for each batch in this process, else for a second's work."""
    work = size * (model.n_parameters + math.prod(model.task_spec.sample_shape))
    return range(size, n, size * (1 if map is in_order else max(1, TASK_PRODUCTS // work)))


def _map_of(model: Model, workers: Workers | None) -> OrderedMap:
    if workers is None or (isinstance(workers, Serial | Threads) and not model.runs_in_threads):
        return in_order
    return workers.map if model.runs_in_processes else in_order


def _arrays(outputs: Outputs) -> dict[str, Any]:
    scores = {"logits": outputs.logits, "probabilities": outputs.probabilities}
    return {name: values for name, values in scores.items() if values is not None} | outputs.representations


@dataclass(frozen=True)
class _RunModel:
    """Runs the model over a span of the samples, writes what is dense to the files, and returns the rest."""

    model: Model | None
    stored: Path
    source: Path
    rows: Array
    layers: tuple[str, ...]
    size: int
    folder: Path | None

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the model, which another process reads, once."""
        return vars(self) | {"model": None, "folder": self.folder and self.folder.absolute()}

    def __call__(self, span: tuple[int, int]) -> "WrittenRows":
        with nullcontext() if self.model else _ALONE:
            return self.written(zip(range(*span, self.size), self.batches(span), strict=True))

    def batches(self, span: tuple[int, int]) -> Iterator[Outputs]:
        """Yield the outputs for a span of the samples, from the first of a batch on."""
        model = self.model or _loaded(self.stored, (self.stored / "model.json").stat().st_mtime_ns)
        return extract(model, chosen_rows(self.source, self.rows[slice(*span)], self.size), self.layers, size=self.size)

    def written(self, batches: Iterable[tuple[int, Outputs]]) -> "WrittenRows":
        """Write what is dense to the files; return the predictions, and sparse rows by name."""
        from scipy.sparse import vstack

        predictions: list[Array] = []
        sparse: dict[str, list[Any]] = {}
        for start, outputs in batches:
            predictions.append(outputs.predictions)
            for name, values in _arrays(outputs).items() if self.folder else ():
                assert self.folder is not None, "there is one"
                if isinstance(values, np.ndarray):
                    write_rows(self.folder / f"{name}.npy", start, values)
                else:
                    sparse.setdefault(name, []).append(values)
        return np.concatenate(predictions), {name: vstack(parts, format="csr") for name, parts in sparse.items()}


WrittenRows: TypeAlias = "tuple[Array, dict[str, csr_array[Any]]]"
"""Predictions (m,), and sparse representations by name."""

_ALONE = Lock()
"""Held by the thread of a worker that runs a model there."""


@lru_cache(maxsize=1)
def _loaded(folder: Path, changed: int) -> Model:  # noqa: ARG001  # the time of the file is part of the key
    return load_model(folder)
