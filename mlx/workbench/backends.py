"""What `TrainingPipeline` does with a model of Keras, and with one that is fitted all at once."""

from collections.abc import Mapping
from typing import Any

from mlx.core.array_types import Array
from mlx.models import DirectModel
from mlx.workbench.readers import Reader


class History(dict[str, list[float]]):
    """The metrics of each epoch by name; also under ``history``, as in Keras."""

    @property
    def history(self) -> "History":
        """Itself."""
        return self


class KerasBackend:
    """A Keras model behind `TrainingPipeline`."""

    is_direct = False

    def __init__(self, model: Any, random_state: int) -> None:
        self.model, self.random_state = model, random_state
        self.sample_shape = tuple(model.input_shape[1:])
        self.softmax = model

    @property
    def penultimate(self) -> Any:
        """The layer before the scores: the last dense one before that gives logits or probabilities."""
        from mlx.models.in_keras.runtime import keras

        layers = keras().layers
        inner = [
            layer
            for layer in self.model.layers[:-1]
            if layer.name != "logits" and not isinstance(layer, layers.Dropout | layers.InputLayer)
        ]
        if not inner:
            raise ValueError("expected a model with a layer before its output; give intermediate_model")
        return keras().Model(self.model.inputs, inner[-1].output)

    def fit(self, train: tuple[Array, Array], val: tuple[Array, Array] | None, **options: Any) -> History:
        """Train with the loop of Keras, as its callbacks require it."""
        from mlx.models.in_keras.runtime import keras

        keras().utils.set_random_seed(self.random_state)
        if not self.model.compiled:
            compile_network(self.model, 0.001)
        done = self.model.fit(*train, validation_data=val, **options)
        return History({name: [float(value) for value in values] for name, values in done.history.items()})


class DirectBackend:
    """A model that is fitted all at once behind `TrainingPipeline`."""

    is_direct = True

    def __init__(self, model: DirectModel, random_state: int) -> None:
        self.model, self.random_state = model, random_state
        self.sample_shape = model.task_spec.sample_shape
        self.softmax, self.penultimate = Reader(model), Reader(model, model.penultimate)

    def fit(self, train: tuple[Array, Array], val: tuple[Array, Array] | None) -> History:
        """Fit it, and measure accuracy."""
        self.model.fit(*train, seed=self.random_state)
        parts = {"accuracy": train} | ({} if val is None else {"val_accuracy": val})
        hits = {name: self.model.outputs(X).predictions == y for name, (X, y) in parts.items()}
        return History({name: [float(hit.mean())] for name, hit in hits.items()})


BACKENDS: Mapping[str, Any] = {"keras": KerasBackend, "sklearn": DirectBackend}
"""By model type of `TrainingPipeline`."""


def compile_network(network: Any, learning_rate: float) -> None:
    """Choose Adam and the cross-entropy of labels for a Keras model that ends in probabilities."""
    from mlx.models.in_keras.runtime import keras

    network.compile(keras().optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
