"""Runs the steps in one process, in a run directory, and resumes runs that did not finish."""

import time
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack, nullcontext
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path
from typing import TypeVar

from mlx.config import ExperimentConfig, read_config
from mlx.core.artifacts import read_json, write_json
from mlx.core.bars import working
from mlx.core.checksums import (
    CONFIG,
    is_result,
    of_configuration,
    state_of,
    verified,
    write_checksums,
    written_since,
)
from mlx.core.console import note, record, recorded_in
from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.core.locks import run_lock
from mlx.core.paths import Workspace
from mlx.core.reading import verify
from mlx.core.stage import call_step, sections_of
from mlx.core.versions import versions
from mlx.core.workers import RESOURCES_UNUSED, Workers, open_workers
from mlx.datasets.inputs import changes
from mlx.pipeline.steps import STEPS
from mlx.runs.code_state import commit, warn_of_other_code
from mlx.runs.given_names import check_names
from mlx.runs.history import recovered
from mlx.runs.output_folder import check_functions, output_folder
from mlx.runs.owners import Owner
from mlx.runs.progress import Progress, damaged_steps, now, step_metrics
from mlx.runs.run import Run, Status, Summary, read_run, write_summary

T = TypeVar("T")

NAMES = tuple(step.__name__.replace("_", "-") for step in STEPS)

Made = Callable[[Path], tuple[dict[str, str], str]]
"""Puts the files of a step into the folder of a run; returns their digests, and a line that says what it did."""

NOTHING_MADE: Mapping[str, Made] = {}


def run_experiment(config: ExperimentConfig, workers: Workers | None = None) -> Path:
    """Run all steps of `config` and return the run's folder, ``<output.directory>/<name>/<time>``.

    The folder has the layout of a DVC workspace, ``data/`` and ``metrics/``, and also contains ``config.json``, the
    configuration with all defaults, ``summary.json``, ``checksums.json``, ``run.log`` and ``checkpoints/``.

    The `workers` are by default what the environment variable MLX_WORKERS says.

    Raises
    ------
    MlxError
        A step fails; the results of the steps before it are kept.
    """
    warn_of_other_code()
    folder = _new_folder(output_folder(config))
    with run_lock(Workspace(folder)):
        write_json(folder / CONFIG, config.as_dict(), durable=True)
        write_checksums(folder, of_configuration(folder))
        summary = Summary(
            name=config.name,
            status="running",
            started=now(),
            owner=Owner.of_this_process(),
            versions=versions(),
            commit=commit(),
        )
        write_summary(folder, summary)
        run_steps(Run(folder, summary), config, workers)
    return folder


def resume_experiment(run: Run, workers: Workers | None = None, *, force: bool = False) -> Path:
    """Continue a run that was interrupted, failed or is damaged; return its folder.

    A finished step is repeated only if one of its files is missing or has changed, and if a repeated step before it
    wrote different files than the first time. A training continues from its last checkpoint.

    With `force`, a run is continued of which it is unknown whether a process still works on it.

    Raises
    ------
    SettingsError
        The run is finished and undamaged, or a process still works on it.
    MlxError
        As in `run_experiment`.
    """
    _check_not_running(run, force=force)
    with run_lock(run.workspace):
        run = _read_again(run)
        config = _configuration(run)
        check_functions(config)
        if config.resources:
            note(RESOURCES_UNUSED)
        damaged = damaged_steps(run)
        if run.summary.status == "finished" and not damaged:
            expected = "a run that was interrupted or failed"
            raise SettingsError(f"{run.id}: expected {expected}, found one that is finished, and its files whole")
        seconds = {step: taken for step, taken in run.summary.seconds.items() if step not in damaged}
        _note_changed_data(run, config, read="generate-data" in seconds)
        state = {"status": "running", "finished": None, "error": None, "owner": Owner.of_this_process()}
        results = {"seconds": seconds, "metrics": step_metrics(run.workspace, seconds)}
        summary = run.summary.model_copy(update={**state, **results})
        write_summary(run.folder, summary)
        run_steps(Run(run.folder, summary), config, workers, steps=_steps_of(run.folder))
    return run.folder


STEPS_FILE = "steps.json"
"""In the folder of a run of a study, which has not all steps: the steps, and what identifies their results."""


def _steps_of(folder: Path) -> Collection[str]:
    try:
        return read_json(folder / STEPS_FILE).keys() if (folder / STEPS_FILE).exists() else NAMES
    except ArtifactError:
        return NAMES


def _note_changed_data(run: Run, config: ExperimentConfig, *, read: bool) -> None:
    """Print a line on each file that was `read`, or will be read again, with other content than at the start."""
    if read:
        what = "the run goes on with what it read; for the data of now, start a new run"
    else:
        what = "generate-data reads it again, and what depends on it is repeated"
    for line in changes(run.summary.inputs, config.dataset):
        note(f"{run.id}: warning: {line}; {what}")


