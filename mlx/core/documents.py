"""Reads a YAML or JSON file into plain values, and remembers on which line each key stands.

YAML is read by the 1.2 core schema, as DVC reads it: ``1e-3`` is a number and ``no`` is text, so that
what ``dvc params diff`` shows is what runs. No tag of the file can construct anything.
"""

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from mlx.core.errors import SettingsError

Key = tuple[str | int, ...]
Names = tuple[str, ...]

LARGEST_BYTES = 1 << 20  # a configuration is written by hand; a larger file was given by mistake
MOST_NODES = 100_000  # aliases of aliases can unfold a small file into billions of nodes


@dataclass(frozen=True)
class Document:
    """The content of a configuration file.

    Attributes
    ----------
    path : the file, as messages name it.
    values : the top-level mapping.
    lines : line number (from 1) of each key path, as far as the file's syntax tells it.
    set_by : what set a key that is not as the file has it, such as an option of the command line.
    """

    path: Path
    values: Mapping[str, Any]
    lines: Mapping[Names, int]
    set_by: Mapping[Names, str] = field(default_factory=dict)

    def where(self, key: Key) -> str:
        """Return ``file:line`` of `key`, or of the nearest section round it that stands in the file."""
        names = tuple(map(str, key))
        for length in range(len(names), 0, -1):
            if names[:length] in self.set_by:
                return self.set_by[names[:length]]
            if names[:length] in self.lines:
                return f"{self.path}:{self.lines[names[:length]]}"
        return str(self.path)

    def has(self, key: Key) -> bool:
        """Say whether there is a value at `key`."""
        value: Any = self.values
        for name in key:
            if not isinstance(value, dict) or name not in value:
                return False
            value = value[name]
        return True

    def with_value(self, key: Names, value: Any, set_by: str) -> "Document":
        """Return the document with another value at `key`; sections on the way to it are made."""
        values = {**self.values}
        section = values
        for name in key[:-1]:
            inner = section.get(name)
            section[name] = {**inner} if isinstance(inner, dict) else {}
            section = section[name]
        section[key[-1]] = value
        lines = {known: line for known, line in self.lines.items() if known[: len(key)] != key}
        return replace(self, values=values, lines=lines, set_by={**self.set_by, key: set_by})

    def without(self, keys: Iterable[Key]) -> "Document":
        """Return the document without the values at `keys`; what lies below one of them goes with it."""
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
        The file is missing, too large, not text, or not valid: names the line and column.
    """
    values, lines = _parse(path, _read_text(path))
    return _document(path, values, lines)


def read_documents(path: Path) -> list[Document]:
    """Read a file that holds one mapping, or a list of them.

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
            raise SettingsError(f"{place}: expected an experiment with its sections, found {_shown(item)}")
        own = {key[1:]: line for key, line in lines.items() if len(key) > 1 and key[0] == str(i)}
        documents.append(_document(path, item, own))
    return documents


