"""Nothing is removed, replaced or written through a link."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlx.core.artifacts import replacing_folder, write_json
from mlx.core.console import note, recorded_in
from mlx.core.errors import ArtifactError
from mlx.core.locks import run_lock
from mlx.core.own_folders import remove
from mlx.core.paths import Workspace
from mlx.training.checkpoints import clear_checkpoints
from mlx.training.live import LiveMetrics

STEP_FOLDERS = [
    *(f"data/{name}" for name in ("raw", "splits", "model", "representations", "residuals", "report")),
    "metrics",
    "checkpoints",
    "dvclive",
]
IN_THE_WAY: dict[str, Callable[[Path, Path], None]] = {
    "a link to a folder": lambda path, other: path.symlink_to(other),
    "a relative link": lambda path, other: path.symlink_to(os.path.relpath(other, path.parent)),
    "a link to nothing": lambda path, other: path.symlink_to(other / "nothing"),
    "a link to itself": lambda path, _: path.symlink_to(path),
    "a link to a file": lambda path, other: path.symlink_to(other / "thesis.txt"),
    "a file": lambda path, _: path.write_text("mine"),
    "a FIFO": lambda path, _: os.mkfifo(path),
}


@pytest.fixture
def precious(tmp_path: Path) -> Path:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/thesis.txt").write_text("kept")
    return tmp_path / "precious"


@pytest.fixture(autouse=True)
def _kept(precious: Path) -> Iterator[None]:
    yield
    assert [path.name for path in precious.iterdir()] == ["thesis.txt"]
    assert (precious / "thesis.txt").read_text() == "kept"


@pytest.mark.parametrize("name", STEP_FOLDERS)
@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_a_workspace_with_something_else_for_a_folder_of_a_step_is_refused(
    tmp_path: Path, precious: Path, name: str, kind: str
) -> None:
    path = tmp_path / "run" / name
    path.parent.mkdir(parents=True)
    IN_THE_WAY[kind](path, precious)
    expected = "expected a folder of the step's own, .* found a link to" if "link" in kind else "found something else"
    with (
        pytest.raises(ArtifactError, match=f"{name}: .*{expected}|{name}: {expected}"),
        run_lock(Workspace(tmp_path / "run")),
    ):
        pytest.fail("the step ran")
    assert os.path.lexists(path)


@pytest.mark.parametrize("kind", IN_THE_WAY)
def test_a_folder_is_never_put_in_the_place_of_something_else(tmp_path: Path, precious: Path, kind: str) -> None:
    IN_THE_WAY[kind](tmp_path / "out", precious)
    with pytest.raises(ArtifactError, match="out: expected a folder"), replacing_folder(tmp_path / "out"):
        pytest.fail("it began")
    assert os.path.lexists(tmp_path / "out")


def test_a_link_that_appears_while_a_step_works_is_refused(tmp_path: Path, precious: Path) -> None:
    with pytest.raises(ArtifactError, match="found a link to"), replacing_folder(tmp_path / "out"):
        (tmp_path / "out").symlink_to(precious)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "precious"]


def test_links_inside_of_a_folder_and_in_its_temporary_places_go_alone(tmp_path: Path, precious: Path) -> None:
    (tmp_path / "out/deeper").mkdir(parents=True)
    (tmp_path / "out/deeper/link").symlink_to(precious)
    (tmp_path / f".out.{os.getpid()}.tmp").symlink_to(precious)
    (tmp_path / ".out.1.tmp").symlink_to(tmp_path / ".out.1.tmp")
    (tmp_path / ".a.json.1.tmp").symlink_to(precious)
    with replacing_folder(tmp_path / "out") as folder:
        (folder / "new").write_text("new")
    write_json(tmp_path / "a.json", {})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "out", "precious"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["new"]


def test_a_file_that_is_a_link_is_replaced_and_what_it_points_to_stays(tmp_path: Path, precious: Path) -> None:
    (tmp_path / "a.json").symlink_to(precious / "thesis.txt")
    write_json(tmp_path / "a.json", {"a": 1})
    assert not (tmp_path / "a.json").is_symlink()


def test_a_device_or_pipe_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/full")
    for path, found in (
        (tmp_path / "pipe", "a pipe"),
        (tmp_path / "link", "a device"),
        (Path("/dev/full"), "a device"),
        (Path("/dev/stdout"), "a link of the system"),
    ):
        if not path.exists():
            continue  # another system
        with pytest.raises(ArtifactError, match=f"{path}: expected a file, or a name for a new one, found {found}"):
            write_json(path, {})
        assert not path.is_file() or path.is_symlink()


def test_a_log_that_is_a_link_is_not_written_to(tmp_path: Path, precious: Path) -> None:
    (tmp_path / "run.log").symlink_to(precious / "thesis.txt")
    with pytest.raises(OSError, match="symbolic links"), recorded_in(tmp_path / "run.log"):
        note("more")


@pytest.mark.parametrize("name", ["data/.lock", "data/.train.lock", "run.log"])
@pytest.mark.parametrize("kind", [*(kind for kind in IN_THE_WAY if kind != "a file"), "a folder"])
def test_something_else_for_a_lock_or_a_log_is_refused_with_the_way_out(
    tmp_path: Path, precious: Path, name: str, kind: str
) -> None:
    path = tmp_path / "run" / name
    (tmp_path / "run/data").mkdir(parents=True)
    (IN_THE_WAY | {"a folder": lambda path, _: path.mkdir()})[kind](path, precious)
    found = "found a link to .*; remove the link" if "link" in kind else "found a (folder|pipe); move it away"
    step = "train" if "train" in name else None
    with (
        pytest.raises(ArtifactError, match=f"{name}: expected a file, {found}"),
        run_lock(Workspace(tmp_path / "run"), step=step),
    ):
        pytest.fail("the step ran")
    assert os.path.lexists(path)


def test_checkpoints_and_live_metrics_that_are_links_go_alone(tmp_path: Path, precious: Path) -> None:
    (tmp_path / "checkpoints").mkdir()
    for name in ("last", "best", "epoch_0001", ".last.going.tmp"):
        (tmp_path / "checkpoints" / name).symlink_to(precious)
    clear_checkpoints(tmp_path / "checkpoints")
    assert not list((tmp_path / "checkpoints").iterdir())
    (tmp_path / "dvclive").mkdir()
    (tmp_path / "dvclive/plots").symlink_to(precious)
    (tmp_path / "dvclive/metrics.json").symlink_to(precious / "thesis.txt")
    live = LiveMetrics(tmp_path / "dvclive")
    live.begin([{"loss": 1.0}])
    live.close()
    assert (tmp_path / "dvclive/plots/metrics/loss.tsv").read_text().splitlines()[0].split("\t")[-1] == "loss"


def test_data_may_be_a_link_to_a_folder(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "large").mkdir()
    (tmp_path / "run/data").symlink_to(tmp_path / "large")
    workspace = Workspace(tmp_path / "run")
    with run_lock(workspace), replacing_folder(workspace.raw) as folder:
        (folder / "X.npy").write_text("1")
    assert (tmp_path / "large/raw/X.npy").exists()
    (tmp_path / "large").rename(tmp_path / "moved")
    with pytest.raises(ArtifactError, match="data: expected a folder, or a link to one"), run_lock(workspace):
        pass


def test_removing_what_is_not_there_is_no_error(tmp_path: Path) -> None:
    remove(tmp_path / "nothing")
