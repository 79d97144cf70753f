"""Every Keras network, whoever built it, behind the contract of the models."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from mlx.core.array_types import Array
from mlx.core.errors import ArtifactError
from mlx.models.contract import BOTH_TASKS, IterativeModel, Metrics, Optimization, Outputs, TaskSpec
from mlx.models.in_keras.batch_statistics import BatchStatistics
from mlx.models.in_keras.checkpoint import restore_weights, save_keras
from mlx.models.in_keras.network import Network
from mlx.models.in_keras.runtime import keras
from mlx.models.in_keras.steps import Steps, compiled, interpreted

CHECKPOINT = "model.keras"


class KerasModel(IterativeModel):
    """A network in Keras.

    The saved network ends in the probabilities, as its users expect. Training reads the layer
    before, ``logits``: a cross-entropy from logits keeps its precision where softmax saturates.
    BatchNorm uses its moving statistics everywhere but in `run_epoch`, so that what the network says
    of a sample does not depend on the batch; they are computed anew when an epoch ends.
    """

    tasks = BOTH_TASKS

    def __init__(self, network: Network, task_spec: TaskSpec) -> None:
        self.task_spec = task_spec
        self.network, self.layers = network.model, network.layers
        self._scores = self.network.get_layer(network.scores).output
        self._scorer = keras().Model(self.network.inputs, self._scores)
        self._statistics = BatchStatistics(self.network, self._scorer, task_spec)
        self._steps: Steps | None = None
        self._compiling = True
        self._rate: float | None = None
        self._readers: dict[tuple[str, ...], Any] = {}

    @property
    def penultimate(self) -> str:
        """The last layer before the output."""
        return self.layers[-1]

    @property
    def n_parameters(self) -> int:
        """How many weights the network has."""
        return int(self.network.count_params())

    def expect_few_steps(self) -> None:
        """Call the layers one by one: a deep network takes longer to compile than a few steps do."""
        self._compiling = False
        self._statistics.compiling = False

    def prepare(self, optimization: Optimization) -> None:
        """Choose one of Keras's optimizers by its name."""
        self._steps = Steps(self._scorer, self.task_spec, optimization, compiling=self._compiling)
        self._rate = optimization.learning_rate

    @property
    def steps(self) -> Steps:
        """The compiled steps; only a network that was prepared has them."""
        assert self._steps is not None, "prepare was not called"
        return self._steps

    def set_learning_rate(self, rate: float) -> None:
        """Set the optimizer's variable."""
        if rate != self._rate:  # a schedule may ask before every step
            self._rate, self.steps.optimizer.learning_rate = rate, rate

    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Metrics:
        """Take one step of the optimizer a batch; every random layer starts from a seed drawn from `rng`."""
        for state in self._random_states:
            state.assign(np.array([rng.integers(2**32), 0], np.uint32))
        for X, y in self._statistics.watched(batches):
            self.check(X)
            self.steps.train(X, y)
        self._statistics.settle()
        return self.steps.means()

    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> Metrics:
        """Return the mean loss, penalties included and classes not weighted, and accuracy."""
        for X, y in batches:
            self.check(X)
            self.steps.test(X, y)
        return self.steps.means()

    @cached_property
    def _random_states(self) -> list[Any]:
        """The states of all layers that draw, such as dropout: what the network has beside its weights."""
        weights = {id(weight) for weight in self.network.weights}
        return [variable for variable in self.network.variables if id(variable) not in weights]

    def weights(self) -> list[Array]:
        """Copy the weights, the moving statistics of BatchNorm among them."""
        return [np.array(weight) for weight in self.network.get_weights()]

    def set_weights(self, weights: list[Array]) -> None:
        """Put copied weights back."""
        self.network.set_weights(weights)

    def state(self) -> dict[str, Array]:
        """Copy the weights and the optimizer's variables, numbered in their order."""
        optimizer = [np.array(variable) for variable in self.steps.optimizer.variables]
        parts = {"weight": self.weights(), "optimizer": optimizer}
        return {f"{part}_{i}": value for part, values in parts.items() for i, value in enumerate(values)}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Put copied weights and optimizer variables back."""
        variables = {"weight": self.network.weights, "optimizer": self.steps.optimizer.variables}
        named = {f"{part}_{i}": v for part, values in variables.items() for i, v in enumerate(values)}
        for name, variable in named.items():
            if name not in state or state[name].shape != tuple(variable.shape):
                found = f"shape {state[name].shape}" if name in state else "none"
                raise ArtifactError(f"checkpoint: {name}: expected shape {tuple(variable.shape)}, found {found}")
        for name, variable in named.items():
            variable.assign(state[name])
        self._rate = None  # the copied optimizer's is in its variables

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Run the network once for its scores and all `layers`; probabilities in float64 from the logits."""
        self.check(X)
        values = self._reader(tuple(layers))(X)
        scores = values["scores"].numpy()
        representations = {name: values[name].numpy().reshape(len(X), -1) for name in layers}
        if self.task_spec.task == "regression":
            return Outputs(None, None, scores[:, 0].astype(np.float64), representations)
        return Outputs(scores, softmax(scores.astype(np.float64), axis=1), scores.argmax(axis=1), representations)

    def _reader(self, layers: tuple[str, ...]) -> Any:
        """Compile the network up to its scores and `layers`."""
        if layers not in self._readers:
            tensors = {name: self.network.get_layer(name).output for name in layers} | {"scores": self._scores}
            reader = keras().Model(self.network.inputs, tensors)
            made = compiled if self._compiling else interpreted
            self._readers[layers] = made(lambda X: reader(X, training=False), self.task_spec)
        return self._readers[layers]

    def save(self, folder: Path) -> None:
        """Write ``model.keras``, which opens with plain ``keras.saving.load_model``."""
        for i, state in enumerate(self._random_states):  # else the file would tell how many steps were taken
            state.assign(np.array([i, 0], np.uint32))
        save_keras(self.network, folder / CHECKPOINT)

    def restore(self, folder: Path) -> None:
        """Read the weights in ``model.keras`` back; nothing else in it is used."""
        restore_weights(self.network, folder / CHECKPOINT)
