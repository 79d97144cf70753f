"""Runs one step as a DVC stage: reads its sections of ``params.yaml``, calls it, prints its summary."""

import inspect
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from mlx.core.bars import working
from mlx.core.console import answer, note, warnings_as_lines
from mlx.core.documents import read_document
from mlx.core.errors import MlxError
from mlx.core.lineage import check_lineage
from mlx.core.locks import run_lock
from mlx.core.paths import Workspace
from mlx.core.sections import read_sections, with_source_line
from mlx.core.workers import RESOURCES_UNUSED, Workers, open_workers

Step = Callable[..., str]
"""A step takes the workspace, the workers if it has tasks for them, and the sections it reads, as keyword arguments.

It returns one line.
"""

PARAMS = Path("params.yaml")


def run_stage(step: Step) -> None:
    """Run `step` in the current folder; exit 1 with one message if the user's input is invalid."""
    if "DVC_STAGE" in os.environ:  # set by DVC; a stage started by a person may outlive its shell
        _end_with_dvc()
    begin, name = time.perf_counter(), step.__name__.replace("_", "-")
    try:
        document = read_document(PARAMS)
        sections = read_sections(document, sections_of(step), optional_sections(step))
        if document.values.get("resources"):
            note(f"{name}: {document.where(('resources',))}: {RESOURCES_UNUSED}")
        workspace = Workspace(Path())
        with (
            run_lock(workspace, step=step.__name__, warn=False),  # DVC has a lock, too
            warnings_as_lines(),
            open_workers(workspace=workspace.root) as workers,
            working(name),
        ):
            summary = with_source_line(document, lambda: call_step(step, workspace, workers, sections))
    except MlxError as error:
        note(str(error))
        sys.exit(1)
    except OSError as error:
        note(f"{error.filename or step.__name__}: {error.strerror or error}")
        sys.exit(1)
    except MemoryError as error:
        note(f"{step.__name__}: not enough memory ({error}); close other programs, or take less data")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    answer(f"{name}: {summary} ({time.perf_counter() - begin:.1f} s)")


def call_step(step: Step, workspace: Workspace, workers: Workers, sections: Mapping[str, Any]) -> str:
    """Run `step`, unless what it reads is outdated; it gets the workers if it has a parameter of that name."""
    check_lineage(workspace, step.__name__.replace("_", "-"))
    taken = (workers,) if "workers" in inspect.signature(step).parameters else ()
    return step(workspace, *taken, **sections)


def sections_of(step: Step) -> dict[str, type]:
    """Return the sections that `step` reads with their schemas: its keyword-only arguments."""
    parameters = inspect.signature(step, eval_str=True).parameters.values()
    return {p.name: p.annotation for p in parameters if p.kind is p.KEYWORD_ONLY}


def optional_sections(step: Step) -> list[str]:
    """Return the sections for which `step` has a default: they change no artifact, and may be absent."""
    parameters = inspect.signature(step).parameters.values()
    return [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is not p.empty]


def _end_with_dvc() -> None:
    """End this process soon after the `dvc` that started it, so that a killed `dvc` leaves no stage running.

    Otherwise the stage would write to the same files as the one that the next `dvc repro` starts. DVC starts a
    stage through a shell; some shells replace themselves with the command, others remain its parent.
    """
    import psutil

    parent = psutil.Process(STARTED_BY)
    driver = parent.parent() if parent.name() in SHELLS else parent

    def alive() -> bool:
        if os.getppid() != STARTED_BY:
            return False
        # A killed process may remain as a zombie, but its children get another parent immediately.
        return driver is parent or (driver is not None and parent.ppid() == driver.pid)

    def watch() -> None:
        with suppress(psutil.NoSuchProcess):
            while alive():
                time.sleep(0.2)
        os._exit(1)  # no clean-up: artifacts are whole or absent whenever a process ends

    threading.Thread(target=watch, daemon=True, name="end-with-dvc").start()


SHELLS = frozenset({"sh", "dash", "bash", "zsh", "fish", "ksh", "ash", "busybox"})
STARTED_BY = os.getppid()
"""Read before the slow imports of the steps, so that a parent killed during them is noticed, too."""
