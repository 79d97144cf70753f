"""What a person sees while a step works: a progress bar in a terminal, plain lines elsewhere."""

import os
import sys
import time
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, TypeVar

T = TypeVar("T")


def answer(line: str) -> None:
    """Say what was asked for, on standard output; whoever reads it may stop when they have seen enough.

    Raises
    ------
    OSError
        It can't be written, as to a file on a full disk.
    """
    try:
        print(line, flush=True)  # noqa: T201  # this module is the one that prints
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise OSError(error.errno, error.strerror, "standard output") from None


def note(line: str) -> None:
    """Tell the user something beside it, such as how far the work is or what went wrong.

    Whoever listened may have gone, or the disk of a log be full: the work is worth more than its telling.
    """
    try:
        print(line, file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        silence(sys.stderr)
    for file in list(_records):
        try:
            print(line, file=file, flush=True)
        except OSError:
            _records.remove(file)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Note what a library warns of as one line, each text once, without a place in its source.

    What it says of its own future is for programmers, and left out.
    """
    seen: set[str] = set()

    def show(message: Warning | str, category: type[Warning], *_: Any, **__: Any) -> None:
        line = " ".join(str(message).split())[:300]
        if line not in seen and not issubclass(category, FOR_PROGRAMMERS):
            seen.add(line)
            note(f"warning: {line}")

    with warnings.catch_warnings():
        warnings.showwarning = show
        yield


FOR_PROGRAMMERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning, ImportWarning, ResourceWarning)


def silence(stream: TextIO) -> None:
    """Let everything that is still to be written to `stream` go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def open_streams() -> None:
    """Open the standard streams that the process was started without, as with ``2>&-``, to nowhere.

    Else the first file that is opened would get the number of one of them, and what a library writes
    there would end up in that file.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # open as long as the process


def _itself(path: str, flags: int) -> int:
    """Open a file, but no link, and no FIFO, which would wait for a reader."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


_records: list[TextIO] = []


@contextmanager
def _closing(file: TextIO) -> Iterator[TextIO]:
    """Close `file` in the end; what a full disk still doesn't take is lost."""
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def recorded_in(path: Path) -> Iterator[None]:
    """Add what is noted within the block to the end of a file, too; to what a link points to, nothing is added."""
    with _closing(open(path, "a", encoding="utf-8", opener=_itself)) as file:  # Path.open takes no opener
        _records.append(file)
        try:
            yield
        finally:
            if file in _records:
                _records.remove(file)


def tracked(items: Iterable[T], *, total: int, label: str) -> Iterator[T]:
    """Pass `items` on, with a bar on a terminal that shows how many of `total` are done."""
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, total=total, desc=label, leave=False, dynamic_ncols=True)


class TrainingDisplay:
    """Shows a training: on a terminal a bar with the time left, elsewhere about ten lines.

    Parameters
    ----------
    epochs : how many there will be at most.
    batches : how many steps an epoch has.
    """

    def __init__(self, epochs: int, batches: int) -> None:
        self.epochs, self.batches = epochs, batches
        self._bar: Any = None
        self._first, self._started = 1, time.monotonic()

    def begin(self, history: Sequence[Mapping[str, float]]) -> None:
        """Start, or go on after the epochs of `history`."""
        self._first, self._started = len(history) + 1, time.monotonic()
        if sys.stderr.isatty():
            from tqdm import tqdm

            total, done = self.epochs * self.batches, len(history) * self.batches
            self._bar = tqdm(total=total, initial=done, unit="step", desc="training", dynamic_ncols=True)
            if history:
                self.epoch(len(history), history[-1])

    def batch(self) -> None:
        """Count a step."""
        if self._bar is not None:
            self._bar.update()

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Show the metrics of epoch `number` (from 1)."""
        if self._bar is not None:
            self._bar.set_description(f"epoch {number}/{self.epochs}")
            self._bar.set_postfix({name: f"{value:.4f}" for name, value in metrics.items()})
        elif number in {self._first, self.epochs} or number % -(-self.epochs // 10) == 0:
            values = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
            note(f"  epoch {number}/{self.epochs}: {values}{self._left(number)}")

    def _left(self, number: int) -> str:
        """Say how long the epochs after `number` take at most, if they take as long as those of this run."""
        left = self.epochs - number
        seconds = (time.monotonic() - self._started) / (number - self._first + 1) * left
        return f" ({_spoken(seconds)} left)" if left else ""

    def close(self) -> None:
        """Leave the last state of the bar standing."""
        if self._bar is not None:
            self._bar.close()


def _spoken(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
