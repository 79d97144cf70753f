"""Runs one run of a study in its folder: the steps that are not done with the same configuration, code and data."""

from collections.abc import Mapping
from contextlib import chdir, redirect_stderr, suppress
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from mlx.config import ExperimentConfig
from mlx.core.artifacts import read_json, write_json
from mlx.core.checksums import (
    BEFORE,
    CONFIG,
    Checksums,
    faults,
    is_result,
    of_configuration,
    read_checksums,
    write_checksums,
)
from mlx.core.console import warnings_as_lines
from mlx.core.errors import ArtifactError, MlxError
from mlx.core.locks import run_lock
from mlx.core.paths import Workspace
from mlx.core.reading import digest_of_file
from mlx.core.versions import versions
from mlx.core.workers import SERIAL, Workers
from mlx.experiment import STEPS_FILE, Made, run_steps
from mlx.runs.owners import Owner
from mlx.runs.progress import now, step_metrics
from mlx.runs.run import SUMMARY, Run, Summary, read_run, write_summary
from mlx.studies.sharing import SharedStep


@dataclass(frozen=True)
class Job:
    """What a worker needs to know of a run.

    Attributes
    ----------
    root
        Folder to which paths in a configuration are relative.
    folder
        Of the run.
    config
        All of it, as JSON values.
    keys
        Of the steps to run, in order.
    shared
        Steps whose files are taken over, by name.
    commit
        Of the repository.
    """

    root: str
    folder: str
    config: Mapping[str, Any]
    keys: Mapping[str, str]
    shared: Mapping[str, SharedStep] = field(default_factory=dict)
    commit: str | None = None


def run_job(job: Job, workers: Workers = SERIAL) -> str | None:
    """Run a job; return None, or why it failed."""
    from threadpoolctl import threadpool_limits

    # What a step prints is in the log of the run. A sum may depend on how many threads it is divided among.
    with redirect_stderr(StringIO()), warnings_as_lines(), chdir(job.root), threadpool_limits(limits=1):
        try:
            _run(job, workers)
        except (MlxError, OSError, MemoryError) as error:
            return reason_of(error, job.folder)
        except Exception as error:  # of a library or of this one: it must not end the other runs of the study
            return f"{type(error).__name__}: {reason_of(error, job.folder)}"
    return None


def reason_of(error: BaseException, folder: str) -> str:
    """Return a message of an error on one line, which names the files of a run from its folder on."""
    text = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) and error.strerror else str(error)
    inside = text.replace(f"{folder}/", "")
    with suppress(ValueError):
        inside = inside.replace(f"{Path(folder).relative_to(Path.cwd())}/", "")
    return " ".join(inside.split()) or type(error).__name__


def is_done(folder: Path, keys: Mapping[str, str], known: dict[tuple[int, int, int], str]) -> bool:
    """Return whether a run is finished with these keys, and its files are what the steps wrote.

    Parameters
    ----------
    known
        Digests of files that were read, by device, inode and time of change; runs share files.
    """
    try:
        run = read_run(folder)
        if (
            run.summary.status != "finished"
            or _keys_in(folder) != dict(keys)
            or not keys.keys() <= run.summary.seconds.keys()
        ):
            return False
        checksums = read_checksums(folder) or Checksums()
    except (ArtifactError, OSError):
        return False
    files = [file for step in (BEFORE, *keys) for file in _results(checksums, step)]
    return all(_is_whole(folder / name, digest, known) for name, digest in files)


def _results(checksums: Checksums, step: str) -> list[tuple[str, str]]:
    return [(n, digest) for n, digest in checksums.steps.get(step, {}).items() if is_result(n)]


def _is_whole(path: Path, digest: str, known: dict[tuple[int, int, int], str]) -> bool:
    try:
        status = path.lstat()
        identity = (status.st_dev, status.st_ino, status.st_mtime_ns)
        if identity not in known:
            known[identity] = digest_of_file(path)
    except OSError:
        return False
    return known[identity] == digest


def _keys_in(folder: Path) -> dict[str, Any]:
    try:
        return read_json(folder / STEPS_FILE)
    except ArtifactError:
        return {}


def _run(job: Job, workers: Workers) -> None:
    folder = Path(job.folder)
    config = ExperimentConfig.model_validate(job.config)
    with run_lock(Workspace(folder), warn=False):
        run = _prepared(folder, config, job)
        made: dict[str, Made] = dict(job.shared)
        run_steps(run, config, workers, steps=job.keys.keys(), made=made)


def _prepared(folder: Path, config: ExperimentConfig, job: Job) -> Run:
    """Record that the run works, and which of its steps are done; the others are forgotten before any is repeated."""
    done, checksums = _done_steps(folder, job.keys)
    summary = Summary(
        name=config.name,
        status="running",
        started=now(),
        seconds=done,
        metrics=step_metrics(Workspace(folder), done),
        owner=Owner.of_this_process(),
        versions=versions(),
        commit=job.commit,
    )
    write_summary(folder, summary)
    write_json(folder / CONFIG, config.as_dict())  # where these are lost with the power, the steps are repeated
    write_json(folder / STEPS_FILE, job.keys)
    write_checksums(folder, Checksums(steps={**of_configuration(folder).steps, **checksums.steps}))
    return Run(folder, summary)


def _done_steps(folder: Path, keys: Mapping[str, str]) -> tuple[dict[str, float], Checksums]:
    """Return the steps that were finished with the same keys, with their times, and the checksums of their files."""
    nothing: tuple[dict[str, float], Checksums] = ({}, Checksums())
    if not (folder / SUMMARY).is_file():
        return nothing
    try:
        seconds, checksums = read_run(folder).summary.seconds, read_checksums(folder) or Checksums()
    except ArtifactError:
        return nothing
    recorded = _keys_in(folder)
    done: dict[str, float] = {}
    for step, key in keys.items():
        files = dict(_results(checksums, step))
        if recorded.get(step) != key or step not in seconds or not files or next(iter(faults(folder, files)), None):
            break  # what follows depends on it
        done[step] = seconds[step]
    kept = {step: files for step, files in checksums.steps.items() if step in done}
    return done, Checksums(steps=kept)
