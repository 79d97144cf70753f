"""A convolutional network in Keras."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from mlx.core.errors import ArtifactError, SettingsError
from mlx.models.contract import Array, IterativeModel, Metrics, Optimization, Outputs, Problem
from mlx.models.in_keras.params import CnnParams
from mlx.models.in_keras.runtime import keras, read_keras, save_keras

CHECKPOINT = "model.keras"
MOST_WEIGHTS = 250_000_000  # a gigabyte, and the optimizer takes three times as much


class Cnn(IterativeModel):
    """Convolutions and poolings, then dense layers with dropout; softmax over the classes.

    The saved network ends in the probabilities, as its users expect. Training reads the layer
    before, ``logits``: a cross-entropy from logits keeps its precision where softmax saturates.
    """

    tasks = frozenset({"classification"})
    training_fields = frozenset(
        {"epochs", "batch_size", "learning_rate", "optimizer", "seed", "early_stopping_patience"}
    )

    def __init__(self, params: CnnParams, problem: Problem, seed: int) -> None:
        self.problem = problem
        _check_image(params, problem)
        self._adopt(_network(params, problem, seed))

    def _adopt(self, network: Any) -> None:
        self.network = network
        self._to_logits = keras().Model(network.inputs, network.get_layer("logits").output)
        # The two last layers are logits and probabilities, the first is the input itself.
        self.layers = tuple(layer.name for layer in network.layers[1:-2] if "dropout" not in layer.name)
        self._readers: dict[tuple[str, ...], Any] = {}

    @property
    def penultimate(self) -> str:
        """The last dense layer, or the flattened image where there is none."""
        return self.layers[-1]

    @property
    def n_parameters(self) -> int:
        """How many weights were trained."""
        return int(self.network.count_params())

    def prepare(self, optimization: Optimization) -> None:
        """Choose one of Keras's optimizers by its name."""
        module = keras()
        config = {"learning_rate": optimization.learning_rate}
        self._to_logits.compile(
            optimizer=module.optimizers.get({"class_name": optimization.optimizer, "config": config}),
            loss=module.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )

    def set_learning_rate(self, rate: float) -> None:
        """Set the optimizer's variable."""
        self._to_logits.optimizer.learning_rate = rate

    def run_epoch(self, batches: Iterable[tuple[Array, Array]], rng: np.random.Generator) -> Metrics:
        """Take one step of the optimizer a batch; every dropout starts from a seed drawn from `rng`."""
        for generator in self._seed_generators():
            generator.state.assign(np.array([rng.integers(2**32), 0], np.uint32))
        return self._over(batches, self._to_logits.train_on_batch)

    def evaluate(self, batches: Iterable[tuple[Array, Array]]) -> Metrics:
        """Return the mean loss, penalties included, and accuracy."""
        return self._over(batches, self._to_logits.test_on_batch)

    def _over(self, batches: Iterable[tuple[Array, Array]], step: Any) -> Metrics:
        sums, n = np.zeros(2), 0
        for X, y in batches:
            self.check(X)
            means = step(X, y, return_dict=True)
            sums += len(y) * np.array([means["loss"], means["accuracy"]], np.float64)
            n += len(y)
        return dict(zip(("loss", "accuracy"), (sums / n).tolist(), strict=True))

    def weights(self) -> list[Array]:
        """Copy the weights."""
        return [np.array(weight) for weight in self.network.get_weights()]

    def set_weights(self, weights: list[Array]) -> None:
        """Put copied weights back."""
        self.network.set_weights(weights)

    def state(self) -> dict[str, Array]:
        """Copy the weights and the optimizer's variables, numbered in their order."""
        optimizer = self._to_logits.optimizer
        optimizer.build(self._to_logits.trainable_variables)
        parts = {"weight": self.weights(), "optimizer": [np.array(v) for v in optimizer.variables]}
        return {f"{part}_{i}": value for part, values in parts.items() for i, value in enumerate(values)}

    def set_state(self, state: Mapping[str, Array]) -> None:
        """Put copied weights and optimizer variables back."""
        current = self.state()
        for name, value in current.items():
            if name not in state or state[name].shape != value.shape:
                found = f"shape {state[name].shape}" if name in state else "none"
                raise ArtifactError(f"checkpoint: {name}: expected shape {value.shape}, found {found}")
        self.set_weights([state[name] for name in current if name.startswith("weight_")])
        for i, variable in enumerate(self._to_logits.optimizer.variables):
            variable.assign(state[f"optimizer_{i}"])

    def _seed_generators(self) -> list[Any]:
        return [layer.seed_generator for layer in self.network.layers if hasattr(layer, "seed_generator")]

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Run the network once for logits and all `layers`; probabilities in float64 from the logits."""
        self.check(X)
        values = self._reader(tuple(layers)).predict_on_batch(X)
        logits = values["logits"]
        representations = {name: values[name].reshape(len(X), -1) for name in layers}
        wide = logits.astype(np.float64)
        return Outputs(logits, softmax(wide, axis=1), logits.argmax(axis=1), representations)

    def _reader(self, layers: tuple[str, ...]) -> Any:
        if layers not in self._readers:
            tensors = {name: self.network.get_layer(name).output for name in ("logits", *layers)}
            self._readers[layers] = keras().Model(self.network.inputs, tensors)
        return self._readers[layers]

    def save(self, folder: Path) -> None:
        """Write ``model.keras``, which opens with plain ``keras.saving.load_model``."""
        save_keras(self.network, folder / CHECKPOINT)

    def restore(self, folder: Path) -> None:
        """Read ``model.keras`` back."""
        network = read_keras(folder / CHECKPOINT)
        expected = [layer.name for layer in self.network.layers]
        found = [layer.name for layer in network.layers]
        if (found, network.input_shape) != (expected, self.network.input_shape):
            raise ArtifactError(
                f"{folder / CHECKPOINT}: expected layers {expected} on {self.network.input_shape[1:]}, "
                f"found {found} on {network.input_shape[1:]}"
            )
        self._adopt(network)


def _check_image(params: CnnParams, problem: Problem) -> None:
    shape = problem.sample_shape
    if len(shape) != 3:
        raise SettingsError(
            f"expected a model for samples of shape {shape}, found cnn, which needs images (height, width, channels)",
            key=("model", "name"),
        )
    if params.kernel_size > min(shape[:2]):
        raise SettingsError(
            f"expected at most {min(shape[:2])}, as the image is {shape[0]}x{shape[1]}, found {params.kernel_size}",
            key=("model", "params", "kernel_size"),
        )
    if min(shape[:2]) < 2 ** len(params.filters):
        most = int(np.log2(min(shape[:2])))
        raise SettingsError(
            f"expected at most {most} convolutions, as each halves the image of {shape[0]}x{shape[1]}, "
            f"found {len(params.filters)}",
            key=("model", "params", "filters"),
        )
    if (weights := _n_weights(params, problem)) > MOST_WEIGHTS:
        raise SettingsError(
            f"expected widths that make at most {MOST_WEIGHTS:,} weights, found {weights:,}", key=("model", "params")
        )


def _n_weights(params: CnnParams, problem: Problem) -> int:
    """Count the weights before any is made, biases left out."""
    height, width, channels = problem.sample_shape
    total = 0
    for filters in params.filters:
        total += params.kernel_size**2 * channels * filters
        height, width, channels = height // 2, width // 2, filters
    units = height * width * channels
    for hidden in (*params.hidden_layers, problem.n_classes):
        total += units * hidden
        units = hidden
    return total


def _network(params: CnnParams, problem: Problem, seed: int) -> Any:
    """Build the functional network; every layer is named, so that no counter gets into the file."""
    module = keras()
    module.utils.set_random_seed(seed)
    tensor = image = module.Input(problem.sample_shape, name="image")
    for layer in _layers(module.layers, params, problem.n_classes, seed):
        tensor = layer(tensor)
    return module.Model(image, tensor, name="cnn")


def _layers(layers: Any, params: CnnParams, n_classes: int, seed: int) -> Iterator[Any]:
    penalty = {"kernel_regularizer": keras().regularizers.L2(params.l2)} if params.l2 else {}
    for i, width in enumerate(params.filters, start=1):
        yield layers.Conv2D(width, params.kernel_size, padding="same", activation="relu", name=f"conv_{i}", **penalty)
        yield layers.MaxPooling2D(name=f"pool_{i}")
    yield layers.Flatten(name="flatten")
    for i, width in enumerate(params.hidden_layers, start=1):
        yield layers.Dense(width, activation="relu", name=f"hidden_{i}", **penalty)
        if params.dropout:
            yield layers.Dropout(params.dropout, seed=seed + i, name=f"dropout_{i}")
    yield layers.Dense(n_classes, name="logits", **penalty)
    yield layers.Softmax(name="probabilities")
