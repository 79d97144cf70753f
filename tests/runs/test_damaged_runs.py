"""A run notices what was changed in it, repairs it, and never loses its status or the hint of how to go on."""

import json
import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from read_damaged import mutated
from small_runs import repeatable_content, restate

from mlx.cli import main
from mlx.core.checksums import Checksums, write_checksums
from mlx.experiment import NAMES
from mlx.training import Checkpoints

pytestmark = pytest.mark.slow


def flipped(path: Path, at: int = -1) -> None:
    """Change one bit of a file, by default in its last byte."""
    changed = bytearray(path.read_bytes())
    changed[at] ^= 1
    path.write_bytes(changed)


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("data/splits/X_test.npy", ["eval", "tiny"]),
        ("data/model/weights.npz", ["eval", "tiny"]),
        ("checkpoints/best/weights.npz", ["eval", "tiny", "--checkpoint", "best"]),
        ("data/residuals/samples.parquet", ["report", "tiny"]),
        ("metrics/evaluation.json", ["report", "tiny"]),
        ("data/raw/X.npy", ["report", "tiny"]),
        ("data/representations/test/y_pred.npy", ["compare", "tiny"]),
    ],
)
def test_a_file_that_was_changed_is_noticed_by_whoever_reads_it_and_resuming_repairs_it(
    run: Path, name: str, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    before = repeatable_content(run)
    flipped(run / name)
    if command[0] == "compare":
        shutil.copytree(run, run.with_name("20010101-000000"))
        command = ["compare", str(run), str(run.with_name("20010101-000000"))]
    with pytest.raises(SystemExit, match=f"{name}: .*run-experiment --resume .*"):
        main(command)
    main(["run-experiment", "--resume", str(run)])
    assert f"is repeated, as {name} is not what the step wrote" in capsys.readouterr().err
    assert repeatable_content(run) == before


def test_a_label_that_is_none_is_named_with_its_file_and_row(run: Path) -> None:
    y = np.load(run / "data/raw/y.npy")
    y[50] = 2147483648
    np.save(run / "data/raw/y.npy", y)
    with pytest.raises(SystemExit, match=r"raw/y\.npy: row 50: expected a class from 0 to 2, found 2147483648; .*--"):
        main(["report", "tiny"])


def test_metrics_of_another_shape_draw_no_page(run: Path) -> None:
    (run / "checksums.json").unlink()
    (run / "metrics/residuals.json").write_text('{"a": 1}')
    with pytest.raises(SystemExit, match=r"metrics/residuals\.json: expected a key 'confidence', found a; "):
        main(["report", "tiny"])


def steps_in(said: str) -> list[str]:
    """Return the steps that ran, by their lines."""
    return [step for line in said.splitlines() if (step := line.partition(":")[0]) in NAMES]


def test_what_is_missing_or_cut_is_written_again_and_what_follows_only_where_it_differs(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = repeatable_content(run)
    (run / "data/splits/y_val.npy").unlink()
    os.truncate(run / "data/representations/test/index.npy", 100)
    main(["run-experiment", "--resume", str(run)])
    said = capsys.readouterr().err
    assert steps_in(said) == ["preprocess-split", "extract-representations"]
    assert repeatable_content(run) == before
    record = json.loads((run / "checksums.json").read_text())
    record["steps"]["evaluate"]["metrics/roc.csv"] = "0" * 64
    (run / "checksums.json").write_text(json.dumps(record))  # as if the step had written something else before
    main(["run-experiment", "--resume", str(run)])
    said = capsys.readouterr().err
    assert steps_in(said) == ["evaluate", "residuals-analysis", "report"]
    assert repeatable_content(run) == before


def test_a_name_that_changed_or_vanished_in_the_record_is_noticed_and_so_is_a_file_that_nothing_has_to_read(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, record = repeatable_content(run), (run / "checksums.json").read_text()
    lines = record.splitlines(keepends=True)
    gone = "".join(line for line in lines if "data/splits/index_test.npy" not in line)
    for changed in (record.replace("metrics/roc.csv", "metrics/roc.csw"), gone):
        (run / "checksums.json").write_text(changed)
        for command in ("eval", "report", "issues"):
            with pytest.raises(
                SystemExit, match=r"checksums\.json: names: expected the SHA-256 of the names in 'steps'"
            ):
                main([command, "tiny"])
    main(["run-experiment", "--resume", str(run)])
    assert repeatable_content(run) == before
    (run / "data/splits/duplicates.parquet").unlink()
    capsys.readouterr()
    main(["issues", "tiny"])
    said = "warning: files of the run are missing: data/splits/duplicates.parquet; 'mlx run-experiment --resume "
    assert said in capsys.readouterr().err
    main(["run-experiment", "--resume", str(run)])
    assert repeatable_content(run) == before


def test_a_finished_run_that_is_whole_is_not_resumed(run: Path) -> None:
    shutil.rmtree(run / "checkpoints")  # to save space
    with pytest.raises(SystemExit, match="interrupted or failed, found one that is finished, and its files whole"):
        main(["run-experiment", "--resume", str(run)])


def test_a_report_that_is_drawn_again_is_no_damage(run: Path) -> None:
    main(["report", "tiny"])
    with pytest.raises(SystemExit, match="found one that is finished, and its files whole"):
        main(["run-experiment", "--resume", str(run)])


def test_a_record_that_is_damaged_has_every_step_repeated(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = repeatable_content(run)
    os.truncate(run / "checksums.json", 50)
    main(["run-experiment", "--resume", str(run)])
    assert "every step is repeated, as nothing tells what they wrote" in capsys.readouterr().err
    assert repeatable_content(run) == before


def cut(path: Path) -> None:
    os.truncate(path, 100)


def altered(path: Path) -> None:
    """Change one digit of an accuracy."""
    content = path.read_text()
    place = content.index('"accuracy": ') + len('"accuracy": 0.')
    path.write_text(f"{content[:place]}{(int(content[place]) + 1) % 10}{content[place + 1 :]}")


def replaced_by(make: Callable[[Path], None]) -> Callable[[Path], None]:
    return lambda path: (path.unlink(), make(path))[1]


@pytest.mark.parametrize(
    "damage",
    [cut, altered, replaced_by(Path.mkdir), replaced_by(os.mkfifo), Path.unlink],
    ids=["cut", "altered", "folder", "pipe", "gone"],
)
def test_a_run_without_a_readable_summary_is_listed_as_damaged_beside_the_others(
    run: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    other = run.with_name("20010101-000000")
    shutil.copytree(run, other)
    damage(other / "summary.json")
    main(["runs"])
    said = capsys.readouterr()
    assert said.out.splitlines()[1].split()[:2] == [f"tiny/{other.name}", "damaged"]
    assert run.name in said.out
    assert f"tiny/{other.name}: damaged: " in said.err
    assert "summary.json" in said.err
    main(["runs", "--json", "--status", "damaged"])
    assert [found["status"] for found in json.loads(capsys.readouterr().out)] == ["damaged"]


@pytest.mark.parametrize("damage", [cut, altered, Path.unlink])
def test_a_damaged_summary_is_made_anew_by_resuming(
    run: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    before, summary = repeatable_content(run), json.loads((run / "summary.json").read_text())
    damage(run / "summary.json")
    main(["run-experiment", "--resume", str(run)])
    assert repeatable_content(run) == before
    after = json.loads((run / "summary.json").read_text())
    assert (after["status"], list(after["seconds"]), after["metrics"]) == (
        "finished", list(summary["seconds"]), summary["metrics"],
    )  # fmt: skip
    assert "is repeated" not in capsys.readouterr().err


def test_a_damaged_or_changed_configuration_is_named_with_what_to_do(run: Path) -> None:
    config = (run / "config.json").read_text()
    (run / "config.json").write_text(config.replace('"seed": 42', '"seed": 43'))
    for command in (["run-experiment", "--resume"], ["eval"], ["report"]):
        with pytest.raises(SystemExit, match=r"config\.json: its content is not what the run wrote.*--config .*"):
            main([*command, str(run)])
    cut(run / "config.json")
    with pytest.raises(SystemExit, match=r"config\.json:.*not valid JSON.*: start the experiment again"):
        main(["run-experiment", "--resume", str(run)])


def test_a_configuration_that_can_not_be_run_is_not_to_be_resumed(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="model"):
        main(["run-experiment", "--config", "tiny.yaml", "--set", "model.name=linear_regression"])
    assert "a run keeps its configuration: change it or the data, and start a new run" in capsys.readouterr().err


def test_a_training_that_was_killed_has_the_checkpoints_of_before_and_after_on_record(
    run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, save = repeatable_content(run), Checkpoints.save

    def killed(*args: Any) -> None:
        save(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoints, "save", killed)
    with pytest.raises(SystemExit):
        main(["run-experiment", "--config", "tiny.yaml"])
    monkeypatch.setattr(Checkpoints, "save", save)
    (new,) = (folder for folder in run.parent.iterdir() if folder != run)
    assert (new / "checkpoints/epoch_0001").is_dir()
    main(["run-experiment", "--resume", str(new)])
    assert repeatable_content(new) == before


@pytest.mark.parametrize("seed", range(2))
def test_a_run_that_was_killed_and_whose_newest_file_is_damaged_ends_with_the_same_bytes(run: Path, seed: int) -> None:
    before, rng = repeatable_content(run), random.Random(seed)  # noqa: S311  # where to damage a file is no secret
    summary, record = (json.loads((run / name).read_text()) for name in ("summary.json", "checksums.json"))
    done = list(summary["seconds"])[: rng.randrange(1, 7)]
    restate(run, status="running", finished=None, seconds=dict.fromkeys(done, 1.0), metrics={})
    kept = {step: files for step, files in record["steps"].items() if step in {*done, "configuration"}}
    write_checksums(run, Checksums(steps=kept))
    newest = run / rng.choice([*kept[done[-1]], "summary.json", "checksums.json"])
    damaged = mutated(newest.read_bytes(), rng)
    newest.write_bytes(damaged)
    main(["run-experiment", "--resume", str(run)])
    assert repeatable_content(run) == before
