"""Checkpoints of scikit-learn models."""

from pathlib import Path

import pytest
from saved_estimators import PARAMS, copied, saved


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("originals")
    return {name: saved(name, root / name) for name in PARAMS}


@pytest.fixture(params=list(PARAMS))
def checkpoint(request: pytest.FixtureRequest, originals: dict[str, Path], tmp_path: Path) -> Path:
    return copied(originals[request.param], tmp_path)
