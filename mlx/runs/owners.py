"""Who works on a run: kept in its summary, for people, and for file systems where no lock can tell."""

import os
import time
from contextlib import suppress
from pathlib import Path

from mlx.core.settings import Settings


class Owner(Settings):
    """The process that works on a run, for people; where no lock can tell, for `is_alive` as well.

    Attributes
    ----------
    host, pid : as that process saw them; another computer or container may give the same out again.
    started : seconds since the epoch, by the clock of that time.
    boot, namespace, ticks : which start of which computer it runs under, who gives out the process numbers
        there, and its start by a clock that nobody sets; None where the system doesn't tell.
    """

    host: str
    pid: int
    started: float
    boot: str | None = None
    namespace: str | None = None
    ticks: int | None = None

    @classmethod
    def of_this_process(cls) -> "Owner":
        """Describe the process that asks."""
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
        """Say whether that process still works; None where that can't be told from here."""
        here = (boot(), _namespace())
        if None in here or here != (self.boot, self.namespace) or self.ticks is None:
            return None
        return _ticks(self.pid) == self.ticks


def boot() -> str | None:
    """Return what names this start of this computer; None where the system doesn't tell."""
    with suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return None


def _namespace() -> str | None:
    with suppress(OSError):
        return str(Path("/proc/self/ns/pid").readlink())
    return None


def _ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the start of the system; None if it has ended."""
    with suppress(OSError, ValueError, IndexError):
        state, *fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        return None if state in {"Z", "X"} else int(fields[18])  # state is field 3 and the start 22, see proc(5)
    return None
