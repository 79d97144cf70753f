"""The `mlx` command: answers on stdout, one message on stderr, exit 1 on every error."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlx import __version__
from mlx.cli import main

ROOT = Path(__file__).parents[1]
CONFIG = {
    "name": "small",
    "dataset": {"name": "digits"},
    "preprocessing": {"scaling": "unit"},
    "model": {"name": "logistic_regression"},
    "residuals": {"n_bootstrap": 100, "n_permutations": 99, "projections": ["pca"]},
    "report": {"dpi": 50},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text(json.dumps(CONFIG))  # JSON is YAML
    return tmp_path


def run(*arguments: str) -> int:
    try:
        main(arguments)
    except SystemExit as exit_:
        if isinstance(exit_.code, str):
            raise AssertionError(exit_.code) from None
        return int(exit_.code or 0)
    return 0


@pytest.mark.slow
def test_an_experiment_runs_in_one_process_into_a_folder_of_the_shape_of_a_workspace(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("run-experiment") == 0
    made = folder / capsys.readouterr().out.strip()
    assert made.parent == folder / "outputs/small"
    assert json.loads((made / "config.json").read_text())["training"]["epochs"] == 10
    assert json.loads((made / "metrics/evaluation.json").read_text())["accuracy"] > 0.9
    assert (made / "data/report/report.html").exists()


@pytest.mark.slow
def test_a_dry_run_shows_the_configuration_whole_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = sorted(folder.rglob("*"))
    assert run("run-experiment", "--dry-run") == 0
    assert yaml.safe_load(capsys.readouterr().out)["split"]["test_size"] == 0.2
    assert sorted(folder.rglob("*")) == before


def test_samples_of_a_dataset_are_drawn(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show-data", "--output", "digits.png") == 0
    assert capsys.readouterr().out.strip() == "digits.png"
    assert (folder / "digits.png").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(SystemExit, match=r"^--output: expected a file that ends in \.png, found digits\.txt$"):
        main(["show-data", "--output", "digits.txt"])


def test_the_help_of_a_command_keeps_names_in_capitals(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("schema", "--help") == 0
    assert "Print the JSON Schema of a configuration" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("run-experiment", "--nonsense")])
def test_a_wrong_command_line_ends_with_1_and_says_what_to_do(
    arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "usage: mlx" in shown.err or "--help" in shown.err


@pytest.mark.slow
def test_nobody_needs_to_listen(folder: Path) -> None:
    command = f"exec {sys.executable} -m mlx run-experiment --config params.yaml 2>&-"
    done = subprocess.run(("sh", "-c", command), stdout=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 0
    assert json.loads((folder / done.stdout.strip() / "summary.json").read_text())["status"] == "finished"


def test_a_bad_configuration_ends_with_1_and_one_message(folder: Path) -> None:
    (folder / "params.yaml").write_text(json.dumps(CONFIG | {"training": {"epochs": 0}}, indent=1))
    with pytest.raises(SystemExit, match=r"^params\.yaml:\d+: training\.epochs: expected an integer of at least 1"):
        main(["run-experiment"])
    assert [path.name for path in folder.iterdir()] == ["params.yaml"]
    with pytest.raises(SystemExit, match=r"^absent\.yaml: no such file"):
        main(["run-experiment", "--config", "absent.yaml"])


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--version") == 0
    assert capsys.readouterr().out.strip() == f"mlx {__version__}"


@pytest.mark.slow
@pytest.mark.parametrize("arguments", ["schema", "--help", "--version", "schema --help", "completion bash"])
def test_whoever_reads_an_answer_may_stop_before_its_end(arguments: str) -> None:
    command = f"{sys.executable} -m mlx {arguments} | true; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(("bash", "-c", command), capture_output=True, text=True, timeout=300, check=True)
    assert (done.stdout, done.stderr) == ("0\n", "")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", ["schema", "--help"])
def test_an_answer_that_can_not_be_written_is_an_error_of_one_line(arguments: str) -> None:
    command = f"{sys.executable} -m mlx {arguments} > /dev/full"
    done = subprocess.run(("bash", "-c", command), capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stderr) == (1, "standard output: No space left on device\n")


def test_what_a_library_warns_of_is_one_line_without_its_source(capsys: pytest.CaptureFixture[str]) -> None:
    import warnings

    from mlx.core.console import warnings_as_lines

    with warnings_as_lines():
        warnings.simplefilter("always")
        for _ in range(2):
            warnings.warn("did not\nconverge", stacklevel=1)
        warnings.warn("will change", FutureWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: did not converge\n"
