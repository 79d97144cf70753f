"""Validates the sections of a document against their schemas, and formats the error messages."""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin

from pydantic import ValidationError

from mlx.core.documents import Document, Key, shown
from mlx.core.errors import ArgumentError, SettingsError
from mlx.core.settings import ExperimentHead, Settings, expectation, nearest

SECTIONS = (
    "name", "description", "dataset", "split", "preprocessing", "model", "training", "representations",
    "evaluation", "residuals", "report", "output", "resources",
)  # fmt: skip
"""The top-level keys of an experiment configuration, in the order in which data flows."""

MOST_FAULTS = 50
"""Faults listed of one section at most; a file with more is probably not a configuration."""

S = TypeVar("S", bound=Settings)
T = TypeVar("T")


def read_sections(
    document: Document, schemas: Mapping[str, type[Settings]], optional: Container[str] = ()
) -> dict[str, Settings]:
    """Validate the named sections of `document` and its head, and reject keys other than `SECTIONS`.

    A section in `optional` that is absent from `document` is absent from the result.

    Raises
    ------
    SettingsError
        One message with a line for each fault.
    """
    faults = [unknown_key(document, (key,), SECTIONS) for key in document.values if key not in SECTIONS]
    sections = {}
    head = {key: document.values[key] for key in ExperimentHead.model_fields if key in document.values}
    try:
        validated(replace(document, values=head), ExperimentHead)
    except SettingsError as error:
        faults.append(str(error))
    for name, schema in schemas.items():
        if name in optional and name not in document.values:
            continue
        try:
            if name not in document.values:
                raise SettingsError(f"{document.path}: {name}: expected a section of keys, found nothing")
            sections[name] = validated(document, schema, name)
        except SettingsError as error:
            faults.append(str(error))
    if faults:
        raise SettingsError("\n".join(faults))
    return sections


def validated(document: Document, schema: type[S], section: str | None = None) -> S:
    """Return `section` of `document`, or the whole of it, as its `schema`.

    Raises
    ------
    SettingsError
        A key is unknown or missing, or has an invalid value: a line for each fault.
    """
    above: Key = () if section is None else (section,)
    values = document.values if section is None else document.values[section]
    if not isinstance(values, dict):
        prefix = _place(document, above)
        raise SettingsError(f"{prefix}: expected a section of keys, found {shown(values)}")
    try:
        return schema.model_validate(values)
    except ValidationError as error:
        faults = [dict(f) for f in error.errors()]
        raise SettingsError("\n".join(_lines(document, above, schema, values, faults))) from None


def settings_of(what: str, schema: type[S], values: Mapping[str, Any]) -> S:
    """Validate `values` that a program, not a file, gives for `what`.

    Raises
    ------
    ArgumentError
        As `validated`, with the same text.
    """
    try:
        return validated(Document(Path(what), dict(values), {}), schema)
    except SettingsError as error:
        raise ArgumentError(str(error)) from None


def without_unknown(document: Document, schema: type[Settings]) -> tuple[Document, list[str]]:
    """Return `document` without the keys that `schema` does not have, and a message for each of them."""
    messages: list[str] = []
    while True:
        try:
            schema.model_validate(document.values)
        except ValidationError as error:
            unknown: list[dict[str, Any]] = [dict(f) for f in error.errors() if f["type"] == "extra_forbidden"]
        else:
            return document, messages
        keys = {_owner(schema, f["loc"], document.values)[0] for f in unknown}
        if not keys or not all(map(document.has, keys)):
            return document, messages
        messages += _lines(document, (), schema, document.values, unknown)
        document = document.without(keys)  # and repeat, as others may be reported now


def with_source_line(document: Document, work: Callable[[], T]) -> T:
    """Return ``work()``; add file and line to the error for a setting that only `work` can check.

    Raises
    ------
    MlxError
        Raised by `work`; a `SettingsError` with the place of its key in `document`.
    """
    try:
        return work()
    except SettingsError as error:
        if not error.key:
            raise
        raise SettingsError(f"{_place(document, error.key)}: {error}") from None


