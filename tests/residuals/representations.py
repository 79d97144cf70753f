"""Representations of every kind that the similarity functions must bear, with the pairs written out."""

import numpy as np
from scipy import sparse

KINDS = ("plain", "wide", "one column", "duplicates", "zero rows", "collapsed", "float32", "sparse", "huge and tiny")


def representation(kind, n=90, seed=1):
    """A representation of n rows with some structure, n_classes = 4 labels, and entropies with a long tail."""
    generator = np.random.default_rng(seed)
    labels = generator.integers(4, size=n)
    labels[labels == 3] = 2
    labels[0] = 3  # the only one
    width = {"wide": 200, "one column": 1}.get(kind, 7)
    rows = generator.normal(size=(n, width)) + generator.normal(size=(4, width))[labels]
    if kind == "duplicates":
        rows[n // 2 :] = 3 * rows[: n - n // 2]
    if kind == "zero rows":
        rows[[3, 40]] = 0
    if kind == "collapsed":
        rows = 1 + 5e-4 * rows  # sd(s) is about 2e-7
    if kind == "float32":
        rows = rows.astype(np.float32)
    if kind == "sparse":
        rows = sparse.csr_array(np.where(rows > 0.7, rows, 0))
    if kind == "huge and tiny":
        rows *= 10.0 ** generator.uniform(-200, 200, size=(n, 1))
    return rows, labels, generator.exponential(size=n) ** 2


def exact_directions(rows):
    """Rows with a direction, and their unit vectors in extended precision."""
    filled = np.asarray(rows.toarray() if sparse.issparse(rows) else rows).astype(np.longdouble)
    norms = np.sqrt((filled**2).sum(axis=1))
    found = np.flatnonzero(norms > 0)
    return found, filled[found] / norms[found, None]


def exact_distances(rows):
    """Rows with a direction, and 1 − s of all their pairs in extended precision."""
    found, directions = exact_directions(rows)
    return found, ((directions[:, None] - directions[None]) ** 2).sum(axis=2) / 2
