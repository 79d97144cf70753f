"""A training that is cut off continues from its checkpoints to the same end."""

import os
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from line import Line
from short_training import End, KilledAfter, train

from mlx.training import load_checkpoint


@pytest.mark.parametrize("frequency", [1, 2, 5])
def test_an_epoch_that_was_cut_off_is_done_again_to_the_same_end(tmp_path: Path, end: End, frequency: int) -> None:
    for batches in (3, 8, 17, 30, 50, 30):
        train(tmp_path, KilledAfter(batches), frequency=frequency)
    found, said, _ = train(tmp_path, frequency=frequency)
    assert found == end
    assert said[-1].startswith("continues after epoch ")


# Every change of the disk goes through one of these: a process that dies at one leaves what was before it.
CHANGES = [(Path, "replace"), (Path, "mkdir"), (Path, "unlink"), (shutil, "rmtree"), (zipfile.ZipFile, "open")]


def dying_at(call: int, folder: Path, frequency: int) -> int:
    """Train in a process that ends without any clean-up at its `call`-th change of the disk; return its status."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    calls = [0]

    def dying(original: Callable[..., Any]) -> Callable[..., Any]:
        def change(*args: Any, **kwargs: Any) -> Any:
            calls[0] += 1
            if calls[0] == call:
                os._exit(9)
            return original(*args, **kwargs)

        return change

    for owner, name in CHANGES:
        setattr(owner, name, dying(getattr(owner, name)))
    try:
        train(folder, frequency=frequency)[2].finish()
        os._exit(0)
    finally:
        os._exit(1)


@pytest.mark.slow
@pytest.mark.parametrize(("frequency", "stride"), [(1, 5), (3, 2)])
def test_a_process_that_dies_while_it_writes_leaves_a_checkpoint_that_is_continued(
    tmp_path: Path, end: End, frequency: int, stride: int
) -> None:
    call, tried, continued = 1, 0, 0
    while True:
        folder = tmp_path / str(call)
        status = dying_at(call, folder, frequency)
        if status == 0:
            break
        assert status == 9
        found, said, checkpoints = train(folder, frequency=frequency)
        assert found == end, call
        continued += any(line.startswith("continues") for line in said)
        assert not [line for line in said if "not used" in line], call
        checkpoints.finish()
        left = {path.name for path in folder.iterdir() if not path.name.startswith(".")}
        assert left == {"best", *(f"epoch_{n:04d}" for n in range(frequency, len(end[1]) + 1, frequency))}
        call, tried = call + stride, tried + 1
    assert tried > 40
    assert continued > 0.3 * tried


def test_after_the_results_are_written_the_next_start_begins_anew(tmp_path: Path, end: End) -> None:
    train(tmp_path)[2].finish()
    found, said, _ = train(tmp_path)
    assert found == end
    assert said == []


def test_until_the_results_are_written_it_has_nothing_left_to_train(tmp_path: Path, end: End) -> None:
    train(tmp_path)
    found, said, _ = train(tmp_path, KilledAfter(0))
    assert found == end
    assert said == [f"continues after epoch {len(end[1])}, from {tmp_path / 'last'}"]


def test_another_training_starts_anew_and_says_what_changed(tmp_path: Path) -> None:
    train(tmp_path, KilledAfter(30), print_of={"training.epochs": 9, "data.X_train": "a", "model.name": "line"})
    now = {"training.epochs": 10, "data.X_train": "b", "model.name": "line"}
    found, said, _ = train(tmp_path, print_of=now, epochs=10)
    assert said == [
        "starts over, as the checkpoints are of another training: training.epochs was 9 and is 10, other data.X_train"
    ]
    assert found == train(tmp_path / "fresh", epochs=10)[0]


def test_the_best_and_every_asked_for_epoch_can_be_loaded(tmp_path: Path, end: End, monkeypatch: Any) -> None:
    monkeypatch.setattr("mlx.training.checkpoints.rebuild_model", lambda _: Line())
    train(tmp_path, frequency=2)
    best = load_checkpoint(tmp_path / "best")
    assert best.weights()[0].tolist() == end[0]
    for epoch in (2, 4):
        settings = {"epochs": epoch, "early_stopping_patience": None}
        expected = train(tmp_path / str(epoch), **settings)[0][0]
        assert load_checkpoint(tmp_path / f"epoch_{epoch:04d}").weights()[0].tolist() == expected
