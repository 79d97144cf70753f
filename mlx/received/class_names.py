"""Names of classes as they are given: as a list or array, with commas between, or in a file."""

import os
from collections.abc import Iterable, Mapping, Set
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.class_names import clash_of
from mlx.core.errors import SettingsError
from mlx.core.invisible import visible
from mlx.datasets.custom.array_files import open_npy
from mlx.datasets.custom.targets import checked_text
from mlx.datasets.custom.text_files import encoding_of


def read_class_names(given: Any, what: str) -> tuple[str, ...]:
    """Return the names in order; none for None.

    Parameters
    ----------
    given
        Texts or numbers in any sequence, array or index; a text with commas between the names; the name of a file with
        one name per line, in UTF-8 or with the mark of its encoding, or of an ``.npy`` file.
    what
        What they are called where they are given, for messages.

    Raises
    ------
    SettingsError
        They are of another kind or encoding, or two of them read the same.
    """
    if given is None:
        return ()
    names = _from_text(given, what) if isinstance(given, str | os.PathLike) else _from_sequence(given, what)
    for label, name in enumerate(names):
        if not visible(name):
            raise SettingsError(f"{what}: expected a name for each class, found an empty one for class {label}")
    if clash := clash_of(names):
        raise SettingsError(f"{what}: expected names that differ from each other, found {clash}")
    return names


def _from_text(given: "str | os.PathLike[str]", what: str) -> tuple[str, ...]:
    text = os.fspath(given)
    if os.path.isfile(text):  # noqa: PTH113  # Path.is_file fails for a text that is too long for a name
        if text.lower().endswith(".npy"):
            return _from_sequence(open_npy(Path(text)).whole(), text)
        return _stripped(_lines(Path(text)), text)
    looks_like_a_file = "," not in text and (os.sep in text or Path(text).suffix in {".txt", ".npy", ".csv", ".names"})
    if looks_like_a_file or not isinstance(given, str):
        raise SettingsError(f"{what}: expected a file with one name per line, found no file {text}")
    return _stripped(text.split(","), what)


def _stripped(lines: Iterable[str], where: str) -> tuple[str, ...]:
    names = tuple(line.strip() for line in lines if line.strip())
    if not names:
        raise SettingsError(f"{where}: expected the names of the classes, found none")
    return tuple(str(checked_text(np.array([name]), where)[0]) for name in names)


def _lines(path: Path) -> list[str]:
    content, encoding = path.read_bytes(), encoding_of(path)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise SettingsError(
            f"{path}: expected class names in {encoding.removesuffix('-sig').upper()}, found another encoding, such as "
            f"Latin-1 (byte 0x{content[error.start]:02x} at position {error.start}); save the file as UTF-8"
        ) from None
    if "\0" in text:
        raise SettingsError(f"{path}: expected class names in UTF-8, found UTF-16 without its mark; save it as UTF-8")
    return text.replace("\r\n", "\n").replace("\r", "\n").split("\n")


def _from_sequence(given: Any, what: str) -> tuple[str, ...]:
    if isinstance(given, Mapping | Set | bytes) or not hasattr(given, "__iter__"):
        raise SettingsError(
            f"{what}: expected a sequence of names in the order of labels, found {type(given).__name__}"
        )
    values = np.asarray(given).tolist() if isinstance(given, np.ndarray) else list(given)
    return tuple(_name(value, label, what) for label, value in enumerate(values))


def _name(value: Any, label: int, what: str) -> str:
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, bytes):
        try:
            value = value.decode("utf-8")
        except UnicodeDecodeError:
            raise SettingsError(f"{what}: expected names in UTF-8, found {value!r} for class {label}") from None
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if value is None or value != value or not isinstance(value, str | int | float):  # a NaN
        raise SettingsError(f"{what}: expected a text or a number for class {label}, found {type(value).__name__}")
    return str(checked_text(np.array([str(value)]), what)[0])
