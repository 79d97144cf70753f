"""Waiting for other processes, which may take long where the machine has other work."""

import time
from collections.abc import Callable


def until(holds: Callable[[], object], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