def unknown_key(document: Document, key: Key, valid: Iterable[str]) -> str:
    """Return the message for a key that no schema has, with the nearest valid one."""
    names = sorted(valid)
    wanted = f"one of {', '.join(names)}" if names else "no key here"
    hint = nearest(str(key[-1]), names)
    return f"{_place(document, key)}: expected {wanted}, found an unknown key{hint}"


def _lines(
    document: Document,
    above: Key,
    schema: type[Settings],
    values: Mapping[str, Any],
    faults: list[dict[str, Any]],
) -> list[str]:
    """Return a line for each of the first `MOST_FAULTS` of `faults`, and the number of the others."""
    lines: dict[str, str] = {}
    for fault in faults[:MOST_FAULTS]:  # the first of those that say of the same key that the same was expected
        line = _message(document, above, schema, values, fault)
        lines.setdefault(line.partition(", found ")[0], line)
    more = len(faults) - MOST_FAULTS
    return [*lines.values(), f"{document.path}: and {more:,} more of such faults"] if more > 0 else list(lines.values())


def _message(
    document: Document,
    above: Key,
    schema: type[Settings],
    values: Mapping[str, Any],
    fault: Mapping[str, Any],
) -> str:
    """Return the message for one `fault` that pydantic reports on `values`, which are at the key `above`."""
    path, owner = _owner(schema, fault["loc"], values)
    key: Key = (*above, *path)
    prefix = _place(document, key)
    if fault["type"] in {"extra_forbidden", "invalid_key"}:
        return unknown_key(document, key, owner.model_fields)
    text = str(fault["msg"]).removeprefix("Value error, ")
    if text.startswith("expected"):  # from a validator of this project, more exact than the schema
        return f"{prefix}: {text}"
    field = str(path[-1]) if path else ""
    around = str(path[-2]) if len(path) > 1 else ""
    wanted = text.removeprefix("Input should be ")
    if field in owner.model_fields:
        wanted = expectation(owner, field)
    elif around in owner.model_fields:  # `field` is a name of the user's
        wanted = expectation(owner, around, of_values=True)
    found = "nothing" if fault["type"] == "missing" else shown(fault["input"])
    if fault["loc"][-1:] == ("[key]",):
        wanted = "names as keys"
    unquoted = fault["type"] == "string_type" and isinstance(fault["input"], int | float)
    return f"{prefix}: expected {wanted}, found {found}{'; in quotes it is text' if unquoted else ''}"


def _owner(schema: type[Settings], location: Key, values: Any) -> tuple[Key, type[Settings]]:
    """Return the part of `location` that consists of keys, and the schema of the innermost section.

    Pydantic appends the branch of a union or the index of an element to the keys.
    """
    path: Key = ()
    steps = iter(location)
    for step in steps:
        path = (*path, step)
        inner, below = _inner(schema, str(step), values), values.get(step) if isinstance(values, dict) else None
        named = _values_of(schema, str(step)) if inner is None else None
        if named is not None and isinstance(below, dict) and location[-1] != "[key]" and (name := next(steps, None)):
            path, below = (*path, name), below.get(name)
            inner = named if isinstance(named, type) and issubclass(named, Settings) else None
        if inner is None or len(path) == len(location):
            break
        schema, values = inner, below
    return path, schema


def _values_of(schema: type[Settings], key: str) -> Any:
    """Return the type of the values of a mapping whose keys are names of the user's; None of other fields."""
    field = schema.model_fields.get(key)
    return get_args(field.annotation)[1] if field is not None and get_origin(field.annotation) is dict else None


def _inner(schema: type[Settings], key: str, values: Any) -> type[Settings] | None:
    """Return the schema of the section at `key` of a section with `schema`, if it is one."""
    if isinstance(values, dict) and (chosen := schema.schema_of(key, values)) is not None:
        return chosen
    field = schema.model_fields.get(key)
    kind = field.annotation if field is not None else None
    return kind if isinstance(kind, type) and issubclass(kind, Settings) else None


def _place(document: Document, key: Key) -> str:
    """Return where a key was set, and the key, unless the place names it, as ``--set training.epochs`` does."""
    where, dotted = document.where(key), _dotted(key)
    return where if where.endswith(f" {dotted}") else f"{where}: {dotted}"


def _dotted(key: Key) -> str:
    return ".".join(map(str, key))
