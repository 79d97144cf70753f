"""The model of every Keras network, built here or by a user."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from mlx.core.array_types import Array
from mlx.core.errors import ArtifactError
from mlx.core.last_layer import LastLayer
from mlx.models.contract import Epoch, IterativeModel, Metrics, Optimization, Outputs
from mlx.models.in_keras.batch_statistics import BatchStatistics
from mlx.models.in_keras.checkpoint import load_weights_file, restore_weights, save_keras
from mlx.models.in_keras.network import Network
from mlx.models.in_keras.pretrained import load_imagenet_weights
from mlx.models.in_keras.runtime import fresh_names, keras
from mlx.models.in_keras.steps import Steps, array_function
from mlx.models.outcomes import OutcomeCollector
from mlx.models.task_spec import BOTH_TASKS, TaskSpec

CHECKPOINT = "model.keras"


def _outputs_of(network: Any) -> Iterator[Any]:
    """Yield the outputs of all layers, those of networks in the network too."""
    for layer in network.layers:
        if hasattr(layer, "layers"):
            yield from _outputs_of(layer)
        else:
            yield from keras().tree.flatten(layer.output)


class KerasModel(IterativeModel):
    """A network in Keras.

    The saved network ends in the probabilities, as users expect. Training uses the layer before,
    ``logits``, as a cross-entropy from logits stays accurate when the softmax saturates. BatchNorm
    uses its moving statistics everywhere but in `run_epoch`, so that the outputs for a sample do not
    depend on its batch; they are recomputed at the end of each epoch.
    """

    tasks = BOTH_TASKS

    def __init__(self, network: Network, task_spec: TaskSpec) -> None:
        self.task_spec, self.weights_file = task_spec, network.weights_file
        self.network, self.layers, self._imagenet = network.model, network.layers, network.imagenet
        self._score_layer = self.network.get_layer(network.scores)
        self._scores = self._score_layer.output
        self._scorer = keras().Model(self.network.inputs, self._scores)
        self._statistics = BatchStatistics(self.network, self._scorer, task_spec)
        self._steps: Steps | None = None
        self._compiled = True
        self._rate: float | None = None
        self._readers: dict[tuple[str, ...], Any] = {}

    @property
    def penultimate(self) -> str:
        """The last layer before the output."""
        return self.layers[-1]

    @property
    def last_layer(self) -> LastLayer | None:
        """The weights of the layer of the logits, where it is a dense one."""
        layer = self._score_layer
        if not isinstance(layer, keras().layers.Dense) or layer.units != self.task_spec.n_classes:
            return None
        weights, *bias = (values.astype(np.float64) for values in layer.get_weights())
        return LastLayer(self.penultimate, weights, bias[0] if bias else np.zeros(layer.units))

    @property
    def runs_in_processes(self) -> bool:
        """Not where there is a GPU, whose memory this process holds."""
        import tensorflow as tf

        return not tf.config.list_physical_devices("GPU")

    @property
    def n_parameters(self) -> int:
        """The number of weights."""
        return int(self.network.count_params())

    @property
    def n_activations(self) -> int:
        """The number of values that all layers together compute for a sample."""
        return sum(math.prod(tensor.shape[1:]) for tensor in _outputs_of(self.network))

    def load_pretrained(self) -> None:
        """Load ImageNet's weights, or those of a file, if the network starts from them."""
        if self.weights_file is not None:
            load_weights_file(self.network, self.weights_file, self._score_layer)
        if self._imagenet:
            with fresh_names():
                load_imagenet_weights(self.network, *self._imagenet)

    def expect_few_steps(self) -> None:
        """Run without compilation, which takes longer for a deep network than a few steps do."""
        self._compiled = False
        self._statistics.compiled = False

    def prepare(self, optimization: Optimization) -> None:
        """Make Keras's optimizer."""
        self._steps = Steps(self._scorer, self.task_spec, optimization, compiled=self._compiled)
        self._rate = optimization.learning_rate

    @property
    def steps(self) -> Steps:
        """The training steps, available after `prepare`."""
        assert self._steps is not None, "prepare was not called"
        return self._steps

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the optimizer."""
        if rate != self._rate:  # assigning the variable takes time
            self._rate, self.steps.optimizer.learning_rate = rate, rate

    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Epoch:
        """Take one step for each batch; every random layer starts from a seed drawn from `rng`."""
        for state in self._random_states:
            state.assign(np.array([rng.integers(2**32), 0], np.uint32))
        outcomes = OutcomeCollector(self.task_spec.n_classes)
        for X, y in self._statistics.recorded(batches):
            self.check(X)
            outcomes.add(self.steps.train(X, y), y)
        self._statistics.recompute()
        return Epoch(self.steps.means(), outcomes.result())

    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> Metrics:
        """Return the mean loss with penalties and without class weights, and accuracy."""
        for X, y in batches:
            self.check(X)
            self.steps.test(X, y)
        return self.steps.means()

    @cached_property
    def _random_states(self) -> list[Any]:
        """The states of the random layers, such as dropout: all variables that are not weights."""
        weights = {id(weight) for weight in self.network.weights}
        return [variable for variable in self.network.variables if id(variable) not in weights]

    def weights(self) -> list[Array]:
        """Copy the weights, including the moving statistics of BatchNorm."""
        return [np.array(weight) for weight in self.network.get_weights()]

    def set_weights(self, weights: list[Array]) -> None:
        """Set copied weights."""
        self.network.set_weights(weights)

    def state(self) -> dict[str, Array]:
        """Copy the weights and the optimizer's variables, numbered in order."""
        return {name: np.array(variable) for name, variable in self._named_variables().items()}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Set copied weights and optimizer variables."""
        named = self._named_variables()
        for name, variable in named.items():
            if name not in state or state[name].shape != tuple(variable.shape):
                found = f"shape {state[name].shape}" if name in state else "none"
                raise ArtifactError(f"checkpoint: {name}: expected shape {tuple(variable.shape)}, found {found}")
        for name, variable in named.items():
            variable.assign(state[name])
        self._rate = None  # the rate is among the variables of the optimizer

    def _named_variables(self) -> dict[str, Any]:
        groups = {"weight": self.network.weights, "optimizer": self.steps.optimizer.variables}
        return {f"{name}_{i}": variable for name, group in groups.items() for i, variable in enumerate(group)}

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Run the network once for scores and `layers`; probabilities are computed in float64 from the logits."""
        self.check(X)
        values = self._reader(tuple(layers))(X)
        scores = values["scores"].numpy()
        representations = {name: values[name].numpy().reshape(len(X), -1) for name in layers}
        if self.task_spec.task == "regression":
            return Outputs(None, None, scores[:, 0].astype(np.float64), representations)
        return Outputs(scores, softmax(scores.astype(np.float64), axis=1), scores.argmax(axis=1), representations)

    def _reader(self, layers: tuple[str, ...]) -> Any:
        """Return the compiled function of a batch that computes scores and `layers`."""
        if layers not in self._readers:
            tensors = {name: self.network.get_layer(name).output for name in layers} | {"scores": self._scores}
            reader = keras().Model(self.network.inputs, tensors)
            function = array_function(lambda X: reader(X, training=False), self.task_spec, compiled=self._compiled)
            self._readers[layers] = function
        return self._readers[layers]

    def save(self, folder: Path) -> None:
        """Write ``model.keras``, which ``keras.saving.load_model`` can read."""
        for i, state in enumerate(self._random_states):  # else the bytes would depend on the number of steps
            state.assign(np.array([i, 0], np.uint32))
        save_keras(self.network, folder / CHECKPOINT)

    def restore(self, folder: Path) -> None:
        """Read the weights in ``model.keras``, and nothing else of it."""
        restore_weights(self.network, folder / CHECKPOINT)
