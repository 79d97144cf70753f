"""Where independent tasks run: in this thread, in threads or processes of this machine, or on a Dask cluster.

A step that has such tasks takes `Workers` as its second argument. How many there are changes no byte of a result, so
that they are chosen beside the configuration: by ``--workers``, or by the environment variable MLX_WORKERS.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mlx.core.console import note
from mlx.core.errors import MlxError, SettingsError
from mlx.core.ordered_map import in_order, one_thread_each, packed_here, run_alone, run_packed, windowed

T = TypeVar("T")
R = TypeVar("R")

VARIABLE, INSECURE = "MLX_WORKERS", "MLX_WORKERS_INSECURE"
"""Environment variables in place of ``--workers`` and ``--insecure``."""

EXPECTED = "serial, threads, threads:N, processes:N, dask, dask:N, tcp://HOST:PORT, tls://HOST:PORT or a scheduler file"

RESOURCES_UNUSED = "resources: has an effect only where a list of experiments, or a study, runs on a Dask cluster"
"""Said where a configuration states resources and something else is run."""

MOST_DEATHS = 3
"""How often a process may die at the same task before the task is taken to be the cause."""


class Workers(Protocol):
    """What `open_workers` gives.

    Attributes
    ----------
    count
        Tasks that run at the same time.
    notes
        What a record of the results should say of them, such as that one has another processor.
    """

    count: int
    notes: tuple[str, ...]

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Yield the results in the order of the items; a bounded number of tasks is started ahead.

        The function, items and results travel to other processes by `pickle`, a memory-mapped file by its path. A task
        must not use the workers itself. On a cluster, a function with a method ``needs``, from an item to resources as
        in `require`, is called by workers that have them.
        """

    def require(self, stated: Iterable[Mapping[str, float]], /) -> None:
        """Reject resources that no worker has, each an amount by name, such as ``{"GPU": 1}``."""

    def serving_joblib(self) -> AbstractContextManager[Any]:
        """Let joblib, and so scikit-learn's ``n_jobs``, run on a cluster within the block; else as by default."""


class OnThisMachine:
    """What the workers of this machine have in common."""

    notes: tuple[str, ...] = ()

    serving_joblib = staticmethod(nullcontext)

    def require(self, stated: Iterable[Mapping[str, float]], /) -> None:
        """Say that resources have no effect here."""
        if any(stated):
            note(RESOURCES_UNUSED)


class Serial(OnThisMachine):
    """Every task in the thread that asks for it."""

    count = 1

    map = staticmethod(in_order)


class Threads(OnThisMachine):
    """Threads of this process, started with the first task."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: Executor | None = None

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Yield the results in order."""
        pool = self._pool = self._pool or ThreadPoolExecutor(self.count, thread_name_prefix="mlx")
        with one_thread_each():
            yield from windowed(lambda item: pool.submit(function, item), items, ahead=2 * self.count)

    def stop(self) -> None:
        """Do nothing: a thread can't be ended before its task, which takes a second or so."""

    def close(self) -> None:
        """End the threads once their running tasks have ended."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)


class Processes(OnThisMachine):
    """Processes of this machine, started with the first task; those that die are replaced, their tasks done again."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._pool: Executor | None = None

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Yield the results in order."""
        alone, items = run_alone(function, items)
        yield from alone
        if not items:
            return
        with one_thread_each(), packed_here(function) as sent:

            def submit(item: T) -> Future[R]:
                try:
                    return self._running().submit(run_packed, sent, item)
                except BrokenProcessPool as error:  # before this task was submitted: it fails as those before it
                    failed: Future[R] = Future()
                    failed.set_exception(error)
                    return failed

            yield from windowed(submit, items, ahead=2 * self.count, mend=self._replace)

    def _running(self) -> Executor:
        if self._pool is None:
            from multiprocessing import get_context

            # A forked process would inherit locks that threads hold which it does not have.
            context = get_context("spawn")
            self._pool = ProcessPoolExecutor(self.count, mp_context=context, initializer=_begin_process)
        return self._pool

    def _replace(self, error: BaseException, deaths: int) -> None:
        if not isinstance(error, BrokenProcessPool):
            raise error
        if deaths == MOST_DEATHS:
            raise MlxError(
                f"--workers processes:{self.count}: expected processes that finish their task, found that they died at "
                f"the same one {deaths} times; where memory is short, use fewer"
            ) from None
        self.close()

    def stop(self) -> None:
        """End the processes at once, and with them what they have started."""
        from multiprocessing import active_children

        for child in active_children():
            child.terminate()

    def close(self) -> None:
        """End the processes once their running tasks have ended."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _begin_process() -> None:
    """Leave an interrupt to the process that started this one, and end when that ends, however it does."""
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    assert parent is not None, "started by another process"

    def end() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=end, daemon=True, name="end-with-parent").start()


SERIAL = Serial()
"""For callers that choose no workers."""

POOLS: dict[str, Callable[[int], Threads | Processes]] = {"threads": Threads, "processes": Processes}


@contextmanager
def open_workers(
    spec: str | None = None, *, insecure: bool | None = None, workspace: Path = Path(), default: str = "threads"
) -> Iterator[Workers]:
    """Open the workers that `spec` names, and close them in the end.

    Parameters
    ----------
    spec
        ``serial``; ``threads:N`` or ``processes:N``, as many as there are cores without N; ``dask:N``, a cluster of
        this machine; the address or the file of a Dask scheduler. By default what MLX_WORKERS says.
    insecure
        Whether a scheduler without TLS may be used that is on another machine; by default what MLX_WORKERS_INSECURE
        says.
    workspace
        A folder that the workers of a cluster must see under the same path.
    default
        As `spec`, where neither it nor MLX_WORKERS says anything.

    Raises
    ------
    SettingsError
        `spec` is invalid, or the scheduler needs ``insecure``.
    MissingPackageError
        Dask is not installed.
    MlxError
        The scheduler can't be reached, or a worker has other code or versions, or does not see the workspace.
    """
    key = "--workers" if spec is not None else VARIABLE
    spec = spec or os.environ.get(VARIABLE) or default
    kind, colon, number = spec.partition(":")
    if "://" in spec or kind == "dask" or spec.endswith(".json"):
        from mlx.core.cluster import open_cluster

        allowed = os.environ.get(INSECURE, "") not in ("", "0") if insecure is None else insecure
        count = _count(key, spec, number, colon) if kind == "dask" else 0
        address = "" if count else spec
        with open_cluster(f"{key} {spec}", address, count=count, insecure=allowed, seen=workspace) as found:
            yield found
        return
    if spec == "serial":
        yield SERIAL
        return
    if kind not in POOLS:
        raise SettingsError(f"{key}: expected {EXPECTED}, found '{spec}'")
    workers = POOLS[kind](_count(key, spec, number, colon))
    try:
        yield workers
    except KeyboardInterrupt:
        workers.stop()
        raise
    finally:
        workers.close()


def _count(key: str, spec: str, number: str, colon: str) -> int:
    if not colon:
        return available_cores()
    if not (number.isascii() and number.isdigit() and 1 <= int(number) <= MOST):
        raise SettingsError(f"{key}: expected a number from 1 to {MOST} after the colon, found '{spec}'")
    return int(number)


MOST = 1024


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
