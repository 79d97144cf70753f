"""Starts Keras quietly and repeatably, and writes its files without dates."""

import json
import os
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from mlx.core.artifacts import REMAKE
from mlx.core.errors import ArtifactError
from mlx.models.npz import EPOCH


@cache
def keras() -> Any:
    """Import Keras on TensorFlow, its start-up noise held back, and return the module.

    Operations are made deterministic: the same seed has to give the same bytes.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_held():
        import keras as module
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.config.list_logical_devices()  # the first use of a device is what prints
    return module


@contextmanager
def _native_stderr_held() -> Iterator[None]:
    """Keep what native code writes to file descriptor 2; show it only if the block fails.

    TensorFlow's C++ logs before any of its log levels applies, so no setting silences it.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except Exception:  # not Ctrl-C, which needs no explanation
            held.seek(0)
            os.write(kept, held.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def save_keras(model: Any, path: Path) -> None:
    """Write `model` in the ``.keras`` format, the same bytes whenever it is the same model.

    The format is a zip file with dates in its entries and in ``metadata.json``, and ``config.json``
    tells shared objects by their place in memory; the dates are fixed, the objects numbered.
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
                target.writestr(zipfile.ZipInfo(name, EPOCH), content)


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


def read_keras(path: Path) -> Any:
    """Load a ``.keras`` file without running any code that it may carry.

    Raises
    ------
    ArtifactError
        It is missing or damaged.
    """
    if not path.is_file():
        raise ArtifactError(f"{path}: expected a Keras model, found none; run the training again")
    try:
        return keras().saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises whatever its layers raise; all of it means an unusable file
        reason = " ".join(str(error).split())[:200]
        raise ArtifactError(f"{path}: expected a Keras model, found a damaged file ({reason}){REMAKE}") from None
