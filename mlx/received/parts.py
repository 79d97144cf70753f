"""Reads the recorded arrays of each part of the data, and checks that they belong together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.console import note
from mlx.core.descriptions import Split, Task
from mlx.core.errors import DataError, SettingsError
from mlx.core.group_names import DUPLICATES
from mlx.datasets.dataset import Factors
from mlx.received import Given, Received, receive
from mlx.received.factors import factors_like, read_groups
from mlx.received.files import NO_LAYERS, RecordedPart
from mlx.received.rows import read_rows

RESERVED = NO_LAYERS | {"representations"}
"""Names that no layer can have."""

Names = Mapping[str, str]
"""What the arguments of the user are called, by the fields of `mlx.received.Given`."""

COMMAND: Names = {"class_names": "--class-names", "groups": "--groups", "representations": "--representations"}
"""In messages of the command; its arrays are named by their files."""

FILES: Names = {"class_names": "class_names of representations.json", "representations": "layers"}
"""In messages of the pipeline, which reads a folder."""

MOST_ROWS = 10**8
"""Rows that the data which the samples are from may have: what is known of them is a table of as many."""


@dataclass(frozen=True)
class Recording:
    """Recorded arrays of every part of the data, which belong together.

    Attributes
    ----------
    task
        What the model was trained for.
    parts
        The test part, and others that are recorded.
    numbers
        By part, the number of each sample (n,) in the user's data.
    known
        By part, but for the test part, those columns (n,) of its metadata that the test part has as factors.
    """

    task: Task
    parts: Mapping[Split, Received]
    numbers: Mapping[Split, Array]
    known: Mapping[Split, Factors] = field(default_factory=dict)

    @property
    def test(self) -> Received:
        """The part that is analyzed."""
        return self.parts["test"]

    def widths(self) -> dict[str, int]:
        """Return how wide the rows of each layer are, the layer of the headline first."""
        return {name: layer.shape[1] for name, layer in self.test.layers.items()}


def open_recording(parts: Mapping[Split, RecordedPart], groups: str | None = None, names: Names = COMMAND) -> Recording:
    """Read the test part, then the others, which have its classes and layers; number the samples.

    Of the metadata of other parts, the column of groups of the validation part is its factor; what else the test part
    has is for the page.

    Parameters
    ----------
    parts
        In memory or in files.
    groups
        Name of the column of the metadata that says which samples belong together, or None.
    names
        What the arguments are called in messages.

    Raises
    ------
    MlxError
        An array is damaged, or does not match the others; or there is no column of this name.
    """
    test = _receive(parts["test"], groups, names)
    received: dict[Split, Received] = {"test": test}
    for split, part in parts.items():
        if split != "test":
            called = {name: f"{split}: {named}" for name, named in names.items()}
            scores = part.probabilities if isinstance(part.probabilities, Path) else _place(part, split)
            called["class_names"] = f"{scores}: classes of the test part"
            known = test.class_names if part.task == "classification" else ()
            received[split] = _receive(replace(part, class_names=known, metadata=None), None, called)
            _check_alike(part, split, received[split], test)
    if "val" in received and groups not in {None, DUPLICATES}:
        received["val"] = _with_groups(received["val"], parts["val"], str(groups), test)
    columns: dict[Split, Factors] = {
        split: _columns(parts[split], split, received) for split in received if split != "test"
    }
    return Recording(parts["test"].task, received, _sample_numbers(parts, received), columns)


def _columns(part: RecordedPart, split: Split, received: Mapping[Split, Received]) -> Factors:
    """Return the columns of a part's metadata that the test part has as factors."""
    wanted, n = received["test"].factors, len(received[split].y_true)
    return factors_like(wanted, part.metadata, n, f"{_place(part, split)}: metadata") if wanted else {}


def _place(part: RecordedPart, split: Split) -> str:
    """Return where a part is, for messages."""
    return str(part.labels.parent) if isinstance(part.labels, Path) else split


