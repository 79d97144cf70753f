"""What BatchNorm subtracts and divides by outside of training, computed anew for the weights that an epoch ends with.

Keras keeps moving averages over the steps of a training. They are averages over networks that no longer exist: while
the weights change fast, in a small training set or at a high learning rate, a network that fits its training batches
says nonsense of every other sample, and how long that lasts depends on the last bits of its arithmetic. So the mean
and variance are computed again after each epoch, from some of its samples, with the weights held still.

Wu and Johnson, Rethinking "Batch" in BatchNorm (2021), section 3, who call it PreciseBN.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.models.contract import TaskSpec
from mlx.models.in_keras.runtime import keras
from mlx.models.in_keras.steps import compiled, interpreted

MOST_SAMPLES = 1024
"""So many samples suffice: the paper finds a thousand as good as all."""

MOST_BYTES = 256 << 20
"""Of large images there are fewer, so that memory stays bounded."""

BATCH = 256
"""Samples that pass the network at a time, as in an evaluation."""


class BatchStatistics:
    """The moving averages of a network's BatchNorm layers.

    Parameters
    ----------
    network : Keras model; layers that are frozen, or never move, keep what they have.
    scorer : the part of it that is trained.
    """

    def __init__(self, network: Any, scorer: Any, task_spec: TaskSpec) -> None:
        kind = keras().layers.BatchNormalization
        layers = network._flatten_layers()  # of nested networks as well, which nothing public lists
        self.layers = [each for each in layers if isinstance(each, kind) and _moves(each)]
        self._scorer, self._task_spec = scorer, task_spec
        self._recent: deque[Array] = deque()
        self.compiling = True

    def watched(self, batches: Iterable[tuple[Array, Array]]) -> Iterator[tuple[Array, Array]]:
        """Yield the `batches` of an epoch, and remember the last samples."""
        self._recent.clear()
        for X, y in batches:
            if self.layers:
                self._remember(X)
            yield X, y

    def settle(self) -> None:
        """Compute mean and variance over the samples remembered, each from the same weights, and forget them."""
        if not self._recent:
            return
        X = np.concatenate(self._recent)
        self._recent.clear()
        parts = np.array_split(X, -(-len(X) // BATCH))
        found = [self._of(part) for part in parts]
        sizes = np.array([len(part) for part in parts], np.float64)
        for i, layer in enumerate(self.layers):
            means, variances = (np.array([values[i][j] for values in found], np.float64) for j in range(2))
            mean = np.average(means, axis=0, weights=sizes)
            between = np.average((means - mean) ** 2, axis=0, weights=sizes)
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(np.average(variances, axis=0, weights=sizes) + between)

    def _remember(self, X: Array) -> None:
        self._recent.append(X)
        rows = max(2, min(MOST_SAMPLES, MOST_BYTES // max(1, X[:1].nbytes)))
        while sum(map(len, self._recent)) - len(self._recent[0]) >= rows:
            self._recent.popleft()

    def _of(self, X: Array) -> list[tuple[Array, Array]]:
        """Return mean and variance of each layer's input in one batch."""
        with self._without_memory():
            self._pass(X)
        return [(layer.moving_mean.numpy(), layer.moving_variance.numpy()) for layer in self.layers]

    @cached_property
    def _pass(self) -> Any:
        made = compiled if self.compiling else interpreted
        return made(lambda X: self._scorer(X, training=True), self._task_spec)

    @contextmanager
    def _without_memory(self) -> Iterator[None]:
        """Let the moving averages become the values of the batch that is passed, or compiled for, in here."""
        momenta = [layer.momentum for layer in self.layers]
        for layer in self.layers:
            layer.momentum = 0.0
        try:
            yield
        finally:
            for layer, momentum in zip(self.layers, momenta, strict=True):
                layer.momentum = momentum


def _moves(layer: Any) -> bool:
    """Say whether training changes the averages of a layer, and nothing but inference reads them."""
    return layer.trainable and layer.momentum < 1 and not getattr(layer, "renorm", False)
