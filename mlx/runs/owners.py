"""The process that works on a run: recorded in the summary, and used on file systems without reliable locks."""

import os
import time
from contextlib import suppress
from pathlib import Path

from mlx.core.settings import Settings


class Owner(Settings):
    """The process that works on a run.

    Attributes
    ----------
    host, pid
        As seen by that process; they may be the same on another computer or in another container.
    started
        Seconds since the epoch, by the clock at that time.
    boot, namespace, ticks
        Identifiers of the system's boot and of the namespace of process numbers, and the start of the process by the
        monotonic clock; None if the system doesn't provide them.
    """

    host: str
    pid: int
    started: float
    boot: str | None = None
    namespace: str | None = None
    ticks: int | None = None

    @classmethod
    def of_this_process(cls) -> "Owner":
        """Return the current process."""
        import platform

        return cls(
            host=platform.node(),
            pid=os.getpid(),
            started=round(time.time(), 3),
            boot=boot(),
            namespace=_namespace(),
            ticks=_ticks(os.getpid()),
        )

    def is_alive(self) -> bool | None:
        """Return whether that process exists; None if that can't be observed from here."""
        here = (boot(), _namespace())
        if None in here or here != (self.boot, self.namespace) or self.ticks is None:
            return None
        return _ticks(self.pid) == self.ticks


def boot() -> str | None:
    """Return the identifier of the system's boot; None if the system doesn't provide it."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return None


def _namespace() -> str | None:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return None


def _ticks(pid: int) -> int | None:
    """Return the start of a process, in clock ticks since the boot; None if it has ended."""
    with suppress(OSError, ValueError, IndexError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return None if state in {"Z", "X"} else int(fields[18])  # state is field 3 and the start 22, see proc(5)
    return None
