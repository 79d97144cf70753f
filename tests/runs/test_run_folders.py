"""Where runs are written, and code and links inside of them."""

import json
from pathlib import Path

import pytest
from small_runs import CONFIG, SUMMARY, restate

from mlx.cli import main

pytestmark = pytest.mark.slow


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
    restate(run, status="failed", seconds={})
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


@pytest.mark.parametrize("directory", ["..", "/", "../elsewhere", ".", "data", "link/out"])
def test_an_output_directory_outside_of_the_repository_is_refused(folder: Path, directory: str) -> None:
    (folder / "link").symlink_to(folder.parent)
    with pytest.raises(
        SystemExit, match=r"output\.directory: expected a folder of its own inside of the repo"
    ) as caught:
        main(["run-experiment", "--set", f"output.directory={directory}"])
    outside = (folder.parent / "out").resolve()
    assert str(caught.value).endswith(f", which is {outside}" if "link" in directory else f"found '{directory}'")


FOREIGN = {
    "~/results": "in a home outside of it",
    "  ": "a name with blanks around it",
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
