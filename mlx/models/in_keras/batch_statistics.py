"""The statistics of BatchNorm for inference, recomputed with the weights at the end of an epoch.

Keras uses moving averages over the training steps, and so over earlier weights. While the weights change fast, in a
small training set or at a high learning rate, a network that fits its training batches can fail on all other samples,
and for how long depends on the last bits of its arithmetic. So mean and variance are recomputed after each epoch,
from some of its samples, with fixed weights.

Wu and Johnson, Rethinking "Batch" in BatchNorm (2021), section 3, who call it PreciseBN.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.models.in_keras.runtime import keras
from mlx.models.in_keras.steps import array_function
from mlx.models.task_spec import TaskSpec

MOST_SAMPLES = 1024
"""The paper finds a thousand samples as good as all."""

MOST_BYTES = 256 << 20
"""Bounds the memory; large images are fewer."""

BATCH = 256
"""Samples in a batch, as in an evaluation."""


class BatchStatistics:
    """The moving averages of a network's BatchNorm layers.

    The part of the `network` that is trained is the `scorer`; frozen layers keep their statistics.
    """

    def __init__(self, network: Any, scorer: Any, task_spec: TaskSpec) -> None:
        kind = keras().layers.BatchNormalization
        layers = network._flatten_layers()  # including those of nested networks, which no public method lists
        self.layers = [each for each in layers if isinstance(each, kind) and _is_trained(each)]
        self._scorer, self._task_spec = scorer, task_spec
        self._recent: deque[Array] = deque()
        self.compiled = True

    def recorded(self, batches: Iterable[tuple[Array, Array]]) -> Iterator[tuple[Array, Array]]:
        """Yield the `batches` of an epoch, and record the last samples."""
        self._recent.clear()
        for X, y in batches:
            if self.layers:
                self._record(X)
            yield X, y

    def recompute(self) -> None:
        """Recompute mean and variance from the recorded samples, and clear these."""
        if not self._recent:
            return
        X = np.concatenate(self._recent)
        self._recent.clear()
        parts = np.array_split(X, -(-len(X) // BATCH))
        statistics = [self._of(part) for part in parts]
        sizes = np.array([len(part) for part in parts], np.float64)
        for i, layer in enumerate(self.layers):
            means, variances = (np.array([values[i][j] for values in statistics], np.float64) for j in range(2))
            mean = np.average(means, axis=0, weights=sizes)
            between = np.average((means - mean) ** 2, axis=0, weights=sizes)
            layer.moving_mean.assign(mean)
            layer.moving_variance.assign(np.average(variances, axis=0, weights=sizes) + between)

    def _record(self, X: Array) -> None:
        self._recent.append(X)
        rows = max(2, min(MOST_SAMPLES, MOST_BYTES // max(1, X[:1].nbytes)))
        while sum(map(len, self._recent)) - len(self._recent[0]) >= rows:
            self._recent.popleft()

    def _of(self, X: Array) -> list[tuple[Array, Array]]:
        """Return mean and variance of the input of each layer in one batch."""
        with self._without_momentum():
            self._pass(X)
        return [(layer.moving_mean.numpy(), layer.moving_variance.numpy()) for layer in self.layers]

    @cached_property
    def _pass(self) -> Any:
        return array_function(lambda X: self._scorer(X, training=True), self._task_spec, compiled=self.compiled)

    @contextmanager
    def _without_momentum(self) -> Iterator[None]:
        """Make the moving averages equal the statistics of a batch that is run, or compiled for, within the block."""
        momenta = [layer.momentum for layer in self.layers]
        for layer in self.layers:
            layer.momentum = 0.0
        try:
            yield
        finally:
            for layer, momentum in zip(self.layers, momenta, strict=True):
                layer.momentum = momentum


def _is_trained(layer: Any) -> bool:
    """Whether training changes the averages of a layer, and only inference reads them."""
    return layer.trainable and layer.momentum < 1 and not getattr(layer, "renorm", False)
