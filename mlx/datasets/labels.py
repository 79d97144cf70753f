"""Which class each sample has, and which label it was given: balance, imbalance and wrong labels."""

from collections.abc import Sequence

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.dataset import Factors
from mlx.datasets.randomness import Stream, generator

CHUNK = 256
"""Samples whose factors, or groups whose labels, are drawn together. Another number is another dataset."""


def class_counts(n_samples: int, n_classes: int, weights: Sequence[float] | None) -> Array:
    """Share out `n_samples` by the method of the largest remainder; int64 of shape (n_classes,).

    Without `weights` all classes get as many, to within one. Ties go to the lower label.
    """
    shares = np.ones(n_classes) if weights is None else np.asarray(weights, np.float64)
    exact = n_samples * (shares / shares.sum())
    counts: Array = np.floor(exact).astype(np.int64)
    missing = n_samples - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    return counts


def shuffled_labels(seed: int, counts: Array) -> Array:
    """Return ``counts[k]`` labels k for every class in random order, int64 of shape (counts.sum(),)."""
    return generator(seed, Stream.LABELS).permutation(np.repeat(np.arange(len(counts)), counts))


def mislabel(labels: Array, n_classes: int, fraction: float, seed: int) -> tuple[Array, Factors]:
    """Give a fraction of a table's samples a wrong label; as many as ``fraction * n`` rounds to.

    Returns
    -------
    y
        The labels after that, shape (n,).
    factors
        ``label_flipped`` and ``true_label``, shape (n,); empty where `fraction` is 0.
    """
    rng = generator(seed, Stream.LABEL_NOISE)
    chosen = rng.permutation(len(labels))[: round(fraction * len(labels))] if fraction else np.empty(0, int)
    shift = np.zeros_like(labels)
    shift[chosen] = rng.integers(1, n_classes, len(chosen))
    return _shifted(labels, shift, n_classes, fraction)


def _shifted(labels: Array, shift: Array, n_classes: int, fraction: float) -> tuple[Array, Factors]:
    if not fraction:
        return labels, {}
    return (labels + shift) % n_classes, {"label_flipped": shift > 0, "true_label": labels}


def draw_labels(seed: int, n_classes: int, start: int, stop: int, weights: Sequence[float] | None = None) -> Array:
    """Return the labels of samples start … stop − 1 of an unending sequence, int64.

    Without `weights` each group of `n_classes` consecutive samples has every class once, in random order:
    any number of first samples is balanced to within one. With them every label is drawn on its own, so
    that the counts have the weights' proportions only on average.
    """
    a_chunk = CHUNK * n_classes
    chunks = range(start // a_chunk, -(-stop // a_chunk))
    draws = np.concatenate([generator(seed, Stream.LABELS, chunk).random((CHUNK, n_classes)) for chunk in chunks])
    if weights is None:
        labels = draws.argsort(axis=1).ravel()
    else:
        steps = np.cumsum(weights)[:-1] / np.sum(weights)
        labels = np.searchsorted(steps, draws.ravel(), side="right")
    return labels[start - chunks.start * a_chunk :][: stop - start]


def mislabel_some(labels: Array, n_classes: int, fraction: float, seed: int, start: int) -> tuple[Array, Factors]:
    """Give each of the samples start, start + 1 … of an unending sequence a wrong label, by chance.

    The chance is `fraction`, the same for all.

    Returns the labels after that and the factors of `mislabel`. Which labels are wrong depends on a
    sample's index, not on `start` nor on how many there are.
    """
    if not fraction:
        return labels, {}
    stop = start + len(labels)
    chunks = range(start // CHUNK, -(-stop // CHUNK))
    shifts = np.concatenate([_wrong_shifts(seed, chunk, n_classes, fraction) for chunk in chunks])
    return _shifted(labels, shifts[start - chunks.start * CHUNK :][: len(labels)], n_classes, fraction)


def _wrong_shifts(seed: int, chunk: int, n_classes: int, fraction: float) -> Array:
    rng = generator(seed, Stream.LABEL_NOISE, chunk)
    wrong = rng.random(CHUNK) < fraction
    return np.where(wrong, rng.integers(1, n_classes, CHUNK), 0)
