"""The artifacts are the same bytes wherever tasks run: in this process, in threads, in processes, on a Dask cluster."""

import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from dask_processes import DaskProcesses, needs_dask
from filelock import FileLock

from mlx.config import ExperimentConfig
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
STUDIES = {
    "classification": {
        "dataset": {"name": "shapes", "params": {"n_samples": 700, "image_size": 80}},
        "model": {"name": "logistic_regression"},
        "residuals": {"n_permutations": 999, "n_bootstrap": 100, "projections": ["pca", "tsne"]},
    },
    "grouped": {
        "dataset": {"name": "shapes", "params": {"n_samples": 500, "image_size": 16}},
        "model": {"name": "random_forest", "params": {"n_estimators": 5, "n_jobs": 2}},
        "representations": {"layers": ["leaves", "input"], "batch_size": 32},
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


@pytest.fixture(scope="module", autouse=True)
def _many_tasks() -> Iterator[None]:
    """Run a model in tasks of one batch, where it would be one task of all."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mlx.pipeline.recorded_rows.TASK_PRODUCTS", 1)
        yield


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    """The hashes that one process finds. Workers of pytest share them."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    file = shared / "equal_bytes.json"
    with FileLock(f"{file}.lock"):
        if not file.exists():
            with open_workers("serial") as workers:
                found = {study: artifacts(tmp_path_factory.mktemp(study), study, workers) for study in STUDIES}
            file.write_text(json.dumps(found))
    return json.loads(file.read_text())


@pytest.mark.parametrize("spec", ["threads:3", "processes:2"])
def test_artifacts_on_this_machine(tmp_path: Path, expected: dict[str, dict[str, str]], spec: str) -> None:
    with open_workers(spec, workspace=tmp_path) as workers:  # which processes join once for all studies
        for study in STUDIES:
            assert artifacts(tmp_path / study, study, workers) == expected[study]


@needs_dask
def test_artifacts_on_a_cluster(
    tmp_path: Path, expected: dict[str, dict[str, str]], dask_processes: DaskProcesses
) -> None:
    for n_workers in (1, 2, 3):
        while len(dask_processes.processes) <= n_workers:  # the scheduler is one of them
            dask_processes.add_worker("--no-nanny")
        dask_processes.wait_for(n_workers)
        with open_workers(str(dask_processes.file), workspace=tmp_path) as workers:
            assert workers.count == n_workers
            for study in STUDIES if n_workers == 3 else ("classification", "regression"):
                assert artifacts(tmp_path / f"{n_workers}" / study, study, workers) == expected[study]


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
