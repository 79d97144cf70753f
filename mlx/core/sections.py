"""Checks a document's sections against their schemas, and words what is wrong."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from mlx.core.documents import Document, Key
from mlx.core.errors import SettingsError
from mlx.core.settings import Settings, expectation, nearest

SECTIONS = (
    "name", "description", "dataset", "split", "preprocessing", "model", "training", "representations",
    "evaluation", "residuals", "report", "output",
)  # fmt: skip
"""The top-level keys of an experiment configuration, in the order in which data flows."""

S = TypeVar("S", bound=Settings)


def read_sections(document: Document, schemas: Mapping[str, type[Settings]]) -> dict[str, Settings]:
    """Validate the named sections of `document`, and that it has no top-level key but `SECTIONS`.

    Raises
    ------
    SettingsError
        One message with a line for each fault.
    """
    faults = [unknown_key(document, (key,), SECTIONS) for key in document.values if key not in SECTIONS]
    sections = {}
    for name, schema in schemas.items():
        try:
            sections[name] = validated(document, name, schema)
        except SettingsError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    return sections


def validated(document: Document, name: str, schema: type[S]) -> S:
    """Return section `name` of `document` as its `schema`.

    Raises
    ------
    SettingsError
        The section is missing, or a key of it is unknown, missing or has an unusable value.
    """
    if name not in document.values:
        raise SettingsError(f"{document.path}: {name}: expected a section of keys, found nothing")
    values = document.values[name]
    if not isinstance(values, dict):
        where = document.where((name,))
        raise SettingsError(f"{where}: {name}: expected a section of keys, found {shown(values)}")
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        faults = dict.fromkeys(_worded(document, name, schema, dict(fault)) for fault in error.errors())
        raise SettingsError("\n".join(faults)) from None


def unknown_key(document: Document, key: Key, known: Iterable[str]) -> str:
    """Word the message for a key that no schema has, with the nearest known one."""
    names = sorted(known)
    wanted = f"one of {', '.join(names)}" if names else "no key here"
    hint = nearest(str(key[-1]), names)
    return f"{document.where(key)}: {_dotted(key)}: expected {wanted}, found an unknown key{hint}"


def shown(value: Any) -> str:
    """Write a value found in a file as a reader would recognise it, shortened."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _worded(document: Document, section: str, schema: type[Settings], fault: Mapping[str, Any]) -> str:
    path, owner = _owner(schema, fault["loc"], document.values[section])
    key: Key = (section, *path)
    kind, context = fault["type"], fault.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_key(document, key, owner.model_fields)
    prefix = f"{document.where(key)}: {_dotted(key)}"
    if kind in {"value_error", "assertion_error"}:
        return f"{prefix}: {context.get('error', fault['msg'])}"
    field = path[-1] if path else ""
    if field in owner.model_fields:
        wanted = expectation(owner, str(field))
    else:
        wanted = str(fault["msg"]).removeprefix("Input should be ")
    found = "nothing" if kind == "missing" else shown(fault["input"])
    return f"{prefix}: expected {wanted}, found {found}"


def _owner(schema: type[Settings], location: Key, values: Any) -> tuple[Key, type[Settings]]:
    """Follow `location` through nested sections: the part that names keys, and the schema they are in.

    Pydantic appends the branch of a union or the index of an element; a message names the key.
    """
    path: Key = ()
    for position, step in enumerate(location):
        path = (*path, step)
        inner = schema.schema_of(str(step), values) if isinstance(values, dict) else None
        field = schema.model_fields.get(str(step))
        if inner is None and field is not None and isinstance(field.annotation, type):
            inner = field.annotation if issubclass(field.annotation, Settings) else None
        if inner is None or position == len(location) - 1:
            return path, schema
        schema = inner
        values = values.get(step, {}) if isinstance(values, dict) else {}
    return path, schema


def _dotted(key: Key) -> str:
    return ".".join(map(str, key))
