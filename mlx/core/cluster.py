"""Tasks on a Dask cluster, of this machine or of others; nothing but this module imports Dask."""

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import CancelledError, Future, wait
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any, TypeVar

from mlx.core.cluster_address import address_in, check_address
from mlx.core.cluster_probe import PROCESSOR, probe
from mlx.core.console import note
from mlx.core.errors import MlxError
from mlx.core.extras import require
from mlx.core.ordered_map import one_thread_each, packed, run_alone, run_packed, windowed

T = TypeVar("T")
R = TypeVar("R")

CONNECT_SECONDS, WORKER_SECONDS = 10, 60
"""How long to wait for a scheduler, and for a worker where there is none."""


class Cluster:
    """The workers of a Dask scheduler; the tasks of one that dies are done again by others."""

    def __init__(self, client: Any, name: str, seen: Path) -> None:
        self._client, self._name, self._seen = client, name, seen
        self._executor = client.get_executor(pure=False)
        self.notes: tuple[str, ...] = ()
        self._workers: dict[str, Any] = {}
        self._known = set[str]()
        self._admit()

    def _admit(self) -> None:
        """Check the workers that came since, and count all."""
        try:
            self._workers = self._client.scheduler_info()["workers"]
        except (OSError, KeyError):  # the scheduler does not answer, or did not
            raise self._lost() from None
        if new := sorted(self._workers.keys() - self._known):
            for line in _check_workers(self._name, self._client, new, self._seen):
                note(line)
                self.notes += (line,)
        self._known |= self._workers.keys()
        self.count = max(1, sum(worker["nthreads"] for worker in self._workers.values()))

    def require(self, stated: Iterable[Mapping[str, float]], /) -> None:
        """Reject resources that no worker has."""
        self._admit()
        for resources in stated:
            if not self._with(resources):
                raise self._none_with(resources)

    def _with(self, resources: Mapping[str, float]) -> list[dict[str, Any]]:
        return [
            worker
            for worker in self._workers.values()
            if all(worker["resources"].get(name, 0) >= amount for name, amount in resources.items())
        ]

    def _none_with(self, resources: Mapping[str, float]) -> MlxError:
        flag = " ".join(f"{name}={amount:g}" for name, amount in resources.items())
        flags = f' --resources "{flag}"' if resources else ""
        paused = sorted(address for address, worker in self._workers.items() if not _takes_tasks(worker))
        reason = f" ({', '.join(paused)}: paused, as its memory is near its --memory-limit)" if paused else ""
        return MlxError(
            f"{self._name}: expected a worker{f' with {flag}' if flag else ''}, found none among "
            f"{len(self._workers)}{reason}; 'dask worker {self._client.scheduler.address}{flags}' starts one"
        )

    def map(self, function: Callable[[T], R], items: Iterable[T], /) -> Iterator[R]:
        """Yield the results in order."""
        needs: Callable[[T], Mapping[str, float]] | None = getattr(function, "needs", None)
        alone, items = run_alone(function, items) if needs is None else ([], items)
        yield from alone
        if not items:
            return
        self._admit()
        # A task that returns it, as a worker that gets it asks one that has it, and it is made again if that one dies.
        sent = self._client.submit(_same, packed(function), pure=False)
        needed: dict[Future[R], Mapping[str, float]] = {}

        def submit(item: T) -> "Future[R]":
            resources = needs(item) if needs else {}
            future: Future[R] = self._executor.submit(run_packed, sent, item, resources=dict(resources) or None)
            needed[future] = resources
            return future

        with one_thread_each():
            yield from windowed(
                submit, items, ahead=2 * self.count, result=lambda future: self._result(future, needed.pop(future))
            )
        self._admit()

    def serving_joblib(self) -> AbstractContextManager[Any]:
        """Let joblib run on the workers within the block."""
        from joblib import parallel_config

        self._admit()
        return parallel_config(backend="dask", client=self._client)  # type: ignore[no-any-return]  # without types

    def _result(self, future: "Future[R]", resources: Mapping[str, float]) -> R:
        from distributed.scheduler import KilledWorker

        seconds = 0
        try:
            while not future.done() and self._client.status == "running":
                if wait([future], timeout=1).done:
                    break
                self._admit()
                seconds = 0 if any(map(_takes_tasks, self._with(resources))) else seconds + 1
                if seconds >= WORKER_SECONDS:
                    raise self._none_with(resources)
            if future.done():
                return future.result()
        except KilledWorker as error:
            raise MlxError(
                f"{self._name}: expected workers that finish their task, found that several died at the same one, the "
                f"last of them {error.last_worker.address}; where memory is short, start fewer on each machine"
            ) from None
        except CancelledError:
            pass
        except (ImportError, AttributeError):  # perhaps of a worker that came since, and has other code
            self._admit()
            raise
        raise self._lost()

    def _lost(self) -> MlxError:
        return MlxError(
            f"{self._name}: the connection to the scheduler was lost; start one, and 'dvc repro', or "
            "'mlx run-experiment --resume RUN', goes on with the steps that are not finished"
        )


