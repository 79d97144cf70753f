"""What happens when a worker or a scheduler fails, or is not what it should be: the work goes on, or one message."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import psutil
import pytest
from dask_processes import ROOT, DaskProcesses, needs_dask
from waiting import until

from mlx.cli import main
from mlx.core.cluster import Cluster
from mlx.core.cluster_probe import PROCESSOR, probe
from mlx.core.errors import MlxError
from mlx.core.workers import open_workers

pytestmark = [pytest.mark.slow, needs_dask]


def slow_square(marker: Path, number: int) -> int:
    (marker / f"{number}-{os.getpid()}").touch()
    time.sleep(0.3)
    return number**2


def test_tasks_of_a_killed_worker_are_done_again_and_a_killed_scheduler_ends_the_work_with_one_message(
    tmp_path: Path, dask_processes: DaskProcesses
) -> None:
    started = [dask_processes.add_worker("--no-nanny") for _ in range(2)]
    dask_processes.wait_for(2)
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    with open_workers(dask_processes.address, workspace=tmp_path) as workers:
        found = workers.map(partial(slow_square, tasks), range(20))
        first = next(found)
        # One of the two may have been given no task yet: the one that did the first has others waiting.
        (victim,) = (worker for worker in started if (tasks / f"0-{worker.pid}").exists())
        victim.send_signal(signal.SIGKILL)
        assert [first, *found] == [n**2 for n in range(20)]
        found = workers.map(partial(slow_square, tasks), range(50))
        next(found)
        dask_processes.scheduler.kill()
        with pytest.raises(MlxError, match="the connection to the scheduler was lost; .*--resume RUN"):
            list(found)


def rejected(said: str, spec: str, folder: Path = ROOT) -> None:
    with pytest.raises(MlxError, match=said), open_workers(spec, workspace=folder):
        pass


def test_a_scheduler_on_another_machine_needs_tls() -> None:
    for address in ("tcp://", "tcp://127.0.0.1", "tls://127.0.0.1:x", "http://127.0.0.1:80"):
        rejected(f"expected tcp://HOST:PORT or tls://HOST:PORT, found {address}$", address)
    rejected(r"expected TLS .* found tcp://192\.0\.2\.7:8786: .* --insecure", "tcp://192.0.2.7:8786")


# However it is installed: an editable installation may have a finder of its own in place of a path.
WITHOUT_MLX = """
import sys

class Without:
    def __init__(self, finder):
        self.finder = finder

    def __getattr__(self, name):
        return getattr(self.finder, name)

    def find_spec(self, name, path=None, target=None):
        return None if name.partition(".")[0] == "mlx" else self.finder.find_spec(name, path, target)

