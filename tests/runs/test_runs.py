"""Runs: what they record, their outputs, and how they end."""

import json
import signal
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from blank_figures import leave_few_figures_in_processes
from repository import Repository
from small_runs import CONFIG, TINY, content, started
from waiting import until

from mlx.cli import main
from mlx.core.errors import SettingsError
from mlx.runs.history import find_run, find_runs
from mlx.runs.run import Run, read_run

pytestmark = pytest.mark.slow
STAGES = ["generate-data", "preprocess-split", "train", "extract-representations", "evaluate", "residuals-analysis"]


def test_a_run_says_what_it_is_and_what_it_measured(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run-experiment", "--set", "training.seed=3"])
    run = read_run(folder / capsys.readouterr().out.strip())
    assert run.status == "finished"
    assert list(run.summary.seconds) == [*STAGES, "report"]
    assert run.summary.metrics["evaluation"]["accuracy"] > 0.8
    assert run.summary.versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert run.config()["training"]["seed"] == 3
    assert "train: read" in (run.folder / "run.log").read_text()
    assert find_run("small", folder / "outputs").folder == find_run(run.id, folder / "outputs").folder


def test_a_failed_run_keeps_its_message(folder: Path) -> None:
    (folder / "bad.csv").write_text("a,target\n1,0\n2,x y\nnan,0\n")
    bad = CONFIG | {"dataset": {"name": "custom", "path": "bad.csv"}, "output": {"save_logs": False}}
    (folder / "params.yaml").write_text(json.dumps(bad))
    with pytest.raises(SystemExit, match=r"bad\.csv"):
        main(["run-experiment"])
    (run,) = find_runs(folder / "outputs")
    assert (run.status, list(run.summary.seconds)) == ("failed", [])
    assert "bad.csv" in str(run.summary.error)
    assert not (run.folder / "run.log").exists()


@pytest.mark.parametrize(
    ("assignment", "says"),
    [
        ("residuals.groups=noize", "residuals.groups: expected one of .*; did you mean 'noise'"),
        ("evaluation.groups=noize", "evaluation.groups: expected one of .*; did you mean 'noise'"),
        ("residuals.factors=[noize]", "residuals.factors: expected some of .*; did you mean 'noise'"),
        ("representations.layers=[inptu]", "representations.layers: expected one of .*; did you mean 'input'"),
    ],
)
def test_a_wrong_name_ends_a_run_before_the_training(folder: Path, assignment: str, says: str) -> None:
    shapes = "dataset={name: shapes, params: {n_samples: 60, image_size: 8}}"
    with pytest.raises(SystemExit, match=says):
        main(["run-experiment", "--set", shapes, "--set", assignment])
    (run,) = find_runs(folder / "outputs")
    assert list(run.summary.seconds) == STAGES[:2]


def test_a_killed_run_shows_as_interrupted_and_is_finished_with_the_same_bytes(
    folder: Path, finished_run: Path
) -> None:
    (first,) = find_runs(folder / "outputs")
    killed = started(folder)
    until(lambda: any("preprocess-split" in run.summary.seconds for run in runs_beside(first, folder)))
    (running,) = runs_beside(first, folder)
    assert running.status == "running"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    (broken,) = runs_beside(first, folder)
    assert broken.status == "interrupted"
    main(["run-experiment", "--resume", broken.id])
    assert content(broken.folder) == content(first.folder)
    with pytest.raises(SystemExit, match="expected a run that was interrupted or failed, found one that is finished"):
        main(["run-experiment", "--resume", broken.id])


def test_force_without_a_run_to_resume_is_refused(folder: Path) -> None:
    with pytest.raises(SystemExit, match="--force: expected --resume RUN beside it"):
        main(["run-experiment", "--force"])


def runs_beside(first: Run, folder: Path) -> list[Run]:
    return [run for run in find_runs(folder / "outputs") if run.folder != first.folder]


def test_ctrl_c_leaves_the_run_marked_and_ends_with_130(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlx.experiment as experiment

    def interrupted(*_: Any, **__: Any) -> str:
        raise KeyboardInterrupt

    interrupted.__name__ = "generate_data"
    monkeypatch.setattr(experiment, "STEPS", (interrupted,))
    monkeypatch.setattr(experiment, "sections_of", lambda _: {})
    with pytest.raises(SystemExit) as caught:
        main(["run-experiment"])
    assert caught.value.code == 130
    (run,) = find_runs(folder / "outputs")
    assert run.status == "interrupted"


SEVERAL = """
import os
import matplotlib.figure, mlx.experiment, scipy.stats, sklearn.linear_model  # once, for all of them
from mlx.cli import main
children = []
for _ in range(8):
    if child := os.fork():
        children.append(child)
    else:
        main(["run-experiment", "--config", "tiny.yaml"])
        os._exit(0)
raise SystemExit(any(os.waitpid(child, 0)[1] for child in children))
"""


def test_several_at_once_are_whole_runs(folder: Path) -> None:
    (folder / "tiny.yaml").write_text(TINY)
    assert started(folder, code=SEVERAL).wait(400) == 0
    runs = list(find_runs(folder / "outputs"))
    assert len(runs) == 8
    assert {run.status for run in runs} == {"finished"}
    assert len({str(sorted(content(run.folder).items())) for run in runs}) == 1


def test_a_list_of_experiments_is_checked_whole_before_the_first_starts(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    leave_few_figures_in_processes(monkeypatch, folder / "first")
    tiny = yaml.safe_load(TINY)  # each starts a process, which takes longer than its run
    several = [tiny | {"name": "a"}, tiny | {"name": "b", "training": {"epochs": 0}}]
    (folder / "list.json").write_text(json.dumps(several, indent=1))
    with pytest.raises(
        SystemExit, match=r"list\.json:\d+: training\.epochs: expected an integer of at least 1, found 0"
    ):
        main(["run-experiment", "--config", "list.json"])
    assert not (folder / "outputs").exists()
    broken = tiny | {"name": "b", "dataset": {"name": "custom", "path": "absent.csv"}}
    (folder / "list.json").write_text(json.dumps([tiny | {"name": "a"}, broken, tiny | {"name": "c"}]))
    (folder / "rest.json").write_text(json.dumps([broken, tiny | {"name": "c"}]))
    for file, options, ends in (
        ("list", [], ["finished", "failed", "not run"]),
        ("rest", ["--keep-going", "--workers", "processes:2"], ["failed", "finished"]),
    ):
        with pytest.raises(SystemExit, match=f"1 of {len(ends)} experiments failed"):
            main(["run-experiment", "--config", f"{file}.json", *options])
        header, *rows = capsys.readouterr().out.splitlines()
        assert header.split()[:3] == ["experiment", "status", "accuracy"]
        assert all(end in row for end, row in zip(ends, rows, strict=True))


def test_unknown_keys_are_warnings_and_errors_when_strict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "params.yaml").write_text(
        "name: a\ndataset: {name: digits}\nmodel: {name: logistic_regression}\ntrainin: {}\n"
    )
    main(["run-experiment", "--dry-run"])
    assert "params.yaml:4: trainin: expected one of" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="found an unknown key; did you mean 'training'"):
        main(["run-experiment", "--dry-run", "--strict"])


def test_runs_are_named_in_full_wherever_they_are_listed_from(
    finished_run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = finished_run
    for place in (run, run.parent, run / "data"):
        monkeypatch.chdir(place)
        main(["runs", "--run-dir", ".." if place.name == "data" else ".", "--json"])
        assert [found["id"] for found in json.loads(capsys.readouterr().out)] == [f"small/{run.name}"]


def test_a_run_that_nobody_has_is_named_with_the_nearest(folder: Path) -> None:
    with pytest.raises(SettingsError, match="nothing: expected a run below .*, its id or its name, found none"):
        find_run("nothing", folder / "outputs")


def test_an_experiment_and_the_pipeline_give_the_same_numbers(repository: Repository) -> None:
    done = repository.run("python", "-m", "mlx", "run-experiment", "--config", "params.yaml", "--strict")
    assert done.returncode == 0, done.stderr
    run = repository.root / done.stdout.strip()
    for file in sorted((repository.root / "metrics").iterdir()):
        assert (run / "metrics" / file.name).read_bytes() == file.read_bytes(), file.name
    evaluated = repository.run("python", "-m", "mlx", "eval", ".", "--json")
    assert json.loads(evaluated.stdout) == read_run(run).summary.metrics["evaluation"]
