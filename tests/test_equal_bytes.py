"""The artifacts are the same bytes wherever tasks run: in this process, in threads, in processes, on a Dask cluster."""

import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mlx.config import ExperimentConfig
from mlx.core.errors import MlxError
from mlx.core.paths import Workspace
from mlx.core.stage import call_step, sections_of
from mlx.core.workers import Workers, open_workers
from mlx.pipeline.steps import STEPS
from mlx.residuals.association.delete_one import pooled_pearson
from mlx.residuals.geometry.cka import align
from mlx.residuals.pairs.pair_spearman import pair_spearman
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None, reason='needs Dask: pip install "mlx-harness[cluster]"'
)

STUDIES = {
    "classification": {
        "dataset": {"name": "shapes", "params": {"n_samples": 700, "image_size": 80}},
        "model": {"name": "logistic_regression"},
        "residuals": {"n_permutations": 999, "n_bootstrap": 100, "projections": ["pca"]},
    },
    "grouped": {
        "dataset": {"name": "shapes", "params": {"n_samples": 500, "image_size": 16}},
        "model": {"name": "logistic_regression"},
        "residuals": {"n_permutations": 199, "n_bootstrap": 100, "projections": ["pca"], "groups": "duplicates"},
    },
    "regression": {"dataset": {"name": "synthetic_regression"}, "model": {"name": "linear_regression"}},
}


def artifacts(folder: Path, study: str, workers: Workers) -> dict[str, str]:
    """Run all steps but the report, which has no tasks; return a hash of every file."""
    config = ExperimentConfig.model_validate({"name": study, **STUDIES[study]})
    workspace = Workspace(folder)
    for step in STEPS[:-1]:
        call_step(step, workspace, workers, {name: getattr(config, name) for name in sections_of(step)})
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def ranked(workers: Workers) -> tuple[float, float]:
    generator = np.random.default_rng(0)
    units = directions_of("layer", generator.normal(size=(3000, 8)), 3000)
    found = pair_spearman(units, generator.exponential(size=3000), exact_pairs=10, map=workers.map)
    return found.estimate, found.bound


def summed(workers: Workers) -> list[object]:
    """What is added up over blocks of rows, of which there are two here."""
    generator = np.random.default_rng(0)
    rows, other = (generator.normal(size=(34_000, 32)) for _ in range(2))
    entropy, similarity = generator.exponential(size=(2, len(rows)))
    units, classes = directions_of("layer", rows, len(rows)), np.split(np.arange(len(rows)), [33_000, 33_500])
    jackknife = pooled_pearson(units, classes, entropy, similarity, map=workers.map)
    aligned = align([rows, other], map=workers.map)[0, 1].cka
    return [aligned, lift(units, map=workers.map).center.tobytes(), *(part.tobytes() for part in jackknife[:2])]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    with open_workers("serial") as workers:
        return {study: artifacts(tmp_path_factory.mktemp(study), study, workers) for study in STUDIES}