def parse_value(text: str, where: str) -> Any:
    """Return what `text` is as a value in YAML: ``3``, ``true``, ``[1, 2]``, ``some words``.

    Raises
    ------
    SettingsError
        It is no YAML; the message begins with `where`.
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
        found = "an empty file" if values is None else _shown(values)
        raise SettingsError(f"{path}: expected sections such as 'dataset:' and 'model:', found {found}")
    _refuse_half_characters(path, values)
    return Document(path, values, lines)


def _at_once(path: str, flags: int) -> int:
    """Open a file without waiting: a pipe that nobody writes to is empty."""
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
        loader = _CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            return None, {}
        lines = dict(_key_lines(path, node))  # first, as constructing it puts merged keys beside those of its own
        return loader.construct_document(node), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise SettingsError(f"{place}: not valid YAML: {error.problem or error.context}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None


def _parse_json(path: Path, text: str) -> tuple[Any, dict[Names, int]]:
    try:
        values = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_twice)
    except json.JSONDecodeError as error:
        raise SettingsError(f"{path}:{error.lineno}:{error.colno}: not valid JSON: {error.msg}") from None
    except ValueError as error:
        reason = str(error).partition(" for integer string")[0]  # what follows is meant for programmers
        raise SettingsError(f"{path}: not valid JSON: {reason}") from None
    try:  # JSON is YAML but for tabs, and expanding those moves no line
        node = yaml.compose(text.expandtabs(1), _CoreLoader)
        return values, dict(_key_lines(path, node)) if node is not None else {}
    except yaml.YAMLError:
        return values, {}


def _refuse_half_characters(path: Path, values: Mapping[str, Any]) -> None:
    try:
        json.dumps(values, ensure_ascii=False, default=str).encode()
    except UnicodeEncodeError as error:
        found = ascii(error.object[error.start])
        raise SettingsError(f"{path}: expected text, found {found}, half of a character in UTF-16") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")


def _refuse_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key '{next(n for n in names if names.count(n) > 1)}' stands twice")
    return values


class _CoreLoader(yaml.SafeLoader):
    """PyYAML's safe loader, with the scalars and tags of YAML 1.2's core schema instead of those of 1.1."""

    nodes = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Compose a node; a file of more than a person writes is refused before it takes long."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            raise yaml.MarkedYAMLError(problem=f"more than {MOST_NODES:,} keys and values", problem_mark=mark)
        return super().compose_node(parent, index)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """Construct a value; one that its tag does not fit is an error with a place, whatever it raised."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, KeyError, IndexError, AttributeError, TypeError, OverflowError):
            kind = node.tag.rpartition(":")[2]
            raise yaml.MarkedYAMLError(problem=f"not a usable {kind}", problem_mark=node.start_mark) from None

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012  # as PyYAML declares it


_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"^(?:[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+)$"), list("-+0123456789")
)
_CoreLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float",
    re.compile(
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$"
    ),
    list("-+.0123456789"),
)
_CoreLoader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|Null|NULL|)$"), ["~", "n", "N", ""])
_CoreLoader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"^(?:<<)$"), ["<"])


for foreign in ("binary", "omap", "pairs", "set", "timestamp"):  # their values are none of JSON's
    _CoreLoader.add_constructor(f"tag:yaml.org,2002:{foreign}", yaml.SafeLoader.construct_undefined)  # type: ignore[type-var]


def _construct_int(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int:
    text = str(loader.construct_scalar(node))
    if text.startswith("0o"):
        return int(text[2:], 8)
    return int(text, 16) if text.startswith("0x") else int(text)


_CoreLoader.add_constructor("tag:yaml.org,2002:int", _construct_int)


def _key_lines(path: Path, root: yaml.Node) -> Iterator[tuple[Names, int]]:
    """Yield the line of every key path; refuse keys that stand twice, cycles and unfolding aliases."""
    stack: list[tuple[Names, yaml.Node, tuple[int, ...]]] = [((), root, ())]
    seen = 0
    while stack:
        key, node, parents = stack.pop()
        seen += 1
        if id(node) in parents or seen > MOST_NODES:
            raise SettingsError(f"{path}:{node.start_mark.line + 1}: aliases unfold without end")
        if isinstance(node, yaml.MappingNode):
            children = [((*key, str(name.value)), name, child) for name, child in node.value]
            _refuse_repeats(path, children)
        elif isinstance(node, yaml.SequenceNode):
            children = [((*key, str(i)), child, child) for i, child in enumerate(node.value)]
        else:
            continue
        for child_key, name, child in children:
            yield child_key, name.start_mark.line + 1
            stack.append((child_key, child, (*parents, id(node))))


def _refuse_repeats(path: Path, children: list[tuple[Names, yaml.Node, yaml.Node]]) -> None:
    first: dict[Names, int] = {}
    for child_key, name, _ in children:
        line = name.start_mark.line + 1
        if child_key in first:
            shown = ".".join(map(str, child_key))
            raise SettingsError(f"{path}:{line}: {shown}: stands twice, first on line {first[child_key]}")
        first[child_key] = line


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."
