"""A repository in which the whole pipeline has run once, for every test that starts from there."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from blank_figures import leave_few_figures
from dask_processes import DaskProcesses
from filelock import FileLock
from repository import SMALL, STAGES, Repository
from undrawn import blank

# The arrays of tests are small: a second thread of OpenMP or BLAS costs more than it brings, several times as much
# where workers or other programs want the same cores. NumPy, which no import above loads, reads this when it is
# first imported, and so do other processes.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository in which everything has run once; tests change copies of it. Workers of pytest share one."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    with FileLock(shared / "finished.lock"):
        if not (shared / "finished").exists():
            (shared / "unfinished").mkdir()
            assert Repository(shared / "unfinished", SMALL).repro() == STAGES
            (shared / "unfinished").rename(shared / "finished")
    return Repository(shared / "finished")


@pytest.fixture(scope="module")
def undrawn() -> Iterator[None]:
    """Leave figures blank in tests of runs rather than of pictures."""
    with blank():
        yield


@pytest.fixture(scope="module", autouse=True)
def _undrawn_where_runs_are_tested(request: pytest.FixtureRequest) -> None:
    if request.path.parent.name not in {"plots", "workbench"}:
        request.getfixturevalue("undrawn")


@pytest.fixture
def few_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw two figures of a report where neither figures nor their number are the subject."""
    leave_few_figures(monkeypatch)


@pytest.fixture
def repository(finished: Repository, tmp_path: Path) -> Repository:
    found = finished.copy(tmp_path / "repo")
    found.start_warm()
    return found


@pytest.fixture
def dask_processes(tmp_path: Path) -> Iterator[DaskProcesses]:
    """A scheduler on loopback, without workers yet."""
    found = DaskProcesses(tmp_path)
    yield found
    found.close()
