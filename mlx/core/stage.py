"""Runs one step as a DVC stage: reads its sections of ``params.yaml``, calls it, says what it did."""

import inspect
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from mlx.core.console import note
from mlx.core.documents import Document, read_document
from mlx.core.errors import MlxError, SettingsError
from mlx.core.paths import Workspace
from mlx.core.sections import read_sections

Step = Callable[..., str]
"""A step takes the workspace and, as keyword arguments, the sections it reads; it returns one line."""

PARAMS = Path("params.yaml")


def run_stage(step: Step) -> None:
    """Run `step` in the current folder; exit 1 with one message when the user's input is at fault."""
    _end_with_parent()
    begin = time.perf_counter()
    try:
        document = read_document(PARAMS)
        sections = read_sections(document, sections_of(step))
        said = _located(document, lambda: step(Workspace(Path()), **sections))
    except MlxError as error:
        note(str(error))
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
    note(f"{step.__name__.replace('_', '-')}: {said} ({time.perf_counter() - begin:.1f} s)")


def _located(document: Document, work: Callable[[], str]) -> str:
    """Do `work`; when it faults a setting that only it could judge, say where that setting stands."""
    try:
        return work()
    except SettingsError as error:
        if not error.key:
            raise
        dotted = ".".join(map(str, error.key))
        raise SettingsError(f"{document.where(error.key)}: {dotted}: {error}") from None


def sections_of(step: Step) -> dict[str, type]:
    """Return the sections that `step` reads with their schemas: its keyword-only arguments."""
    parameters = inspect.signature(step, eval_str=True).parameters.values()
    return {p.name: p.annotation for p in parameters if p.kind is p.KEYWORD_ONLY}


def _end_with_parent() -> None:
    """End this process soon after the one that started it, so that a killed `dvc repro` leaves none behind.

    A stage that went on alone would write beside the one that the next `dvc repro` starts.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.2)
        os._exit(1)  # no clean-up: artifacts are whole or absent whenever a process ends

    threading.Thread(target=watch, daemon=True, name="end-with-parent").start()
