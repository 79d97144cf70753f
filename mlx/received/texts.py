"""Reads recorded texts, in memory or in a file, which the page shows in place of images."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.errors import DataError
from mlx.core.paths import what_is

LONGEST_TEXT = 400
"""Characters that are kept of a text: the page shows no more."""

SUFFIX = ".jsonl"


def read_texts(given: Any, n: int, what: str) -> list[str]:
    """Return n texts, cut to `LONGEST_TEXT` characters.

    Parameters
    ----------
    given
        Texts in any sequence; or a file of JSON lines, each ``{"text": "…"}`` or ``"…"``.
    n
        Samples there are.
    what
        What it is called where it is given, for messages.

    Raises
    ------
    DataError
        A line or value is no text, or there are not n of them.
    """
    if isinstance(given, str | os.PathLike):
        what = os.fspath(given)
        values = _lines(Path(what))
    elif hasattr(given, "__iter__"):
        values = iter(np.asarray(given, dtype=object).ravel().tolist())
    else:
        raise DataError(f"{what}: expected {n} texts, found {type(given).__name__}")
    texts = [_short(value, f"{what}: row {row}") for row, value in enumerate(values)]
    if len(texts) != n:
        raise DataError(f"{what}: expected {n} texts, one for each sample, found {len(texts)}")
    return texts


def _lines(path: Path) -> Iterator[Any]:
    if not path.is_file() or path.suffix.lower() != SUFFIX:
        found = path.name if path.is_file() else what_is(path)
        raise DataError(f"{path}: expected a file of JSON lines with the ending {SUFFIX}, found {found}")
    row = 0
    with path.open("rb") as file:
        try:
            for row, line in enumerate(file):  # noqa: B007  # for the message
                read = json.loads(line)
                yield read.get("text") if isinstance(read, dict) else read
        except (ValueError, RecursionError) as error:  # no UTF-8 or no JSON
            raise DataError(f'{path}: row {row}: expected {{"text": "…"}} in UTF-8, found no JSON ({error})') from None


def _short(value: Any, where: str) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", errors="replace")
    if not isinstance(value, str):
        raise DataError(f"{where}: expected a text, found {type(value).__name__}")
    text = value.encode("utf-8", errors="replace").decode()  # half of a pair of code units can't be written
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
