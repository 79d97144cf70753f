"""People see what tasks are at, elsewhere than on a terminal by a line from time to time."""

import re
from dataclasses import dataclass
from typing import ClassVar

import pytest

from mlx.core import bars
from mlx.core.ordered_map import in_order


@dataclass(frozen=True)
class Double:
    doing: ClassVar[str] = "doubling"

    def __call__(self, number: int) -> int:
        return 2 * number


def test_a_line_says_what_tasks_are_at(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bars, "SECONDS_BETWEEN", 0)
    with bars.announced(in_order, "some-step") as shown:
        assert list(shown(Double(), range(2))) == [0, 2]
        assert list(shown(abs, [-3])) == [3]
    line = r"  some-step: doubling, {} tasks? done \([\d.]+ a second, 0 s so far\)\n"
    assert re.fullmatch(line.format(1) + line.format(2), capsys.readouterr().err)


def test_nothing_is_said_of_tasks_that_take_no_time(capsys: pytest.CaptureFixture[str]) -> None:
    with bars.announced(in_order, "some-step") as shown:
        assert list(shown(Double(), range(2))) == [0, 2]
    assert capsys.readouterr().err == ""


def test_on_a_terminal_tasks_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with bars.announced(in_order, "some-step") as shown:
        assert list(shown(Double(), range(200))) == list(range(0, 400, 2))
