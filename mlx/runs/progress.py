"""The progress of a run, written to disk after every step, and the steps that have to be repeated."""

from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

from mlx.core.checksums import (
    BEFORE,
    CHECKSUMS,
    Checksums,
    faults,
    is_result,
    of_configuration,
    read_checksums,
    write_checksums,
)
from mlx.core.console import note
from mlx.core.descriptions import DatasetDescription, InputDescription, read_description
from mlx.core.errors import ArtifactError
from mlx.core.metrics import read_metrics
from mlx.core.paths import Workspace
from mlx.runs.run import Run, Status, Summary, write_summary


def now() -> str:
    """Return the time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def step_metrics(workspace: Workspace, done: Container[str]) -> dict[str, dict[str, Any]]:
    """Return the metrics of the steps that are `done`, by file."""
    steps = {"training": "train", "evaluation": "evaluate", "residuals": "residuals-analysis"}
    paths = {name: workspace.metrics / f"{name}.json" for name, step in steps.items() if step in done}
    return {name: read_metrics(path) for name, path in paths.items() if path.is_file()}


def inputs_read(workspace: Workspace, done: Container[str]) -> dict[str, InputDescription]:
    """Return what ``generate-data`` read, by key; empty where it is not `done`."""
    if "generate-data" not in done:
        return {}
    return read_description(workspace.raw / "dataset.json", DatasetDescription).inputs


def damaged_steps(run: Run) -> set[str]:
    """Return the finished steps of which a file is missing or has changed; print a line for each."""
    reason = f"{run.folder / CHECKSUMS}: expected a file, found none"
    checksums = None
    try:
        checksums = read_checksums(run.folder)
    except ArtifactError as error:
        reason = str(error).partition("; ")[0]
    if checksums is None:
        note(f"{run.id}: every step is repeated, as nothing tells what they wrote: {reason}")
        return set(run.summary.seconds)
    damaged: set[str] = set()
    for step in run.summary.seconds:
        if (recorded := checksums.steps.get(step)) is None:
            damaged.add(step)
            note(f"{run.id}: {step} is repeated, as {CHECKSUMS} has none of its files")
            continue
        files = {n: digest for n, digest in recorded.items() if is_result(n) or (run.folder / n).exists()}
        if fault := next(iter(faults(run.folder, files)), None):
            damaged.add(step)
            note(f"{run.id}: {step} is repeated, as {fault.name} is {fault.found}")
    return damaged


def _results(files: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in files.items() if is_result(name)}


class Progress:
    """The progress of a run, on disk after every step."""

    def __init__(self, run: Run, steps: Sequence[str]) -> None:
        self.folder, self.summary, self.steps = run.folder, run.summary, steps
        recorded: Mapping[str, dict[str, str]] = {}
        with suppress(ArtifactError):  # `damaged_steps` has reported it
            recorded = (read_checksums(run.folder) or Checksums()).of_steps(steps).steps
        self.checksums = Checksums(steps={**of_configuration(run.folder).steps, **recorded})

    def finish_step(self, step: str, seconds: float, files: dict[str, str], workspace: Workspace) -> None:
        """Record the files of a step; if they differ from those of before, the later steps are to be repeated."""
        earlier = self.checksums.steps.get(step)
        if earlier is not None and _results(earlier) != _results(files):
            valid = self.steps[: self.steps.index(step)]
            kept = {name: taken for name, taken in self.summary.seconds.items() if name in valid}
            # Before the checksums, so that a process that resumes here does not take outdated files for results.
            self._write(self.summary.model_copy(update={"seconds": kept}))
            self.checksums = self.checksums.of_steps((BEFORE, *valid))
        self.checksums = self.checksums.with_step(step, files)
        write_checksums(self.folder, self.checksums)
        done = {**self.summary.seconds, step: seconds}
        done = {name: done[name] for name in self.steps if name in done}
        found = {"inputs": inputs_read(workspace, done), "metrics": step_metrics(workspace, done)}
        self._write(self.summary.model_copy(update={"seconds": done, **found}))

    def end(self, status: Status, error: str | None = None) -> None:
        """Record how the run ended."""
        self._write(self.summary.model_copy(update={"status": status, "finished": now(), "error": error}))

    def _write(self, summary: Summary) -> None:
        write_summary(self.folder, summary)
        self.summary = summary
