"""A study runs what is not done, shares what is equal, and ends with the same bytes however often it is interrupted."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from blank_figures import BLANK
from small_studies import STUDY, content, write_study
from waiting import until

from mlx.cli import main
from mlx.core.errors import MlxError
from mlx.core.workers import SERIAL
from mlx.runs.run import read_run
from mlx.studies import running
from mlx.studies.plan import read_study
from mlx.studies.progress import table_lines
from mlx.studies.results import results_of, write_results
from mlx.studies.search import ask
from mlx.studies.settings import SearchSettings
from mlx.studies.study import StudyRuns, run_study

pytestmark = pytest.mark.slow

ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}


def run(file: Path) -> StudyRuns:
    done = run_study(read_study(file), SERIAL)
    write_results(results_of(done))
    return done


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        run(write_study(folder))
    return folder


@pytest.fixture
def folder(finished: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(finished)
    return finished


def test_every_run_is_an_ordinary_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = [f"{cell}-seed-{seed}" for cell in ("mlp", "linear") for seed in (1, 2)]
    assert sorted(path.parent.name for path in (folder / "outputs/small").glob("*/config.json")) == sorted(names)
    assert {read_run(folder / "outputs/small" / name).status for name in names} == {"finished"}
    main(["compare", "small/mlp-seed-1", "small/linear-seed-1"])
    assert "paired test" in capsys.readouterr().out
    assert not list((folder / "outputs").rglob("report.html"))


def test_equal_steps_are_made_once_and_are_no_links(folder: Path) -> None:
    arrays = [folder / f"outputs/small/mlp-seed-{seed}/data/splits/X_train.npy" for seed in (1, 2)]
    assert not any(path.is_symlink() for path in (folder / "outputs").rglob("*"))
    assert all("shared" in (path.parents[2] / "run.log").read_text() for path in arrays)


def test_repeating_a_step_in_one_run_leaves_the_others(folder: Path) -> None:
    study = folder / "outputs/small"
    before = content(study)
    (study / "mlp-seed-2/data/raw/y.npy").unlink()
    inode = (study / "mlp-seed-1/data/raw/X.npy").stat().st_ino
    main(["run-experiment", "--resume", "small/mlp-seed-2"])
    assert (study / "mlp-seed-1/data/raw/X.npy").stat().st_ino == inode
    after = content(study)
    assert {name: after[name] for name in before if "checksums" not in name} == {
        name: before[name] for name in before if "checksums" not in name
    }


def test_what_is_finished_is_not_repeated_and_what_is_damaged_is(folder: Path) -> None:
    study, file = folder / "outputs/small", folder / "small.json"
    run(file)
    before = content(study)
    assert not any(outcome.is_new for outcome in run(file).outcomes)
    (study / "linear-seed-1/metrics/evaluation.json").write_text("{}")
    (study / "linear-seed-2/summary.json").write_text("{")
    (study / "mlp-seed-1/config.json").write_text("{")
    done = run(file)
    assert [o.planned.name for o in done.outcomes if o.is_new] == ["mlp-seed-1", "linear-seed-1", "linear-seed-2"]
    assert content(study) == before


def test_other_settings_repeat_what_depends_on_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run(write_study(tmp_path, seeds=1))
    model = tmp_path / "outputs/small/mlp-seed-1/data/model/model.json"
    written = model.stat().st_mtime_ns
    base = STUDY["base"] | {"evaluation": {"n_bins": 5}}
    done = run(write_study(tmp_path, seeds=1, base=base))
    assert all(outcome.is_new for outcome in done.outcomes)
    assert model.stat().st_mtime_ns == written
    assert json.loads((tmp_path / "outputs/small/mlp-seed-1/config.json").read_text())["evaluation"]["n_bins"] == 5


@pytest.mark.filterwarnings("ignore:a learning rate above 1")
def test_a_failed_run_is_a_row_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    cells = {"good": {}, "bad": ["training.optimizer=sgd", "training.learning_rate=1.0e+30"]}
    done = run(write_study(tmp_path, cells=cells, seeds=2, baseline="bad"))
    assert [outcome.reason is None for outcome in done.outcomes] == [True, True, False, False]
    assert "expected a validation loss" in str(done.outcomes[2].reason)
    rows = (tmp_path / "outputs/small/runs.csv").read_text().splitlines()
    assert sum(",failed," in row for row in rows) == 2
    about = json.loads((tmp_path / "outputs/small/study.json").read_text())
    assert (about["n_failed"], about["cells"][1]["n_finished"]) == (2, 0)


def test_a_trial_depends_on_those_before_its_batch_alone() -> None:
    space = {"training.learning_rate": {"low": 1e-4, "high": 1.0, "log": True}, "x": {"choices": [[1], [2, 3]]}}
    settings = SearchSettings.model_validate({"trials": 6, "batch": 3, "space": space})
    pytest.importorskip("optuna")
    first = ask(settings, 0, [], 3)
    assert first == ask(settings, 0, [], 3)
    assert ask(settings, 1, [], 3) != first
    assert all(set(values) == set(space) for values in first)


def test_a_search_chooses_by_validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("optuna")
    monkeypatch.chdir(tmp_path)
    search = {"trials": 4, "batch": 2, "space": {"training.learning_rate": {"low": 1e-4, "high": 0.1, "log": True}}}
    done = run(write_study(tmp_path, cells={"mlp": {}}, seeds=2, search=search))
    scores = [trial.score for trial in done.trials]
    assert done.chosen == {"mlp": 1 + scores.index(min(scores))}
    chosen = done.trials[done.chosen["mlp"] - 1].values["training.learning_rate"]
    assert {outcome.planned.config.training.learning_rate for outcome in done.outcomes} == {chosen}
    trial = tmp_path / "outputs/small/mlp-trial-1"
    assert (trial / "metrics/training.json").is_file()
    assert not (trial / "data/representations").exists()
    before = content(tmp_path / "outputs/small")
    assert not any(outcome.is_new for outcome in run(tmp_path / "small.json").outcomes)
    assert content(tmp_path / "outputs/small") == before


def test_folds_are_compared_by_the_corrected_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    changes = {key: value for key, value in STUDY.items() if key != "seeds"}
    linear = {"linear": STUDY["cells"]["linear"]}
    (tmp_path / "small.json").write_text(json.dumps(changes | {"folds": 3, "cells": linear}))
    done = run(tmp_path / "small.json")
    results = results_of(done)
    assert results.repeats.ratio == 0.5
    assert {str(row.question) for row in results.inference.cells} == {"this recipe, other splits of these data"}


STUDY_RUN = """import sys
from mlx.cli import main
main(["study", "run", *sys.argv[1:]])
"""


def test_kills_and_workers_change_no_byte(finished: Path, tmp_path: Path) -> None:
    def trained() -> int:
        return len(list(tmp_path.glob("outputs/small/*/metrics/training.json")))

    file, before = write_study(tmp_path), [0]
    command = [sys.executable, "-c", f"{BLANK}{STUDY_RUN}", str(file), "--workers"]
    for workers in ("processes:2", "serial"):
        with subprocess.Popen(
            [*command, workers], cwd=tmp_path, env=ENVIRONMENT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            until(lambda: trained() > before[-1] or process.poll() is not None)
            assert process.poll() is None, "ended before it was killed"
            process.kill()
        before.append(trained())
    done = subprocess.run(
        [*command, "processes:2"], cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    expected = content(finished / "outputs/small")
    found = content(tmp_path / "outputs/small")
    found = {name: value for name, value in found.items() if not name.endswith("study.html")}
    assert found == expected


class DyingPool:
    """Workers whose processes die at the second task; alone in a process, a task ends."""

    count = 2

    def map(self, function: Any, items: Iterable[Any], /) -> Iterator[Any]:
        for place, item in enumerate(items):
            if place == 1 and not function.alone:
                raise MlxError("the processes died at the same task 3 times")
            yield None if place else f"ended {Path(item.folder).name}"


def test_runs_at_which_the_processes_of_a_pool_die_are_run_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    study = read_study(write_study(tmp_path))
    runner = running.Runner(study.folder, DyingPool())
    jobs = [running.Job(str(tmp_path), name, {"model": {"name": "mlp"}}, {}) for name in ("a", "b", "c")]
    assert list(runner._map(jobs)) == ["ended a", "ended b", None]


def test_the_progress_table_has_a_line_for_each_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINES", "44")
    lines = table_lines({"mlp": 5, "linear model": 5}, {"mlp": 2}, {"mlp": 1}, {"mlp": "accuracy 0.9"})
    assert lines == [
        "cell          done    failed  last",
        "mlp           2/5     1       accuracy 0.9",
        "linear model  0/5             ",
    ]
    assert table_lines({f"c{i}": 1 for i in range(50)}, {}, {}, {})[-1] == "and 10 more cells"


def test_a_process_that_is_killed_fails_its_run_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlx.studies import isolated

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(isolated.sys, "executable", "/bin/false")
    reason = isolated.run_isolated(isolated.Job(str(tmp_path), str(tmp_path / "run"), {}, {}))
    assert reason is not None
    assert "ended with code 1" in reason


def test_a_study_that_nobody_has_run_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="nothing: expected a study that was run"):
        main(["study", "show", "nothing"])
