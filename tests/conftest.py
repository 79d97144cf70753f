"""A repository in which the whole pipeline has run once, for every test that starts from there."""

from pathlib import Path

import pytest
from repository import SMALL, STAGES, Repository


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A repository in which everything has run once; tests change copies of it."""
    root = tmp_path_factory.mktemp("finished") / "repo"
    root.mkdir()
    repository = Repository(root, SMALL)
    assert repository.repro() == STAGES
    return repository


@pytest.fixture
def repository(finished: Repository, tmp_path: Path) -> Repository:
    return finished.copy(tmp_path / "repo")
