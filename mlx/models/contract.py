"""The interface of all models, whatever their library."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import Task
from mlx.core.errors import DataError, SettingsError
from mlx.core.last_layer import LastLayer
from mlx.core.linear_fit import LinearFit
from mlx.core.settings import nearest
from mlx.models.outcomes import SampleOutcomes
from mlx.models.task_spec import TaskSpec

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Metrics = dict[str, float]


@dataclass(frozen=True)
class Outputs:
    """The outputs of a model for a batch of m samples.

    Attributes
    ----------
    logits
        (m, K) before softmax; None for regression and for models without logits.
    probabilities
        (m, K), float64, with rows that sum to 1; None for regression.
    predictions
        (m,) labels, or values for regression.
    representations
        One (m, d) array for each requested layer; sparse if nearly all entries are 0, as in the leaf membership of a
        forest.
    """

    logits: Array | None
    probabilities: Array | None
    predictions: Array
    representations: "dict[str, Array | csr_array]"


@dataclass(frozen=True)
class Optimization:
    """How an iterative model updates its weights.

    Attributes
    ----------
    optimizer
        adam, sgd, rmsprop or adamw.
    learning_rate
        Step size of the first step; `IterativeModel.set_learning_rate` changes it.
    momentum
        Of sgd; the other optimizers have fixed ones.
    weight_decay
        Share of every weight, times the learning rate, that a step subtracts (decoupled).
    clip_norm
        Largest norm of the gradient of all weights; None for no limit.
    clip_value
        Largest absolute entry of a gradient; None for no limit.
    label_smoothing
        Share of each target that is distributed evenly over all classes.
    class_weights
        (K,) factor of the loss of each class; None for 1.
    n_samples
        Number of training samples, by which a penalty on the sum of all losses is divided; None if unknown.
    """

    optimizer: str = "adam"
    learning_rate: float = 0.001
    momentum: float = 0.0
    weight_decay: float = 0.0
    clip_norm: float | None = None
    clip_value: float | None = None
    label_smoothing: float = 0.0
    class_weights: tuple[float, ...] | None = None
    n_samples: int | None = None


@dataclass(frozen=True)
class Epoch:
    """What an epoch of training found.

    Attributes
    ----------
    metrics
        Mean loss (and accuracy) of the samples before their steps.
    outcomes
        Of each sample before its step, in the order of the batches; None for a regression.
    """

    metrics: Metrics
    outcomes: SampleOutcomes | None = None


class Model(ABC):
    """A model for one task.

    Attributes
    ----------
    tasks
        The tasks that this model can learn.
    training_fields
        The fields of the `training` section that it uses, dotted below ``params``; an attribute of the class, or of a
        model whose own parameters override some of them.
    task_spec
        The task and data that it was built for.
    layers
        Names of the layers that represent a sample, from input to output.
    linear_fit
        The training design of a linear regression; None for other models.
    runs_in_threads
        Whether several threads may call `outputs` at the same time.
    """

    tasks: ClassVar[frozenset[Task]]
    training_fields: frozenset[str]
    task_spec: TaskSpec
    layers: tuple[str, ...]
    linear_fit: LinearFit | None = None
    runs_in_threads: ClassVar[bool] = False

    @property
    def runs_in_processes(self) -> bool:
        """Whether copies in other processes, and on other machines, may run at the same time."""
        return True

    @property
    @abstractmethod
    def penultimate(self) -> str:
        """The layer that represents a sample by default: the last one before the output if there is one."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """The number of fitted parameters."""

    @abstractmethod
    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Compute the outputs for ``X`` (m, *sample_shape), with the representations in `layers`."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the fitted model into an existing empty `folder`, with the same bytes for the same model."""

    @abstractmethod
    def restore(self, folder: Path) -> None:
        """Load the fitted state that `save` wrote."""

    @property
    def last_layer(self) -> LastLayer | None:
        """The linear map from a layer to the logits; None where there is none."""
        return None

    def measure_fit(self, X: Array, y: Array) -> None:  # noqa: B027  # most models store nothing
        """Store statistics of the training samples ``X`` (n, *sample_shape) and ``y`` (n,) after the fit."""

    def load_pretrained(self) -> None:  # noqa: B027  # most models have none
        """Load pretrained weights, if the settings ask for them."""

    @final
    def as_table(self, X: Array) -> Array:
        """Check ``X`` (m, *sample_shape), and return it flattened (m, d), float64."""
        self.check(X)
        return np.asarray(X, np.float64).reshape(len(X), -1)

    @final
    def resolve_layer(self, name: str) -> str:
        """Return the name of a layer, where ``penultimate`` stands for `penultimate`.

        Raises
        ------
        SettingsError
            The model does not have this layer.
        """
        if name == "penultimate":
            return self.penultimate
        if name not in self.layers:
            known = ("penultimate", *self.layers)
            raise SettingsError(
                f"expected one of {', '.join(known)}, found '{name}'{nearest(name, known)}",
                key=("representations", "layers"),
            )
        return name

    @final
    def check(self, X: Array) -> None:
        """Reject a batch that the model can't process.

        Raises
        ------
        DataError
            The samples have another shape, or contain NaN or infinity.
        """
        if X.shape[1:] != self.task_spec.sample_shape:
            raise DataError(
                f"model input: expected samples of shape {self.task_spec.sample_shape}, found {X.shape[1:]}"
            )
        if X.dtype.kind == "f" and not np.isfinite(X).all():
            row = int(np.flatnonzero(~np.isfinite(X).reshape(len(X), -1).all(axis=1))[0])
            raise DataError(f"model input: expected finite values, found NaN or infinity in row {row}")