def _configuration(run: Run) -> ExperimentConfig:
    """Read the configuration that the run was started with."""
    path = run.folder / CONFIG
    try:
        config = read_config(path)
    except SettingsError as error:
        remedy = "; a run can't go on without the configuration that it was started with: start the experiment again"
        raise SettingsError(f"{error}{remedy}") from None
    try:
        verification = verified(run.folder, config_only=True)
    except ArtifactError:  # `damaged_steps` reports damaged checksums
        return config
    with verification:
        verify(path)
    return config


def _read_again(run: Run) -> Run:
    """Read the summary under the lock, as another process may have finished the run; restore a damaged one."""
    try:
        return read_run(run.folder)
    except ArtifactError as error:
        note(f"{run.id}: {str(error).partition('; ')[0]}: restored from what else is there")
        return recovered(run.folder)


def _check_not_running(run: Run, *, force: bool) -> None:
    """Reject a run on which a process works, or may work."""
    if run.summary.status != "running":
        return
    owner, working = run.summary.owner, run.has_process()
    expected, who = "expected a run that was interrupted or failed", f"process {owner.pid} of {owner.host}"
    if working:
        if owner.is_alive() is False:  # killed; the process that resumes the run has not recorded itself yet
            who = "another process"
        raise SettingsError(f"{run.id}: {expected}, found one that is running: {who} is at work on it")
    if working is None and not force:
        raise SettingsError(
            f"{run.id}: {expected}, found one that may be running: no lock tells from here whether {who} is still "
            f"at work on it; if you know that it is not, 'mlx run-experiment --resume {run.id} --force' goes on"
        )


def run_steps(
    run: Run,
    config: ExperimentConfig,
    chosen: Workers | None,
    *,
    steps: Collection[str] = NAMES,
    made: Mapping[str, Made] = NOTHING_MADE,
) -> None:
    """Run the unfinished ones of `steps`, and keep the summary up to date, also when a step fails or is interrupted.

    Steps in `made` are not run: their files are taken over.
    """
    progress = Progress(run, NAMES)
    workspace = Workspace(_relative(run.folder))
    with ExitStack() as stack:
        if config.output.save_logs:
            stack.enter_context(recorded_in(run.folder / "run.log"))
        try:
            workers = stack.enter_context(nullcontext(chosen) if chosen else open_workers(workspace=run.folder))
            for line in chosen.notes if chosen else ():  # printed before there was a log
                record(line)
            for name, step in zip(NAMES, STEPS, strict=True):
                if name not in steps or name in progress.summary.seconds:
                    continue
                begin = time.perf_counter()
                if name == "train":
                    _naming_key(partial(check_names, workspace, config))
                if name in made:
                    files, line = made[name](workspace.root)
                else:
                    before = state_of(workspace.root)
                    if name == "train":  # a killed attempt, from which it continues, wrote some of its checkpoints
                        before = {file: state for file, state in before.items() if is_result(file)}
                    with working(f"{name} (step {NAMES.index(name) + 1} of {len(NAMES)})"):
                        line = _run_step(step, workspace, workers, config)
                    files = written_since(workspace.root, before)
                note(f"{name}: {line}")
                progress.finish_step(name, round(time.perf_counter() - begin, 3), files, workspace)
            progress.end("finished")
        except BaseException as error:  # also an interrupt: the summary says how the run ended
            _record_failure(run, progress, error)
            raise


def _run_step(step: Callable[..., str], workspace: Workspace, workers: Workers, config: ExperimentConfig) -> str:
    sections = {name: getattr(config, name) for name in sections_of(step)}
    return _naming_key(partial(call_step, step, workspace, workers, sections))


def _naming_key(work: Callable[[], T]) -> T:
    """Return ``work()``; name the key in the error for a setting."""
    try:
        return work()
    except SettingsError as error:
        raise SettingsError(f"{'.'.join(map(str, error.key))}: {error}" if error.key else str(error)) from None


def _record_failure(run: Run, progress: Progress, error: BaseException) -> None:
    """Write what stopped the run to its summary and log, and print what to do; a full disk prevents only the former.

    The caller prints the error itself.
    """
    status: Status = "interrupted" if isinstance(error, KeyboardInterrupt) else "failed"
    text = None if status == "interrupted" else message_of(error)
    try:
        progress.end(status, text)
    except OSError as fault:
        note(f"{fault.filename}: {fault.strerror}; 'mlx runs' shows the run as interrupted")
    if isinstance(error, SettingsError | DataError):
        hint = "a run keeps its configuration: change it or the data, and start a new run"
    else:
        hint = f"'mlx run-experiment --resume {run.id}' goes on"
    note(f"{run.id}: {status}; {hint}", in_log=f"{run.id}: {status}{f': {text}' if text else ''}; {hint}")


def message_of(error: BaseException) -> str:
    """Return what an error says, with the file of one of the system."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


def _relative(folder: Path) -> Path:
    """Return `folder` relative to the current one if it is below it, for shorter messages."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _new_folder(parent: Path) -> Path:
    """Make a folder named after the time, with a number appended if several runs start in the same second."""
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
