"""Reads the recorded arrays of each part of the data, and checks that they belong together."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import Split
from mlx.core.errors import DataError, SettingsError
from mlx.runs.received import Given, Received, receive
from mlx.runs.received.rows import read_rows
from mlx.runs.recorded_files import NO_LAYERS, RecordedFiles

RESERVED = NO_LAYERS | {"representations"}
"""Names that no layer can have."""

MOST_ROWS = 10**8
"""Rows that the data which the samples are from may have: what is known of them is a table of as many."""


def receive_parts(parts: Mapping[Split, RecordedFiles], groups: str | None) -> dict[Split, Received]:
    """Read the test part, then the others, which have its classes and layers.

    Raises
    ------
    MlxError
        An array is damaged, or does not match the others.
    """
    test = _receive(parts["test"], groups, names="--class-names")
    received: dict[Split, Received] = {"test": test}
    for split, files in parts.items():
        if split != "test":
            names = f"{files.probabilities}: classes of the test part"
            received[split] = _receive(replace(files, class_names=test.class_names), None, names=names)
            _check_widths(files, received[split], test)
    return received


def _receive(files: RecordedFiles, groups: str | None, *, names: str) -> Received:
    for name in files.representations:
        if name.lower() in RESERVED:
            raise SettingsError(
                f"--representations: expected a name other than {', '.join(sorted(RESERVED))}, found '{name}'"
            )
    return receive(
        Given(
            representations=files.representations,
            probabilities=files.probabilities,
            labels=files.labels,
            logits=files.logits,
            predictions=files.predictions,
            factors=files.metadata,
            groups=groups,
            class_names=files.class_names,
            names={"class_names": names, "groups": "--groups"},
        )
    )


def _check_widths(files: RecordedFiles, part: Received, test: Received) -> None:
    for name, layer in test.layers.items():
        if (width := part.layers[name].shape[1]) != layer.shape[1]:
            path = files.representations[name]
            raise DataError(f"{path}: expected {layer.shape[1]} columns, as in the test part, found {width}")
    if (part.logits is None) != (test.logits is None):
        place = files.probabilities.parent
        raise DataError(f"{place}: expected logits.npy in each part or in none, found it in one alone")


def sample_numbers(parts: Mapping[Split, RecordedFiles], received: Mapping[Split, Received]) -> dict[Split, Array]:
    """Return the number of each sample (n,): those in the files; without files, consecutive ones, part by part.

    Raises
    ------
    DataError
        They are no integers from 0, or two samples have the same, or a part alone has none.
    """
    sizes = {split: len(part.y_true) for split, part in received.items()}
    if not any(files.index for files in parts.values()):
        ends = np.cumsum(list(sizes.values()))
        return {split: np.arange(end - sizes[split], end) for split, end in zip(sizes, ends, strict=True)}
    numbers: dict[Split, Array] = {}
    for split, n in sizes.items():
        if (path := parts[split].index) is None:
            raise DataError(f"{parts[split].labels.parent}: expected index.npy, as in another part, found none")
        numbers[split] = _read_numbers(path, n)
        before = np.concatenate([numbers[other] for other in numbers])
        if len(np.unique(before)) < len(before):
            raise DataError(
                f"{path}: expected another number for each sample of all parts, found one twice; without index.npy the "
                "samples are numbered part by part"
            )
    return numbers


def _read_numbers(path: Path, n: int) -> Array:
    numbers = read_rows(path, "index", kind="index", n=n).whole()
    if numbers.shape != (n,) or numbers.dtype.kind not in "iu" or not 0 <= numbers.min() <= numbers.max() < MOST_ROWS:
        found = f"{numbers.dtype} of shape {numbers.shape}, from {numbers.min()} to {numbers.max()}"
        raise DataError(f"{path}: expected integers from 0 to {MOST_ROWS - 1} of shape ({n},), found {found}")
    return numbers.astype(np.int64)
