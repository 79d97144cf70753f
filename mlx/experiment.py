"""Runs the steps one after the other in this process, into a folder of their own, and takes up what was stopped."""

import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from itertools import count
from pathlib import Path

from mlx.config import ExperimentConfig, read_config
from mlx.core.artifacts import write_json
from mlx.core.checksums import (
    BEFORE,
    CONFIG,
    Checksums,
    state_of,
    verified,
    write_checksums,
    written_since,
)
from mlx.core.console import note, recorded_in
from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.core.locks import run_lock
from mlx.core.paths import Workspace, repository_root
from mlx.core.reading import digest_of_file, verify
from mlx.core.stage import sections_of
from mlx.core.versions import versions
from mlx.pipeline.steps import STEPS
from mlx.runs.history import (
    Run,
    Status,
    Summary,
    check_functions,
    measured,
    now,
    read_run,
    recovered,
    runs_of,
    write_summary,
)
from mlx.runs.owners import Owner
from mlx.runs.progress import Progress, damaged_steps

NAMES = tuple(step.__name__.replace("_", "-") for step in STEPS)


def run_experiment(config: ExperimentConfig) -> Path:
    """Run all steps of `config` and return the run's folder, ``<output.directory>/<name>/<time>``.

    The folder has the shape of a DVC workspace: ``data/``, ``metrics/``; beside them ``config.json``, the
    configuration with all defaults, ``summary.json``, ``run.log`` and ``checkpoints/``.

    Raises
    ------
    MlxError
        A step can't do what the configuration asks; what the steps before it wrote stays.
    """
    _warn_of_other_code()
    folder = _new_folder(runs_of(config))
    with run_lock(Workspace(folder)):
        write_json(folder / CONFIG, config.as_dict(), durable=True)
        write_checksums(folder, Checksums().with_step(BEFORE, {CONFIG: digest_of_file(folder / CONFIG)}))
        summary = Summary(
            name=config.name,
            status="running",
            started=now(),
            owner=Owner.of_this_process(),
            versions=versions(),
            commit=_commit(),
        )
        write_summary(folder, summary)
        _work(Run(folder, summary), config)
    return folder


def resume_experiment(run: Run, *, force: bool = False) -> Path:
    """Go on with a run that was interrupted, failed or is damaged; return its folder.

    The steps that it finished are not repeated, but for those of which a file is missing or has changed; where such
    a step then writes something else than before, what follows from it is repeated too. A training goes on from its
    last checkpoint.

    Parameters
    ----------
    force : where nothing tells whether a process is at work on it, believe that none is.

    Raises
    ------
    SettingsError
        It is finished and whole, or a process is still at work on it.
    MlxError
        As in `run_experiment`.
    """
    _refuse_taken(run, force=force)
    with run_lock(run.workspace):
        run = _read_again(run)
        config = _configuration(run)
        check_functions(config)
        damaged = damaged_steps(run)
        if run.summary.status == "finished" and not damaged:
            wanted = "a run that was interrupted or failed"
            raise SettingsError(f"{run.id}: expected {wanted}, found one that is finished, and its files whole")
        seconds = {step: taken for step, taken in run.summary.seconds.items() if step not in damaged}
        again = {"status": "running", "finished": None, "error": None, "owner": Owner.of_this_process()}
        whole = {"seconds": seconds, "metrics": measured(run.workspace, seconds)}
        summary = run.summary.model_copy(update={**again, **whole})
        write_summary(run.folder, summary)
        _work(Run(run.folder, summary), config)
    return run.folder


def _configuration(run: Run) -> ExperimentConfig:
    """Read the configuration that a run was started with, without which it can't go on."""
    path = run.folder / CONFIG
    try:
        config = read_config(path)
    except SettingsError as error:
        anew = "; a run can't go on without the configuration that it was started with: start the experiment again"
        raise SettingsError(f"{error}{anew}") from None
    try:
        record = verified(run.folder)
    except ArtifactError:  # a damaged record, of which is told where all steps are repeated
        return config
    with record:
        verify(path)
    return config