sys.meta_path[:] = map(Without, sys.meta_path)
"""


OTHERS = {
    "code": ({"mlx/__init__.py": '__version__ = "9"\n'}, r"expected mlx code \w+, as here, found code \w+"),
    "pandas": (
        {"pandas-0.1.dist-info/METADATA": "Metadata-Version: 2.1\nName: pandas\nVersion: 0.1\n"},
        r"expected pandas [\d.]+, as here, found 0\.1; install the same there",
    ),
    "package": ({"sitecustomize.py": WITHOUT_MLX}, "expected the package mlx, found none; install this version there"),
}
"""Files on the path of a worker, and what is said of it."""


def test_what_no_task_could_run_on_is_named(
    tmp_path: Path, dask_processes: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlx.core.cluster.WORKER_SECONDS", 1)
    address = dask_processes.address
    rejected(r"--workers tcp://127\.0\.0\.1:1: expected a Dask scheduler", "tcp://127.0.0.1:1")
    rejected("expected certificates for TLS, found none; DASK_DISTRIBUTED__COMM__TLS__CA_FILE", "tls://127.0.0.1:1")
    rejected(f"expected workers, found none; 'dask worker {re.escape(address)}'", address)
    absent = str(tmp_path / "absent.json")
    rejected("absent.json: No such file or directory; 'dask scheduler --scheduler-file", absent)
    for name, (files, said) in OTHERS.items():
        for file, content in files.items():
            (tmp_path / name / file).parent.mkdir(parents=True)
            (tmp_path / name / file).write_text(content)
        worker = dask_processes.add_worker("--no-nanny", path=tmp_path / name)
        dask_processes.wait_for(1)
        rejected(rf"worker tcp://127\.0\.0\.1:\d+: {said}", address, tmp_path)
        worker.kill()
        worker.wait()
        dask_processes.wait_for(0)
    dask_processes.add_worker("--no-nanny")
    dask_processes.wait_for(1)
    rejected("worker .*: expected to see .*nowhere, found no such folder", address, tmp_path / "nowhere")
    with open_workers(address, workspace=tmp_path) as workers:
        dask_processes.add_worker("--no-nanny", path=tmp_path / "code")
        dask_processes.wait_for(2)
        with pytest.raises(MlxError, match="expected mlx code"):  # it came late
            list(workers.map(abs, range(4)))


class OneWorker:
    """A client of a scheduler with a worker that has another processor, and is paused."""

    status, scheduler = "running", SimpleNamespace(address="tcp://scheduler")

    def scheduler_info(self) -> dict[str, object]:
        worker = {"nthreads": 3, "resources": {}, "status": "paused", "metrics": {"task_counts": {}}}
        return {"workers": {"tcp://other": worker}}

    def get_executor(self, *, pure: bool) -> None:
        assert not pure

    def run(self, _: object, folder: str, **__: object) -> dict[str, object]:
        return {"tcp://other": probe(folder) | {PROCESSOR: "riscv64"}}


def test_another_processor_is_a_warning_and_a_worker_that_stays_paused_ends_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Cluster(OneWorker(), "--workers x", tmp_path)
    assert found.count == 3
    (line,) = found.notes
    assert re.match("warning: --workers x: worker tcp://other: processor riscv64, .* here: the last digits", line)
    assert capsys.readouterr().err.splitlines() == [line]
    monkeypatch.setattr("mlx.core.cluster.WORKER_SECONDS", 1)
    with pytest.raises(MlxError, match=r"found none among 1 \(tcp://other: paused, as its memory is near its --memory"):
        found._result(Future(), {})


class OnGpu:
    """A task of which the odd ones need a resource."""

    def __call__(self, number: int) -> int:
        return os.getpid()

    @staticmethod
    def needs(number: int) -> dict[str, float]:
        return {"GPU": 1} if number % 2 else {}


def test_tasks_run_where_their_resources_are_and_no_task_waits_for_ever(
    tmp_path: Path, dask_processes: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpu = dask_processes.add_worker("--no-nanny", "--resources", "GPU=1")
    other = dask_processes.add_worker("--no-nanny")
    dask_processes.wait_for(2)
    monkeypatch.setattr("mlx.core.cluster.WORKER_SECONDS", 2)
    with open_workers(dask_processes.address, workspace=tmp_path) as workers:
        workers.require([{}, {"GPU": 1}])
        with pytest.raises(MlxError, match="worker with GPU=2, found none among 2; '.* --resources \"GPU=2\"' starts"):
            workers.require([{"GPU": 2}])
        assert {*list(workers.map(OnGpu(), range(8)))[1::2]} == {gpu.pid}
        assert list(workers.map(OnGpu(), [1])) == [gpu.pid]  # not here, although it is the only one
        gpu.kill()
        with pytest.raises(MlxError, match="expected a worker with GPU=1, found none among 1"):
            list(workers.map(OnGpu(), range(4)))
        assert list(workers.map(OnGpu(), [0])) == [other.pid]
        other.kill()
        with pytest.raises(MlxError, match="expected a worker, found none among 0; 'dask worker tcp:[^ ]*' starts one"):
            list(workers.map(abs, range(4)))


def full_disk(number: int) -> None:
    with Path("/dev/full").open("w") as file:
        file.write(str(number))


def test_a_worker_that_is_stopped_for_a_while_goes_on_and_its_full_disk_is_named(
    tmp_path: Path, dask_processes: DaskProcesses
) -> None:
    worker = dask_processes.add_worker("--no-nanny")
    dask_processes.wait_for(1)
    with open_workers(dask_processes.address, workspace=tmp_path) as workers:
        found = workers.map(partial(slow_square, tmp_path), range(8))
        first = next(found)
        worker.send_signal(signal.SIGSTOP)
        threading.Timer(STOPPED, worker.send_signal, [signal.SIGCONT]).start()
        assert [first, *found] == [n**2 for n in range(8)]
        if Path("/dev/full").exists():  # a device that is always full
            with pytest.raises(OSError, match=r"No space left on device: '.* \(worker process \d+ on .+\)'"):
                list(workers.map(full_disk, range(4)))


def test_workers_that_are_killed_at_random_moments_change_no_result(
    tmp_path: Path, dask_processes: DaskProcesses
) -> None:
    nannies = dask_processes.add_worker("--nworkers", "3")
    dask_processes.wait_for(3)
    tasks, moments = tmp_path / "tasks", np.random.default_rng(0)
    tasks.mkdir()

    def kill() -> None:
        for _ in range(6):
            time.sleep(moments.uniform(0.1, 1.5))
            with suppress(psutil.Error):  # one that was killed before is gone in the meantime
                found = [p for p in psutil.Process(nannies.pid).children() if "spawn_main" in " ".join(p.cmdline())]
                if found:
                    found[moments.integers(len(found))].kill()

    killer = threading.Thread(target=kill)
    with open_workers(dask_processes.address, workspace=tmp_path) as workers:
        killer.start()
        assert list(workers.map(partial(slow_square, tasks), range(60))) == [n**2 for n in range(60)]
    killer.join()


def test_a_scheduler_with_tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"ca-file": "cert.pem", "cert": "cert.pem", "key": "key.pem"}
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*made, "-out", "cert.pem", "-keyout", "key.pem"], cwd=tmp_path, check=True, capture_output=True)
    flags = [part for name, file in files.items() for part in (f"--tls-{name}", tmp_path / file)]
    cluster = DaskProcesses(tmp_path, "--protocol", "tls", *flags)
    code = (
        "import sys\nfrom mlx.core.workers import open_workers\n"
        "with open_workers(sys.argv[1]) as workers:\n    print(sum(workers.map(abs, range(9))))"
    )
    env = os.environ | {"PYTHONPATH": str(ROOT), "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(tmp_path / "cert.pem")}
    for part in ("CERT", "KEY"):
        env[f"DASK_DISTRIBUTED__COMM__TLS__CLIENT__{part}"] = str(tmp_path / f"{part.lower()}.pem")
    try:
        cluster.add_worker("--protocol", "tls")
        assert cluster.address.startswith("tls://")
        command = [sys.executable, "-c", code, cluster.address]
        assert (
            subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=True).stdout == "36\n"
        )
    finally:
        cluster.close()


@pytest.mark.usefixtures("few_figures")
def test_a_run_whose_scheduler_dies_is_resumed(
    tmp_path: Path, dask_processes: DaskProcesses, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study.json").write_text(STUDY)
    dask_processes.add_worker()
    dask_processes.wait_for(1)
    mlx = [sys.executable, "-m", "mlx", "run-experiment"]
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*mlx, "--config", "study.json", "--workers", dask_processes.address],
        cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as run:  # fmt: skip
        until(lambda: list(tmp_path.glob("outputs/*/*/metrics/evaluation.json")))
        (folder,) = tmp_path.glob("outputs/*/*")
        dask_processes.scheduler.kill()
        said = run.communicate(timeout=300)[1]
    assert run.returncode == 1, said
    assert "the connection to the scheduler was lost" in said.splitlines()[-1]
    assert "Traceback" not in said
    monkeypatch.chdir(tmp_path)
    for arguments in (["--resume", f"study/{folder.name}"], ["--config", "study.json"]):
        main(["run-experiment", *arguments])
    (other,) = set(tmp_path.glob("outputs/*/*")) - {folder}
    for file in sorted((folder / "data" / "residuals").rglob("*.*")):
        assert file.read_bytes() == (other / file.relative_to(folder)).read_bytes()


STUDY = """{"name": "study", "dataset": {"name": "digits"}, "model": {"name": "logistic_regression"},
"residuals": {"projections": ["pca"], "n_permutations": 999, "n_bootstrap": 100}}"""

STOPPED = 3
"""Seconds; 30 were tried, too."""
