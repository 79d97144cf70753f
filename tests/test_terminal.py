"""What a terminal shows: tables that fit it and say what they left out, short names, and no color in a pipe."""

import io
import re

import pytest

from mlx.commands import tables
from mlx.commands.tables import as_prose, as_table
from mlx.core import console, live_bars
from mlx.core.bars import TrainingDisplay, tracked, working

COLUMNS = ["run", "number", "started", "status", "accuracy", "log_loss", "about"]
ROWS = [
    ["a-name-that-is-long/20260101-000000", 1, "2026-01-01T00:00:00Z", "finished", 0.91234, 0.3, "this model " * 4],
    ["数据/20260101-000001", 2, "2026-01-01T00:00:01Z", "failed", None, 1e-9, "a\nb \x1b[31m"],
]


@pytest.mark.parametrize("width", [120, 80, 40, 20])
def test_a_table_fits_the_terminal_and_says_what_it_left_out(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "answer_width", lambda: width)
    lines = as_table(COLUMNS, ROWS, spare=["started"], more="--json").splitlines()
    assert max(map(tables._length, lines)) <= width
    text = " ".join(lines)
    left_out = re.search(r"not shown: (.*) \(--json or a wider", text)
    assert left_out is None or all(name in COLUMNS for name in left_out[1].split(", "))
    assert all(name in text for name in COLUMNS if name != "log_loss")
    assert "started" not in lines[0] or width == 120


@pytest.mark.parametrize(("width", "kept"), [(60, True), (44, False)])
def test_two_runs_are_shown_or_left_out_together(width: int, kept: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "answer_width", lambda: width)
    rows = [["accuracy", 0.875, 0.8917, 0.01667, "-0.04 to 0.08"]]
    head, *others = as_table(["test", "first run", "second", "difference", "interval"], rows,
                              spare=[("first run", "second")]).splitlines()  # fmt: skip
    assert ("first run" in head, "second" in head) == (kept, kept)
    assert kept or "not shown: first run, second (" in " ".join(others)


def test_a_pipe_gets_every_row_on_one_line_without_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    head, first, second = as_table(COLUMNS, ROWS).splitlines()
    assert head.split() == COLUMNS
    assert "this model this model this model" in first
    assert "\x1b" not in f"{first}{second}"
    assert head.index("number") + len("number") == tables._length(second[: second.index(" 2 ") + 2])


@pytest.mark.parametrize(("variable", "value"), [("NO_COLOR", "1"), ("TERM", "dumb"), ("TERM", "xterm")])
def test_color_is_for_terminals_that_want_it(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv(variable, value)
    assert console.styled("failed", "red") == "failed"  # captured, as in a pipe
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    assert (console.styled("failed", "red") == "failed") == (value != "xterm")


def test_sentences_go_on_with_an_indent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert as_prose(["a b " * 30]) == ["a b " * 30]
    monkeypatch.setattr(tables, "answer_width", lambda: 40)
    first, *others = as_prose(["a b " * 30])
    assert others
    assert len(first) <= 40
    assert all(line.startswith("  ") and len(line) <= 40 for line in others)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_bars_appear_after_a_while_below_notes_and_vanish(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", quick := Terminal())
    assert list(tracked(range(3), total=3, label="rows")) == [0, 1, 2]
    assert quick.getvalue() == ""
    monkeypatch.setattr(live_bars, "DELAY", 0.0)
    monkeypatch.setattr("sys.stderr", shown := Terminal())
    display = TrainingDisplay(2, 1)
    with working("train"):
        display.begin([{"loss": 1.0}])
        display.batch()
        console.note("a note")
        display.epoch(2, {"loss": 0.5})
        console.note("another")
        display.close()
    text = shown.getvalue()
    assert "epoch 1/2" in text
    assert "1/2" in text
    assert text.endswith("\r\x1b[2K")
    assert text.index("a note") < text.index("  epoch 2/2: loss 0.5000")
    assert "\x1b[?25l" not in text  # the cursor stays, whoever kills the process
    assert not live_bars.DISPLAY._bars


def test_an_interrupted_bar_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", Terminal())

    def interrupted(item: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), working("step"):
        list(tracked(map(interrupted, range(3)), total=3, label="rows"))
    assert not live_bars.DISPLAY._bars
    assert not console._above_bars
