"""How fast the models learn, beside what a user would use instead: ratios of alternating runs.

A row is a pair of functions that take the same data and do the same work, ours and the other's; each
runs in turn, and the median of the ratios of neighbors is printed, so that a busy machine weighs on both.
To add a row, write a function that makes such a pair and put it into `ROWS`.

Usage: python benchmarks/models.py [--pairs 5] [--only mlp-32 least-squares …]
"""

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Callable

import numpy as np

Pair = tuple[Callable[[], object], Callable[[], object]]

EPOCHS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=ROWS, default=list(ROWS))
    asked = parser.parse_args()
    print(f"load of the machine before: {os.getloadavg()[0]:.1f}")
    for name in asked.only:
        ours, theirs = ROWS[name]()
        times = [(seconds(ours), seconds(theirs)) for _ in range(asked.pairs + 1)][1:]  # the first pair warms up
        ratios = [b / a for a, b in times]
        print(
            f"{name:16} ours {statistics.median(a for a, _ in times):7.3f} s, theirs "
            f"{statistics.median(b for _, b in times):7.3f} s, {statistics.median(ratios):5.2f} times as fast "
            f"(from {min(ratios):.2f} to {max(ratios):.2f})"
        )


def seconds(run: Callable[[], object]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def mlp(batch_size: int) -> Pair:
    """MLP against scikit-learn's MLPClassifier: 17,970 digits of 64 pixels, layers of 128 and 64, Adam, 5 epochs."""
    from sklearn.datasets import load_digits
    from sklearn.neural_network import MLPClassifier

    from mlx.models import MLP

    X, y = load_digits(return_X_y=True)
    X, y = np.tile(X / 16, (10, 1)), np.tile(y, 10)
    options = {"batch_size": batch_size}
    ours = MLP(hidden_layers=[128, 64], output_activation="softmax", epochs=EPOCHS, **options)
    theirs = MLPClassifier((128, 64), alpha=0.0, max_iter=EPOCHS, n_iter_no_change=EPOCHS, random_state=0, **options)
    warnings.simplefilter("ignore")  # scikit-learn's, that 5 epochs are few
    return lambda: ours.fit(X, y), lambda: theirs.fit(X, y)


def least_squares() -> Pair:
    """LinearRegression in closed form against scikit-learn's: 100,000 samples of 100 features."""
    from sklearn.linear_model import LinearRegression as Theirs

    from mlx.models import LinearRegression

    rng = np.random.default_rng(0)
    X = rng.normal(size=(100_000, 100))
    y = X @ rng.normal(size=100) + rng.normal(size=100_000)
    found = LinearRegression().fit(X, y).coef_
    print(f"largest difference between both: {np.abs(found - Theirs().fit(X, y).coef_).max():.1e}")
    return lambda: LinearRegression().fit(X, y), lambda: Theirs().fit(X, y)


def keras_network(name: str, params: dict[str, list[int]], batch_size: int, *, training: bool) -> Pair:
    """A Keras network against Keras's own ``fit`` or ``predict``, 6,400 images of 28x28, the same weights and batches.

    Both run in one process, so that neither has Keras's compilation by XLA, which is off where operations have to
    be deterministic.
    """
    from mlx.models import ModelSettings, Optimization, TaskSpec, build_model
    from mlx.models.in_keras.model import KerasModel
    from mlx.models.in_keras.runtime import keras

    rng = np.random.default_rng(0)
    X, y = rng.random((6400, 28, 28, 1), np.float32), rng.integers(0, 10, 6400)
    model = build_model(ModelSettings(name=name, params=params), TaskSpec("classification", (28, 28, 1), 10), seed=0)
    assert isinstance(model, KerasModel)
    parts = [slice(first, first + batch_size) for first in range(0, len(X), batch_size)]
    if not training:
        layer = model.penultimate
        plain = keras().Model(model.network.inputs, [model.network.output, model.network.get_layer(layer).output])
        return (
            lambda: [model.outputs(X[part], (layer,)) for part in parts],
            lambda: plain.predict(X, batch_size=batch_size, verbose=0),
        )
    copy = keras().models.clone_model(model.network)
    copy.set_weights(model.network.get_weights())
    copy.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.prepare(Optimization())
    return (
        lambda: model.run_epoch(((X[part], y[part]) for part in parts), np.random.default_rng(0)),
        lambda: copy.fit(X, y, batch_size=batch_size, shuffle=False, verbose=0),
    )


def outcomes(name: str, params: dict[str, object]) -> Pair:
    """An epoch that records each sample's outcome against one that doesn't: 3,200 images of 32 × 32, batches of 32."""
    from mlx.models import IterativeModel, ModelSettings, Optimization, TaskSpec, build_model
    from mlx.models.outcomes import OutcomeCollector

    rng = np.random.default_rng(0)
    X, y = rng.random((3200, 32, 32, 1), np.float32), rng.integers(0, 5, 3200)
    parts = [slice(first, first + 32) for first in range(0, len(X), 32)]
    model = build_model(ModelSettings(name=name, params=params), TaskSpec("classification", (32, 32, 1), 5), seed=0)
    assert isinstance(model, IterativeModel)
    model.prepare(Optimization())

    def epoch(*, records: bool) -> None:
        collected = OutcomeCollector.add
        OutcomeCollector.add = collected if records else lambda *_: None  # type: ignore[method-assign]
        try:
            model.run_epoch(((X[part], y[part]) for part in parts), np.random.default_rng(0))
        finally:
            OutcomeCollector.add = collected  # type: ignore[method-assign]

    return lambda: epoch(records=True), lambda: epoch(records=False)


CNN = {"filters": [32, 64], "hidden_layers": [128, 64]}

ROWS: dict[str, Callable[[], Pair]] = {
    "mlp-32": lambda: mlp(32),
    "mlp-256": lambda: mlp(256),
    "least-squares": least_squares,
    "keras-mlp-fit": lambda: keras_network("keras_mlp", {}, 32, training=True),
    "keras-cnn-fit": lambda: keras_network("cnn", CNN, 32, training=True),
    "keras-rnn-fit": lambda: keras_network("rnn", {}, 32, training=True),
    "outcomes-cnn": lambda: outcomes("cnn", CNN),
    "outcomes-keras-mlp": lambda: outcomes("keras_mlp", {}),
    "outcomes-mlp": lambda: outcomes("mlp", {}),
    "keras-cnn-predict": lambda: keras_network("cnn", CNN, 256, training=False),
}


if __name__ == "__main__":
    main()
