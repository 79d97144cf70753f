"""What every model can do, whatever library computes it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError, SettingsError
from mlx.core.linear_fit import LinearFit

if TYPE_CHECKING:
    from scipy.sparse import csr_array

Metrics = dict[str, float]
Task = Literal["classification", "regression"]
BOTH_TASKS: frozenset[Task] = frozenset({"classification", "regression"})


@dataclass(frozen=True)
class TaskSpec:
    """What a model is asked to learn.

    Attributes
    ----------
    task : classification, or regression of one number.
    sample_shape : of one sample as the model is fed it.
    n_classes : K; 0 for regression.
    """

    task: Task
    sample_shape: tuple[int, ...]
    n_classes: int

    @property
    def n_features(self) -> int:
        """How many numbers a sample has."""
        return math.prod(self.sample_shape)

    @property
    def n_outputs(self) -> int:
        """How many values are predicted: one for each class, or one value."""
        return max(self.n_classes, 1)


@dataclass(frozen=True)
class Outputs:
    """What a model says about a batch of m samples.

    Attributes
    ----------
    logits : (m, K) before softmax; None for regression and for models that have none.
    probabilities : (m, K) after softmax, float64, rows that sum to 1; None for regression.
    predictions : (m,) labels, or values for regression.
    representations : one (m, d) array for each layer that was asked for; sparse rows where nearly all
        entries are 0, as in the leaf membership of a forest.
    """

    logits: Array | None
    probabilities: Array | None
    predictions: Array
    representations: "dict[str, Array | csr_array]"


@dataclass(frozen=True)
class Optimization:
    """How the weights of an iterative model are changed from a batch to the next.

    Attributes
    ----------
    optimizer : adam, sgd, rmsprop or adamw.
    learning_rate : step size of the first step; `IterativeModel.set_learning_rate` changes it.
    momentum : of sgd; the other optimizers have their own.
    weight_decay : share of every weight, times the learning rate, that a step takes off (decoupled).
    clip_norm : longest gradient, all weights together; None for any.
    clip_value : largest entry of a gradient; None for any.
    label_smoothing : share of each target that is spread evenly over all classes.
    class_weights : (K,) factor of each class's loss; None for 1.
    n_samples : of the training split, over which a penalty on the sum of all losses is shared out; None
        where nobody said.
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


class Model(ABC):
    """A model for one task.

    Attributes
    ----------
    tasks : the tasks that this model can learn.
    training_fields : the fields of the `training` section that it uses, dotted below ``params``; of the
        class, or of one model whose own parameters stand before some of them.
    task_spec : the task and the shape of the samples that it was built for.
    layers : names of the layers whose representations it can give, from input to output.
    linear_fit : what a linear regression keeps of its training samples; None for any other model.
    """

    tasks: ClassVar[frozenset[Task]]
    training_fields: frozenset[str]
    task_spec: TaskSpec
    layers: tuple[str, ...]
    linear_fit: LinearFit | None = None

    @property
    @abstractmethod
    def penultimate(self) -> str:
        """The layer that represents a sample by default: the last one before the output, where it has such."""

    @property
    @abstractmethod
    def n_parameters(self) -> int:
        """How many numbers were fitted."""

    @abstractmethod
    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Compute what the model says about ``X`` (m, *sample_shape), and the representations in `layers`."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the fitted model into an existing empty `folder`, the same bytes for the same model."""

    @abstractmethod
    def restore(self, folder: Path) -> None:
        """Take over the fitted state that `save` wrote."""

    def measure_fit(self, X: Array, y: Array) -> None:  # noqa: B027  # most models keep nothing
        """Keep what is to be known of the training samples ``X`` (n, *sample_shape) and ``y`` (n,) once fitted."""

    @final
    def resolve_layer(self, name: str) -> str:
        """Return the layer meant by `name`, where ``penultimate`` is a name that every model has.

        Raises
        ------
        SettingsError
            This model has no such layer.
        """
        if name == "penultimate":
            return self.penultimate
        if name not in self.layers:
            known = ", ".join(("penultimate", *self.layers))
            raise SettingsError(f"expected one of {known}, found '{name}'", key=("representations", "layers"))
        return name

    @final
    def check(self, X: Array) -> None:
        """Refuse a batch that this model was not built for.

        Raises
        ------
        DataError
            The samples have another shape, or hold NaN or infinity.
        """
        if X.shape[1:] != self.task_spec.sample_shape:
            raise DataError(
                f"model input: expected samples of shape {self.task_spec.sample_shape}, found {X.shape[1:]}"
            )
        if X.dtype.kind == "f" and not np.isfinite(X).all():
            row = int(np.flatnonzero(~np.isfinite(X).reshape(len(X), -1).all(axis=1))[0])
            raise DataError(f"model input: expected finite values, found NaN or infinity in row {row}")


class DirectModel(Model):
    """A model that is fitted in one go."""

    @abstractmethod
    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit to ``X`` (n, *sample_shape) and ``y`` (n,)."""


class IterativeModel(Model):
    """A model that is fitted by passes over mini-batches, so that training can watch, stop and resume it.

    It uses every field of the `training` section: some through `Optimization`, the rest in the loop that
    runs its epochs. A model for which one of them has no effect leaves it out of `training_fields`.
    """

    training_fields: frozenset[str] = frozenset({
        "epochs", "batch_size", "learning_rate", "optimizer", "seed", "early_stopping_patience",
        "params.momentum", "params.weight_decay", "params.clip_norm", "params.clip_value",
        "params.warmup_epochs", "params.schedule", "params.schedule_params",
        "params.class_weights", "params.label_smoothing", "params.augmentation",
    })  # fmt: skip

    def expect_few_steps(self) -> None:  # only what compiles its steps has something to do
        """Prepare for a few steps only: what takes longer to compile than to run is not compiled."""

    @abstractmethod
    def prepare(self, optimization: Optimization) -> None:
        """Choose the optimizer before the first epoch; its state starts from nothing."""

    @abstractmethod
    def set_learning_rate(self, rate: float) -> None:
        """Set the step size of the steps from here on."""

    @abstractmethod
    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Metrics:
        """Take one step on each batch; return the mean loss (and accuracy) of the samples, as they came.

        A batch is asked for when its step is next: what yields it may set another learning rate first.
        Whatever is random in a step, such as dropout, is drawn from `rng`, so that an epoch is a function
        of the weights, the optimizer's state, its batches and its seed.
        """

    @abstractmethod
    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> Metrics:
        """Return the mean loss (and accuracy) without learning."""

    @abstractmethod
    def weights(self) -> list[Array]:
        """Copy the weights, so that the best ones can be kept."""

    @abstractmethod
    def set_weights(self, weights: list[Array]) -> None:
        """Put copied weights back."""

    @abstractmethod
    def state(self) -> dict[str, Array]:
        """Copy all that the next step depends on, by name: weights and the optimizer's variables."""

    @abstractmethod
    def set_state(self, state: Mapping[str, Array]) -> None:
        """Go on from a copied state; `prepare` has been called as it was for the model copied from.

        Raises
        ------
        ArtifactError
            An array is missing, or has another shape.
        """
