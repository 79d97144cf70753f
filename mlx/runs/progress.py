"""How far a run is: kept on the disk after every step, and which of its steps have to be repeated."""

from collections.abc import Mapping, Sequence

from mlx.core.checksums import Checksums, faults, read_checksums, write_checksums
from mlx.core.console import note
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.runs.history import Run, Status, Summary, measured, now, write_summary


def damaged_steps(run: Run) -> set[str]:
    """Return the finished steps of a run of which a file is missing or has changed, and say which."""
    try:
        checksums = read_checksums(run.folder)
    except ArtifactError as error:
        note(f"{run.id}: every step is repeated, as nothing tells what they wrote: {str(error).partition('; ')[0]}")
        return set(run.summary.seconds)
    damaged: set[str] = set()
    if checksums is None:  # of a version that kept no record
        return damaged
    for step in run.summary.seconds:
        files = {name: digest for name, digest in checksums.steps.get(step, {}).items() if not _is_spare(name)}
        for fault in faults(run.folder, files):
            damaged.add(step)
            note(f"{run.id}: {step} is repeated, as {fault.name} is {fault.found}")
            break
    return damaged


def _is_spare(name: str) -> bool:
    """Say whether a file may be deleted to save space: the weights on the way, which no step reads."""
    return name.startswith("checkpoints/")


class Progress:
    """How far a run is, on the disk after every step.

    Parameters
    ----------
    run : as it starts.
    steps : the names of all steps, in their order.
    """

    def __init__(self, run: Run, steps: Sequence[str]) -> None:
        self.folder, self.summary, self.steps = run.folder, run.summary, steps
        try:
            self.checksums = read_checksums(run.folder) or Checksums()
        except ArtifactError:  # said before: all steps are repeated
            self.checksums = Checksums()

    def did(self, step: str, taken: float, files: dict[str, str], workspace: Workspace) -> None:
        """Note what a step wrote; where it wrote something else before, what follows from it is to be repeated."""
        earlier = self.checksums.steps.get(step)
        if earlier is not None and _without_spare(earlier) != _without_spare(files):
            later = set(self.steps[self.steps.index(step) + 1 :])
            seconds = {name: t for name, t in self.summary.seconds.items() if name not in later}
            # Before the record: whoever goes on from here must not take what follows for what follows from this.
            self._write(self.summary.model_copy(update={"seconds": seconds}))
            self.checksums = self.checksums.without(later)
        self.checksums = self.checksums.with_step(step, files)
        write_checksums(self.folder, self.checksums)
        done = {**self.summary.seconds, step: taken}
        seconds = {name: done[name] for name in self.steps if name in done}
        self._write(self.summary.model_copy(update={"seconds": seconds, "metrics": measured(workspace, seconds)}))

    def ended(self, status: Status, error: str | None = None) -> None:
        """Note how the run ended."""
        self._write(self.summary.model_copy(update={"status": status, "finished": now(), "error": error}))

    def _write(self, summary: Summary) -> None:
        write_summary(self.folder, summary)
        self.summary = summary


def _without_spare(files: Mapping[str, str]) -> dict[str, str]:
    return {name: digest for name, digest in files.items() if not _is_spare(name)}
