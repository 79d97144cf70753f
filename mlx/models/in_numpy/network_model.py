"""The models `mlp` and, by gradient descent, `linear_regression`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import softmax

from mlx.core.array_types import Array, Floats
from mlx.core.errors import ArtifactError
from mlx.core.last_layer import LastLayer
from mlx.models.contract import Epoch, IterativeModel, Metrics, Optimization, Outputs
from mlx.models.in_numpy.heads import LOSSES, class_logits, predicted_classes, target_table
from mlx.models.in_numpy.network import Network, weight_arrays
from mlx.models.in_numpy.optimizers import build_optimizer
from mlx.models.in_numpy.params import OptimizerConfig
from mlx.models.in_numpy.trainer import NO_LIMITS, Limits, Trainer
from mlx.models.in_numpy.training_design import measured_fit
from mlx.models.npz import read_npz, write_npz
from mlx.models.outcomes import OutcomeCollector
from mlx.models.task_spec import BOTH_TASKS, TaskSpec

if TYPE_CHECKING:
    from scipy.sparse import csr_array

CHECKPOINT = "weights.npz"
FROM_TRAINING = OptimizerConfig()


class NetworkModel(IterativeModel):
    """A fully connected network for samples of any shape, which are flattened.

    Its layers are ``hidden_1`` and so on, the values after the activation; a network without hidden
    layers has the one layer ``input``, the sample itself.

    Parameters
    ----------
    output
        The output activation, which determines the loss.
    l2
        Factor of the sum of squared weights added to the mean loss.
    ridge
        The same, added to the sum over all training samples.
    own
        Optimizer parameters of the model, which override those of the `training` section.
    """

    tasks = BOTH_TASKS
    runs_in_threads = True

    def __init__(
        self,
        task_spec: TaskSpec,
        network: Network,
        output: str,
        *,
        l2: float = 0.0,
        ridge: float = 0.0,
        limits: Limits = NO_LIMITS,
        own: OptimizerConfig = FROM_TRAINING,
    ) -> None:
        self.task_spec, self.network, self._output = task_spec, network, output
        self._l2, self._ridge, self._limits, self._own = l2, ridge, limits, own
        self.training_fields = type(self).training_fields - _overridden_fields(own)
        self.layers = tuple(f"hidden_{i}" for i in range(1, len(network.sizes) - 1)) or ("input",)

    @property
    def penultimate(self) -> str:
        """The last hidden layer, or else the input."""
        return self.layers[-1]

    @property
    def last_layer(self) -> LastLayer | None:
        """The last weights of a network with a logit for each class."""
        weights = self.network.weights[-1]
        if self._output != "softmax" or weights.shape[1] != self.task_spec.n_classes:
            return None
        return LastLayer(self.penultimate, weights, self.network.biases[-1])

    @property
    def n_parameters(self) -> int:
        """Weights and biases of all layers."""
        return len(self.network.parameters)

    @property
    def n_activations(self) -> int:
        """The units of all layers."""
        return sum(self.network.sizes)

    def prepare(self, optimization: Optimization) -> None:
        """Make the optimizer; warns of a learning rate above 1."""
        own = self._own
        rate = own.learning_rate or optimization.learning_rate
        self._rate_factor = rate / optimization.learning_rate
        optimizer = build_optimizer(
            own.optimizer_type or optimization.optimizer,
            self.n_parameters,
            rate,
            momentum=optimization.momentum if own.momentum is None else own.momentum,
            weight_decay=optimization.weight_decay if own.weight_decay is None else own.weight_decay,
        )
        clips = [clip for clip in (self._limits.gradient, optimization.clip_value) if clip is not None]
        limits = replace(self._limits, gradient=min(clips, default=None), gradient_norm=optimization.clip_norm)
        l2 = self._l2
        if self._ridge:
            assert optimization.n_samples is not None, "a ridge penalty is divided by the number of training samples"
            l2 += self._ridge / optimization.n_samples
        self._trainer = Trainer(self.network, self._output, optimizer, l2=l2, limits=limits)
        k, weights = self.task_spec.n_classes, optimization.class_weights
        self._table = target_table(self._output, k, optimization.label_smoothing) if k else None
        self._class_weights = np.array(weights) if k and weights is not None else None

    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate; a rate of the model's own keeps its ratio to that of the `training` section."""
        self._trainer.optimizer.learning_rate = rate * self._rate_factor

    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Epoch:  # noqa: ARG002
        """Take one step for each batch, without randomness. The loss includes the penalty."""
        outcomes = OutcomeCollector(self.task_spec.n_classes, partial(class_logits, self._output))
        metrics = self._means(_noted(self._train_steps(batches), outcomes))
        return Epoch(metrics, outcomes.result())

    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> Metrics:
        """Return the mean loss with the penalty, and accuracy, without class weights."""
        return self._means(self._evaluations(batches))

    def _train_steps(self, batches: Iterable[tuple[Array, Array]]) -> Iterator[tuple[Floats, Floats, Array]]:
        for X, y in batches:
            weights = None if self._class_weights is None else self._class_weights[y]
            penalty = self._trainer.penalty()
            losses, logits = self._trainer.step(self.as_table(X), self._targets(y), weights)
            yield losses + penalty, logits, y

    def _evaluations(self, batches: Iterable[tuple[Array, Array]]) -> Iterator[tuple[Floats, Floats, Array]]:
        penalty = self._trainer.penalty()
        for X, y in batches:
            (logits,) = self.network.run(self.as_table(X))
            yield LOSSES[self._output](logits, self._targets(y))[0] + penalty, logits, y

    def _means(self, batches: Iterable[tuple[Floats, Floats, Array]]) -> Metrics:
        total, hits, n = 0.0, 0, 0
        with np.errstate(over="ignore", invalid="ignore"):  # the training checks that the loss is finite
            for losses, logits, y in batches:
                total += float(losses.sum())
                n += len(y)
                if self.task_spec.n_classes:
                    hits += int((predicted_classes(logits) == y).sum())
        return {"loss": total / n} | ({"accuracy": hits / n} if self.task_spec.n_classes else {})

    def _targets(self, y: Array) -> Floats:
        return np.asarray(y, np.float64)[:, None] if self._table is None else self._table[y]

    def weights(self) -> list[Array]:
        """Copy the parameters, one vector."""
        return [self.network.parameters.copy()]

    def set_weights(self, weights: list[Array]) -> None:
        """Set copied parameters."""
        self.network.parameters[:] = weights[0]

    def state(self) -> dict[str, Array]:
        """Copy the parameters, and the vectors and number of steps of the optimizer."""
        optimizer = self._trainer.optimizer.state()
        return {"parameters": self.network.parameters.copy()} | {f"optimizer_{k}": v for k, v in optimizer.items()}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Set a copied state."""
        parameters = state.get("parameters", np.empty(0))
        if parameters.shape != self.network.parameters.shape:
            raise ArtifactError(
                f"checkpoint: parameters: expected shape {self.network.parameters.shape}, found {parameters.shape}"
            )
        optimizer = {name.removeprefix("optimizer_"): v for name, v in state.items() if name != "parameters"}
        self._trainer.optimizer.set_state(optimizer)
        self.network.parameters[:] = parameters

    def measure_fit(self, X: Array, y: Array) -> None:
        """Store the training design of a network without hidden layers and with one unit, a linear regression."""
        if self.task_spec.task == "regression" and self.layers == ("input",):
            (weight,), (bias,) = self.network.weights, self.network.biases
            coefficients = np.concatenate([bias, weight[:, 0]])
            self.linear_fit = measured_fit(X, y, coefficients, lambda rows: self.outputs(rows).predictions)

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Compute logits and `layers` in float64, with the same bits for a sample in any batch."""
        table = self.as_table(X)
        numbers = [] if self.layers == ("input",) else [self.layers.index(name) for name in layers]
        logits, *values = self.network.run(table, (-1, *numbers))
        representations: dict[str, Array | csr_array] = dict(zip(layers, values or [table] * len(layers), strict=True))
        if self.task_spec.task == "regression":
            return Outputs(None, None, logits[:, 0], representations)
        logits = class_logits(self._output, logits)
        return Outputs(logits, softmax(logits, axis=1), logits.argmax(axis=1), representations)

    def save(self, folder: Path) -> None:
        """Write the weights and biases as float64."""
        write_npz(folder / CHECKPOINT, weight_arrays(self.network))

    def restore(self, folder: Path) -> None:
        """Read them."""
        path, expected = folder / CHECKPOINT, weight_arrays(self.network)
        found = read_npz(path, tuple(expected))
        for name, array in expected.items():
            if found[name].shape != array.shape:
                raise ArtifactError(f"{path}: {name}: expected shape {array.shape}, found {found[name].shape}")
            array[:] = found[name]


def _noted(
    steps: Iterable[tuple[Floats, Floats, Array]], outcomes: OutcomeCollector
) -> Iterator[tuple[Floats, Floats, Array]]:
    """Yield losses, logits and targets of each step, and collect the outcomes."""
    for losses, logits, y in steps:
        outcomes.add(logits.copy(), y)  # the next step overwrites them
        yield losses, logits, y


def _overridden_fields(own: OptimizerConfig) -> frozenset[str]:
    """Return the fields of the `training` section that `own` overrides."""
    given = {name for name, value in own.as_dict().items() if value is not None}
    fields = {
        "optimizer_type": "optimizer",
        "learning_rate": "learning_rate",
        "momentum": "params.momentum",
        "weight_decay": "params.weight_decay",
    }
    return frozenset(fields[name] for name in given)
