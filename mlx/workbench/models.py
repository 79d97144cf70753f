"""Models and their training for notebooks, by the models that the pipeline trains."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import SettingsError
from mlx.core.sections import settings_of
from mlx.evaluation import EvaluationSettings, evaluate_classification
from mlx.models import DirectModel, ModelSettings, TaskSpec, build_model
from mlx.results.evaluation import ClassificationEvaluation
from mlx.stats.gates import ValidationErrors
from mlx.workbench.backends import BACKENDS, History, compile_network
from mlx.workbench.display import Described
from mlx.workbench.readers import Predictor, Reader, sample_shape, shaped

NAMES = {
    "mlp": "keras_mlp",
    "cnn": "cnn",
    "rnn": "rnn",
    "random_forest": "random_forest",
    "gradient_boosting": "gradient_boosting",
    "svm": "svm",
    "logistic_regression": "logistic_regression",
}
"""The name of each model type in the configuration."""

NETWORKS = frozenset({"mlp", "cnn", "rnn"})


class ModelSelector(Described):
    """Builds models by name, ready for training.

    Parameters
    ----------
    random_state
        Seed of the initial weights.

    Attributes
    ----------
    intermediate_representations, softmax_outputs
        Predictors of the representation before the output, and of the probabilities, of the last built model, under
        the key ``model``. They share its weights, also after training.
    """

    def __init__(self, random_state: int = 42) -> None:
        self.random_state = random_state
        self.intermediate_representations: dict[str, Predictor] = {}
        self.softmax_outputs: dict[str, Predictor] = {}

    def get_model(
        self,
        model_type: str,
        n_classes: int,
        n_features: int | Sequence[int],
        hidden_layers: Sequence[int] | None = None,
        *,
        learning_rate: float = 0.001,
        **params: Any,
    ) -> Any:
        """Build a classifier.

        Parameters
        ----------
        model_type
            mlp, cnn or rnn, which are Keras models, compiled; random_forest, gradient_boosting, svm or
            logistic_regression, which scikit-learn fits.
        n_features
            Of a flattened sample, or its shape. A number stands for a square image of one or three channels in a cnn,
            and in an rnn where it is the square of at least 8; else for a table.
        hidden_layers
            Widths of a network's dense layers.
        learning_rate
            Of a network's optimizer, Adam.
        params
            The model's own, by their names in ``model.params``.

        Raises
        ------
        ValueError
            The type or a parameter is unknown, or the model does not support such samples.
        """
        if model_type not in NAMES:
            raise ValueError(f"model_type: expected one of {', '.join(NAMES)}, found '{model_type}'")
        if n_classes < 2:
            raise ValueError(f"n_classes: expected at least 2, found {n_classes}")
        if hidden_layers is not None:
            if model_type not in NETWORKS:
                raise ValueError(f"hidden_layers: expected none, as {model_type} has no layers, found {hidden_layers}")
            params["hidden_layers"] = list(hidden_layers)
        task_spec = TaskSpec("classification", sample_shape(model_type, n_features), n_classes)
        try:
            settings = settings_of("model", ModelSettings, {"name": NAMES[model_type], "params": params})
            model = build_model(settings, task_spec, seed=self.random_state)
        except SettingsError as error:
            raise ValueError(f"{'.'.join(map(str, error.key))}: {error}") from None
        if model_type in NETWORKS:
            return self._network(model, learning_rate)
        self.intermediate_representations = {"model": Reader(model, model.penultimate)}
        self.softmax_outputs = {"model": Reader(model)}
        return model

    def _network(self, model: Any, learning_rate: float) -> Any:
        """Return the Keras model itself, with the interface of Keras."""
        from mlx.models.in_keras.runtime import keras

        network = model.network
        compile_network(network, learning_rate)
        layer = network.get_layer(model.penultimate)
        self.intermediate_representations = {"model": keras().Model(network.inputs, layer.output)}
        self.softmax_outputs = {"model": network}
        return network


class TrainingPipeline(Described):
    """Trains and evaluates a classifier, and reads its representations.

    Parameters
    ----------
    model
        A result of `ModelSelector.get_model`, or any Keras classifier that ends in probabilities.
    model_type
        ``keras`` or ``sklearn``.
    random_state
        Seed of shuffling, dropout and of what scikit-learn draws.

    Attributes
    ----------
    evaluation
        The last result of `evaluate`: metrics by name, classes, curves, confusion; its ``frames()`` are the tables, as
        DataFrames by the names of their files.
    """

    def __init__(self, model: Any, model_type: str = "keras", *, random_state: int = 42) -> None:
        if model_type not in BACKENDS:
            raise ValueError(f"model_type: expected one of {', '.join(BACKENDS)}, found '{model_type}'")
        if isinstance(model, DirectModel) is not (model_type == "sklearn"):
            raise ValueError(f"model: expected one of model_type '{model_type}', found {type(model).__name__}")
        self.model = model
        self.evaluation: ClassificationEvaluation | None = None
        self._validation: ValidationErrors | None = None
        self._backend = BACKENDS[model_type](model, random_state)

    def train(
        self,
        X_train: Array,
        y_train: Array,
        X_val: Array | None = None,
        y_val: Array | None = None,
        *,
        batch_size: int = 32,
        epochs: int = 10,
        callbacks: Sequence[Any] = (),
        **options: Any,
    ) -> History:
        """Fit the model.

        Parameters
        ----------
        X_train, X_val
            (n, …) samples; flat ones are reshaped for the model.
        y_train, y_val
            (n,) labels from 0.
        batch_size, epochs, callbacks, options
            Of Keras's ``fit``; a model of scikit-learn is fitted all at once.

        Returns
        -------
        History
            The metrics of each epoch by name: loss, accuracy, and those of validation with the prefix ``val_``.

        Raises
        ------
        DataError
            Samples have another shape than the model needs.
        ValueError
            One half of the validation data is missing, or the model does not have the option.
        """
        if (X_val is None) is not (y_val is None):
            raise ValueError("expected X_val and y_val together")
        train = (self._shaped(X_train), np.asarray(y_train))
        val = None if X_val is None else (self._shaped(X_val), np.asarray(y_val))
        if self._backend.is_direct:
            if callbacks or options:
                given = ["callbacks"] * bool(callbacks) + list(options)
                raise ValueError(f"{', '.join(given)}: expected none, as the model is fitted all at once")
        else:
            options |= {"batch_size": batch_size, "epochs": epochs, "callbacks": list(callbacks)}
        history: History = self._backend.fit(train, val, **options)
        self._validation = None
        if val is not None and len(val[1]):
            self._validation = ValidationErrors(len(val[1]), int((self.predict(val[0]) != val[1]).sum()))
        return history

    def evaluate(
        self, X_test: Array, y_test: Array, *, groups: Array | None = None
    ) -> dict[str, float | int | str | None]:
        """Return the metrics on a test set, as the pipeline computes them: accuracy, f1, calibration and so on.

        Where ``groups`` (n,) labels which samples belong together, intervals and p-values go by group.
        """
        probabilities = self._backend.softmax.predict(self._shaped(X_test), verbose=0).astype(np.float64)
        names = [str(k) for k in range(probabilities.shape[1])]
        self.evaluation = evaluate_classification(
            y_test,
            probabilities.argmax(axis=1),
            probabilities,
            class_names=names,
            settings=EvaluationSettings(),
            validation=self._validation,
            groups=groups,
        )
        return self.evaluation.metrics.as_dict()

    def predict(self, X: Array) -> Array:
        """Return the most probable label of each sample (n,)."""
        labels: Array = self.extract_softmax_outputs(X).argmax(axis=1)
        return labels

    def extract_intermediate_representations(self, X: Array, intermediate_model: Predictor | None = None) -> Array:
        """Return the representations (n, d), by default those before the output; images are flattened."""
        reader = intermediate_model or self._backend.penultimate
        values = reader.predict(self._shaped(X), verbose=0)
        return values.reshape(len(values), -1)

    def extract_softmax_outputs(self, X: Array, softmax_model: Predictor | None = None) -> Array:
        """Return the probabilities (n, K)."""
        reader = softmax_model or self._backend.softmax
        return reader.predict(self._shaped(X), verbose=0)

    def _shaped(self, X: Array) -> Array:
        return shaped(X, self._backend.sample_shape)
