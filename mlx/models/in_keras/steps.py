"""Compiled steps of training and evaluation: loss, gradients, clipping, optimizer, and the sums of an epoch.

The sums stay on the device and are read once an epoch, so that a step is one call without a conversion.
"""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.models.contract import Metrics, Optimization
from mlx.models.in_keras.runtime import keras
from mlx.models.task_spec import TaskSpec


class Steps:
    """The training and evaluation steps of one network.

    Parameters
    ----------
    scorer
        Keras model that gives logits (m, K), or values (m, 1).
    task_spec
        Shape of the samples and kind of the targets.
    optimization
        Options of the optimizer and the loss.
    compiled
        Whether the steps are compiled, which pays off from about five steps on.
    """

    def __init__(self, scorer: Any, task_spec: TaskSpec, optimization: Optimization, *, compiled: bool = True) -> None:
        import tensorflow as tf

        self._array_function = partial(array_function, task_spec=task_spec, targets=True, compiled=compiled)
        self.scorer, self.task_spec, self.optimization = scorer, task_spec, optimization
        self.optimizer = build_optimizer(optimization)
        self.optimizer.build(scorer.trainable_variables)
        self._batch: int | None = None
        self._sums = tf.Variable(np.zeros(3), name="sums")  # of loss, hits and samples

    @cached_property
    def _train(self) -> Any:
        return self._array_function(self._train_step)

    @cached_property
    def _train_whole(self) -> Any:
        return self._array_function(self._train_step, rows=self._batch)

    @cached_property
    def test(self) -> Any:
        """The function of a batch X, y that adds it to the sums without an update."""
        return self._array_function(self._test_step)

    def train(self, X: Array, y: Array) -> Any:
        """Take one step on a batch; return its scores (m, K) before the step, as a tensor.

        A function compiled for the size of the first batch serves all of this size.
        """
        self._batch = self._batch or len(y)
        return self._train_whole(X, y) if len(y) == self._batch else self._train(X, y)

    def means(self) -> Metrics:
        """Return the mean loss (and accuracy) since the last call, and reset the sums."""
        loss, hits, n = self._sums.numpy()
        self._sums.assign(np.zeros(3))
        return {"loss": float(loss / n)} | ({"accuracy": float(hits / n)} if self.task_spec.n_classes else {})

    def _train_step(self, X: Any, y: Any) -> Any:
        import tensorflow as tf

        variables = self.scorer.trainable_variables
        with tf.GradientTape() as tape:
            scores = self.scorer(X, training=True)
            loss = tf.reduce_mean(self._losses(scores, y, weighted=True)) + self._penalties()
        gradients = tape.gradient(loss, variables)
        self.optimizer.apply(clipped(gradients, self.optimization), variables)
        self._count(loss, scores, y)
        return scores

    def _test_step(self, X: Any, y: Any) -> None:
        import tensorflow as tf

        scores = self.scorer(X, training=False)
        self._count(tf.reduce_mean(self._losses(scores, y, weighted=False)) + self._penalties(), scores, y)

    def _count(self, loss: Any, scores: Any, y: Any) -> None:
        import tensorflow as tf

        n = tf.cast(tf.shape(y)[0], tf.float64)
        hits = tf.zeros((), tf.float64)
        if self.task_spec.n_classes:
            hits = tf.reduce_sum(tf.cast(tf.argmax(scores, axis=1, output_type=tf.int32) == y, tf.float64))
        self._sums.assign_add(tf.stack([tf.cast(loss, tf.float64) * n, hits, n]))

    def _penalties(self) -> Any:
        return sum(self.scorer.losses)

    def _losses(self, scores: Any, y: Any, *, weighted: bool) -> Any:
        """Return the loss of each sample (m,): squared error, or cross-entropy from logits in nats.

        As in Keras, class weights apply to the training loss only.

        With label smoothing s the target is ``(1 - s) one_hot(y) + s / K``, whose cross-entropy is computed
        without the (m, K) targets.
        """
        import tensorflow as tf

        if not self.task_spec.n_classes:
            return tf.square(scores[:, 0] - y)
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(y, scores)
        if smoothing := self.optimization.label_smoothing:
            spread = -tf.reduce_mean(tf.nn.log_softmax(scores), axis=1)
            losses = (1 - smoothing) * losses + smoothing * spread
        if weighted and self.optimization.class_weights is not None:
            losses *= tf.gather(tf.constant(self.optimization.class_weights, tf.float32), y)
        return losses


def array_function(
    function: Callable[..., Any],
    task_spec: TaskSpec,
    *,
    targets: bool = False,
    rows: int | None = None,
    compiled: bool = True,
) -> Callable[..., Any]:
    """Make `function` of tensors accept arrays: a batch (m, *sample_shape) and, with `targets`, its targets (m,).

    Parameters
    ----------
    rows
        Compile for batches of this size alone, from which an unrolled recurrent network gains most; None for any m.
    compiled
        Trace the function here, so that calls also skip the checks of ``tf.function``; else run it eagerly, which is
        faster for a few calls of a deep network.
    """
    import tensorflow as tf

    types = [tf.float32, tf.int32 if task_spec.n_classes else tf.float32][: 1 + targets]
    if compiled:
        shapes = [(rows, *task_spec.sample_shape), (rows,)]
        signature = [tf.TensorSpec(shape, kind) for shape, kind in zip(shapes, types, strict=False)]
        function = tf.function(function, input_signature=signature, autograph=False).get_concrete_function()

    def call(*arrays: Array) -> Any:
        pairs = zip(arrays, types, strict=True)
        return function(*(tf.constant(np.asarray(array, kind.as_numpy_dtype)) for array, kind in pairs))

    return call


def build_optimizer(optimization: Optimization) -> Any:
    """Make the Keras optimizer, without clipping, as Keras supports only one kind at a time."""
    config: dict[str, Any] = {"learning_rate": optimization.learning_rate}
    if optimization.weight_decay or optimization.optimizer == "adamw":
        config["weight_decay"] = optimization.weight_decay
    if optimization.optimizer == "sgd":
        config["momentum"] = optimization.momentum
    optimizers = keras().optimizers
    makers: dict[str, Callable[..., Any]] = {
        "adam": optimizers.Adam,
        "adamw": optimizers.AdamW,
        "rmsprop": optimizers.RMSprop,
        "sgd": optimizers.SGD,
    }
    return makers[optimization.optimizer](name=optimization.optimizer, **config)


def clipped(gradients: list[Any], optimization: Optimization) -> list[Any]:
    """Clip each entry to `clip_value`, then the global norm to `clip_norm`."""
    import tensorflow as tf

    if (bound := optimization.clip_value) is not None:
        gradients = [g if g is None else tf.clip_by_value(g, -bound, bound) for g in gradients]
    if optimization.clip_norm is not None:
        gradients, _ = tf.clip_by_global_norm(gradients, optimization.clip_norm)
    return gradients
