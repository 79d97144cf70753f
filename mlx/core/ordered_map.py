"""Maps a function over items and gives the results in order, with a bounded number of tasks started ahead.

A computation that divides into blocks takes ``map``, any `OrderedMap`; `in_order` is the default. The result doesn't
depend on which: blocks are cut by the size of the data alone, and each is computed with one thread of the linear
algebra libraries, whose sums depend on how many threads they are divided among.
"""

import mmap
import os
import pickle
import socket
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from inspect import unwrap
from itertools import chain, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

T = TypeVar("T")
R = TypeVar("R")


class OrderedMap(Protocol):
    """Calls a function on every item, perhaps on several at a time."""

    def __call__(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Yield the results in the order of the items; raise what the function raises."""


def in_order(function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
    """Call the function on one item after the other, in this thread."""
    with one_thread_each():
        yield from map(function, items)


@contextmanager
def beside(run: OrderedMap, function: Callable[[], R]) -> Iterator[Callable[[], R]]:
    """Run a function in a thread while the block does other things; give what waits for its result.

    Where tasks are run in order, so is this: when its result is asked for. Within the block the linear algebra
    libraries use one thread, so that no result depends on when the function ends. What it imports has to be imported
    before, as a library that is loaded in the meantime is not limited.
    """
    with one_thread_each():
        if unwrap(run) is in_order:
            yield function
            return
        with ThreadPoolExecutor(1, thread_name_prefix="mlx-beside") as pool:
            yield pool.submit(function).result


def within_task(function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
    """Call the function on one item after the other, in a task, whose number of threads is limited already."""
    yield from map(function, items)


GROUP = 16
"""Blocks that a task adds up."""


def in_groups(blocks: Iterable[T]) -> Iterator[list[T]]:
    """Divide blocks into tasks: each adds up the sums of `GROUP` blocks, and those of the tasks are added in order.

    With these brackets a sum is the same bytes wherever the tasks run.
    """
    source = iter(blocks)
    while group := list(islice(source, GROUP)):
        yield group


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Limit the linear algebra libraries of this process to one thread within the block."""
    with _libraries(len(sys.modules)).limit(limits=1):
        yield


@lru_cache(maxsize=1)
def _libraries(n_modules: int) -> "ThreadpoolController":  # noqa: ARG001  # the key of the cache
    """Find the linear algebra libraries, which takes 10 ms; again where modules were imported that may load others."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def run_alone(function: Callable[[T], R], items: Iterable[T]) -> tuple[list[R], Iterable[T]]:
    """Run a task that is the only one here, as sending it takes longer; return its result, and what is left to run."""
    source = iter(items)
    first = list(islice(source, 2))
    return (list(in_order(function, first)), ()) if len(first) < 2 else ([], chain(first, source))


def packed(function: Callable[[Any], Any]) -> bytes:
    """Return a function as it travels to other processes: once to each, not with every item."""
    # Only the workers of this program unpickle it: no file of a user, a run or a download ever is.
    return pickle.dumps(function, protocol=5)


def run_packed(function: bytes | Path, item: Any) -> Any:
    """Call a packed function, or one in a folder, in a process that does nothing else.

    An error of its disk says which process that is.
    """
    call = _unpacked(function)
    _libraries(len(sys.modules)).limit(limits=1)  # for good: other threads of a worker may be at tasks, too
    try:
        return call(item)
    except OSError as error:
        if error.strerror is None:
            raise
        place = f"{error.filename or 'a file'} (worker process {os.getpid()} on {socket.gethostname()})"
        raise OSError(error.errno, error.strerror, place) from None


@lru_cache(maxsize=4)
def _unpacked(function: bytes | Path) -> Callable[[Any], Any]:
    content = function if isinstance(function, bytes) else (function / FUNCTION).read_bytes()
    arrays = () if isinstance(function, bytes) else map(_mapped, sorted(function.glob("*.array")))
    found: Callable[[Any], Any] = pickle.loads(content, buffers=arrays)  # noqa: S301  # from the parent process
    return found


def _mapped(file: Path) -> mmap.mmap:
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


@contextmanager
def packed_here(function: Callable[[Any], Any]) -> Iterator[bytes | Path]:
    """Give a function as it travels to processes of this machine: a large one in a temporary folder.

    Each of its large arrays is a file there that the processes map, so that all share one copy in memory.
    """
    arrays: list[pickle.PickleBuffer] = []

    def stays(buffer: pickle.PickleBuffer) -> bool:
        large = buffer.raw().nbytes > SENT_BYTES
        if large:
            arrays.append(buffer)
        return not large

    # As in `packed`; the temporary folder is readable and writable by this user alone.
    content = pickle.dumps(function, protocol=5, buffer_callback=stays)
    if not arrays and len(content) <= SENT_BYTES:
        yield content
        return
    with TemporaryDirectory(prefix="mlx-") as folder:
        (Path(folder) / FUNCTION).write_bytes(content)
        for number, array in enumerate(arrays):
            (Path(folder) / f"{number:04}.array").write_bytes(array.raw())
        yield Path(folder)


FUNCTION = "function"
SENT_BYTES = 1 << 16
"""Up to this size, a packed function, or an array of one, is sent with every item."""


def windowed(
    submit: Callable[[Any], "Future[R]"],
    items: Iterable[Any],
    *,
    ahead: int,
    result: Callable[["Future[R]"], R] = Future.result,
    mend: Callable[[BaseException, int], None] | None = None,
) -> Iterator[R]:
    """Yield the results of tasks in order; tasks that nobody waits for anymore are canceled.

    Parameters
    ----------
    submit
        Starts the task of an item.
    items
        Read as results are taken.
    ahead
        Tasks started before the first result is waited for.
    result
        Waits for the result of a task.
    mend
        Called with an error and with how often the task has failed. It raises an error that is the task's own; if it
        returns, all tasks that are waited for are started again.
    """
    source = iter(items)
    waiting: deque[tuple[Any, Future[R]]] = deque()
    try:
        while True:
            waiting.extend((item, submit(item)) for item in islice(source, ahead - len(waiting)))
            if not waiting:
                return
            failures = 0
            while True:
                try:
                    found = result(waiting[0][1])
                    break
                except Exception as error:
                    if mend is None:
                        raise
                    mend(error, failures := failures + 1)
                    waiting = deque([(item, submit(item)) for item, _ in waiting])
            waiting.popleft()
            yield found
    finally:
        for _, future in waiting:
            future.cancel()
