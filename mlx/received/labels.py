"""Labels of any form as numbers from 0: integers, whole numbers, truth values, text and bytes."""

from collections.abc import Sequence

import numpy as np

from mlx.core.array_types import Array
from mlx.core.class_names import clash_of, reading_of
from mlx.core.console import note
from mlx.core.errors import DataError, SettingsError
from mlx.datasets.custom.rows import Rows
from mlx.datasets.custom.targets import checked_text

MOST_SHOWN = 5


def labels_of(rows: Rows, n: int, k: int, names: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """Return the names of the k classes and the labels (n,) as integers from 0.

    Text is matched to `names` however Unicode writes it; without names the classes are the different texts, sorted.
    Text that counts the classes (``"0"``, ``"1"``, …) is as good as the numbers.

    Raises
    ------
    DataError
        The shape is another, or for the first row that is no class.
    """
    if rows.shape not in {(n,), (n, 1)}:
        hint = "; give the number of each row's class, such as labels.argmax(axis=1)" if rows.shape == (n, k) else ""
        raise DataError(f"{rows}: expected labels of shape ({n},), found {rows.shape}{hint}")
    if rows.dtype.kind not in "biufUS":
        raise DataError(f"{rows}: expected labels that are integers or names, found {rows.dtype}")
    labels = rows.whole().reshape(n)
    labels = checked_text(labels.astype(labels.dtype.newbyteorder("="), copy=False), str(rows))
    if labels.dtype.kind == "U":
        numbers = None if names else _counted(labels)
        if numbers is None:
            return _named(str(rows), labels, k, names)
        labels = numbers
    whole = _whole(str(rows), labels, k)
    return tuple(names) or tuple(str(label) for label in range(k)), whole


def in_order_of_columns(names: Sequence[str], columns: Sequence[str], labels: Rows, what: str) -> tuple[str, ...]:
    """Return the names of the classes, in the order of the columns of the probabilities.

    Parameters
    ----------
    names
        Given, or none.
    columns
        Above the probabilities, or none.
    labels
        Of which texts are the classes where no names are given.
    what
        What the names are called where they are given, for messages.

    Raises
    ------
    DataError, SettingsError
        The names or numbers are those of the columns, in another order: one of the two is wrong.
    """
    places = [reading_of(column) for column in columns]
    if names:
        if columns and sorted(places) == sorted(map(reading_of, names)) and places != [*map(reading_of, names)]:
            raise SettingsError(
                f"{what}: expected the order of the columns of probabilities, {_shown(columns)}, found {_shown(names)}"
            )
        return tuple(names)
    if labels.dtype.kind in "US":
        texts = checked_text(labels.whole().reshape(-1), str(labels))
        if columns and {reading_of(str(text)) for text in np.unique(texts)} <= set(places):
            return tuple(columns)
        if _counted(texts) is None:
            note(
                f"{labels}: the columns of the probabilities are taken for its names in sorted order, "
                f"{_shown(np.unique(texts).tolist())}; class names say otherwise"
            )
    elif columns and sorted(places) == sorted(map(str, range(len(places)))):
        raise DataError(
            f"{labels}: expected columns of probabilities in the order of the labels, found {_shown(columns)}; "
            "sort them"
        )
    return ()


def _shown(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_SHOWN]) + (", …" if len(names) > MOST_SHOWN else "")


def _whole(where: str, labels: Array, k: int) -> Array:
    """Return numbers or truth values as classes from 0 to k − 1."""
    if labels.dtype.kind == "b" and k != 2:
        raise DataError(f"{where}: expected a class from 0 to {k - 1}, found truth values, which are two classes")
    fraction = np.flatnonzero(~(labels == np.floor(labels))) if labels.dtype.kind == "f" else np.empty(0, int)
    if fraction.size and np.isfinite(labels[fraction[0]]):
        raise DataError(
            f"{where}: row {fraction[0]}: expected labels that are integers or names, found {labels[fraction[0]]} "
            f"({labels.dtype})"
        )
    outside = np.flatnonzero(~((labels >= 0) & (labels < k)))
    if outside.size:
        row = int(outside[0])
        raise DataError(f"{where}: row {row}: expected a class from 0 to {k - 1}, found {labels[row]}")
    return labels.astype(np.int64)


def _counted(labels: Array) -> Array | None:
    """Return text that is written as integers from 0 as those; None for any other text."""
    different, codes = np.unique(labels, return_inverse=True)
    texts = different.tolist()
    if not all(text.isascii() and text.isdigit() and str(int(text)) == text and len(text) < 10 for text in texts):
        return None
    return np.array([int(text) for text in texts])[codes.reshape(labels.shape)]


def _named(where: str, labels: Array, k: int, names: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    different, codes = np.unique(labels, return_inverse=True)
    found = different.tolist()
    if not found[0]:
        raise DataError(f"{where}: row {int(np.argmax(labels == ''))}: expected a label, found an empty text")
    if not names:
        if clash := clash_of(found):
            raise DataError(f"{where}: expected labels that differ from each other, found {clash}")
        if len(found) != k:
            raise DataError(
                f"{where}: expected {k} different labels, one per column of the probabilities, found {len(found)}; "
                "give all class names in the order of the columns"
            )
        names = found
    number = {reading_of(name): label for label, name in enumerate(names)}
    places = np.array([number.get(reading_of(text), -1) for text in found])[codes.reshape(labels.shape)]
    unknown = np.flatnonzero(places < 0)
    if unknown.size:
        row = int(unknown[0])
        raise DataError(f"{where}: row {row}: expected one of {_shown(names)}, found '{labels[row]}'")
    return tuple(names), places.astype(np.int64)
