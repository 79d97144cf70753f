"""Runs what is not done of a study: steps that runs share first, then the runs, on any workers."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mlx.core.errors import MlxError
from mlx.core.paths import repository_root
from mlx.core.workers import Serial, Threads, Workers
from mlx.runs.code_state import commit
from mlx.studies.execution import Job, is_done, run_job
from mlx.studies.isolated import run_isolated
from mlx.studies.plan import PlannedRun
from mlx.studies.sharing import SharedStep, made_step, shared_folder, shared_keys
from mlx.studies.step_keys import ROOMS, needs_own_process, step_keys

OF_A_MODEL = frozenset({"train", "extract-representations"})


@dataclass(frozen=True)
class Outcome:
    """A run of a study that was run, now or earlier.

    Attributes
    ----------
    folder
        Of the run; it may be missing where the run failed.
    reason
        Why it failed; None where it is finished.
    is_new
        Whether anything was run for it.
    """

    planned: PlannedRun
    folder: Path
    reason: str | None = None
    is_new: bool = True


Show = Callable[[Outcome], None]


class Runner:
    """Runs the runs of a study below one folder.

    Parameters
    ----------
    folder
        Of the study.
    workers
        Those of a pool or cluster get whole runs; with threads or none, runs come one after the other, and their steps
        use the threads.
    threads
        Of a TensorFlow model.
    """

    def __init__(self, folder: Path, workers: Workers, *, threads: int = 1) -> None:
        self.folder, self.workers, self.threads = folder, workers, threads
        self._digests: dict[tuple[int, int, int], str] = {}
        self._made: dict[str, SharedStep] = {}
        self._commit = commit()

    def run(
        self, runs: Sequence[PlannedRun], steps: Sequence[str] = tuple(ROOMS), show: Show | None = None
    ) -> list[Outcome]:
        """Run all `steps` of the runs, those only that are not done; return the outcomes in the order of the runs."""
        keys = [step_keys(each.config, steps, threads=self.threads) for each in runs]
        jobs = [self._job(self.folder / each.name, each, own) for each, own in zip(runs, keys, strict=True)]
        outcomes: dict[int, Outcome] = {}

        def end(place: int, reason: str | None, *, is_new: bool) -> None:
            outcomes[place] = Outcome(runs[place], Path(jobs[place].folder), reason, is_new)
            if reason is None:
                self._remember(jobs[place])
            if show is not None:
                show(outcomes[place])

        for place, job in enumerate(jobs):
            if is_done(Path(job.folder), job.keys, self._digests):
                end(place, None, is_new=False)
        # The slowest first, so that the workers end at about the same time.
        left = sorted(set(range(len(jobs))) - outcomes.keys(), key=lambda i: not _is_isolated(jobs[i]))
        self._make_shared([jobs[place] for place in left])
        given = [replace(jobs[place], shared=self._shared(jobs[place])) for place in left]
        for place, reason in zip(left, self._map(given), strict=True):
            end(place, reason, is_new=True)
        return [outcomes[place] for place in range(len(runs))]

    def _job(self, folder: Path, planned: PlannedRun, keys: Mapping[str, str]) -> Job:
        return Job(str(repository_root()), str(folder), planned.config.as_dict(), keys, commit=self._commit)

    def _remember(self, job: Job) -> None:
        """Let other runs take over the steps of one that is done."""
        for step, key in job.keys.items():
            if key not in self._made and (found := made_step(Path(job.folder), step)) is not None:
                self._made[key] = found

    def _shared(self, job: Job) -> dict[str, SharedStep]:
        return {step: self._made[key] for step, key in job.keys.items() if key in self._made}

    def _make_shared(self, jobs: Sequence[Job]) -> None:
        """Make each step that several jobs have in common, once, in a folder of its own."""
        wanted = shared_keys(job.keys for job in jobs)
        for depth, step in enumerate(next(iter(jobs)).keys if jobs else (), start=1):
            distinct = {job.keys[step]: job for job in jobs if job.keys[step] in wanted - self._made.keys()}
            making = []
            for key, job in distinct.items():
                keys = dict(list(job.keys.items())[:depth])
                folder = shared_folder(self.folder, list(keys), key)
                making.append(replace(job, folder=str(folder), keys=keys, shared=self._shared(replace(job, keys=keys))))
            left = [job for job in making if not is_done(Path(job.folder), job.keys, self._digests)]
            list(self._map(left))  # a run without the shared step fails by itself, with the reason
            for job in making:
                if is_done(Path(job.folder), job.keys, self._digests):
                    self._remember(job)

    def _map(self, jobs: Sequence[Job]) -> Iterator[str | None]:
        """Run jobs; yield in order why each failed, or None."""
        if isinstance(self.workers, Serial | Threads):
            for job in jobs:
                yield run_isolated(job, self.threads) if _is_isolated(job) else run_job(job, self.workers)
            return
        done = 0
        try:
            for reason in self.workers.map(_RunJob(self.threads), jobs):
                yield reason
                done += 1
        except KeyboardInterrupt:  # else the pool would wait for the running processes
            _end_children()
            raise
        except MlxError:  # processes died at a run; alone in its process, only that run fails
            yield from self.workers.map(_RunJob(self.threads, alone=True), jobs[done:])


def _end_children() -> None:
    """End the processes that this one started; a run that is cut off continues from there the next time."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            child.terminate()


@dataclass(frozen=True)
class _RunJob:
    """Runs a job where it is called, or alone in another process."""

    threads: int
    alone: bool = False

    def __call__(self, job: Job) -> str | None:
        return run_isolated(job, self.threads) if self.alone or _is_isolated(job) else run_job(job)

    @staticmethod
    def needs(job: Job) -> Mapping[str, float]:
        """Return the resources that the configuration states, where the model is run."""
        resources: Mapping[str, float] = job.config["resources"]
        return resources if _runs_model(job) else {}


def _is_isolated(job: Job) -> bool:
    return needs_own_process(job.config["model"]["name"]) and _runs_model(job)


def _runs_model(job: Job) -> bool:
    return bool((job.keys.keys() - job.shared.keys()) & OF_A_MODEL)
