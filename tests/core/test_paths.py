"""Paths as people write them, and why nothing is found at one."""

from pathlib import Path

import pytest

from mlx.core.errors import DataError
from mlx.core.paths import foreign_path, what_is
from mlx.datasets import DatasetSettings, open_dataset


@pytest.mark.parametrize("path", ["data/a.csv", "~/a b/ü.csv", "100%/a$", "./x-1.0", "ab:cd"])
def test_a_plain_path_is_plain(path: str) -> None:
    assert foreign_path(path) is None


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("$HOME/a.csv", "variables are not replaced in a configuration"),
        ("D:\\data\\a.csv", "a path of Windows"),
        ("https://example.org/a.csv", "that is an address"),
        ("data\\a.csv", "a path here is written with /"),
    ],
)
def test_a_dataset_that_is_not_found_at_such_a_path_says_why(
    tmp_path: Path, path: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for settings in (
        DatasetSettings(name="custom", path=path, params={"target": "y"}),
        DatasetSettings(name="mnist", path=path),
    ):
        with pytest.raises(DataError, match=f"found nothing there; .*{reason}"):
            open_dataset(settings)


def test_where_something_is_nothing_more_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "$a.csv").write_text("")
    assert what_is(Path("$a.csv")) == "a file"
    assert what_is(Path("b.csv")) == what_is(tmp_path.parent / "b.csv") == "nothing there"


def test_data_that_dvc_tracks_and_leaves_out_of_an_experiment_say_how_they_come_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = tmp_path / ".dvc/tmp/exps/standalone/copy"
    (copy / ".git").mkdir(parents=True)
    (copy / "dvc.yaml").touch()
    monkeypatch.chdir(copy)
    assert "only tracked files come along: track it ('dvc add a.csv'" in what_is(copy / "a.csv")
    (copy / "a.csv.dvc").touch()
    assert what_is(copy / "a.csv").endswith("names no stage, or if 'mlx watch' made it a dependency")