class DaskProcesses:
    """A scheduler and workers as processes of this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file, self.processes = folder, folder / "scheduler.json", list[subprocess.Popen[bytes]]()
        self.scheduler = self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", self.file)
        end = time.monotonic() + 60
        while not self.file.exists() and time.monotonic() < end:
            time.sleep(0.1)
        self.address = json.loads(self.file.read_text())["address"]

    def add_worker(self, *arguments: object, path: Path = ROOT) -> "subprocess.Popen[bytes]":
        return self._start("worker", self.address, "--nthreads", "1", *arguments, path=path)

    def _start(self, what: str, *arguments: object, path: Path = ROOT) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *map(str, arguments), "--no-dashboard"]
        with (self.folder / f"{what}.log").open("ab") as log:
            env = os.environ | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT / 'tests'}"}
            self.processes.append(subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log))
        return self.processes[-1]

    def wait_for(self, n_workers: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(n_workers, timeout=120)

    def close(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture
def dask_processes(tmp_path: Path) -> Iterator[DaskProcesses]:
    found = DaskProcesses(tmp_path)
    yield found
    found.close()


@pytest.mark.parametrize("spec", ["threads:2", "threads:3", "processes:2"])
@pytest.mark.parametrize("study", STUDIES)
def test_artifacts_on_this_machine(tmp_path: Path, expected: dict[str, dict[str, str]], study: str, spec: str) -> None:
    with open_workers(spec, workspace=tmp_path) as workers:
        assert artifacts(tmp_path / "run", study, workers) == expected[study]


@needs_dask
@pytest.mark.parametrize("n_workers", [1, 2, 3])
def test_artifacts_on_a_cluster(
    tmp_path: Path, expected: dict[str, dict[str, str]], dask_processes: DaskProcesses, n_workers: int
) -> None:
    for _ in range(n_workers):
        dask_processes.add_worker()
    dask_processes.wait_for(n_workers)
    with open_workers(str(dask_processes.file), workspace=tmp_path) as workers:
        assert workers.count == n_workers
        for study in STUDIES:
            assert artifacts(tmp_path / study, study, workers) == expected[study]


def test_ranks_of_pairs() -> None:
    with open_workers("serial") as workers:
        expected = ranked(workers)
    for spec in ("threads:2", "processes:2"):
        with open_workers(spec) as workers:
            assert ranked(workers) == expected


def test_sums_over_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlx.core.ordered_map.GROUP", 1)
    monkeypatch.setattr("mlx.residuals.association.delete_one.TASK_VALUES", 100_000)
    with open_workers("serial") as workers:
        expected = summed(workers)
    for spec in ("threads:2", "processes:2"):
        with open_workers(spec) as workers:
            assert summed(workers) == expected


def slow_square(marker: Path, number: int) -> int:
    (marker / f"{number}-{os.getpid()}").touch()
    time.sleep(0.3)
    return number**2


@needs_dask
def test_the_tasks_of_a_worker_that_is_killed_are_done_again(tmp_path: Path, dask_processes: DaskProcesses) -> None:
    dask_processes.add_worker("--no-nanny")
    victim = dask_processes.add_worker("--no-nanny")
    dask_processes.wait_for(2)
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    with open_workers(dask_processes.address, workspace=tmp_path) as workers:
        found = workers.map(partial(slow_square, tasks), range(20))
        first = next(found)
        while not any(file.name.endswith(f"-{victim.pid}") for file in tasks.iterdir()):
            time.sleep(0.05)
        victim.send_signal(signal.SIGKILL)
        assert [first, *found] == [n**2 for n in range(20)]


@needs_dask
def test_a_scheduler_that_is_killed_ends_the_work_with_one_message(
    tmp_path: Path, dask_processes: DaskProcesses
) -> None:
    dask_processes.add_worker()
    with open_workers(dask_processes.address, workspace=tmp_path) as workers:
        found = workers.map(partial(slow_square, tmp_path), range(50))
        next(found)
        dask_processes.scheduler.kill()
        with pytest.raises(MlxError, match="the connection to the scheduler was lost; .*--resume RUN"):
            list(found)


def rejected(said: str, spec: str, folder: Path = ROOT) -> None:
    with pytest.raises(MlxError, match=said), open_workers(spec, workspace=folder):
        pass


@needs_dask
def test_an_address_without_scheduler_or_workers_is_named(
    tmp_path: Path, dask_processes: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlx.core.cluster.WORKER_SECONDS", 1)
    address = dask_processes.address
    rejected(r"--workers tcp://127\.0\.0\.1:1: expected a Dask scheduler", "tcp://127.0.0.1:1")
    rejected(f"expected workers, found none; 'dask worker {re.escape(address)}'", address)
    absent = str(tmp_path / "absent.json")
    rejected("absent.json: No such file or directory; 'dask scheduler --scheduler-file", absent)


@needs_dask
def test_a_scheduler_on_another_machine_needs_tls() -> None:
    rejected(r"expected TLS .* found tcp://192\.0\.2\.7:8786: .* --insecure", "tcp://192.0.2.7:8786")


@needs_dask
def test_a_worker_with_other_code_is_named(tmp_path: Path, dask_processes: DaskProcesses) -> None:
    (tmp_path / "other" / "mlx").mkdir(parents=True)
    (tmp_path / "other" / "mlx" / "__init__.py").write_text('__version__ = "9"\n')
    dask_processes.add_worker(path=tmp_path / "other")
    said = r"worker tcp://127\.0\.0\.1:\d+: expected mlx code \w+, as here, found code \w+"
    rejected(said, dask_processes.address, tmp_path)


@needs_dask
def test_a_folder_that_a_worker_does_not_see_is_named(tmp_path: Path, dask_processes: DaskProcesses) -> None:
    dask_processes.add_worker()
    said = "worker .*: expected to see .*nowhere, found no such folder"
    rejected(said, dask_processes.address, tmp_path / "nowhere")
