"""Reads a YAML or JSON configuration into plain values, with the line of each key."""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from mlx.core.errors import SettingsError
from mlx.core.yaml_core import CoreLoader, computable, key_lines

Key = tuple[str | int, ...]
Names = tuple[str, ...]

LARGEST_BYTES = 1 << 20  # larger files are not configurations


@dataclass(frozen=True)
class Document:
    """The content of a configuration file.

    Attributes
    ----------
    path
        The file, as messages name it.
    values
        The top-level mapping.
    lines
        Line number (from 1) of each key path, if the syntax of the file gives it.
    set_by
        Origin of keys that are not from the file, such as an option of the command line.
    """

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[Names, int]
    set_by: Mapping[Names, str] = field(default_factory=dict)

    def where(self, key: Key) -> str:
        """Return ``file:line`` of `key`, or of the innermost section around it that is in the file."""
        names = tuple(map(str, key))
        for length in range(len(names), 0, -1):
            if names[:length] in self.set_by:
                return self.set_by[names[:length]]
            if names[:length] in self.lines:
                return f"{self.path}:{self.lines[names[:length]]}"
        return str(self.path)

    def has(self, key: Key) -> bool:
        """Return whether there is a value at `key`, or a single one in place of a section around it."""
        value: Any = self.values
        for name in key:
            if not isinstance(value, dict):
                return True
            if name not in value:
                return False
            value = value[name]
        return True

    def with_value(self, key: Names, value: Any, set_by: str) -> "Document":
        """Return the document with another value at `key`; missing sections are added."""
        values = {**self.values}
        section = values
        for name in key[:-1]:
            inner = section.get(name)
            section[name] = {**inner} if isinstance(inner, dict) else {}
            section = section[name]
        section[key[-1]] = value
        lines = {other: line for other, line in self.lines.items() if other[: len(key)] != key}
        return replace(self, values=values, lines=lines, set_by={**self.set_by, key: set_by})

    def without(self, keys: Iterable[Key]) -> "Document":
        """Return the document without the values at `keys`, and without all below them."""
        values = {**self.values}
        copied: set[Key] = {()}
        for key in keys:
            section: Any = values
            for depth, name in enumerate(key[:-1], start=1):
                if name not in section:
                    break
                if key[:depth] not in copied:
                    section[name] = {**section[name]}
                    copied.add(key[:depth])
                section = section[name]
            else:
                section.pop(key[-1], None)
        return replace(self, values=values)


def read_document(path: Path) -> Document:
    """Read a ``.yaml``, ``.yml`` or ``.json`` file whose top level is a mapping.

    Raises
    ------
    SettingsError
        The file is missing, too large, not text, or invalid: names the line and column.
    """
    values, lines = _parse(path, _read_text(path))
    return _document(path, values, lines)


def read_documents(path: Path) -> list[Document]:
    """Read a file that contains one mapping, or a list of them.

    Raises
    ------
    SettingsError
        As in `read_document`; also for an empty list.
    """
    values, lines = _parse(path, _read_text(path))
    if not isinstance(values, list):
        return [_document(path, values, lines)]
    if not values:
        raise SettingsError(f"{path}: expected a list of experiments, found an empty one")
    documents = []
    for i, item in enumerate(values):
        start = lines.get((str(i),))
        place = f"{path}:{start}" if start else str(path)
        if not isinstance(item, dict):
            raise SettingsError(f"{place}: expected an experiment with its sections, found {shown(item)}")
        own = {key[1:]: line for key, line in lines.items() if len(key) > 1 and key[0] == str(i)}
        documents.append(_document(path, item, own))
    return documents


def parse_value(text: str, where: str) -> Any:
    """Parse `text` as a YAML value: ``3``, ``true``, ``[1, 2]``, ``some words``.

    Raises
    ------
    SettingsError
        It is not valid YAML; the message begins with `where`.
    """
    try:
        values, _ = _parse_yaml(Path(where), text)
    except RecursionError:
        raise SettingsError(f"{where}: nested too deeply to be a value") from None
    return values


def _parse(path: Path, text: str) -> tuple[Any, dict[Names, int]]:
    try:
        return _parse_json(path, text) if path.suffix.lower() == ".json" else _parse_yaml(path, text)
    except RecursionError:
        raise SettingsError(f"{path}: nested too deeply to be a configuration") from None


def _document(path: Path, values: Any, lines: dict[Names, int]) -> Document:
    if not isinstance(values, dict):
        found = "an empty file" if values is None else shown(values)
        raise SettingsError(f"{path}: expected sections such as 'dataset:' and 'model:', found {found}")
    _reject_half_characters(path, values)
    return Document(path, values, lines)


def _at_once(path: str, flags: int) -> int:
    """Open a file without blocking: a pipe without a writer is empty."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _read_text(path: Path) -> str:
    try:
        with open(path, "rb", opener=_at_once) as file:  # Path.open takes no opener
            os.set_blocking(file.fileno(), True)
            content = file.read(LARGEST_BYTES + 1)
        if len(content) > LARGEST_BYTES:
            raise SettingsError(f"{path}: expected a configuration of at most 1 MiB, found a larger file")
        return content.decode("utf-8-sig")
    except FileNotFoundError:
        raise SettingsError(f"{path}: no such file; expected a YAML or JSON configuration") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: expected UTF-8 text, found a byte that is not, at {error.start}") from None
    except (OSError, ValueError) as error:  # a null character in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"{path}: can't be read: {reason}") from None


def _parse_yaml(path: Path, text: str) -> tuple[Any, dict[Names, int]]:
    try:
        loader = CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines = dict(key_lines(path, node))  # before the construction, which adds merged keys to the node
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise SettingsError(f"{place}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def _parse_json(path: Path, text: str) -> tuple[Any, dict[Names, int]]:
    try:
        values = parse_json(text)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{path}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}") from None
    except ValueError as error:
        reason = str(error).partition(" for integer string")[0]  # the rest is for programmers
        raise SettingsError(f"{path}: not valid JSON: {reason}") from None
    try:  # JSON is YAML except for tabs, and expanding them moves no line
        node = yaml.compose(text.expandtabs(1), CoreLoader)
        return values, dict(key_lines(path, node)) if node is not None else {}
    except yaml.YAMLError:
        return values, {}


def parse_json(text: str, **options: Any) -> Any:
    """Return ``json.loads(text, **options)``; raises ValueError for NaN, infinity, huge integers, and repeated keys."""
    return json.loads(
        text, parse_constant=_reject_constant, parse_int=_integer, object_pairs_hook=_reject_twice, **options
    )


def _reject_half_characters(path: Path, values: Mapping[str, Any]) -> None:
    try:
        json.dumps(values, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        found = ascii(error.object[error.start])
        raise SettingsError(f"{path}: expected text, found {found}, half of a character in UTF-16") from None


def _integer(text: str) -> int:
    return computable(int(text))


def _reject_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _reject_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key '{next(n for n in names if names.count(n) > 1)}' stands twice")
    return values


def shown(value: Any) -> str:
    """Return a value from a file as a reader would recognize it, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."
