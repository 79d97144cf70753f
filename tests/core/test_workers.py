"""Tasks run in order, ahead of time within bounds, and again where a process dies."""

import errno
import os
import pickle
import re
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from mlx.core.arrays import open_array, write_array
from mlx.core.errors import ArtifactError, MlxError, SettingsError
from mlx.core.ordered_map import one_thread_each, packed_here, run_packed
from mlx.core.paths import Workspace
from mlx.core.stage import call_step, run_stage
from mlx.core.workers import RESOURCES_UNUSED, SERIAL, Processes, Threads, Workers, open_workers

EACH = ["serial", "threads:2", pytest.param("processes:2", marks=pytest.mark.slow)]


def square(number: int) -> int:
    return number**2


def fail_at(bad: int, number: int) -> int:
    if number == bad:
        raise ValueError(f"number {number}")
    return number


def die_once(marker: Path, number: int) -> int:
    if number == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def die(number: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize("spec", EACH)
def test_results_come_in_the_order_of_the_items(spec: str) -> None:
    with open_workers(spec) as workers:
        assert list(workers.map(square, range(20))) == [n**2 for n in range(20)]
        assert list(workers.map(square, [])) == []


@pytest.mark.parametrize("spec", EACH)
def test_an_error_of_a_task_is_raised_as_it_is_after_the_results_before_it(spec: str) -> None:
    with open_workers(spec) as workers:
        found = workers.map(partial(fail_at, 2), range(9))
        assert [next(found), next(found)] == [0, 1]
        with pytest.raises(ValueError, match="number 2"):
            next(found)


def test_items_are_taken_a_bounded_number_ahead() -> None:
    taken: list[int] = []

    def items() -> "list[int]":
        for number in range(100):
            taken.append(number)
            yield number

    with open_workers("threads:2") as workers:
        found = workers.map(square, items())
        next(found)
        assert len(taken) <= 5


def write_to_full_disk(number: int) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/data/X.npy")


@pytest.mark.slow
def test_an_error_of_the_disk_of_a_worker_names_the_worker() -> None:
    with open_workers("processes:1") as workers, pytest.raises(OSError, match="No space left") as caught:
        list(workers.map(write_to_full_disk, range(3)))
    assert re.fullmatch(r"/data/X\.npy \(worker process \d+ on .+\)", str(caught.value.filename))


@pytest.mark.slow
def test_a_process_that_dies_is_replaced_and_its_tasks_are_done_again(tmp_path: Path) -> None:
    with open_workers("processes:2") as workers:
        assert list(workers.map(partial(die_once, tmp_path / "died"), range(9))) == list(range(9))
    assert (tmp_path / "died").exists()


@pytest.mark.slow
def test_a_task_at_which_every_process_dies_ends_the_work_with_one_message() -> None:
    with (
        open_workers("processes:1") as workers,
        pytest.raises(MlxError, match="died at the same one 3 times; .* fewer"),
    ):
        list(workers.map(die, range(3)))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("thread:2", "--workers: expected serial, threads, .* found 'thread:2'"),
        ("threads:0", "--workers: expected a number from 1 to 1024 after the colon, found 'threads:0'"),
        ("processes:", "after the colon, found 'processes:'"),
        ("threads:two", "after the colon, found 'threads:two'"),
    ],
)
def test_workers_that_do_not_exist_are_rejected(spec: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said), open_workers(spec):
        pass


def test_the_environment_chooses_where_no_argument_does(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLX_WORKERS", "processes:3")
    with open_workers() as workers:
        assert isinstance(workers, Processes)
        assert workers.count == 3
    with open_workers("serial") as workers:
        assert workers is SERIAL
    monkeypatch.setenv("MLX_WORKERS", "many")
    with pytest.raises(SettingsError, match="MLX_WORKERS: expected serial"), open_workers():
        pass
    monkeypatch.delenv("MLX_WORKERS")
    with open_workers() as workers:
        assert isinstance(workers, Threads)


def test_a_step_gets_the_workers_if_it_takes_them(tmp_path: Path) -> None:
    def with_workers(workspace: Workspace, workers: Workers, *, residuals: int) -> str:
        return f"{workers.count} and {residuals}"

    def without(workspace: Workspace, *, residuals: int) -> str:
        return str(residuals)

    assert call_step(with_workers, Workspace(tmp_path), Threads(5), {"residuals": 7}) == "5 and 7"
    assert call_step(without, Workspace(tmp_path), Threads(5), {"residuals": 7}) == "7"


def test_a_stage_says_that_it_does_not_choose_its_worker_by_resources(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def evaluate(workspace: Workspace) -> str:
        return "done"

    monkeypatch.chdir(tmp_path)
    (tmp_path / "params.yaml").write_text("name: x\nresources: {GPU: 1}\n")
    run_stage(evaluate)
    said = capsys.readouterr()
    assert said.err == f"evaluate: params.yaml:2: {RESOURCES_UNUSED}\n"
    assert said.out.startswith("evaluate: done")
    (tmp_path / "params.yaml").write_text("name: x\nresources: 1\n")
    with pytest.raises(SystemExit):
        run_stage(evaluate)
    assert capsys.readouterr().err == "params.yaml:2: resources: expected a section of keys, found 1\n"


def test_a_memory_mapped_file_travels_by_its_path(tmp_path: Path) -> None:
    write_array(tmp_path / "x.npy", np.arange(60_000.0).reshape(-1, 3))
    whole = open_array(tmp_path / "x.npy")
    packed = pickle.dumps(whole)
    assert len(packed) < 1000
    assert (pickle.loads(packed) == whole).all()  # noqa: S301  # made here
    for part in (whole[5:9], whole[19_000:], whole[:0], whole[::2], whole[:, 1], whole[4], np.asarray(whole)[3:5]):
        again = pickle.loads(pickle.dumps(part))  # noqa: S301
        np.testing.assert_array_equal(again, part)
        assert again.shape == part.shape
    assert len(pickle.dumps(whole[4:19_000])) < 1000
    with (tmp_path / "x.npy").open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(ArtifactError, match=r"x\.npy"):
        pickle.loads(packed)  # noqa: S301


def test_large_arrays_of_a_function_are_files_that_processes_map() -> None:
    large, small = np.arange(100_000.0), np.arange(3)
    function = partial(added, large, small)
    with one_thread_each(), packed_here(function) as sent:
        assert isinstance(sent, Path)
        assert [file.stat().st_size for file in sent.glob("*.array")] == [large.nbytes]
        assert run_packed(sent, 2) == added(large, small, 2)
    assert not sent.exists()
    with one_thread_each(), packed_here(partial(added, small, small)) as sent:
        assert isinstance(sent, bytes)
        assert run_packed(sent, 2) == added(small, small, 2)


def added(first: np.ndarray, second: np.ndarray, number: int) -> float:
    return float(first.sum() + second.sum() + number)


def test_dask_is_imported_only_where_it_is_asked_for() -> None:
    code = (
        "import sys; import mlx.cli, mlx.experiment, mlx.core.stage; from mlx.core.workers import open_workers\n"
        "with open_workers('threads:2') as workers: list(workers.map(abs, [1]))\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'dask', 'distributed'})"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout == "set()\n"
