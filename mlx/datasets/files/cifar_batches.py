"""The batches in which CIFAR is published, binary and python ones.

Format: A. Krizhevsky, "The CIFAR-10 dataset", https://www.cs.toronto.edu/~kriz/cifar.html. A binary batch
is records of a label (two in CIFAR-100: coarse, then fine) and 3072 values, red, green and blue planes
one after the other; a python batch is a pickled dict with the same values as an array, and lists of labels.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.files.cifar_names import COARSE, FINE, TEN
from mlx.datasets.files.safe_pickle import read_plain_pickle

SIZE = 32
VALUES = 3 * SIZE * SIZE
RECORDS_AT_ONCE = 512


@dataclass(frozen=True)
class Form:
    """How a set is laid out in its files.

    Attributes
    ----------
    key
        Name of the labels in a python batch.
    place, n_labels
        Which byte of a binary record is the label, and how many labels precede the image.
    names
        The classes, where no file names them.
    names_key, names_file
        Where files do: a key in the python archive's ``meta``, a text file in the binary one.
    """

    key: str
    place: int
    n_labels: int
    names: tuple[str, ...]
    names_key: str
    names_file: str


TEN_CLASSES = Form("labels", 0, 1, TEN, "label_names", "batches.meta.txt")
FORMS = {
    "fine": Form("fine_labels", 1, 2, FINE, "fine_label_names", "fine_label_names.txt"),
    "coarse": Form("coarse_labels", 0, 2, COARSE, "coarse_label_names", "coarse_label_names.txt"),
}


def _as_images(values: Array) -> Array:
    """Turn rows of red, green and blue planes into images (rows, height, width, channels)."""
    return np.ascontiguousarray(values.reshape(-1, 3, SIZE, SIZE).transpose(0, 2, 3, 1))


def _batch(file: Path) -> dict[str, Any]:
    batch = read_plain_pickle(file)
    data = batch.get("data") if isinstance(batch, dict) else None
    if not isinstance(data, np.ndarray) or data.ndim != 2 or data.shape[1] != VALUES or not len(data):
        found = f"shape {data.shape}" if isinstance(data, np.ndarray) else "none"
        raise DataError(f"{file}: expected an array 'data' of (images, {VALUES}) bytes, found {found}")
    return dict(batch)


def pickled_images(file: Path) -> Iterator[Array]:
    """Yield the images of a python batch, uint8 of shape (rows, 32, 32, 3).

    Raises
    ------
    DataError
        If the file is damaged or holds something else.
    """
    data = _batch(file)["data"]
    for start in range(0, len(data), RECORDS_AT_ONCE):
        yield _as_images(data[start : start + RECORDS_AT_ONCE])


def pickled_labels(file: Path, form: Form) -> Array:
    """Return the labels of a python batch, shape (images,).

    Raises
    ------
    DataError
        If the file is damaged, or has not one label an image.
    """
    batch = _batch(file)
    labels, images = batch.get(form.key), len(batch["data"])
    if not isinstance(labels, list) or not all(type(label) is int and 0 <= label < 256 for label in labels):
        raise DataError(f"{file}: expected a list '{form.key}' of labels from 0, found none")
    if len(labels) != images:
        raise DataError(f"{file}: expected {images} {form.key}, one an image, found {len(labels)}")
    return np.array(labels, np.int64)


def _record(form: Form) -> np.dtype[Any]:
    return np.dtype([("labels", np.uint8, (form.n_labels,)), ("values", np.uint8, (VALUES,))])


def binary_labels(file: Path, form: Form) -> Array:
    """Return the labels of a binary batch, shape (images,).

    Raises
    ------
    DataError
        If the file is not made of whole records.
    """
    record = _record(form)
    size = file.stat().st_size
    if not size or size % record.itemsize:
        raise DataError(
            f"{file}: expected records of {record.itemsize} bytes, found {size} bytes, which are "
            f"{size // record.itemsize} records and {size % record.itemsize} bytes: it is truncated"
        )
    parts = [part["labels"][:, form.place] for part in _records(file, record)]
    return np.concatenate(parts).astype(np.int64)


def binary_images(file: Path, form: Form) -> Iterator[Array]:
    """Yield the images of a binary batch, uint8 of shape (rows, 32, 32, 3)."""
    for part in _records(file, _record(form)):
        yield _as_images(part["values"])


def _records(file: Path, record: np.dtype[Any]) -> Iterator[Array]:
    with file.open("rb") as opened:
        while content := opened.read(record.itemsize * RECORDS_AT_ONCE):
            yield np.frombuffer(content, record)


def read_class_names(folder: Path, form: Form, *, pickled: bool) -> tuple[str, ...]:
    """Return the names that the archive gives the classes, or else those that it is known to have.

    Raises
    ------
    DataError
        If the file with the names is damaged, or has not one different text a class.
    """
    file = folder / (form.names_file if not pickled else "batches.meta" if form is TEN_CLASSES else "meta")
    if not file.is_file():
        return form.names
    names = _pickled_names(file, form) if pickled else _listed_names(file)
    if not names:
        return form.names
    if len(names) != len(form.names) or len(set(names)) != len(names):
        raise DataError(f"{file}: expected {len(form.names)} different class names, found {len(names)} entries")
    return tuple(names)


def _listed_names(file: Path) -> list[str]:
    try:
        lines = file.read_text(encoding="utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise DataError(f"{file}: expected class names as text in UTF-8, found other bytes ({error})") from None
    return [line.strip() for line in lines if line.strip()]


def _pickled_names(file: Path, form: Form) -> list[str]:
    meta = read_plain_pickle(file)
    names = meta.get(form.names_key, []) if isinstance(meta, dict) else []
    if not isinstance(names, list) or not all(isinstance(name, str | bytes) for name in names):
        raise DataError(f"{file}: expected a list '{form.names_key}' of text, found something else")
    # what UTF-8 can't say, a lone surrogate, could not be printed either
    return [(n if isinstance(n, bytes) else n.encode("utf-8", "replace")).decode("utf-8", "replace") for n in names]
