"""scikit-learn estimators as skops files, deterministic, and read with a list of allowed types.

A skops file is a zip archive: ``schema.json`` describes the class and attributes of each object, ``.npy`` files hold
the arrays. skops rejects untrusted types, but by default it trusts all of scikit-learn, NumPy and SciPy, and does not
check whether the state of an object is valid. So a file is checked here before skops loads it.
"""

import io
import json
import math
import re
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.artifacts import replacing
from mlx.core.reading import existing, reading

Node = Mapping[str, Any]
"""An object in ``schema.json``: its ``__module__``, ``__class__`` and ``__loader__``, and what that loader needs."""

PLAIN = frozenset(
    {
        ("DictNode", "builtins.dict"),
        ("ListNode", "builtins.list"),
        ("TupleNode", "builtins.tuple"),
        ("JsonNode", "builtins.str"),
        ("TypeNode", "builtins.str"),
        ("NdArrayNode", "numpy.ndarray"),
        ("NdArrayNode", "numpy.float64"),
        ("NdArrayNode", "numpy.int64"),
        ("NdArrayNode", "numpy.uint64"),
    }
)
"""The loader of skops and the type of the objects that every file may contain."""

MARKS = ("__loader__", "__module__", "__class__")


@dataclass(frozen=True)
class SkopsContents:
    """A checked skops file, from which no object was created yet."""

    schema: Node
    archive: zipfile.ZipFile

    def nodes(self, loader: str) -> Iterator[Node]:
        """Yield all objects of one loader."""
        return (node for node in _nodes(self.schema) if node["__loader__"] == loader)

    def value(self, node: Node) -> Any:
        """Return the number, text or array that `node` holds."""
        if node["__loader__"] == "JsonNode" and node["is_json"] is True:
            return json.loads(node["content"])
        if node["__loader__"] == "NdArrayNode" and node["type"] == "numpy":
            with self.archive.open(node["file"]) as file:
                return np.lib.format.read_array(file, allow_pickle=False)
        raise ValueError(f"{node['__class__']} where a value belongs")


def write_estimator(path: Path, estimator: Any) -> None:
    """Write `estimator`, which ``skops.io.load`` reads.

    skops names objects and arrays by their memory address and dates the entries. Here the arrays are
    numbered, the dates fixed, and the addresses, which only mark identical objects, left out.
    """
    from skops.io import dumps

    with zipfile.ZipFile(io.BytesIO(dumps(estimator))) as source:
        numbers: dict[str, str] = {}
        schema = _renamed(json.loads(source.read("schema.json")), numbers)
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as target:
            target.writestr(zipfile.ZipInfo("schema.json"), json.dumps(schema, separators=(",", ":")))
            for old, new in numbers.items():
                target.writestr(zipfile.ZipInfo(new), source.read(old))


def _renamed(part: Any, numbers: dict[str, str]) -> Any:
    if isinstance(part, list):
        return [_renamed(item, numbers) for item in part]
    if not isinstance(part, dict):
        return part
    renamed = {key: _renamed(value, numbers) for key, value in part.items() if key != "__id__"}
    if isinstance(file := part.get("file"), str):
        renamed["file"] = numbers.setdefault(file, f"{len(numbers)}.npy")
    return renamed


def read_estimator(
    path: Path, *, objects: Mapping[str, Sequence[str]], trusted: Sequence[str], check: Callable[[SkopsContents], None]
) -> Any:
    """Load an estimator that `write_estimator` wrote; a file with other contents is rejected before it is loaded.

    Parameters
    ----------
    objects
        The types that it may contain beside `PLAIN`, by the loader of skops.
    trusted
        Those of them that are passed to skops as trusted.
    check
        Raises `ValueError` if the state of an object is unsafe for compiled code.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or contains other types.
    """
    from skops.io import loads

    allowed = PLAIN | {(loader, name) for loader, names in objects.items() for name in names}
    with reading(path, "a scikit-learn model"):
        content = existing(path).read_bytes()  # once, so that what is checked is what is loaded
        with zipfile.ZipFile(io.BytesIO(content)) as archive, warnings.catch_warnings():
            warnings.simplefilter("error")  # such as of a model fitted by another version of scikit-learn
            check(_checked_contents(archive, allowed))
            return loads(content, trusted=list(trusted))


def _checked_contents(archive: zipfile.ZipFile, allowed: frozenset[tuple[str, str]]) -> SkopsContents:
    names = archive.namelist()
    if len(set(names)) < len(names) or any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise ValueError("an entry twice, or compressed")
    if odd := [name for name in names if name != "schema.json" and not re.fullmatch(r"[0-9]+\.npy", name)]:
        raise ValueError(f"an entry '{odd[0]}'")
    for name in names:
        if name != "schema.json":
            _check_array_size(archive, name)
    schema = json.loads(archive.read("schema.json"))
    if schema["protocol"] != PROTOCOL:
        raise ValueError(f"protocol {schema['protocol']} where {PROTOCOL} is known")
    for node in _nodes(schema):
        module, name = node["__module__"], node["__class__"]
        if (node["__loader__"], f"{module}.{name}") not in allowed:
            raise ValueError(f"a {node['__loader__']} of type {module}.{name}")
        if "__id__" in node:  # a reference to another object, which would evade the checks
            raise ValueError("an object with a number")
        if node["__loader__"] == "ObjectNode":
            _check_attributes(getattr(import_module(module), name), node)
    return SkopsContents(schema, archive)


def _check_array_size(archive: zipfile.ZipFile, name: str) -> None:
    """Reject an array that is larger than its entry, as reading allocates its memory first."""
    with archive.open(name) as file:  # a tree's nodes are records, of which `mlx.core.npy` knows nothing
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("an array of another version of the format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError("Python objects, which would have to be unpickled")
    if math.prod(shape) * dtype.itemsize > archive.getinfo(name).file_size:
        raise ValueError(f"{dtype} of shape {shape} in {archive.getinfo(name).file_size} bytes")


def _check_attributes(kind: type, node: Node) -> None:
    """Reject an attribute that would replace a method."""
    for attribute in node["content"]["content"]:
        if hasattr(kind, attribute):
            raise ValueError(f"an attribute {kind.__name__}.{attribute}")


def _nodes(part: Any) -> Iterator[Node]:
    """Yield all objects in `part` of a schema; an object with one of `MARKS` must have all."""
    if isinstance(part, list):
        for item in part:
            yield from _nodes(item)
    elif isinstance(part, dict):
        if any(mark in part for mark in MARKS):
            yield {"__loader__": None} | part
        for value in part.values():
            yield from _nodes(value)


PROTOCOL = 2
"""The version of the format that this project writes; skops reads older ones differently."""
