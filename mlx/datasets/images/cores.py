"""What makes NumPy draw fast: threads on every core, short buffers, memory that is kept."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np


@contextmanager
def short_buffers() -> Iterator[None]:
    """Keep NumPy from copying the one number of a sample for each of its pixels.

    It copies what it repeats whenever its buffer holds more than an image has, which takes as long as the
    computation itself.
    """
    before = np.setbufsize(1024)
    try:
        yield
    finally:
        np.setbufsize(before)


def let_the_allocator_keep_memory() -> None:
    """Free 16 MB that were never touched.

    The GNU allocator hands large blocks back to the system when they are freed, and gets them again, page
    fault by page fault, until it has seen a larger one freed: then it keeps what is smaller (mallopt(3),
    M_MMAP_THRESHOLD). Drawing takes half the time after that.
    """
    np.empty(2**24, np.uint8)


def one_by_one(task: Callable[[Any], None], groups: list[Any]) -> None:
    """Run `task` on every group in this thread."""
    for group in groups:
        task(group)


def on_every_core(task: Callable[[Any], None], groups: list[Any]) -> None:
    """Run `task` on every group; NumPy lets other threads run while it computes."""
    workers = min(os.cpu_count() or 1, len(groups))
    if workers < 2:
        one_by_one(task, groups)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(task, groups):  # the loop raises what a task raised
            pass
