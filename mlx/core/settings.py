"""The base class of every section's schema, and descriptions of what a schema accepts."""

import math
import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from mlx.core.documents import shown


class Settings(BaseModel):
    """One section of the configuration.

    Immutable; strict, so that ``"3"`` and ``true`` are not integers; without extra keys, so that a misspelled key is an
    error.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    def as_dict(self) -> dict[str, Any]:
        """Return the section as JSON values, with defaults."""
        return self.model_dump(mode="json")

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> "type[Settings] | None":  # noqa: ARG003
        """Return the schema of `key` if it depends on the section's other `values`.

        A section overrides this for such a key: the schema of ``dataset.params`` depends on ``dataset.name``.
        """
        return None


LONGEST = 100
"""Characters of an experiment's name, which also names a folder."""

DEVICES = frozenset({"CON", "PRN", "AUX", "NUL"} | {f"{port}{i}" for port in ("COM", "LPT") for i in range(10)})
"""Names that no folder can have on Windows, with any suffix."""


class NamedSettings(Settings):
    """The name of an experiment or a study, and what it asks."""

    name: str = Field(
        json_schema_extra={"pattern": "^[A-Za-z0-9]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?$", "maxLength": LONGEST}
    )
    description: str | None = None

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        for good, wanted in (
            (0 < len(name) <= LONGEST, f"1 to {LONGEST} characters"),
            (re.fullmatch(r"[A-Za-z0-9_.-]+", name), "letters, digits, '_', '-' and '.'"),
            (name[:1].isalnum(), "a letter or a digit at its beginning"),
            (name[-1:] != ".", "no '.' at its end"),
            (name.partition(".")[0].upper() not in DEVICES, "none that Windows keeps for a device"),
        ):
            if not good:
                raise ValueError(f"expected {wanted}, as it also names a folder, found {quoted(name)}")
        return name


class ExperimentHead(NamedSettings):
    """What is no section of an experiment; read by no step, and checked by all.

    Attributes
    ----------
    resources
        What a worker of a Dask cluster must have that makes a whole run: amounts by name, such as ``GPU: 1``.
    """

    resources: dict[str, float] = Field({})

    @field_validator("resources", mode="before")
    @classmethod
    def _amounts(cls, resources: Any) -> Any:
        for amount in resources.values() if isinstance(resources, dict) else ():
            if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 < amount < math.inf:
                raise ValueError(f"expected amounts above 0 by name, as in {{GPU: 1}}, found {shown(resources)}")
        return resources


ANY_CASE = BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value)
"""Accepts names in any case."""


def known_name(found: str, valid: Iterable[str]) -> str:
    """Return `found` in lower case, as in the catalogues.

    Raises
    ------
    ValueError
        It is not one of `valid`: lists those, and suggests the nearest.
    """
    names = sorted(valid)
    name = found.lower()
    if name in names:
        return name
    raise ValueError(f"expected one of {', '.join(names)}, found {quoted(found)}{nearest(name, names)}")


def quoted(text: str) -> str:
    """Return a text for a message: in quotes, on one line, shortened."""
    return repr(text if len(text) <= 60 else f"{text[:57]}...")


def yaml_text(text: str) -> str:
    """Return a text as YAML writes it on one line within brackets, quoted where it has to be, for advice to paste."""
    import yaml

    return yaml.safe_dump([text], width=float("inf"), allow_unicode=True, default_flow_style=True).strip()[1:-1]


def nearest(found: str, valid: Iterable[str]) -> str:
    """Return a hint at the name in `valid` that was probably meant; an empty text if none is similar."""
    near = get_close_matches(found[:LONGEST], list(valid), n=1)
    return f"; did you mean '{near[0]}'?" if near else ""


def expectation(schema: type[Settings], key: str, *, of_values: bool = False) -> str:
    """Return a description of the values that `schema` accepts for `key`, such as "an integer of at least 1".

    With ``of_values``, `key` is a mapping with names of the user's, and its values are described.
    """
    document = schema.model_json_schema()
    fragment = document["properties"][key]
    return _in_words(fragment["additionalProperties"] if of_values else fragment, document.get("$defs", {}))


def _in_words(fragment: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in fragment:
        return _in_words(definitions[fragment["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in fragment:
        return " or ".join(_in_words(option, definitions) for option in fragment["anyOf"])
    if "enum" in fragment:
        return "one of " + ", ".join(map(str, fragment["enum"]))
    if "const" in fragment:
        return str(fragment["const"])
    kind = fragment.get("type")
    if kind in {"integer", "number"}:
        return ("an integer" if kind == "integer" else "a number") + _bounds(fragment)
    if kind == "array":
        items = _in_words(fragment.get("items", {}), definitions)
        least = f" of at least {fragment['minItems']}" if "minItems" in fragment else ""
        return f"a list{least}, each element {items}"
    if kind == "string" and fragment.get("minLength"):
        return "text that is not empty"
    return _PLAIN.get(str(kind), "a value")


_PLAIN = {"boolean": "true or false", "string": "text", "object": "a section of keys", "null": "null"}


def _bounds(fragment: Mapping[str, Any]) -> str:
    words = [f"{phrase} {_number(fragment[bound])}" for bound, phrase in _BOUNDS.items() if bound in fragment]
    return " " + " and ".join(words) if words else ""


def _number(bound: float) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


_BOUNDS = {
    "minimum": "of at least",
    "exclusiveMinimum": "above",
    "maximum": "at most",
    "exclusiveMaximum": "below",
}
