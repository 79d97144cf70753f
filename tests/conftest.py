"""A repository in which the whole pipeline has run once, for every test that starts from there."""

import os
from pathlib import Path

import pytest
from filelock import FileLock
from repository import SMALL, STAGES, Repository


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


@pytest.fixture
def repository(finished: Repository, tmp_path: Path) -> Repository:
    return finished.copy(tmp_path / "repo")
