"""Starts Keras quietly and repeatably."""

import os
import random
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any


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


@contextmanager
def fresh_names() -> Iterator[None]:
    """Let Keras count anew the layers that it names, so that a network is the same whatever was built before."""
    keras()
    from keras.src.backend.common import global_state

    key = "object_name_uids"
    kept = global_state.get_global_attribute(key)
    global_state.set_global_attribute(key, defaultdict(int))
    try:
        yield
    finally:
        global_state.set_global_attribute(key, kept)


@contextmanager
def undisturbed_seeds() -> Iterator[None]:
    """Leave the global state from which Keras draws the seeds of its initializers as it was before the block.

    What a process makes once and keeps must not take seeds away from the first network that asks for it.
    """
    state = random.getstate()
    try:
        yield
    finally:
        random.setstate(state)
