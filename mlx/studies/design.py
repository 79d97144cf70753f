"""The cells of a study: configurations that differ in what the study varies on purpose."""

import itertools
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlx.core.documents import Document, Key, parse_value, read_document, shown
from mlx.core.errors import SettingsError
from mlx.core.paths import from_root
from mlx.core.sections import SECTIONS, unknown_key
from mlx.core.settings import nearest
from mlx.studies.settings import StudySettings

MOST_CELLS = 1_000
"""Cells of a study, all pairs of which are compared."""

Override = tuple[Key, Any, str]
"""A key, its value, and where that is set, for messages."""


@dataclass(frozen=True)
class Cell:
    """A configuration that a study runs with every seed.

    Attributes
    ----------
    name
        The name in the study file, and the values of the grid.
    slug
        The name as a part of file names.
    document
        The configuration, without seeds.
    values
        What the grid sets, by key.
    """

    name: str
    slug: str
    document: Document
    values: Mapping[str, Any]


def read_base(document: Document, settings: StudySettings) -> Document:
    """Read the experiment that a study varies.

    Raises
    ------
    SettingsError
        The file is missing or invalid.
    """
    base = settings.base
    if isinstance(base, str):
        beside = document.path.parent / base
        path = from_root(base)
        return read_document(path if path.exists() or not beside.exists() else beside)
    lines = {key[1:]: line for key, line in document.lines.items() if len(key) > 1 and key[0] == "base"}
    return Document(document.path, base, lines)


def cells_of(document: Document, settings: StudySettings) -> list[Cell]:
    """Return every combination of a named cell and values of the grid.

    Raises
    ------
    SettingsError
        An override is no key with a value, or its key is in no section; or there are too many cells.
    """
    n_cells = max(1, len(settings.cells)) * math.prod(map(len, settings.grid.values()))
    if n_cells > MOST_CELLS:
        where = document.where(("grid",) if settings.grid else ("cells",))
        raise SettingsError(f"{where}: expected at most {MOST_CELLS:,} cells, found {n_cells:,}; a search tries some")
    base = read_base(document, settings).with_value(("name",), settings.name, document.where(("name",)))
    cells: list[Cell] = []
    for name, overrides in _named(document, settings):
        for values in _combinations(settings.grid):
            label = ", ".join([*([name] if name else []), *_labels(values, settings.grid)]) or settings.name
            changed = base
            grid = [(_key_of(document, ("grid",), key), value, document.where(("grid", key))) for key, value in values]
            for key, value, where in (*overrides, *grid):
                if len(key) == 1 and not isinstance(value, dict):
                    raise SettingsError(f"{where}: {key[0]}: expected a section of keys, found {shown(value)}")
                changed = changed.with_value(tuple(map(str, key)), value, where)
            if label in {cell.name for cell in cells}:
                where = document.where(("grid",))
                raise SettingsError(f"{where}: grid: expected cells that differ, found '{label}' twice")
            cells.append(Cell(label, _slug(label, {cell.slug for cell in cells}), changed, dict(values)))
    return cells


def baseline_of(document: Document, settings: StudySettings, cells: list[Cell]) -> str:
    """Return the name of the cell that others are compared with.

    Raises
    ------
    SettingsError
        The cell is unknown.
    """
    names = [cell.name for cell in cells]
    if settings.baseline is None:
        return names[0]
    if settings.baseline not in names:
        expected, hint = ", ".join(names[:20]), nearest(settings.baseline, names)
        where = document.where(("baseline",))
        raise SettingsError(f"{where}: baseline: expected one of {expected}, found '{settings.baseline}'{hint}")
    return settings.baseline


def with_values(document: Document, values: Mapping[str, Any], where: str) -> Document:
    """Return a configuration with other values, by dotted key."""
    for key, value in values.items():
        document = document.with_value(tuple(key.split(".")), value, where)
    return document


def check_key(document: Document, above: Key, key: str) -> None:
    """Reject a key of a study that is in no section of a configuration."""
    _key_of(document, above, key)


def _named(document: Document, settings: StudySettings) -> Iterator[tuple[str, list[Override]]]:
    if not settings.cells:
        yield "", []
    for name, content in settings.cells.items():
        yield name, list(_overrides(document, ("cells", name), content))


def _overrides(document: Document, above: Key, content: Any) -> Iterator[Override]:
    """Yield the overrides of a cell: a mapping, or a list of mappings and of ``key=value``."""
    for i, item in enumerate(content if isinstance(content, list) else [content]):
        place = (*above, i) if isinstance(content, list) else above
        where = f"{document.where(place)} (cell '{above[-1]}')"
        if isinstance(item, dict):
            for key, value in item.items():
                at = f"{document.where((*place, key))} (cell '{above[-1]}')"
                yield _key_of(document, place, str(key)), value, at
        elif isinstance(item, str) and "=" in item:
            dotted, _, text = item.partition("=")
            yield _key_of(document, place, dotted.strip()), parse_value(text, f"{where}: {dotted}"), where
        else:
            raise SettingsError(f"{where}: expected a key and its value, as in training.epochs=5, found {shown(item)}")


def _key_of(document: Document, above: Key, dotted: str) -> Key:
    key = tuple(dotted.split("."))
    sections = [name for name in SECTIONS if name not in {"name", "description"}]
    if key[0] not in sections:
        raise SettingsError(unknown_key(document, (*above, dotted), sections))
    if not all(key):
        raise SettingsError(f"{document.where((*above, dotted))}: {dotted}: expected section.key")
    return key


def _combinations(grid: Mapping[str, list[Any]]) -> Iterator[list[tuple[str, Any]]]:
    for values in itertools.product(*grid.values()):
        yield list(zip(grid, values, strict=True))


def _labels(values: list[tuple[str, Any]], grid: Mapping[str, Any]) -> Iterator[str]:
    """Yield ``key=value``, with as much of the key as tells it from the others."""
    for key, value in values:
        parts = key.split(".")
        for length in range(1, len(parts) + 1):
            short = ".".join(parts[-length:])
            if sum(other == short or other.endswith(f".{short}") for other in grid) == 1:
                break
        yield f"{short}={value if isinstance(value, str) else shown(value)}"


def _slug(label: str, taken: set[str]) -> str:
    """Return a label as part of a file name that is not in `taken`."""
    plain = re.sub(r"[^A-Za-z0-9_.=]+", "-", label).replace("=", "-").strip("-.")[:40] or "cell"
    numbered = (f"{plain}-{i}" for i in itertools.count(2))
    lowered = {name.lower() for name in taken}  # some file systems take no notice of case
    return next(name for name in itertools.chain([plain], numbered) if name.lower() not in lowered)
