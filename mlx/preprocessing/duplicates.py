"""Finds equal rows by the digests of their bytes."""

import hashlib
from collections.abc import Iterable

import numpy as np

from mlx.core.array_types import Array, Indices


def row_digests(blocks: Iterable[Array], n: int) -> Array:
    """Return 128 bits of BLAKE2 of the bytes of each of `n` rows, uint64 of shape (n, 2)."""
    digests = np.empty((n, 16), np.uint8)
    row = 0
    for block in blocks:
        for values in np.ascontiguousarray(block).reshape(len(block), -1).view(np.uint8):
            digests[row] = np.frombuffer(hashlib.blake2b(values.data, digest_size=16).digest(), np.uint8)
            row += 1
    return digests.view(np.uint64)


def equal_rows(digests: Array) -> Indices:
    """Return a code 0 … G − 1 of each row, (n,), the same for equal digests, in the order of their first rows."""
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    starts = np.ones(len(order), bool)
    starts[1:] = (ordered[1:] != ordered[:-1]).any(axis=1)
    group = np.cumsum(starts) - 1
    first = order[starts]  # lexsort is stable: the lowest row of each group
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    codes = np.empty(len(order), np.int64)
    codes[order] = rank[group]
    return codes
