"""Reads files of every kind that were damaged at random, in a process with little memory; prints what went wrong.

``python read_damaged.py FOLDER MUTATIONS SEED``: FOLDER holds whole files, each named after its reader.
"""

import random
import resource
import signal
import sys
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.arrays import open_array, stream_rows
from mlx.core.artifacts import read_csv, read_json, read_parquet
from mlx.core.descriptions import DatasetDescription, read_description
from mlx.core.documents import read_document
from mlx.core.errors import MlxError
from mlx.core.metrics import read_metrics
from mlx.core.sparse import open_sparse
from mlx.models.npz import read_all

READERS: Mapping[str, Callable[[Path], Any]] = {
    "array.npy": lambda path: (np.array(open_array(path)), list(stream_rows(path, 7))),
    "sparse.npz": open_sparse,
    "weights.npz": read_all,
    "table.parquet": read_parquet,
    "table.csv": read_csv,
    "any.json": read_json,
    "dataset.json": lambda path: read_description(path, DatasetDescription),
    "metrics.json": read_metrics,
    "params.yaml": read_document,
    "config.json": read_document,
}

MEMORY, SECONDS = 3 << 30, 10


def mutated(content: bytes, rng: random.Random) -> bytes:
    """Return `content` with a few bits flipped, or a piece of it cut, repeated, zeroed or put elsewhere."""
    changed = bytearray(content)
    kind = rng.choice(("bit", "bit", "bit", "bits", "byte", "cut", "tail", "zero", "twice", "moved"))
    first, last = sorted(rng.randrange(len(changed) + 1) for _ in range(2))
    piece = changed[first:last]
    if kind in {"bit", "bits"}:
        for _ in range(1 if kind == "bit" else rng.randint(2, 20)):
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    elif kind == "byte":
        changed[rng.randrange(len(changed))] = rng.randrange(256)
    elif kind == "cut":
        del changed[first:last]
    elif kind == "tail":
        del changed[first:]
    elif kind == "zero":
        changed[first:last] = bytes(len(piece))
    elif kind == "twice":
        changed[last:last] = piece
    else:
        changed[rng.randrange(len(changed) + 1) :] = piece
    return bytes(changed)


def main(folder: Path, count: int, seed: int) -> None:
    """Read `count` damaged files of each kind; print a line for each that ends in neither a value nor a message."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("error")
    rng = random.Random(seed)  # noqa: S311  # where to damage a file is no secret
    for name, read in READERS.items():
        whole = (folder / name).read_bytes()
        read(folder / name)
        for _ in range(count):
            damaged = folder / f"damaged-{name}"
            damaged.write_bytes(content := mutated(whole, rng))
            signal.alarm(SECONDS)
            try:
                read(damaged)
            except MlxError as error:
                if str(damaged) not in str(error) or "\n" in str(error):
                    print(f"{name}: a message without the file, or of lines: {error}")  # noqa: T201
            except BaseException as error:  # that is what is looked for
                print(f"{name}: {type(error).__name__}: {error}: {content[:60]!r}")  # noqa: T201
            signal.alarm(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
