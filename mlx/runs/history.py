"""The history of runs: finds them below a folder, and restores the summary of a damaged one."""

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mlx.core.checksums import BEFORE, CONFIG, Checksums, read_checksums
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.reading import existing
from mlx.core.settings import nearest
from mlx.core.versions import versions
from mlx.runs.owners import Owner
from mlx.runs.run import SUMMARY, Run, Summary, read_run, run_id

STAMP = re.compile(r"\d{8}-\d{6}(_\d+)?")
"""The name of a run's folder."""


@dataclass(frozen=True)
class DamagedRun:
    """A run directory whose summary can't be read.

    The `reason` names the file, what is wrong with it, and what to do.
    """

    folder: Path
    reason: str

    @property
    def id(self) -> str:
        """``name/time``, as `Run.id`."""
        return run_id(self.folder)


def find_runs(directory: Path) -> Iterator[Run]:
    """Yield the readable runs below `directory`, oldest first; other folders are skipped."""
    yield from find_all(directory)[0]


def find_all(directory: Path) -> tuple[list[Run], list[DamagedRun]]:
    """Return the readable runs below `directory`, oldest first, and those whose summary can't be read, by folder."""
    found = list(_search(directory))
    damaged = [run for run in found if isinstance(run, DamagedRun)]
    runs = [run for run in found if isinstance(run, Run)]
    return sorted(runs, key=_age), sorted(damaged, key=lambda run: run.folder)


def find_run(identity: str, directory: Path, *, recover: bool = False) -> Run:
    """Return the run that `identity` names: a run's folder, ``name/time``, or a name, for its latest run.

    In short it is the number of a run in `mlx runs`, or the beginning of one id or time.

    With `recover`, a summary that is damaged or missing is restored.

    Raises
    ------
    SettingsError
        The run is unknown, or a short name means several: lists the nearest ones.
    ArtifactError
        The summary of the run is damaged, and can't or shouldn't be restored.
    """
    for folder in (Path(identity), directory / identity):
        if os.path.lexists(folder / SUMMARY) or (recover and (folder / CONFIG).is_file()):
            try:
                return read_run(folder)
            except ArtifactError:
                if not recover:
                    raise
                return recovered(folder)
    runs, every_damaged = find_all(directory)
    if named := [run for run in runs if identity in {run.id, run.folder.parent.name, run.summary.name}]:
        return named[-1]
    for damaged in every_damaged:
        if identity in {damaged.id, damaged.folder.parent.name}:
            if recover:
                return recovered(damaged.folder)
            raise ArtifactError(damaged.reason)
    if (found := _in_short(identity, runs)) is not None:
        return found
    names = sorted({run.summary.name for run in runs} | {run.id for run in runs})
    hint = nearest(identity, names) or (f"; the latest is {runs[-1].id}" if runs else "")
    raise SettingsError(f"{identity}: expected a run below {directory}, its id or its name, found none{hint}")


def _in_short(identity: str, runs: Sequence[Run]) -> Run | None:
    """Return the run of a number, from 1 in the order of age, or the one whose id or time begins with `identity`."""
    if identity.isdecimal() and 0 < int(identity[:9]) <= len(runs):
        return runs[int(identity[:9]) - 1]
    found = [run for run in runs if run.id.startswith(identity) or run.folder.name.startswith(identity)]
    if len(found) > 1:
        listed = ", ".join(run.id for run in found[: -MOST_LISTED - 1 : -1]) + (
            ", …" if len(found) > MOST_LISTED else ""
        )
        raise SettingsError(f"{identity}: expected one run, found {len(found)} whose id or time begins so: {listed}")
    return found[0] if found else None


MOST_LISTED = 5
"""Runs that a message names."""


def recovered(folder: Path) -> Run:
    """Return the run in `folder` with a summary made from its other files, as its own is damaged or missing.

    Raises
    ------
    ArtifactError
        The folder is not that of a run, or the summary's place is taken by something that is not a file.
    MlxError
        The configuration is damaged, too.
    """
    from mlx.config import read_config

    if os.path.lexists(folder / SUMMARY):
        existing(folder / SUMMARY)
    if not (folder / CONFIG).is_file():
        raise ArtifactError(f"{folder}: expected a run, found neither a whole {SUMMARY} nor {CONFIG}")
    config, done = read_config(folder / CONFIG), {}
    with suppress(ArtifactError):  # without checksums, every step is repeated
        checksums = read_checksums(folder) or Checksums()
        done = dict.fromkeys((step for step in checksums.steps if step != BEFORE), 0.0)
    changed = datetime.fromtimestamp((folder / CONFIG).stat().st_mtime, UTC).isoformat(timespec="seconds")
    summary = Summary(
        name=config.name,
        status="interrupted",
        started=changed,
        seconds=done,
        owner=Owner.of_this_process(),
        versions=versions(),
        commit=None,
    )
    return Run(folder, summary)


def _search(directory: Path) -> Iterator[Run | DamagedRun]:
    for place, folders, files in os.walk(directory):
        folder = Path(place)
        configured, stamped = CONFIG in files, STAMP.fullmatch(folder.name)
        if SUMMARY in files or SUMMARY in folders or (configured and stamped):
            try:
                yield read_run(folder)
            except (ArtifactError, OSError) as error:
                if configured or stamped:  # other programs write a summary.json, too
                    reason = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
                    yield DamagedRun(folder, reason)
            folders.clear()  # a run contains no other runs
        folders[:] = sorted(name for name in folders if not name.startswith("."))


def _age(run: Run) -> tuple[str, str, int]:
    """Order runs by their start, and those of the same second by the number appended to it."""
    stamp, _, number = run.folder.name.partition("_")
    return run.summary.started, stamp, int(number) if re.fullmatch(r"\d+", number) else 1
