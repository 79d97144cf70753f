"""Progress for people: on a terminal bars with rate and time left, elsewhere a few lines."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import update_wrapper
from operator import length_hint
from typing import TYPE_CHECKING, TypeVar

from mlx.core.console import is_terminal, note
from mlx.core.ordered_map import OrderedMap

if TYPE_CHECKING:
    from mlx.core.live_bars import Bar

T = TypeVar("T")
R = TypeVar("R")


def open_bar(label: str, *, total: int | None = None, done: int = 0, unit: str = "", fallback: bool = False) -> "Bar":
    """Open a bar on the terminal, which appears after a second; only where standard error is one.

    A `fallback` is shown while no other bar is.
    """
    from mlx.core.live_bars import Bar

    return Bar(label, total=total, done=done, unit=unit, fallback=fallback)


@contextmanager
def working(label: str) -> Iterator[None]:
    """Show on a terminal what the block does, and for how long, while nothing in it has a bar of its own."""
    if not is_terminal(sys.stderr):
        yield
        return
    bar = open_bar(label, fallback=True)
    try:
        yield
    finally:
        bar.close()


def tracked(items: Iterable[T], *, total: int, label: str) -> Iterator[T]:
    """Yield `items`, with a progress bar on a terminal."""
    if not is_terminal(sys.stderr):
        yield from items
        return
    bar = open_bar(label, total=total)
    try:
        for item in items:
            yield item
            bar.advance()
    finally:
        bar.close()


@contextmanager
def announced(run: OrderedMap, step: str) -> Iterator[OrderedMap]:
    """Return a map like `run` that shows what the tasks of `step` do, unless they take less than a second.

    A function says so in its attribute ``doing``. On a terminal this is a bar, with the time left where the number of
    tasks is known: sequential tests stop when they are decided. Elsewhere a line is printed every ten seconds. Both
    say how fast tasks are done on all workers.
    """
    if is_terminal(sys.stderr):
        bar = open_bar(step, unit="task")
        try:
            yield _with_bar(run, step, bar)
        finally:
            bar.close()
        return
    count, started = 0, time.monotonic()
    printed = started

    def mapped(function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        nonlocal count, printed
        for result in run(function, items):
            count += 1
            doing = getattr(function, "doing", "")
            if doing and time.monotonic() - printed >= SECONDS_BETWEEN:
                printed = time.monotonic()
                passed = printed - started
                rate = f"{count / passed:.1f} a second, " if passed > 0 else ""
                note(f"  {step}: {doing}, {count} tasks done ({rate}{spoken(passed)} so far)")
            yield result

    update_wrapper(mapped, run)  # which tells whether its tasks run in order
    yield mapped


def _with_bar(run: OrderedMap, step: str, bar: "Bar") -> OrderedMap:
    """Return a map that restarts the bar in every call: tasks of other functions take other times."""

    def mapped(function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        doing = getattr(function, "doing", "")
        bar.restart(f"{step}: {doing}" if doing else step, total=length_hint(items) or None)
        for result in run(function, items):
            bar.advance()
            yield result
        bar.restart(step, total=None)

    update_wrapper(mapped, run)
    return mapped


SECONDS_BETWEEN = 10
"""Seconds between two lines on the progress of tasks."""


class TrainingDisplay:
    """Shows the progress of a training: on a terminal a bar with the remaining time, elsewhere about ten lines."""

    def __init__(self, epochs: int, batches: int) -> None:
        self.epochs, self.batches = epochs, batches
        self._bar: Bar | None = None
        self._first, self._started = 1, time.monotonic()
        self._last = ""

    def begin(self, history: Sequence[Mapping[str, float]]) -> None:
        """Start, or continue after the epochs of `history`."""
        self._first, self._started = len(history) + 1, time.monotonic()
        if is_terminal(sys.stderr):
            total, done = self.epochs * self.batches, len(history) * self.batches
            self._bar = open_bar("training", total=total, done=done, unit="step")
            if history:
                self.epoch(len(history), history[-1])

    def batch(self) -> None:
        """Count a step."""
        if self._bar is not None:
            self._bar.advance()

    def epoch(self, number: int, metrics: Mapping[str, float]) -> None:
        """Show the metrics of epoch `number` (from 1)."""
        values = ", ".join(f"{name} {value:.4f}" for name, value in metrics.items())
        self._last = f"  epoch {number}/{self.epochs}: {values}"
        if self._bar is not None:
            self._bar.label, self._bar.below = f"epoch {number}/{self.epochs}", (f"  {values}",)
        elif number in {self._first, self.epochs} or number % -(-self.epochs // 10) == 0:
            note(f"{self._last}{self._left(number)}")

    def _left(self, number: int) -> str:
        """Return how long the epochs after `number` take at most, at the speed of this run."""
        left = self.epochs - number
        seconds = (time.monotonic() - self._started) / (number - self._first + 1) * left
        return f" ({spoken(seconds)} left)" if left else ""

    def close(self) -> None:
        """Close the bar; a line with its last state remains."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None
            if self._last:
                note(self._last)


def spoken(seconds: float) -> str:
    """Return a duration as people say it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.0f} h"
