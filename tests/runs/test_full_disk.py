"""What can not be written is named; the run keeps its status and the hint of how to go on."""

import errno
import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from blank_figures import BLANK, FEW
from small_runs import RUN, repeatable_content

from mlx.cli import main
from mlx.runs import progress
from mlx.runs.run import write_summary

pytestmark = pytest.mark.slow


def limited(size: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an experiment in a process that may write no file larger than `size` bytes."""
    return subprocess.run(
        (sys.executable, "-c", BLANK + FEW + RUN, *arguments),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)),  # one thread
    )


def test_a_file_that_can_not_be_written_is_named_and_the_run_goes_on_afterwards(run: Path) -> None:
    before = repeatable_content(run)
    page = len(before["data/report/report.html"])
    assert page == max(map(len, before.values()))
    done = limited(page - 1, "--config", "tiny.yaml")
    (new,) = (folder for folder in run.parent.iterdir() if folder != run)
    assert done.returncode == 1
    said = f"outputs/tiny/{new.name}/data/report/report.html: File too large"
    assert done.stderr.splitlines()[-1] == said
    hint = f"'mlx run-experiment --resume tiny/{new.name}' goes on"
    assert done.stderr.splitlines()[-2] == f"tiny/{new.name}: failed; {hint}"
    assert (new / "run.log").read_text().splitlines()[-1] == f"tiny/{new.name}: failed: {said}; {hint}"
    main(["run-experiment", "--resume", str(new)])
    assert repeatable_content(new) == before


def test_a_summary_that_can_not_be_written_leaves_the_old_one_and_the_hint(
    run: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = repeatable_content(run)
    (run / "data/splits/y_val.npy").unlink()

    def full(folder: Path, _: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder / "summary.json"))

    monkeypatch.setattr(progress, "write_summary", full)
    with pytest.raises(SystemExit, match=r"summary\.json: No space left on device"):
        main(["run-experiment", "--resume", str(run)])
    monkeypatch.setattr(progress, "write_summary", write_summary)
    said = capsys.readouterr().err
    assert said.splitlines()[-1].endswith(f"'mlx run-experiment --resume tiny/{run.name}' goes on")
    assert json.loads((run / "summary.json").read_text())["status"] == "running"
    main(["runs"])
    assert "interrupted" in capsys.readouterr().out
    main(["run-experiment", "--resume", str(run)])
    assert repeatable_content(run) == before
