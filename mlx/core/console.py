"""Output for people: answers on standard output, notes on standard error, and what a terminal can show of them."""

import os
import shutil
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TextIO


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
        if writes := [write for stream, write in _above_bars if stream is sys.stderr]:
            writes[-1](line)
        else:
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


_above_bars: list[tuple[TextIO, Callable[[str], None]]] = []
"""Streams on which progress bars are drawn, and what prints a line above them."""


@contextmanager
def notes_printed_by(write: Callable[[str], None], stream: TextIO) -> Iterator[None]:
    """Let `write` print notes within the block where standard error is `stream`."""
    entry = (stream, write)
    _above_bars.append(entry)
    try:
        yield
    finally:
        _above_bars.remove(entry)


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person reads the stream on a terminal that can move its cursor and show colors."""
    return stream.isatty() and os.environ.get("TERM") not in {"dumb", "unknown"}


def answer_width() -> int | None:
    """Return the characters of a line of standard output; None where it isn't a terminal, and lines have no end."""
    return max(20, shutil.get_terminal_size().columns) if sys.stdout.isatty() else None


def styled(text: str, style: str) -> str:
    """Return a part of an answer with a style of rich, such as ``bold red``; as it is where there is no color.

    There is none in pipes and files, on terminals without, and where NO_COLOR is set (https://no-color.org).
    """
    if not text or os.environ.get("NO_COLOR") or not is_terminal(sys.stdout):
        return text
    from rich.color import ColorSystem
    from rich.style import Style

    return Style.parse(style).render(text, color_system=ColorSystem.STANDARD)


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
