"""Output for people: a progress bar in a terminal, plain lines elsewhere."""

import os
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO, TypeVar

from mlx.core.ordered_map import OrderedMap

T = TypeVar("T")
R = TypeVar("R")


def answer(line: str) -> None:
    """Print the result of a command on standard output; the reader may close it early.

    Raises
    ------
    OSError
        It can't be written, such as to a file on a full disk.
    """
    try:
        print(line, flush=True)  # noqa: T201  # this module is the one that prints
    except BrokenPipeError:
        silence(sys.stdout)
    except OSError as error:
        silence(sys.stdout)
        raise OSError(error.errno, error.strerror, "standard output") from None


def note(line: str, *, in_log: str | None = None) -> None:
    """Print progress or an error on standard error, and add it, or `in_log`, to the log of the run.

    A closed stream or a full disk is no reason to fail.
    """
    try:
        print(line, file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        silence(sys.stderr)
    record(line if in_log is None else in_log)


def record(line: str) -> None:
    """Add a line to the log of the run alone."""
    for file in list(_records):
        try:
            print(line, file=file, flush=True)
        except OSError:
            _records.remove(file)


@contextmanager
def warnings_as_lines() -> Iterator[None]:
    """Print warnings of libraries as one line each, every text once, without the place in the source.

    Deprecations, which concern programmers, are ignored.
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
    """Discard everything that is written to `stream` from here on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)


def open_streams() -> None:
    """Open the standard streams that the process was started without, as with ``2>&-``, on the null device.

    Otherwise the first file that is opened gets the number of one of them, and output of libraries is written to it.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115  # open as long as the process


def _itself(path: str, flags: int) -> int:
    """Open a file, but not a link, and not a FIFO, which would wait for a reader."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0), 0o666)


_records: list[TextIO] = []


@contextmanager
def _closing(file: TextIO) -> Iterator[TextIO]:
    """Close `file` in the end, even if a full disk rejects the last lines."""
    try:
        yield file
    finally:
        with suppress(OSError):
            file.close()


@contextmanager
def recorded_in(path: Path) -> Iterator[None]:
    """Append what `note` prints within the block to a file, but not through a link."""
    with _closing(open(path, "a", encoding="utf-8", opener=_itself)) as file:  # Path.open takes no opener
        _records.append(file)
        try:
            yield
        finally:
            if file in _records:
                _records.remove(file)


def tracked(items: Iterable[T], *, total: int, label: str) -> Iterator[T]:
    """Yield `items`, with a progress bar on a terminal."""
    if not sys.stderr.isatty():
        yield from items
        return
    from tqdm import tqdm

    yield from tqdm(items, total=total, desc=label, leave=False, dynamic_ncols=True)


@contextmanager
def announced(run: OrderedMap, step: str) -> Iterator[OrderedMap]:
    """Give a map like `run` that shows what the tasks of `step` are at, unless they take less than a second.

    A function says so in its attribute ``doing``. On a terminal this is a line that counts the tasks, and vanishes;
    elsewhere a line is printed every ten seconds. Both say how fast tasks are done on all workers; how many
    follow is not known, as sequential tests stop when they are decided.
    """
    bar: Any = None
    count = 0
    if sys.stderr.isatty():
        from tqdm import tqdm

        bar = tqdm(desc=step, unit=" tasks", delay=1, leave=False, dynamic_ncols=True)
    started = printed = time.monotonic()

    def show(doing: str) -> None:
        nonlocal printed, count
        count += 1
        if bar is not None:
            bar.set_description_str(f"{step}: {doing}" if doing else step, refresh=False)
            bar.update()
        elif doing and time.monotonic() - printed >= SECONDS_BETWEEN:
            printed = time.monotonic()
            passed = printed - started
            rate = f"{count / passed:.1f} a second, " if passed > 0 else ""
            note(f"  {step}: {doing}, {count} tasks done ({rate}{_spoken(passed)} so far)")

    def mapped(function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        for result in run(function, items):
            show(getattr(function, "doing", ""))
            yield result

    try:
        yield mapped
    finally:
        if bar is not None:
            bar.close()


SECONDS_BETWEEN = 10
"""Seconds between two lines on the progress of tasks."""


class TrainingDisplay:
    """Shows the progress of a training: on a terminal a bar with the remaining time, elsewhere about ten lines."""

    def __init__(self, epochs: int, batches: int) -> None:
        self.epochs, self.batches = epochs, batches
        self._bar: Any = None
        self._first, self._started = 1, time.monotonic()

    def begin(self, history: Sequence[Mapping[str, float]]) -> None:
        """Start, or continue after the epochs of `history`."""
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
        """Return how long the epochs after `number` take at most, at the speed of this run."""
        left = self.epochs - number
        seconds = (time.monotonic() - self._started) / (number - self._first + 1) * left
        return f" ({_spoken(seconds)} left)" if left else ""

    def close(self) -> None:
        """Close the bar; its last state remains visible."""
        if self._bar is not None:
            self._bar.close()


def _spoken(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
