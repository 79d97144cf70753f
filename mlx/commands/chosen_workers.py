"""The flags that choose where tasks run, and what they open."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mlx.core.workers import Workers


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    parser.add_argument(
        "--workers",
        metavar="SPEC",
        help="where tasks run: serial, threads:N, processes:N, dask:N, the address or the file of a Dask scheduler; "
        "changes no result (default: $MLX_WORKERS, or a thread for each core)",
    )
    parser.add_argument(
        "--insecure",
        action="store_true",
        default=None,
        help="with a Dask scheduler on another machine: use it without TLS",
    )


@contextmanager
def opened(chosen: argparse.Namespace, folder: Path, default: str = "threads") -> "Iterator[Workers]":
    """Open the workers of the command line; those of a cluster must see `folder`."""
    from mlx.core.workers import open_workers

    with open_workers(chosen.workers, insecure=chosen.insecure, workspace=folder, default=default) as workers:
        yield workers
