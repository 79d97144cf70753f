"""The bars of this process, below each other on its terminal, drawn by rich."""

import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from typing import TextIO

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from mlx.core.bars import spoken
from mlx.core.console import notes_printed_by

DELAY = 1.0
"""Seconds before a bar appears."""
A_SECOND = 4
"""How often bars are drawn."""
ERASE, UP = "\x1b[2K", "\x1b[1A"
"""Erases a line of the terminal, and moves to the one above. The cursor stays visible: a killed process shows it."""
BAR = 20
"""Characters of a bar at most."""
NARROW = 24
"""Characters of a label for which the bar itself gives way."""


@dataclass(eq=False)
class Bar:
    """A bar of what is under way: its label, how much is done of the total, the rate, and the time left.

    Attributes
    ----------
    label
        What is under way.
    total
        How much there is to do; None where it is unknown.
    done
        How much of it was done before.
    unit
        What is counted.
    fallback
        Whether it is shown only while no other bar is.
    below
        Lines that are shown under it.
    """

    label: str
    total: int | None = None
    done: int = 0
    unit: str = ""
    fallback: bool = False
    below: Sequence[str] = ()
    started: float = field(default_factory=time.monotonic)
    _counted_since: float = field(default_factory=time.monotonic)
    _before: int = 0

    def __post_init__(self) -> None:
        self._before = self.done
        DISPLAY.add(self)

    def advance(self, *, counts: bool = True) -> None:
        """Count one that is done, for the rate only if it `counts`."""
        self.done += 1
        self._before += not counts

    def restart(self, label: str, *, total: int | None) -> None:
        """Count from 0 again, of something else; the bar remains."""
        self.label, self.total, self.done, self._before = label, total, 0, 0
        self._counted_since = time.monotonic()

    def close(self) -> None:
        """Remove the bar."""
        DISPLAY.remove(self)

    def is_late(self) -> bool:
        """Return whether it is worth a line."""
        return time.monotonic() - self.started >= DELAY

    def pace(self) -> str:
        """Return what is done, the rate and the time left, as far as each is known."""
        passed, count = time.monotonic() - self._counted_since, self.done - self._before
        if self.total is None and not self.done:
            return spoken(time.monotonic() - self.started)
        unit = f"{self.unit}{'s' if self.done != 1 else ''}" if self.unit else ""
        parts = [f"{self.done}/{self.total}" if self.total else f"{self.done} {unit}".strip()]
        if count and passed > 0:
            rate = count / passed
            parts.append(f"{rate:.3g}/s" if rate >= 1 else f"{1 / rate:.3g} s each")
            if self.total:
                parts.append(f"{spoken(max(0, self.total - self.done) / rate)} left")
        return "  ".join(parts)


class Display:
    """All bars that are open, and the lines of the terminal that show them; a thread draws these again and again."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._bars: list[Bar] = []
        self._height = 0
        self._open: ExitStack | None = None

    def add(self, bar: Bar) -> None:
        """Show a bar below the others."""
        with self._lock:
            self._bars.append(bar)
            if self._open is None:
                self._open = self._begun(sys.stderr)

    def _begun(self, stream: TextIO) -> ExitStack:
        ended, stack = threading.Event(), ExitStack()
        screen = Console(file=stream, force_terminal=True, highlight=False, markup=False, emoji=False)

        def draw() -> None:
            while not ended.wait(1 / A_SECOND):
                with self._lock:
                    if not ended.is_set():
                        self._draw(screen, stream)

        def above(line: str) -> None:
            with self._lock:
                self._write(stream, f"{line}\n", 0)
                self._draw(screen, stream)

        stack.callback(lambda: self._write(stream, "", 0))
        stack.callback(ended.set)
        stack.enter_context(notes_printed_by(above, stream))
        threading.Thread(target=draw, daemon=True, name="bars").start()
        return stack

    def _draw(self, screen: Console, stream: TextIO) -> None:
        with screen.capture() as captured:
            for part in self._shown(screen.width):
                screen.print(part)
        lines = captured.get().splitlines()[: max(1, screen.height - 1)]
        if lines or self._height:
            self._write(stream, "\n".join(lines), len(lines))

    def _write(self, stream: TextIO, text: str, height: int) -> None:
        """Write in place of the lines that were drawn, the cursor at their last; a closed stream is no error."""
        erased = f"\r{ERASE}{(UP + ERASE) * (self._height - 1)}" if self._height else ""
        if erased or text:
            with suppress(OSError, ValueError):
                stream.write(erased + text)
                stream.flush()
        self._height = height

    def remove(self, bar: Bar) -> None:
        """Remove a bar, and the lines after the last one."""
        with self._lock:
            if bar in self._bars:
                self._bars.remove(bar)
            if not self._bars and self._open is not None:
                self._open.close()
                self._open = None

    def _shown(self, width: int) -> Iterator[Table | Text]:
        late = [bar for bar in list(self._bars) if bar.is_late()]
        shown = [bar for bar in late if not bar.fallback] or late[-1:]
        if shown:
            yield _lines(shown, width)
            for line in (line for bar in shown for line in bar.below):
                yield Text(line, style="dim", no_wrap=True, overflow="ellipsis")


def _lines(bars: Sequence[Bar], width: int) -> Table:
    """Return the bars, a row each; a narrow terminal has no room for the bar itself, and little for its label."""
    gaps, pace = 4, max(len(bar.pace()) for bar in bars)
    label = min(max(len(bar.label) for bar in bars), max(NARROW, width - pace - gaps - BAR // 2))
    room = width - label - pace - gaps
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(4, min(label, width - pace - 2)))
    for bar in bars:
        cells: list[Text | ProgressBar] = [Text(bar.label)]
        if room >= BAR // 2:
            cells.append(ProgressBar(bar.total, bar.done, width=min(BAR, room), pulse=bar.total is None))
        table.add_row(*cells, Text(bar.pace(), style="dim", no_wrap=True))
    return table


DISPLAY = Display()