class DirectModel(Model):
    """A model that is fitted at once.

    Attributes
    ----------
    inference_only
        Whether it was fitted elsewhere, and is not fitted here.
    """

    inference_only: bool = False

    @abstractmethod
    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit to ``X`` (n, *sample_shape) and ``y`` (n,)."""


class IterativeModel(Model):
    """A model that is fitted in epochs of mini-batches, which can be monitored, stopped and resumed.

    It uses every field of the `training` section, through `Optimization` or in the training loop. A model
    for which a field has no effect removes it from `training_fields`.
    """

    training_fields: frozenset[str] = frozenset({
        "epochs", "batch_size", "learning_rate", "optimizer", "seed", "early_stopping_patience",
        "params.momentum", "params.weight_decay", "params.clip_norm", "params.clip_value",
        "params.warmup_epochs", "params.schedule", "params.schedule_params",
        "params.class_weights", "params.label_smoothing", "params.augmentation",
    })  # fmt: skip

    @property
    @abstractmethod
    def n_activations(self) -> int:
        """The number of values that all layers together compute for a sample, by which memory is estimated."""

    def expect_few_steps(self) -> None:  # only compiled models override it
        """Skip compilation, which takes longer than the few steps of a dry run."""

    @abstractmethod
    def prepare(self, optimization: Optimization) -> None:
        """Make the optimizer, with its initial state, before the first epoch."""

    @abstractmethod
    def set_learning_rate(self, rate: float) -> None:
        """Set the learning rate of the next steps."""

    @abstractmethod
    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Epoch:
        """Take one step on each batch; return what was found of the samples before their steps.

        A batch is requested just before its step, so that the iterator can change the learning rate. All
        randomness of a step, such as dropout, is drawn from `rng`, so that an epoch is a function of the
        weights, the state of the optimizer, the batches and the seed.
        """

    @abstractmethod
    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> Metrics:
        """Return the mean loss (and accuracy) without updating the weights."""

    @abstractmethod
    def weights(self) -> list[Array]:
        """Return a copy of the weights."""

    @abstractmethod
    def set_weights(self, weights: list[Array]) -> None:
        """Set copied weights."""

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Return a copy of all that the next step depends on, by name: weights and optimizer variables."""

    @abstractmethod
    def set_state(self, state: Mapping[str, Array]) -> None:
        """Set a copied state, after `prepare` was called with the same arguments as for the copied model.

        Raises
        ------
        ArtifactError
            An array is missing, or has another shape.
        """