def _receive(part: RecordedPart, groups: str | None, names: Names) -> Received:
    for name in part.representations:
        if str(name).lower() in RESERVED:
            raise SettingsError(
                f"{names['representations']}: expected a name other than {', '.join(sorted(RESERVED))}, found '{name}'"
            )
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", str(name)):  # it also names a file
            raise SettingsError(
                f"{names['representations']}: expected a name that begins with a letter from A to Z or a digit and has "
                f"letters, digits, '_', '-' and '.' alone, found '{name}'"
            )
    return receive(
        Given(
            representations=part.representations,
            probabilities=part.probabilities,
            labels=part.labels,
            logits=part.logits,
            predictions=part.predictions,
            factors=part.metadata,
            images=part.images,
            texts=part.texts,
            task=part.task,
            groups=groups,
            class_names=part.class_names,
            names=names,
        )
    )


def _with_groups(val: Received, part: RecordedPart, name: str, test: Received) -> Received:
    """Return the validation part with its column of groups, of the kind of that of the test part, as its factor."""
    where = _place(part, "val")
    found = read_groups(part.metadata, len(val.y_true), f"{where}: metadata", name)
    if found is None:
        if name in test.factors:  # else the name is rejected
            note(
                f"warning: {where}: expected metadata with the column '{name}', found none: validation samples count "
                "as independent"
            )
        return val
    if name in test.factors and (found.dtype.kind == "O") != (test.factors[name].dtype.kind == "O"):
        kinds = ["text" if values.dtype.kind == "O" else "numbers" for values in (test.factors[name], found)]
        raise DataError(
            f"{where}: metadata: column '{name}': expected {kinds[0]}, as in the test part, found {kinds[1]}"
        )
    return replace(val, factors={name: found})


def _check_alike(part: RecordedPart, split: Split, found: Received, test: Received) -> None:
    where = _place(part, split)
    if missing := sorted(test.layers.keys() ^ found.layers.keys()):
        raise DataError(
            f"{where}: expected the layers of the test part, {', '.join(test.layers)}, found '{missing[0]}' in one part"
        )
    for name, layer in test.layers.items():
        if (width := found.layers[name].shape[1]) != layer.shape[1]:
            given = part.representations[name]
            at = given if isinstance(given, Path) else f"{where}: {name}"
            raise DataError(f"{at}: expected {layer.shape[1]} columns, as in the test part, found {width}")
    if (found.logits is None) != (test.logits is None):
        raise DataError(f"{where}: expected logits in each part or in none, found them in one alone")


def _sample_numbers(parts: Mapping[Split, RecordedPart], received: Mapping[Split, Received]) -> dict[Split, Array]:
    """Return the number of each sample (n,): those given; without any, consecutive ones, part by part.

    Raises
    ------
    DataError
        They are no integers from 0, or two samples have the same, or a part alone has none.
    """
    sizes = {split: len(part.y_true) for split, part in received.items()}
    if all(part.index is None for part in parts.values()):
        ends = np.cumsum(list(sizes.values()))
        return {split: np.arange(end - sizes[split], end) for split, end in zip(sizes, ends, strict=True)}
    numbers: dict[Split, Array] = {}
    for split, n in sizes.items():
        given, where = parts[split].index, _place(parts[split], split)
        if given is None:
            raise DataError(f"{where}: expected index.npy, as in another part, found none")
        numbers[split] = _read_numbers(given, n, f"{where}: index")
        before = np.concatenate([numbers[other] for other in numbers])
        if len(np.unique(before)) < len(before):
            raise DataError(
                f"{given if isinstance(given, Path) else f'{where}: index'}: expected another number for each sample "
                "of all parts, found one twice; without index.npy the samples are numbered part by part"
            )
    return numbers


def _read_numbers(given: Any, n: int, what: str) -> Array:
    rows = read_rows(given, what, kind="index", n=n)
    numbers = rows.whole()
    if numbers.shape != (n,) or numbers.dtype.kind not in "iu" or not 0 <= numbers.min() <= numbers.max() < MOST_ROWS:
        found = f"{numbers.dtype} of shape {numbers.shape}, from {numbers.min()} to {numbers.max()}"
        raise DataError(f"{rows}: expected integers from 0 to {MOST_ROWS - 1} of shape ({n},), found {found}")
    return numbers.astype(np.int64)