def _read_again(run: Run) -> Run:
    """Read the run's summary, as another process may have finished it since; make it anew where it is damaged."""
    try:
        return read_run(run.folder)
    except ArtifactError as error:
        found = str(error).partition("; ")[0]
        note(f"{run.id}: {found}: made anew from what else is there")
        return recovered(run.folder)


def _refuse_taken(run: Run, *, force: bool) -> None:
    """Refuse a run that a process is at work on, or may be."""
    if run.summary.status != "running":
        return
    owner, working = run.summary.owner, run.is_worked_on()
    expected, who = "expected a run that was interrupted or failed", f"process {owner.pid} of {owner.host}"
    if working:
        if owner.is_alive() is False:  # it was killed, and one that resumes the run has not written its own name yet
            who = "another process"
        raise SettingsError(f"{run.id}: {expected}, found one that is running: {who} is at work on it")
    if working is None and not force:
        raise SettingsError(
            f"{run.id}: {expected}, found one that may be running: no lock tells from here whether {who} is still "
            f"at work on it; if you know that it is not, 'mlx run-experiment --resume {run.id} --force' goes on"
        )


def _work(run: Run, config: ExperimentConfig) -> None:
    """Do the steps that are not done, and keep the summary true, whatever happens short of a sudden death."""
    progress = Progress(run, NAMES)
    workspace = Workspace(_near(run.folder))
    with ExitStack() as stack:
        if config.output.save_logs:
            stack.enter_context(recorded_in(run.folder / "run.log"))
        try:
            for name, step in zip(NAMES, STEPS, strict=True):
                if name in progress.summary.seconds:
                    continue
                begin, before = time.perf_counter(), state_of(workspace.root)
                note(f"{name}: {_done(step, workspace, config)}")
                taken = round(time.perf_counter() - begin, 3)
                progress.did(name, taken, written_since(workspace.root, before), workspace)
            progress.ended("finished")
        except BaseException as error:
            _say_how_it_ended(run, progress, error)
            raise


def _say_how_it_ended(run: Run, progress: Progress, error: BaseException) -> None:
    """Note in the summary and say what stopped a run, and what to do; a full disk takes the first, never the second."""
    interrupted = isinstance(error, KeyboardInterrupt)
    text = None if interrupted else _worded(error)
    status: Status = "interrupted" if interrupted else "failed"
    try:
        progress.ended(status, text)
    except OSError as fault:
        note(f"{fault.filename}: {fault.strerror}; 'mlx runs' shows the run as interrupted")
    if isinstance(error, SettingsError | DataError):
        hint = "a run keeps its configuration: change it or the data, and start a new run"
    else:
        hint = f"'mlx run-experiment --resume {run.id}' goes on"
    note(f"{run.id}: {status}{f': {text}' if text else ''}; {hint}")


def _worded(error: BaseException) -> str:
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _near(folder: Path) -> Path:
    """Return `folder` as seen from here where it lies below, so that what a step says is short to read."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _done(step: Callable[..., str], workspace: Workspace, config: ExperimentConfig) -> str:
    sections = {name: getattr(config, name) for name in sections_of(step)}
    try:
        return step(workspace, **sections)
    except SettingsError as error:
        raise SettingsError(f"{'.'.join(map(str, error.key))}: {error}" if error.key else str(error)) from None


def _new_folder(parent: Path) -> Path:
    """Make a folder named after the time, with a number behind it when several start at once."""
    parent.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    for attempt in count(1):
        folder = parent / (stamp if attempt == 1 else f"{stamp}_{attempt}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError("count never ends")


def _warn_of_other_code() -> None:
    """Say so where the repository, whose commit is recorded, holds an `mlx` that is not the one that runs."""
    import mlx

    beside, runs = repository_root() / "mlx" / "core" / "stage.py", Path(mlx.__file__).parent
    if beside.is_file() and not (runs / "core" / "stage.py").samefile(beside):
        note(
            f"warning: {runs} runs, not the mlx of this repository, whose commit is recorded; "
            f"'python -m mlx' in {repository_root()} runs that one"
        )


def _commit() -> str | None:
    """Return the commit that the repository is at, with a ``+`` where tracked files differ from it."""

    def git(*arguments: str) -> str:
        command = ("git", "-C", str(repository_root()), *arguments)
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603  # fixed

    try:
        return git("rev-parse", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return None
