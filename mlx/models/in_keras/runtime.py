"""Starts Keras without its log messages and with deterministic operations."""

import os
import random
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from typing import Any


@cache
def keras() -> Any:
    """Import Keras on TensorFlow without start-up messages, and return the module.

    Operations are deterministic, so that the same seed gives the same bytes.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_buffered():
        _import_alone()
        import keras as module
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.config.list_logical_devices()  # the first use of a device prints messages
    return module


def _import_alone() -> None:
    """Import Keras without the packages that `UNUSED` parts of it import, which take a quarter of the time.

    Keras does without where they are not installed. Those parts are imported again, with the packages, when they are
    used.
    """
    others = threading.current_thread() is not threading.main_thread()  # which may import these packages now
    if others or "keras" in sys.modules or sys.modules.keys() & UNUSED.keys():
        return
    sys.modules.update(dict.fromkeys(UNUSED))  # type: ignore[arg-type]  # None: not installed
    try:
        import keras as module
    except ImportError:  # another version, which needs them
        return
    finally:
        for package in UNUSED:
            del sys.modules[package]
    for part in UNUSED.values():
        for name in [name for name in sys.modules if name.startswith((f"keras.{part}", f"keras.src.{part}"))]:
            del sys.modules[name]
        vars(module).pop(part, None)
    vars(module)["__getattr__"] = _unused_part


def _unused_part(name: str) -> Any:
    if name in UNUSED.values():
        return import_module(f"keras.{name}")
    raise AttributeError(f"module 'keras' has no attribute '{name}'")


UNUSED = {"sklearn": "wrappers", "matplotlib": "visualization"}
"""Packages, and the part of Keras for which each is imported."""


@contextmanager
def _native_stderr_buffered() -> Iterator[None]:
    """Buffer what native code writes to file descriptor 2, and show it only if the block fails.

    TensorFlow's C++ code logs before its log level applies, so no setting silences it.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as buffer:
        os.dup2(buffer.fileno(), 2)
        try:
            yield
        except Exception:  # not Ctrl-C, which needs no explanation
            buffer.seek(0)
            os.write(stderr, buffer.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def fresh_names() -> Iterator[None]:
    """Reset the counters in Keras's layer names, so that a network does not depend on what was built before."""
    keras()
    from keras.src.backend.common import global_state

    key = "object_name_uids"
    counters = global_state.get_global_attribute(key)
    global_state.set_global_attribute(key, defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(key, counters)


@contextmanager
def undisturbed_seeds() -> Iterator[None]:
    """Restore the global state from which Keras draws seeds of initializers after the block.

    Layers that a process makes once and caches must not change the seeds of the first network that uses them.
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
