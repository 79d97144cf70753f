"""Runs are whole or said to be broken off; the history has them all, and a broken one can be finished."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from repository import Repository

from mlx.cli import main
from mlx.core.errors import SettingsError
from mlx.core.locks import lock_state, run_lock
from mlx.core.paths import Workspace
from mlx.runs.history import find_run, find_runs
from mlx.runs.owners import Owner
from mlx.runs.run import Run, read_run, write_summary

pytestmark = pytest.mark.slow

CONFIG: dict[str, Any] = {
    "name": "small",
    "dataset": {"name": "digits", "params": {"n_samples": 400}},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
    "residuals": {"n_bootstrap": 100, "n_permutations": 99, "projections": ["pca"]},
    "report": {"dpi": 50},
}
STAGES = ["generate-data", "preprocess-split", "train", "extract-representations", "evaluate", "residuals-analysis"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("mlx.core.locks.PATIENCE", 0.2)
    (tmp_path / "params.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML
    return tmp_path


def content(run: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(run)): file.read_bytes()
        for part in ("data", "metrics", "config.json")
        for file in ([run / part] if (run / part).is_file() else sorted((run / part).rglob("*")))
        if file.is_file()
    }


def started(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    with (folder / "messages.txt").open("a") as messages:
        return subprocess.Popen(
            [sys.executable, "-m", "mlx", "run-experiment", *arguments],
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=messages,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )


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


def test_a_killed_run_shows_as_interrupted_and_is_finished_with_the_same_bytes(folder: Path) -> None:
    whole = started(folder)
    assert whole.wait(120) == 0
    (first,) = find_runs(folder / "outputs")
    killed = started(folder)
    deadline = time.monotonic() + 60
    while not any("preprocess-split" in run.summary.seconds for run in runs_beside(first, folder)):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    (running,) = runs_beside(first, folder)
    assert running.status == "running"
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    (broken,) = runs_beside(first, folder)
    assert broken.status == "interrupted"
    resumed = started(folder, "--resume", broken.id)
    assert resumed.wait(120) == 0
    assert content(broken.folder) == content(first.folder)
    with pytest.raises(SystemExit, match="expected a run that was interrupted or failed, found one that is finished"):
        main(["run-experiment", "--resume", broken.id])


def test_a_run_is_resumed_by_one_process_and_from_a_whole_configuration(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run-experiment"])
    run = folder / capsys.readouterr().out.strip()
    stopped = json.loads((run / "summary.json").read_text()) | {"status": "interrupted"}
    (run / "summary.json").write_text(json.dumps(stopped))
    with (
        run_lock(Workspace(run)),
        pytest.raises(SystemExit, match="expected a folder that no other process is at work on"),
    ):
        main(["run-experiment", "--resume", str(run)])
    with pytest.raises(SystemExit, match="--resume: expected nothing beside it, .* found --set"):
        main(["run-experiment", "--resume", str(run), "--set", "name=b"])
    (run / "config.json").write_text('{"name": 3}')
    with pytest.raises(SystemExit, match=r"config\.json:1: name: expected text, found 3"):
        main(["run-experiment", "--resume", str(run)])


ELSEWHERE: dict[str, dict[str, Any]] = {
    "the same": {},
    "another host name": {"host": "elsewhere"},
    "another container": {"namespace": "pid:[1]", "pid": 1},
    "another start of the computer": {"boot": "0", "pid": 1},
    "a clock that was set": {"started": 0.0},
    "an older version": {"boot": None, "namespace": None, "ticks": None},
}


def described(run: Path, owner: dict[str, Any]) -> Run:
    """Say of a run that the process that `owner` describes works on it."""
    summary = json.loads((run / "summary.json").read_text())
    again = summary | {"status": "running", "owner": summary["owner"] | owner}
    (run / "summary.json").write_text(json.dumps(again))
    return read_run(run)


@pytest.mark.parametrize("owner", ELSEWHERE)
def test_the_lock_alone_says_whether_a_run_is_worked_on(folder: Path, owner: str) -> None:
    run = folder / "outputs/small/1"
    (run / "data").mkdir(parents=True)
    (run / "summary.json").write_text(json.dumps(SUMMARY))
    with run_lock(Workspace(run)):
        assert described(run, ELSEWHERE[owner]).status == "running"
        with pytest.raises(SystemExit, match=r"small/1: .* found one that is running: process \d+ of .* is at work"):
            main(["run-experiment", "--resume", "small/1", "--force"])
    assert described(run, ELSEWHERE[owner]).status == "interrupted"


SUMMARY: dict[str, Any] = {
    "name": "small",
    "status": "running",
    "started": "2026-01-01T00:00:00+00:00",
    "owner": Owner.of_this_process().as_dict(),
    "versions": {},
    "commit": None,
}


@pytest.mark.parametrize(
    ("owner", "status"),
    [("the same", "running"), ("another container", "running"), ("another start of the computer", "running")],
)
def test_where_no_lock_tells_the_message_names_the_way_to_go_on(
    folder: Path, owner: str, status: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run-experiment"])
    run = folder / capsys.readouterr().out.strip()
    monkeypatch.setattr("mlx.runs.run.lock_state", lambda _: "unknown")
    found = described(run, ELSEWHERE[owner])
    assert found.status == status
    if owner == "the same":
        with pytest.raises(SystemExit, match=r"found one that is running: process \d+ of"):
            main(["run-experiment", "--resume", found.id, "--force"])
        assert described(run, {"ticks": 1}).status == "interrupted"  # the number was given out again
        return
    with pytest.raises(
        SystemExit, match=rf"may be running: .* 'mlx run-experiment --resume {found.id} --force' goes on"
    ):
        main(["run-experiment", "--resume", found.id])
    main(["run-experiment", "--resume", found.id, "--force"])
    assert read_run(run).status == "finished"


def test_a_lock_that_other_computers_do_not_show_decides_only_here(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = folder / "outputs/small/1"
    run.mkdir(parents=True)
    (run / "summary.json").write_text(json.dumps(SUMMARY))
    monkeypatch.setattr("mlx.runs.run.seen_by_all", lambda _: False)
    assert described(run, {}).status == "interrupted"
    assert described(run, {"boot": "another"}).status == "running"
    with pytest.raises(SystemExit, match="--resume small/1 --force' goes on"):
        main(["run-experiment", "--resume", "small/1"])


def test_a_run_that_is_worked_on_is_locked_from_its_first_summary_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from mlx import experiment
    from mlx.runs import progress

    states = []
    for module in (experiment, progress):
        monkeypatch.setattr(
            module,
            "write_summary",
            lambda folder, summary: (states.append(lock_state(Workspace(folder))), write_summary(folder, summary)),
        )
    main(["run-experiment"])
    run = capsys.readouterr().out.strip()
    assert states == ["held"] * 9
    with run_lock(Workspace(Path(run))), pytest.raises(SystemExit, match="no other process is at work on"):
        main(["report", run])


def test_two_that_resume_at_once_are_one_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run-experiment"])
    whole = folder / capsys.readouterr().out.strip()
    before = content(whole)
    for name in ("data/representations", "data/model", "data/report"):
        shutil.rmtree(whole / name)
    broken = json.loads((whole / "summary.json").read_text()) | {"status": "interrupted"}
    broken["seconds"] = {"generate-data": 1.0, "preprocess-split": 1.0}
    (whole / "summary.json").write_text(json.dumps(broken))
    both = [started(folder, "--resume", "small") for _ in range(2)]
    assert sorted(process.wait(120) for process in both) == [0, 1]
    said = (folder / "messages.txt").read_text()
    assert said.count("expected a ") == 1, said
    assert "Traceback" not in said
    assert content(whole) == before


@pytest.mark.parametrize("name", ["data/report", "data/model", "metrics", "checkpoints"])
def test_a_link_in_a_run_costs_nothing_that_it_points_to(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "precious").mkdir()
    (folder / "precious/thesis.txt").write_text("kept")
    run = folder / "outputs/small/1"
    (run / "data").mkdir(parents=True)
    (run / name).symlink_to(folder / "precious")
    (run / "summary.json").write_text(json.dumps(SUMMARY | {"status": "interrupted"}))
    (run / "config.json").write_text(json.dumps(CONFIG))
    for command in (["report", "small"], ["run-experiment", "--resume", "small"]):
        with pytest.raises(
            SystemExit, match=f"{name}: expected a folder of the step's own, .*link 'data' or the output"
        ):
            main(command)
    assert [path.name for path in (folder / "precious").iterdir()] == ["thesis.txt"]


def test_a_run_in_a_repository_with_an_mlx_of_its_own_says_which_one_runs(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "mlx/core").mkdir(parents=True)
    (folder / "mlx/core/stage.py").write_text("")
    main(["run-experiment"])
    told = f"not the mlx of this repository, whose commit is recorded; 'python -m mlx' in {folder} runs that one"
    assert told in capsys.readouterr().err


CODE = "open('ran', 'w').close()\ndef net(**given): raise SystemExit(3)\n"


def test_code_that_came_with_a_run_is_not_run_by_any_command(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["run-experiment"])
    run = folder / capsys.readouterr().out.strip()
    (run / "x.py").write_text(CODE)
    file = f"{run.relative_to(folder)}/x.py:net"
    model = json.loads((run / "data/model/model.json").read_text())
    theirs = model | {"name": "custom", "architecture": file, "params": {}}
    (run / "data/model/model.json").write_text(json.dumps(theirs))
    (run / "checksums.json").unlink()  # they could have made one that fits
    refused = "expected a file of the repository's own, found one in"
    with pytest.raises(SystemExit, match=refused):
        main(["eval", "small"])
    config = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps(config | {"dataset": {"name": "custom", "path": file}}))
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"status": "failed", "seconds": {}}))
    for command in (
        ["run-experiment", "--resume", "small"],
        ["run-experiment", "--config", str(run / "config.json")],
        ["run-experiment", "--config", str(run / "config.json"), "--dry-run"],
        ["show-data", "--config", str(run / "config.json")],
    ):
        with pytest.raises(SystemExit, match=refused):
            main(command)
    main(["report", "small"])
    assert not (folder / "ran").exists()


def test_a_function_in_the_output_directory_of_its_experiment_is_refused(folder: Path) -> None:
    (folder / "kept").mkdir()
    (folder / "kept/x.py").write_text(CODE)
    refused = r"kept/x\.py:net: expected a file of the repository's own, found one in the output directory"
    for given in (
        ["dataset.name=custom", "dataset.path=kept/x.py:net"],
        ["model={name: custom, architecture: ./kept/x.py:net}"],
    ):
        changes = ["dataset.params={}", "output.directory=kept", *given]
        with pytest.raises(SystemExit, match=refused):
            main(["run-experiment", "--dry-run", *(word for change in changes for word in ("--set", change))])
    assert not (folder / "ran").exists()


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


def test_eight_at_once_are_eight_whole_runs(folder: Path) -> None:
    processes = [started(folder) for _ in range(8)]
    assert [process.wait(400) for process in processes] == [0] * 8
    runs = list(find_runs(folder / "outputs"))
    assert len(runs) == 8
    assert {run.status for run in runs} == {"finished"}
    assert len({str(sorted(content(run.folder).items())) for run in runs}) == 1


def test_a_list_of_experiments_is_checked_whole_before_the_first_starts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    several = [CONFIG | {"name": "a"}, CONFIG | {"name": "b", "training": {"epochs": 0}}]
    (folder / "list.json").write_text(json.dumps(several, indent=1))
    with pytest.raises(
        SystemExit, match=r"list\.json:\d+: training\.epochs: expected an integer of at least 1, found 0"
    ):
        main(["run-experiment", "--config", "list.json"])
    assert not (folder / "outputs").exists()
    broken = CONFIG | {"name": "b", "dataset": {"name": "custom", "path": "absent.csv"}}
    (folder / "list.json").write_text(json.dumps([CONFIG | {"name": "a"}, broken, CONFIG | {"name": "c"}]))
    for options, ends in (
        ([], ["finished", "failed", "not run"]),
        (["--keep-going"], ["finished", "failed", "finished"]),
    ):
        with pytest.raises(SystemExit, match="1 of 3 experiments failed"):
            main(["run-experiment", "--config", "list.json", *options])
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


@pytest.mark.parametrize("directory", ["..", "/", "../elsewhere", ".", "data", "link/out"])
def test_an_output_directory_outside_of_the_repository_is_refused(folder: Path, directory: str) -> None:
    (folder / "link").symlink_to(folder.parent)
    with pytest.raises(
        SystemExit, match=r"output\.directory: expected a folder of its own inside of the repo"
    ) as caught:
        main(["run-experiment", "--set", f"output.directory={directory}"])
    outside = (folder.parent / "out").resolve()
    assert str(caught.value).endswith(f", which is {outside}" if "link" in directory else f"found '{directory}'")


def test_runs_are_named_in_full_wherever_they_are_listed_from(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["run-experiment"])
    run = folder / capsys.readouterr().out.strip()
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


FOREIGN = {
    "~/results": "in a home outside of it",
    "~nobody-of-this-name/results": "expected a folder of its own inside of the repository",
    "$HOME/results": "variables are not replaced in a configuration",
    "${HOME}/results": "variables are not replaced in a configuration",
    "results/$(date)": "variables are not replaced in a configuration",
    "%USERPROFILE%/results": "variables are not replaced in a configuration",
    "C:\\results": "a path of Windows",
    "C:/results": "a path of Windows",
    "C:results": "a path of Windows",
    "\\\\server\\results": "a path of Windows",
    "a\\results": "a path here is written with /",
    "s3://bucket/results": "that is an address",
    "file:///results": "that is an address",
}


@pytest.mark.parametrize("directory", FOREIGN)
def test_an_output_directory_that_another_system_or_a_shell_would_take_otherwise_is_refused(
    folder: Path, directory: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "home").mkdir()
    monkeypatch.setenv("HOME", str(folder / "home"))
    before = sorted(folder.rglob("*"))
    (folder / "study.json").write_text(json.dumps(CONFIG | {"output": {"directory": directory}}))
    with pytest.raises(SystemExit, match=rf"study.json:1: output\.directory: .*{FOREIGN[directory]}"):
        main(["run-experiment", "--config", "study.json"])
    assert sorted(folder.rglob("*")) == sorted([*before, folder / "study.json"])


def test_a_repository_in_the_home_may_be_named_from_there(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent))
    (folder / "study.json").write_text(json.dumps(CONFIG | {"output": {"directory": f"~/{folder.name}/kept"}}))
    main(["run-experiment", f"--config=~/{folder.name}/study.json"])
    assert (folder / capsys.readouterr().out.strip()).parent == folder / "kept/small"
    assert not (folder / "~").exists()
