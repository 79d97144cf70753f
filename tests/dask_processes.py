"""A scheduler and workers as processes of this machine, for tests."""

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest
from waiting import until

ROOT = Path(__file__).parents[1]
needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None, reason='needs Dask: pip install "mlx-harness[cluster]"'
)


class DaskProcesses:
    """A scheduler and workers as processes of this machine."""

    def __init__(self, folder: Path, *security: object) -> None:
        self.folder, self.file, self.processes = folder, folder / "scheduler.json", list[subprocess.Popen[bytes]]()
        arguments = ("--host", "127.0.0.1", "--port", "0", "--scheduler-file", self.file, *security)
        self.security, self.scheduler = security, self._start("scheduler", *arguments)
        try:
            until(self._written)
        except BaseException:
            self.close()
            raise
        self.address = json.loads(self.file.read_text())["address"]

    def _written(self) -> bool:
        """Whether the scheduler has written its file: it opens it first, so that it is empty for a moment."""
        try:
            return "address" in json.loads(self.file.read_text())
        except (FileNotFoundError, json.JSONDecodeError):
            return False

    def add_worker(self, *arguments: object, path: Path = ROOT) -> "subprocess.Popen[bytes]":
        return self._start("worker", self.address, "--nthreads", "1", *self.security, *arguments, path=path)

    def _start(self, what: str, *arguments: object, path: Path = ROOT) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{what}", *map(str, arguments), "--no-dashboard"]
        with (self.folder / f"{what}.log").open("ab") as log:
            env = os.environ | {"PYTHONPATH": f"{path}{os.pathsep}{ROOT / 'tests'}"}
            self.processes.append(subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log))
        return self.processes[-1]

    def wait_for(self, n_workers: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            until(lambda: len(client.nthreads()) == n_workers)

    def close(self) -> None:
        for process in self.processes:
            for child in psutil.Process(process.pid).children(recursive=True) if process.poll() is None else ():
                child.kill()
            process.kill()
            process.wait()
