"""The multi-layer perceptron for direct use."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt
from scipy.special import softmax
from sklearn.metrics import accuracy_score, r2_score
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d, validate_data

from mlx.core.array_types import Array, Floats
from mlx.core.streams import stream
from mlx.models.in_numpy.base import BaseModel, Config, number, optimizer_of, rows, whole_number
from mlx.models.in_numpy.checkpoint import (
    Checkpoint,
    CheckpointError,
    labels_as_json,
    labels_from_json,
    restore_optimizer,
)
from mlx.models.in_numpy.heads import OUTPUT_ACTIVATIONS, class_logits, n_units, predicted_classes
from mlx.models.in_numpy.mlp_targets import class_labels, target_rows
from mlx.models.in_numpy.network import ACTIVATIONS, HIDDEN_LAYERS, Network, weight_arrays
from mlx.models.in_numpy.trainer import Limits, Trainer

LEARNING_RATE = 0.001


class MLP(BaseModel):
    """A fully connected network with back-propagation in NumPy, an estimator of scikit-learn.

    Without an output activation it is a regressor, which minimizes the mean squared error; with softmax or
    sigmoid it is a classifier, which minimizes the cross-entropy. Two classes have one sigmoid; more than two
    have one each, against the rest.

    Parameters
    ----------
    layer_sizes
        Widths of all layers from the input to the output; None to use `hidden_layers`.
    hidden_layers
        Widths of the hidden layers, with the ends inferred from the data; None is (128, 64).
    activation
        relu, tanh or sigmoid; relu has He's initial weights, the others have Xavier's.
    output_activation
        None (or "none"), "sigmoid" or "softmax".
    seed
        Of the initial weights and the shuffling; None is 0.
    optimizer_config
        ``optimizer_type`` (adam), ``learning_rate`` (0.001), ``momentum`` (0, of sgd) and ``weight_decay`` (0; 0.004
        for adamw).
    l2
        Factor of the sum of squared weights added to the loss.
    gradient_clip, weight_clip
        Largest absolute entry of a gradient, and of the weights and biases; None for no limit.
    epochs, batch_size
        Of `fit`.

    Attributes
    ----------
    coefs_, intercepts_
        Weights (n_in, n_out) and biases (n_out,) of each layer.
    classes_
        (K,) labels, of a classifier.
    n_features_in_
        Width of the input.
    loss_curve_
        Mean loss of each epoch of `fit`.
    """

    _network: Network
    _trainer: Trainer
    _flat: bool

    def __init__(
        self,
        layer_sizes: Sequence[int] | None = None,
        *,
        hidden_layers: Sequence[int] | None = None,
        activation: str = "relu",
        output_activation: str | None = None,
        seed: int | None = None,
        optimizer_config: Config | None = None,
        l2: float = 0.0,
        gradient_clip: float | None = 10.0,
        weight_clip: float | None = 10.0,
        epochs: int = 100,
        batch_size: int = 32,
    ) -> None:
        self.layer_sizes = layer_sizes
        self.hidden_layers = hidden_layers
        self.activation = activation
        self.output_activation = output_activation
        self.seed = seed
        self.optimizer_config = optimizer_config
        self.l2 = l2
        self.gradient_clip = gradient_clip
        self.weight_clip = weight_clip
        self.epochs = epochs
        self.batch_size = batch_size

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        if self._classifies():
            tags.estimator_type, tags.classifier_tags = "classifier", ClassifierTags()
        else:
            tags.estimator_type, tags.regressor_tags = "regressor", RegressorTags()
            tags.target_tags.multi_output = True
        return tags

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Fit to ``X`` (n, d) and `y`: labels (n,), or values (n,) or (n, t)."""
        inputs, labels = self._checked(X, y, first=True)
        if self._classifies():
            labels = column_or_1d(labels, warn=True)
        self._begin(inputs, labels)
        self._train_epochs(self._trainer, inputs, self._targets(labels))
        return self

    def train_step(self, X: npt.ArrayLike, y: npt.ArrayLike) -> dict[str, float]:
        """Take one more step, on all of ``X`` (n, d).

        For a classifier, `y` may also be target rows (n, units), such as one-hot rows.

        Returns
        -------
        dict
            ``loss``, and ``accuracy`` of a classifier, before the step.
        """
        first = not hasattr(self, "_trainer")
        inputs, labels = self._checked(X, y, first=first)
        if first:
            self._begin(inputs, labels)
        targets, penalty = self._targets(labels), self._trainer.penalty()
        losses, logits = self._trainer.step(inputs, targets)
        metrics = {"loss": float(losses.mean()) + penalty}
        if self._classifies():
            wanted = predicted_classes(targets - 0.5 * (targets.shape[1] == 1))
            metrics["accuracy"] = float((predicted_classes(logits) == wanted).mean())
        return metrics

    def forward(self, X: npt.ArrayLike) -> Floats:
        """Compute the outputs (n, units) for ``X`` (n, d), after the output activation.

        A model with `layer_sizes` has outputs before it is fitted.
        """
        return OUTPUT_ACTIVATIONS[self._output()](self._logits(X))

    def predict(self, X: npt.ArrayLike) -> Array:
        """Predict the labels (n,), or the values (n,) or (n, t), for ``X`` (n, d)."""
        outputs = super().predict(X)
        if self._classifies():
            labels: Array = self.classes_[predicted_classes(outputs - 0.5 * (outputs.shape[1] == 1))]
            return labels
        return outputs[:, 0] if self._flat else outputs

    @available_if(lambda self: self._classifies())  # type: ignore[untyped-decorator]
    def predict_proba(self, X: npt.ArrayLike) -> Floats:
        """Compute the probability of each class (n, K) for ``X`` (n, d)."""
        check_is_fitted(self)
        logits = self._logits(validate_data(self, X, dtype=np.float64, reset=False))
        probabilities: Floats = softmax(class_logits(self._output(), logits), axis=1)
        return probabilities

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """Return the accuracy of a classifier, or R² of a regressor (higher is better)."""
        return float((accuracy_score if self._classifies() else r2_score)(y, self.predict(X)))

    @property
    def coefs_(self) -> list[Floats]:
        """The weights (n_in, n_out) of each layer."""
        return self._network.weights

    @property
    def intercepts_(self) -> list[Floats]:
        """The biases (n_out,) of each layer."""
        return self._network.biases

    def _output(self) -> str:
        output = "none" if self.output_activation is None else str(self.output_activation).lower()
        if output not in OUTPUT_ACTIVATIONS:
            raise ValueError(
                f"output_activation: expected one of {', '.join(OUTPUT_ACTIVATIONS)}, found {self.output_activation!r}"
            )
        return output

    def _classifies(self) -> bool:
        return self.output_activation is not None and str(self.output_activation).lower() != "none"

    def _checked(self, X: npt.ArrayLike, y: npt.ArrayLike, *, first: bool) -> tuple[Floats, Array]:
        inputs, targets = self._data(X, y, first=first, multi_output=True, y_numeric=not self._classifies())
        if self._classifies() and targets.ndim == 1:
            check_classification_targets(targets)
        return inputs, targets

    def _begin(self, X: Floats, y: Array) -> None:
        """Make the network and its optimizer for the training data."""
        self._flat = y.ndim == 1
        if self._classifies():
            promised = None if self.layer_sizes is None else self.layer_sizes[-1]
            self.classes_ = class_labels(y, self._output(), promised)
            units = n_units(self._output(), len(self.classes_))
        else:
            units = 1 if self._flat else y.shape[1]
        sizes = self._sizes(X.shape[1], units)
        if not hasattr(self, "_network") or hasattr(self, "_trainer") or self._network.sizes != sizes:
            self._network = self._new_network(sizes)
        self._trainer = self._new_trainer(self._network)

    def _sizes(self, n_in: int, n_out: int) -> tuple[int, ...]:
        if self.layer_sizes is None:
            hidden = HIDDEN_LAYERS if self.hidden_layers is None else self.hidden_layers
            return (n_in, *(whole_number("hidden_layers", width) for width in hidden), n_out)
        sizes = self._given_sizes()
        if (sizes[0], sizes[-1]) != (n_in, n_out):
            raise ValueError(
                f"layer_sizes: expected {n_in} at the input and {n_out} at the output, found {list(sizes)}"
            )
        return sizes

    def _given_sizes(self) -> tuple[int, ...]:
        if self.hidden_layers is not None:
            raise ValueError("expected either layer_sizes or hidden_layers, found both")
        sizes = tuple(whole_number("layer_sizes", width) for width in self.layer_sizes or ())
        if len(sizes) < 2:
            raise ValueError(f"layer_sizes: expected at least an input and an output, found {list(sizes)}")
        return sizes

    def _new_network(self, sizes: tuple[int, ...]) -> Network:
        if self.activation not in ACTIVATIONS:
            raise ValueError(f"activation: expected one of {', '.join(ACTIVATIONS)}, found {self.activation!r}")
        network = Network(sizes, self.activation)
        network.initialize(stream(self.seed or 0))
        return network

    def _new_trainer(self, network: Network) -> Trainer:
        clips = {"gradient": self.gradient_clip, "parameters": self.weight_clip}
        limits = {name: None if clip is None else number(f"{name} clip", clip, above=0) for name, clip in clips.items()}
        optimizer = optimizer_of(self.optimizer_config, len(network.parameters), LEARNING_RATE)
        l2 = number("l2", self.l2, least=0)
        return Trainer(network, self._output(), optimizer, l2=l2, limits=Limits(**limits))

    def _targets(self, y: Array) -> Floats:
        classes = self.classes_ if self._classifies() else None
        return target_rows(y, classes, self._output(), self._network.sizes[-1])

    def _logits(self, X: npt.ArrayLike) -> Floats:
        if not hasattr(self, "_network"):
            if self.layer_sizes is None:
                check_is_fitted(self)
            self._network = self._new_network(self._given_sizes())
        (logits,) = self._network.run(rows(X, self._network.sizes[0]))
        return logits

    def save(self, path: str | Path) -> None:
        """Write the model into the folder `path`: ``model.json`` and ``weights.npz``."""
        check_is_fitted(self)
        shape = {"layers": list(self._network.sizes), "activation": self.activation, "output": self._output()}
        classes = {"classes": labels_as_json(self.classes_)} if self._classifies() else {}
        self._save(path, shape, weight_arrays(self._network), self._trainer, flat=self._flat, **classes)

    def load(self, path: str | Path) -> Self:
        """Load the model that `save` wrote into the folder `path`.

        Raises
        ------
        ArtifactError
            A file is missing, damaged or altered, or of a model with other layers than this one was given.
        """
        return self._load(path)

    def _check_compatible(self, checkpoint: Checkpoint) -> None:
        sizes = list(checkpoint.architecture["layers"])
        given = None
        if self.layer_sizes is not None:
            given = list(self._given_sizes())
        elif self.hidden_layers is not None:
            given = [sizes[0], *self.hidden_layers, sizes[-1]]
        if given is not None and given != sizes:
            raise CheckpointError(f"cannot load layers {sizes} into {given}")

    def _restore(self, checkpoint: Checkpoint) -> int:
        sizes = tuple(checkpoint.architecture["layers"])
        self._network = self._new_network(sizes)
        for name, array in weight_arrays(self._network).items():
            array[:] = checkpoint.arrays[name].reshape(array.shape)
        self._trainer = self._new_trainer(self._network)
        restore_optimizer(self._trainer, checkpoint)
        self._flat = bool(checkpoint.fitted["flat"])
        if self._classifies():
            self.classes_ = labels_from_json(checkpoint.fitted["classes"])
        return int(sizes[0])
