"""Writes ``.keras`` files deterministically, and reads only the weights in them.

Loading such a file with Keras rebuilds the network from a configuration in it, which may name any Python
class or contain code; the format's safe mode has had vulnerabilities. Here the network is rebuilt from
``model.json`` instead. The file must describe the same network, and only its arrays are read.
"""

import io
import json
import tempfile
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.reading import REMAKE, existing, reading
from mlx.models.in_keras.runtime import keras

MEMBERS = ("config.json", "metadata.json", "model.weights.h5")
WEIGHTS = "model.weights.h5"


def save_keras(model: Any, path: Path) -> None:
    """Write `model` in the ``.keras`` format, with the same bytes for the same model.

    The format is a zip file with dates in its entries and in ``metadata.json``, and ``config.json``
    identifies shared objects by their memory address; here the dates are fixed and the objects numbered.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".keras-") as folder:
        dated = Path(folder) / "dated.keras"
        model.save(dated)
        with zipfile.ZipFile(dated) as source, zipfile.ZipFile(path, "w") as target:
            for name in sorted(source.namelist()):
                content = source.read(name)
                if name == "metadata.json":
                    content = json.dumps(json.loads(content) | {"date_saved": "1980-01-01@00:00:00"}).encode()
                elif name == "config.json":
                    content = json.dumps(_numbered(json.loads(content), {})).encode()
                target.writestr(zipfile.ZipInfo(name), content)


def restore_weights(model: Any, path: Path) -> None:
    """Load the weights that `save_keras` wrote into `model`.

    Raises
    ------
    ArtifactError
        The file is missing or damaged, or contains another network than `model`.
    """
    with reading(path, "a Keras model"):
        with existing(path).open("rb") as file, zipfile.ZipFile(file) as archive:
            _check_members(archive)
            _check_network(json.loads(archive.read("config.json")), model)
            content = archive.read(WEIGHTS)
        _check_arrays(content, model)
        with tempfile.TemporaryDirectory() as folder:  # within the zip file, h5py would seek each array from the start
            (Path(folder) / WEIGHTS).write_bytes(content)
            model.load_weights(Path(folder) / WEIGHTS)


def load_weights_file(model: Any, path: Path, output: Any) -> None:
    """Start from the weights in a ``.keras`` or ``.weights.h5`` file; an `output` layer of other shapes keeps its own.

    Raises
    ------
    SettingsError
        The file is missing or damaged, or has the weights of another network.
    """
    try:
        with reading(path, "weights of Keras"):
            content = existing(path).read_bytes()
            if path.suffix == ".keras":
                with zipfile.ZipFile(io.BytesIO(content)) as archive:
                    content = archive.read(WEIGHTS)
            other_output = _check_weights(content, model, output)
            with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
                warnings.simplefilter("ignore")  # names the output, whose weights are left as they are
                (Path(folder) / WEIGHTS).write_bytes(content)
                model.load_weights(Path(folder) / WEIGHTS, skip_mismatch=other_output)
    except (ArtifactError, FileNotFoundError) as error:
        raise SettingsError(str(error).removesuffix(REMAKE), key=("model", "params", "pretrained")) from None


def _check_weights(content: bytes, model: Any, output: Any) -> bool:
    """Reject the weights of another network; return whether it has another output alone."""
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        found = Counter(_shapes(file.get("layers", file)))
    expected = Counter(tuple(variable.shape) for variable in model.weights)
    if found == expected:
        return False
    inner = expected - Counter(tuple(variable.shape) for variable in output.weights)
    if inner - found or sum((found - inner).values()) != len(output.weights):
        missing = ", ".join(map(str, inner - found)) or "none"
        raise ValueError(
            f"it holds {sum(found.values())} arrays where {sum(expected.values())} belong, missing: {missing}"
        )
    return True


def _check_members(archive: zipfile.ZipFile) -> None:
    names = sorted(archive.namelist())
    if names != list(MEMBERS):
        raise ValueError(f"it should hold {', '.join(MEMBERS)}, it holds {', '.join(names)[:120]}")
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist()):
        raise ValueError("its content is compressed, so that its size is unknown")


def _check_network(found: Any, model: Any) -> None:
    """Reject the description of another network, naming the first difference."""
    expected = json.loads(json.dumps(_numbered(_described(model), {})))
    if found != expected:
        raise ValueError(f"it describes another network: {_difference(expected, found)}")


def _described(model: Any) -> Any:
    """Return the configuration of `model` as in its file."""
    from keras.src.saving.serialization_lib import ObjectSharingScope

    with ObjectSharingScope():
        return keras().saving.serialize_keras_object(model)


def _difference(expected: Any, found: Any, where: str = "") -> str:
    """Describe the first difference of two configurations."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        pairs = [(f"{where}.{key}".lstrip("."), expected[key], found[key]) for key in expected]
    elif isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        pairs = [(f"{where}[{i}]", a, b) for i, (a, b) in enumerate(zip(expected, found, strict=True))]
    else:
        return f"{where or 'the whole'}: expected {_short(expected)}, found {_short(found)}"
    return next(_difference(a, b, place) for place, a, b in pairs if a != b)


def _short(value: Any) -> str:
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return f"{value['class_name']}" if "class_name" in value else f"keys {', '.join(value)}"[:80]
    return repr(value)[:80]


def _check_arrays(content: bytes, model: Any) -> None:
    """Reject links, arrays larger than what is stored of them, and other shapes than those of `model`."""
    import h5py

    with h5py.File(io.BytesIO(content), "r") as file:
        found = Counter(_shapes(file))
    expected = Counter(tuple(variable.shape) for variable in model.weights)
    for shape in sorted(expected.keys() | found.keys()):
        if found[shape] != expected[shape]:
            raise ValueError(f"of shape {shape} it should hold {expected[shape]} arrays, it holds {found[shape]}")


def _shapes(group: Any) -> Iterator[tuple[int, ...]]:
    """Yield the shape of each array below `group`, after checking it."""
    import h5py

    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ValueError(f"{group.name}/{name} is a link")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _shapes(item)
            continue
        if item.external or item.is_virtual or item.chunks is not None:
            raise ValueError(f"{item.name} is not stored as a plain array")
        if item.dtype.kind not in "fiu":
            raise ValueError(f"{item.name} holds {item.dtype}, not numbers")
        if item.nbytes > item.id.get_storage_size():
            raise ValueError(f"{item.name} is larger than what is stored of it")
        if item.dtype.kind == "f" and not np.isfinite(item[()]).all():
            raise ValueError(f"{item.name} holds NaN or infinity")
        if item.dtype != np.uint32:  # uint32 is the state of a random layer, which is not a weight
            yield item.shape


def _numbered(config: Any, numbers: dict[int, int]) -> Any:
    """Replace each ``shared_object_id`` by the order in which it first appears."""
    if isinstance(config, list):
        return [_numbered(item, numbers) for item in config]
    if not isinstance(config, dict):
        return config
    return {
        key: numbers.setdefault(value, len(numbers) + 1) if key == "shared_object_id" else _numbered(value, numbers)
        for key, value in config.items()
    }