def _same(content: bytes) -> bytes:
    return content


def _takes_tasks(worker: Mapping[str, Any]) -> bool:
    """Return whether a worker is not paused, which Dask does where memory is short, or is still at a task."""
    return bool(worker["status"] == "running" or worker["metrics"]["task_counts"].get("executing"))


@contextmanager
def open_cluster(name: str, address: str, *, count: int, insecure: bool, seen: Path) -> Iterator[Cluster]:
    """Connect to a scheduler, or start a cluster of this machine if there is no address.

    Parameters
    ----------
    name
        What messages call it.
    address
        ``tcp://…``, ``tls://…``, or the path of a scheduler file.
    count
        Processes of a cluster of this machine.
    insecure
        Whether the scheduler may be on another machine and without TLS.
    seen
        A folder that every worker must see under the same path.

    Raises
    ------
    MlxError
        As `mlx.core.workers.open_workers`.
    """
    require("cluster", name)
    if address.endswith(".json"):
        address = address_in(name, Path(address))
    if address:
        check_address(name, address, insecure=insecure)
    if address.startswith("tls:"):
        _check_certificates(name)
    with ExitStack() as stack:
        client = _client(stack, name, address, count)
        try:
            client.wait_for_workers(1, timeout=WORKER_SECONDS)
        except TimeoutError:
            raise MlxError(
                f"{name}: expected workers, found none; 'dask worker {client.scheduler.address}' starts one"
            ) from None
        cluster = Cluster(client, name, seen)
        served = "dashboard" in client.scheduler_info()["services"]
        dashboard = f", dashboard {client.dashboard_link}" if served else ""
        note(f"workers: {cluster.count} at {client.scheduler.address}{dashboard}")
        yield cluster


def _client(stack: ExitStack, name: str, address: str, count: int) -> Any:
    from distributed import Client, LocalCluster

    for logger in (
        "distributed",
        *(name for name in logging.root.manager.loggerDict if name.startswith("distributed.")),
    ):
        logging.getLogger(logger).setLevel(logging.CRITICAL)  # what it logs is reported as one message
    connect: Any = Client
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other versions, which are checked, and of a port that is taken
        place: Any = address
        if not address:
            start: Any = LocalCluster  # without types
            with _not_interrupted():
                place = stack.enter_context(start(n_workers=count, threads_per_worker=1, host="127.0.0.1"))
        try:
            return stack.enter_context(connect(place, timeout=CONNECT_SECONDS, set_as_default=False))
        except (OSError, ValueError, TypeError, RuntimeError) as error:
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise MlxError(f"{name}: expected a Dask scheduler at {address}, found none: {reason}") from None


def _check_certificates(name: str) -> None:
    """Reject, before there is a client, which would take long to close, TLS without certificates."""
    from distributed import Security

    security: Any = Security  # without types
    reason = "found none"
    try:
        if security().get_connection_args("client")["ssl_context"] is not None:
            return
    except OSError as error:
        reason = f"found none that can be read ({error.strerror or error})"
    raise MlxError(
        f"{name}: expected certificates for TLS, {reason}; DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__TLS__CLIENT__CERT "
        "and …__TLS__CLIENT__KEY name them (docs/cluster.md)"
    )


@contextmanager
def _not_interrupted() -> Iterator[None]:
    """Start processes that ignore Ctrl-C, which this process handles for them."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _check_workers(name: str, client: Any, workers: list[str], seen: Path) -> Iterator[str]:
    """Reject workers on which tasks would fail, or give other bytes; yield a line for each with another processor."""
    import cloudpickle

    import mlx.core.cluster_probe as module

    folder = str(seen.absolute())
    expected = probe(folder)
    cloudpickle.register_pickle_by_value(module)  # a worker without mlx says so, too
    try:
        answers = client.run(probe, folder, workers=workers, on_error="return")
    finally:
        cloudpickle.unregister_pickle_by_value(module)
    for worker, found in sorted(answers.items()):
        if isinstance(found, BaseException):
            if worker not in client.scheduler_info()["workers"]:  # it died since: it gets no task
                continue
            raise MlxError(f"{name}: worker {worker}: {type(found).__name__}: {found}")
        _check_worker(f"{name}: worker {worker}", expected, found, folder)
        if found[PROCESSOR] != expected[PROCESSOR]:
            yield (
                f"warning: {name}: worker {worker}: {PROCESSOR} {found[PROCESSOR]}, {expected[PROCESSOR]} here: the "
                "last digits of results may depend on which worker does what"
            )


def _check_worker(worker: str, expected: dict[str, Any], found: dict[str, Any], folder: str) -> None:
    if not found["mlx"]:
        raise MlxError(f"{worker}: expected the package mlx, found none; install this version there")
    for part, wanted in expected.items():
        if found[part] != wanted and part not in {"folder", PROCESSOR}:
            raise MlxError(f"{worker}: expected {part} {wanted}, as here, found {found[part]}; install the same there")
    if not found["folder"]:
        raise MlxError(f"{worker}: expected to see {folder}, found no such folder; workers share the file system")
