"""Who works on a run: locks, owners, and resuming."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from small_runs import SUMMARY, content, restate, started

from mlx.cli import main
from mlx.core.locks import lock_state, run_lock
from mlx.core.paths import Workspace
from mlx.runs.run import Run, read_run, write_summary

pytestmark = pytest.mark.slow


def test_a_run_is_resumed_by_one_process_and_from_a_whole_configuration(
    finished_run: Path,
) -> None:
    run = finished_run
    restate(run, status="interrupted")
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
    restate(run, status="running", owner=summary["owner"] | owner)
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


@pytest.mark.parametrize(
    ("owner", "status"),
    [("the same", "running"), ("another container", "running"), ("another start of the computer", "running")],
)
def test_where_no_lock_tells_the_message_names_the_way_to_go_on(
    finished_run: Path, owner: str, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mlx.runs.run.lock_state", lambda _: "unknown")
    found = described(finished_run, ELSEWHERE[owner])
    assert found.status == status
    if owner == "the same":
        with pytest.raises(SystemExit, match=r"found one that is running: process \d+ of"):
            main(["run-experiment", "--resume", found.id, "--force"])
        assert described(finished_run, {"ticks": 1}).status == "interrupted"  # the number was given out again
        return
    with pytest.raises(
        SystemExit, match=rf"may be running: .* 'mlx run-experiment --resume {found.id} --force' goes on"
    ):
        main(["run-experiment", "--resume", found.id])
    main(["run-experiment", "--resume", found.id, "--force"])
    assert read_run(finished_run).status == "finished"


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


def test_two_that_resume_at_once_are_one_run(folder: Path, finished_run: Path) -> None:
    whole, before = finished_run, content(finished_run)
    for name in ("data/representations", "data/model", "data/report"):
        shutil.rmtree(whole / name)
    restate(whole, status="interrupted", seconds={"generate-data": 1.0, "preprocess-split": 1.0})
    both = [started(folder, "--resume", "small") for _ in range(2)]
    assert sorted(process.wait(120) for process in both) == [0, 1]
    said = (folder / "messages.txt").read_text()
    assert said.count("expected a ") == 1, said
    assert "Traceback" not in said
    assert content(whole) == before
