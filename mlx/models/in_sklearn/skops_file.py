"""scikit-learn estimators as skops files: the same bytes for the same one, and read with a list of what may be in.

A skops file is a zip archive: ``schema.json`` tells each object's class and attributes, ``.npy`` files hold the
arrays. skops refuses types that it was not told to trust, but by default it trusts all of scikit-learn, NumPy
and SciPy, and it can't know whether what is inside an object fits it. So a file is read here before skops sees it.
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
from mlx.models.npz import EPOCH

Node = Mapping[str, Any]
"""An object in ``schema.json``: its ``__module__``, ``__class__`` and ``__loader__``, and what that needs."""

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
"""What every file may hold: how skops loads it, and its type."""

MARKS = ("__loader__", "__module__", "__class__")


@dataclass(frozen=True)
class Contents:
    """A skops file that was looked into, and from which nothing has been made yet."""

    schema: Node
    archive: zipfile.ZipFile

    def nodes(self, loader: str) -> Iterator[Node]:
        """Yield all objects that are loaded in one way."""
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

    skops names objects and arrays by their place in memory and dates the entries. Here the arrays are
    numbered and the dates fixed; what is left out, the numbers of the objects, tells only which of them
    are the same one.
    """
    from skops.io import dumps

    with zipfile.ZipFile(io.BytesIO(dumps(estimator))) as source:
        numbers: dict[str, str] = {}
        schema = _renamed(json.loads(source.read("schema.json")), numbers)
        with replacing(path) as temporary, zipfile.ZipFile(temporary, "w") as target:
            target.writestr(zipfile.ZipInfo("schema.json", EPOCH), json.dumps(schema, separators=(",", ":")))
            for old, new in numbers.items():
                target.writestr(zipfile.ZipInfo(new, EPOCH), source.read(old))


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
    path: Path, *, objects: Mapping[str, Sequence[str]], trusted: Sequence[str], vet: Callable[[Contents], None]
) -> Any:
    """Load an estimator that `write_estimator` wrote; nothing is made of a file that holds anything else.

    Parameters
    ----------
    objects : the types that may be in it, beside `PLAIN`, by the way in which skops loads them.
    trusted : those of them that skops has to be told to trust.
    vet : raises `ValueError` where compiled code would take what is in an object for granted.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or holds what is not in these lists.
    """
    from skops.io import loads

    allowed = PLAIN | {(loader, name) for loader, names in objects.items() for name in names}
    with reading(path, "a scikit-learn model"):
        content = existing(path).read_bytes()  # once: what is checked is what is loaded
        with zipfile.ZipFile(io.BytesIO(content)) as archive, warnings.catch_warnings():
            warnings.simplefilter("error")  # fitted by another version of scikit-learn, for one
            vet(_looked_into(archive, allowed))
            return loads(content, trusted=list(trusted))


def _looked_into(archive: zipfile.ZipFile, allowed: frozenset[tuple[str, str]]) -> Contents:
    names = archive.namelist()
    if len(set(names)) < len(names) or any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise ValueError("an entry twice, or compressed")
    if odd := [name for name in names if name != "schema.json" and not re.fullmatch(r"[0-9]+\.npy", name)]:
        raise ValueError(f"an entry '{odd[0]}'")
    for name in names:
        if name != "schema.json":
            _refuse_absurd(archive, name)
    schema = json.loads(archive.read("schema.json"))
    if schema["protocol"] != PROTOCOL:
        raise ValueError(f"protocol {schema['protocol']} where {PROTOCOL} is known")
    for node in _nodes(schema):
        module, name = node["__module__"], node["__class__"]
        if (node["__loader__"], f"{module}.{name}") not in allowed:
            raise ValueError(f"a {node['__loader__']} of type {module}.{name}")
        if "__id__" in node:  # an object that stands for another one: what is checked would not be what is used
            raise ValueError("an object with a number")
        if node["__loader__"] == "ObjectNode":
            _refuse_shadows(getattr(import_module(module), name), node)
    return Contents(schema, archive)


def _refuse_absurd(archive: zipfile.ZipFile, name: str) -> None:
    """Refuse an array that is larger than its entry: whoever reads it takes the memory first."""
    with archive.open(name) as file:  # a tree's nodes are records, of which `mlx.core.npy` knows nothing
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError("an array of another version of the format")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
    if dtype.hasobject:
        raise ValueError("Python objects, which would have to be unpickled")
    if math.prod(shape) * dtype.itemsize > archive.getinfo(name).file_size:
        raise ValueError(f"{dtype} of shape {shape} in {archive.getinfo(name).file_size} bytes")


def _refuse_shadows(kind: type, node: Node) -> None:
    """Refuse an attribute that would take the place of a method."""
    for attribute in node["content"]["content"]:
        if hasattr(kind, attribute):
            raise ValueError(f"an attribute {kind.__name__}.{attribute}")


def _nodes(part: Any) -> Iterator[Node]:
    """Yield all objects in `part` of a schema: what has one of the marks must have all."""
    if isinstance(part, list):
        for item in part:
            yield from _nodes(item)
    elif isinstance(part, dict):
        if any(mark in part for mark in MARKS):
            yield {"__loader__": None} | part
        for value in part.values():
            yield from _nodes(value)


PROTOCOL = 2
"""The version of the format that this project writes; skops reads older ones in other ways."""
