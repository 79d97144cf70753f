"""Starts Keras without its log messages and with deterministic operations."""

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
    """Import Keras on TensorFlow without start-up messages, and return the module.

    Operations are deterministic, so that the same seed gives the same bytes.
    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with _native_stderr_buffered():
        import keras as module
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.config.list_logical_devices()  # the first use of a device prints messages
    return module


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
