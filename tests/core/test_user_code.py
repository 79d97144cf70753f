"""A folder of results is data: no function in one is run, by whatever way a configuration names it."""

import json
from pathlib import Path

import pytest

from mlx.core.errors import DataError
from mlx.core.user_code import UserFunction

CODE = "open('ran', 'w').close()\ndef net(): return 1\n"
SUMMARY = json.dumps({"status": "finished", "owner": {}})


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "repository/.git").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository"


def written(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def load(name: str) -> object:
    return UserFunction(f"{name}:net", key="model.architecture", purpose="a model")()


@pytest.mark.parametrize(
    ("file", "beside"),
    [
        ("data/model/x.py", {}),
        ("data/x.py", {}),
        ("checkpoints/best/x.py", {}),
        ("metrics/x.py", {}),
        ("outputs/x.py", {}),
        ("results/x.py", {"params.yaml": "output: {directory: results}\n"}),
        ("received/x.py", {"received/summary.json": SUMMARY}),
        ("received/code/deep/x.py", {"received/summary.json": SUMMARY}),
        ("received/x.py", {"received/study/20260101/summary.json": SUMMARY}),
        ("received/study/x.py", {"received/study/20260101/summary.json": SUMMARY}),
        ("received/examples/x.py", {"received/data/model/model.json": "{}", "received/params.yaml": ""}),
        ("x.py", {"summary.json": SUMMARY}),
    ],
)
def test_a_function_in_a_folder_of_results_is_refused_unread(root: Path, file: str, beside: dict[str, str]) -> None:
    written(root / file, CODE)
    for name, text in beside.items():
        written(root / name, text)
    (root / "link.py").symlink_to(root / file)
    (root / "linked").symlink_to((root / file).parent)
    for name in (file, f"./{file}", "link.py", f"linked/{Path(file).name}"):
        with pytest.raises(DataError, match="model.architecture: .*expected a file of the repository's own, found"):
            load(name)
    assert not (root / "ran").exists()


@pytest.mark.parametrize(
    ("file", "beside"),
    [
        ("x.py", {"data/model/model.json": "{}", "outputs/study/1/summary.json": SUMMARY}),
        ("examples/x.py", {"data/model/model.json": "{}"}),
        ("mine/data/x.py", {}),  # a folder of that name is the pipeline's at the root alone
        ("mine/x.py", {"mine/summary.json": "[1, 2]"}),
        ("mine/x.py", {"mine/summary.json": '{"title": "of something else"}'}),
        ("mine/x.py", {"params.yaml": "output: {directory: ["}),
    ],
)
def test_a_function_of_the_repository_is_run(root: Path, file: str, beside: dict[str, str]) -> None:
    written(root / file, CODE)
    for name, text in beside.items():
        written(root / name, text)
    assert load(file) == 1


def test_neither_archives_nor_modules_beside_a_function_are_imported(root: Path) -> None:
    written(root / "received/helper.py", CODE)
    written(root / "received/summary.json", SUMMARY)
    written(root / "own.py", "from helper import net\n")
    with pytest.raises(DataError, match="No module named 'helper'"):
        load("own.py")
    with pytest.raises(DataError, match="found nothing there"):
        load("received.zip/x.py")
    assert not (root / "ran").exists()
