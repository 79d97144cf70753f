"""The first samples of each class of a dataset, and a small dataset made from them."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets import Block, Dataset
from mlx.datasets.dataset import blocks_of

BLOCK_ROWS = 512

PER_CLASS = 5
"""Samples of a class from which a stratified split of 60, 20 and 20 % gives each part at least one."""


@dataclass(frozen=True)
class Sample:
    """A small part of a dataset.

    Attributes
    ----------
    dataset
        The part as a dataset; the dataset itself if that is small enough.
    labels
        (n_samples,) targets of the whole dataset; None if only its first samples were read.
    lacking
        Classes of the dataset without a sample in the part.
    n_factors
        Known generating factors.
    """

    dataset: Dataset
    labels: Array | None
    lacking: tuple[str, ...]
    n_factors: int


def draw_sample(dataset: Dataset, size: int, *, whole: bool) -> Sample:
    """Return `size` samples with the classes in turn, so that a stratified split of them is possible.

    The samples of a class that has too few are repeated. A class without any gets samples of other classes, as a model
    may need to see each label, and is listed in `Sample.lacking`.

    With `whole`, all samples are read, and have to be finite; otherwise only the first `size`.

    Raises
    ------
    DataError
        A sample can't be read, or has values that are not finite.
    """
    labels: list[Array] = []
    blocks = _checked(dataset, BLOCK_ROWS if whole else size, labels)
    k = len(dataset.class_names)
    per_class = -(-size // max(1, k))
    first = list(first_of_each_class(blocks if whole else islice(blocks, 1), k, per_class))
    if whole:
        deque(blocks, maxlen=0)  # the rest, for its labels and checks
    n_factors = len(first[0].factors or {})
    targets = np.concatenate(labels) if whole else None
    if whole and dataset.n_samples <= size:
        return Sample(dataset, targets, (), n_factors)
    X, y = np.concatenate([block.X for block in first]), np.concatenate([block.y for block in first])
    factors = {name: np.concatenate([(b.factors or {})[name] for b in first]) for name in first[0].factors or {}}
    members = [np.flatnonzero(y == label) for label in range(k)] or [np.arange(len(y))]
    rows = _in_turn(members, per_class)[:size]
    lacking = [name for i, name in enumerate(dataset.class_names) if i >= size or not len(members[i])]
    y = np.arange(size) % k if k else y[rows]
    part = blocks_of(X[rows], y, {name: values[rows] for name, values in factors.items()} or None)
    roles = dataset.roles.take(np.arange(size) % dataset.n_samples)  # of other samples, but of this kind
    return Sample(replace(dataset, n_samples=size, blocks=part, roles=roles), targets, tuple(lacking), n_factors)


def _in_turn(members: list[Array], each: int) -> Array:
    """Return `each` rows of every class, the classes in turn; any rows for a class without members."""
    every = np.concatenate(members)
    chosen = [np.resize(rows if len(rows) else np.roll(every, -i), each) for i, rows in enumerate(members)]
    return np.stack(chosen, axis=1).ravel()


def _checked(dataset: Dataset, rows: int, labels: list[Array]) -> Iterator[Block]:
    """Yield the blocks, keep their labels, and reject values that are not finite; a table may have gaps."""
    for block in dataset.blocks(rows):
        if block.X.dtype.kind == "f" and not dataset.columns and not np.isfinite(block.X).all():
            raise DataError(f"dataset {dataset.name}: expected finite values, found NaN or infinity")
        labels.append(block.y)
        yield block


def first_of_each_class(blocks: Iterable[Block], n_classes: int, enough: int) -> Iterator[Block]:
    """Yield the first `enough` samples of every class (of all, for regression), in their order; read no further."""
    counts = np.zeros(max(1, n_classes), np.int64)
    for block in blocks:
        labels = block.y if n_classes else np.zeros(len(block.y), np.int64)
        order = np.argsort(labels, kind="stable")
        grouped = labels[order]
        place = np.empty(len(labels), np.int64)
        place[order] = np.arange(len(labels)) - np.searchsorted(grouped, grouped)
        taken = place + counts[labels] < enough
        factors = {name: values[taken] for name, values in block.factors.items()} if block.factors else None
        yield Block(block.X[taken], block.y[taken], factors)
        counts += np.bincount(labels, minlength=len(counts))
        if counts.min() >= enough:
            return
