"""`mlx open`, and what the command line says of a word that it does not know."""

import os
from pathlib import Path

import pytest

from mlx.cli import main

PAGE = "data/report/report.html"


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that the browser was given, in a repository without pages."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    given: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda address: given.append(address) or True)
    return given


def with_page(folder: str, seconds: float) -> Path:
    page = Path(folder) / PAGE
    page.parent.mkdir(parents=True)
    page.write_text("<p>")
    os.utime(page, (seconds, seconds))
    return page


def test_a_folder_by_name_or_else_the_newest_page_is_opened(opened: list[str], capsys) -> None:
    page = with_page("analysis", 10)
    main(["open", "analysis"])
    assert opened == [page.resolve().as_uri()]
    assert capsys.readouterr().out.strip() == str(page)
    workspace = with_page(".", 20)
    main(["open"])
    assert opened[-1] == workspace.resolve().as_uri()


def test_what_can_not_be_opened_is_named(opened: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for arguments, said in (
        (["open"], "found none; 'mlx demo' makes a run"),
        (["open", "study"], "study: expected a run below"),
    ):
        with pytest.raises(SystemExit, match=said):
            main(arguments)
    with_page("analysis", 10)
    monkeypatch.setattr("webbrowser.open", lambda _: False)
    with pytest.raises(SystemExit, match=r"report\.html: expected a browser to open it, found none"):
        main(["open", "analysis"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["anlyze"], "did you mean 'analyze'?; see 'mlx --help'"),
        (["analyze", "--probabilites", "p.npy"], "did you mean '--probabilities'?; see 'mlx analyze --help'"),
        (["analyze", "--probabilites=p.npy"], "did you mean '--probabilities'?"),
        (["analyze", "--task", "regresion"], "did you mean 'regression'?"),
        (["runs", "here", "there"], "unrecognized arguments: there; see 'mlx runs --help'"),
    ],
)
def test_the_word_that_was_probably_meant_is_named(arguments: list[str], said: str, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main(arguments)
    assert end.value.code == 1
    assert said in capsys.readouterr().err
