"""From the labels in the user's files to what a model is fitted to: numbered classes, or finite targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.core.class_names import clash_of, reading_of
from mlx.core.errors import DataError, SettingsError
from mlx.core.invisible import visible

MOST_CLASSES = 100
"""Integers with more different values than this are taken for a quantity, not for classes."""

LAST_CODE_POINT = 0x10FFFF
SURROGATES = range(0xD800, 0xE000)

Task = Literal["classification", "regression"]

INFERRED = "inferred from "
FROM_TEXT = f"{INFERRED}labels that are no numbers"


@dataclass(frozen=True)
class Target:
    """What the samples are to be predicted as.

    Attributes
    ----------
    task
        What `y` is for.
    y
        Class labels 0 … K − 1 (int64) or targets (float64), shape (n_samples,).
    class_names
        The name of each label, in label order; empty for regression.
    reason
        How the task was inferred, for the dataset's description.
    """

    task: Task
    y: Array
    class_names: tuple[str, ...]
    reason: str

    @property
    def inferred(self) -> str:
        """The inferred task and the setting that changes it; empty where no other task is possible."""
        if not self.reason.startswith(INFERRED) or self.reason == FROM_TEXT:
            return ""
        taken = f"taken for a {self.task} ({self.reason.removeprefix(INFERRED)})"
        if self.task == "regression":
            return f"{taken}; if they are classes, set dataset.params.task: classification"
        return f"{taken}; if they are a quantity, set dataset.params.task: regression"


def build_target(
    labels: Array,
    *,
    task: Task | Literal["auto"],
    class_names: Sequence[str] | None,
    where: str,
    codes: Array | None = None,
) -> Target:
    """Make a target of `labels` of shape (n_samples,) or (n_samples, 1): integers, floats, booleans or text.

    With ``auto`` text and booleans are classes; integers are, if there are at most `MOST_CLASSES`
    different ones with at least two samples each on average; floats are a quantity. Classes
    are numbered in the sorted order of their labels, or in that of `class_names`.

    Parameters
    ----------
    where
        What the labels are from, for messages.
    codes
        Where `labels` are the different ones alone, none of them a float: which of them each sample has.

    Raises
    ------
    DataError, SettingsError
        If the labels are of another kind or shape, are missing, or don't fit the task or the names.
    """
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim != 1:
        raise DataError(f"{where}: expected one target per sample, found an array of shape {labels.shape}")
    if not len(labels):
        raise DataError(f"{where}: expected at least one sample, found none")
    if labels.dtype.kind not in "biufUS":
        raise DataError(f"{where}: expected numbers or text as targets, found {labels.dtype}")
    labels = checked_text(labels, where)
    if class_names is not None:
        checked_text(np.array(class_names, dtype=str), f"{where}: class_names")
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        row = int(np.argmin(np.isfinite(labels)))
        raise DataError(f"{where}: expected finite targets, found {labels[row]} in row {row}, counted from 0")
    n = len(labels if codes is None else codes)
    found, reason = (task, "stated") if task != "auto" else _inferred(labels, n)
    names: tuple[str, ...] = ()
    if found == "regression":
        y = _quantity(labels, reason, class_names, where)
    else:
        y, names = _numbered(labels, class_names, where)
    return Target(found, y if codes is None else y[codes], names, reason)


def checked_text(labels: Array, where: str) -> Array:
    """Decode bytes, and check that text has valid characters only; return anything else as it is.

    Raises
    ------
    DataError
        If the bytes are not UTF-8, or a code point is not a character, which no file could hold.
    """
    if labels.dtype.kind == "S":
        try:
            return np.char.decode(labels, "utf-8")
        except UnicodeDecodeError as error:
            raise DataError(f"{where}: expected labels in UTF-8, found other bytes ({error})") from None
    if labels.dtype.kind != "U":
        return labels
    # four bytes a character, which NumPy takes from a file as they are
    points = np.ascontiguousarray(labels).view(np.dtype(np.uint32).newbyteorder(labels.dtype.byteorder))
    bad = (points > LAST_CODE_POINT) | ((points >= SURROGATES.start) & (points < SURROGATES.stop))
    if bad.any():
        at = int(np.argmax(bad))
        row = at // (len(points) // len(labels))
        raise DataError(f"{where}: expected text, found U+{int(points[at]):04X}, no character, in row {row}")
    return labels


def different(labels: Array) -> Array:
    """Return the different labels, sorted: block by block, as sorting all takes memory and time."""
    blocks = (labels[first : first + UNIQUE_ROWS] for first in range(0, len(labels), UNIQUE_ROWS))
    return np.unique(np.concatenate([np.unique(block) for block in blocks]))


UNIQUE_ROWS = 1 << 20


def _inferred(labels: Array, n: int) -> tuple[Task, str]:
    if labels.dtype.kind == "f":
        n_different = len(different(labels))
        fractions = "" if (labels != np.rint(labels)).any() else ", none with a fraction,"
        return "regression", f"{INFERRED}numbers of floating type{fractions} of {n_different} different values"
    if labels.dtype.kind == "U":
        return "classification", FROM_TEXT
    if labels.dtype.kind == "b":
        return "classification", f"{INFERRED}true and false"
    n_different = len(different(labels))
    task: Task = "classification" if n_different <= MOST_CLASSES and 2 * n_different <= n else "regression"
    return task, f"{INFERRED}integers of {n_different} different values"


def _quantity(labels: Array, reason: str, class_names: Sequence[str] | None, where: str) -> Array:
    if labels.dtype.kind == "U":
        raise DataError(f"{where}: expected numbers for task regression, found text such as {str(labels[0])[:40]!r}")
    if class_names is not None:
        raise SettingsError(
            f"expected none for a regression ({reason}), found {len(class_names)} names",
            key=("dataset", "params", "class_names"),
        )
    return labels.astype(np.float64)


def _numbered(labels: Array, names: Sequence[str] | None, where: str) -> tuple[Array, tuple[str, ...]]:
    found = different(labels)
    codes = np.searchsorted(found, labels)
    if unseen := [str(label) for label in found if not visible(str(label))]:
        raise DataError(f"{where}: expected names of classes, found {unseen[0]!r}, in which nothing is visible")
    if names is None:
        return _at_least_two(codes, tuple(map(_name, found)), where)
    if clash := clash_of(names):
        raise SettingsError(
            f"expected names that differ from each other, found {clash}", key=("dataset", "params", "class_names")
        )
    if labels.dtype.kind == "U":
        number = {reading_of(name): label for label, name in enumerate(names)}
        unknown = [str(label) for label in found if reading_of(str(label)) not in number]
        if unknown:
            raise _bad_names(f"all labels of {where}, such as {unknown[0][:40]!r}", names)
        place = np.array([number[reading_of(str(label))] for label in found], np.int64)
        return _at_least_two(place[codes], tuple(names), where)
    if labels.dtype.kind in "iu" and found[0] >= 0 and found[-1] < len(names):
        return _at_least_two(labels.astype(np.int64), tuple(names), where)
    if len(found) != len(names):
        raise _bad_names(f"{len(found)} names, as many as {where} has different labels", names)
    return _at_least_two(codes, tuple(names), where)


def _name(label: np.generic) -> str:
    whole = label.dtype.kind == "f" and float(label) == int(label)
    return str(int(label)) if whole else str(label)


def _bad_names(expected: str, names: Sequence[str]) -> SettingsError:
    shown = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
    return SettingsError(f"expected {expected}; found {shown}", key=("dataset", "params", "class_names"))


def _at_least_two(y: Array, names: tuple[str, ...], where: str) -> tuple[Array, tuple[str, ...]]:
    if len(names) < 2:
        raise DataError(f"{where}: expected at least two classes, found only {names[0]!r}")
    return y, names
