"""A fully connected network on one flat vector of parameters."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from scipy.special import expit

from mlx.core.array_types import Array, Floats

HIDDEN_LAYERS = (128, 64)  # the default
BLOCK = 64  # rows of every matrix product in `Network.run`; see there


@dataclass(frozen=True)
class Activation:
    """The activation of a hidden layer.

    Attributes
    ----------
    apply
        Computes the values a from the sums z, in place.
    times_slope
        Multiplies a gradient by da/dz in place, given the values a.
    initial_variance
        Of the weights before it, from the numbers of their inputs and outputs.
    """

    apply: Callable[[Floats], object]
    times_slope: Callable[[Floats, Floats], object]
    initial_variance: Callable[[int, int], float]


def _xavier(n_in: int, n_out: int) -> float:
    """Preserve the variance of values and gradients from layer to layer (Glorot & Bengio 2010)."""
    return 2 / (n_in + n_out)


def _he(n_in: int, n_out: int) -> float:  # noqa: ARG001  # it does not depend on n_out
    """Preserve the variance for relu, which sets half of the values to 0 (He et al. 2015)."""
    return 2 / n_in


def _slope_of_tanh(gradient: Floats, values: Floats) -> None:
    gradient *= 1 - values * values


def _slope_of_sigmoid(gradient: Floats, values: Floats) -> None:
    gradient *= values * (1 - values)


# tanh and expit saturate without overflow, so their inputs need no clipping.
ACTIVATIONS = {
    "relu": Activation(lambda z: np.maximum(z, 0, out=z), lambda g, a: np.multiply(g, a > 0, out=g), _he),
    "tanh": Activation(lambda z: np.tanh(z, out=z), _slope_of_tanh, _xavier),
    "sigmoid": Activation(lambda z: expit(z, out=z), _slope_of_sigmoid, _xavier),
}


class Network:
    """Layers ``a ← activation(a @ W + b)``; the last one has no activation and gives the logits.

    Attributes
    ----------
    sizes
        Widths of all layers, from the input to the output.
    activation
        Name of the hidden layers' activation.
    parameters
        (p,) all weights and biases in one vector, so that an optimizer step is a few vector operations.
    weights, biases
        Views of `parameters`, (n_in, n_out) and (n_out,) for each layer.
    """

    def __init__(self, sizes: Sequence[int], activation: str) -> None:
        self.sizes, self.activation = tuple(sizes), activation
        n_parameters = sum((n_in + 1) * n_out for n_in, n_out in pairwise(sizes))
        self.parameters: Floats = np.zeros(n_parameters)
        self.weights, self.biases = views(self.parameters, self.sizes)

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw normal weights with the variance for the activation; biases are 0."""
        for number, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True), start=1):
            # No activation follows the last layer.
            variance = ACTIVATIONS[self.activation].initial_variance if number < len(self.weights) else _xavier
            weight[:] = rng.normal(0.0, np.sqrt(variance(*weight.shape)), weight.shape)
            bias[:] = 0

    def run(self, X: Array, layers: Sequence[int] = (-1,)) -> list[Floats]:
        """Compute the values (m, width) of `layers`, counted from 0 after the input; -1 are the logits.

        Rows are processed in blocks of `BLOCK`, the last one padded: the rounding of a matrix product depends on
        its shape, so only products of one shape give a sample the same bits in any batch.
        """
        results = [np.empty((len(X), self.sizes[1:][layer])) for layer in layers]
        block, *values = (np.zeros((BLOCK, width)) for width in self.sizes)
        for first in range(0, len(X), BLOCK):
            rows = X[first : first + BLOCK]
            block[: len(rows)] = rows
            self.forward(block, values)
            for layer, out in zip(layers, results, strict=True):
                out[first : first + BLOCK] = values[layer][: len(rows)]
        return results

    def forward(self, X: Floats, values: Sequence[Floats]) -> None:
        """Compute all layers after the input ``X`` (m, n_in) into `values`, (m, width) each."""
        previous, last = X, len(values) - 1
        for number, (weight, bias, out) in enumerate(zip(self.weights, self.biases, values, strict=True)):
            np.matmul(previous, weight, out=out)
            out += bias
            if number < last:
                ACTIVATIONS[self.activation].apply(out)
            previous = out

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle the parameters alone, as copies of views are not views."""
        return _rebuilt, (self.sizes, self.activation, self.parameters)


def views(vector: Floats, sizes: Sequence[int]) -> tuple[list[Floats], list[Floats]]:
    """Return views of the weights (n_in, n_out) and biases (n_out,) of each layer in `vector`."""
    parts = list(_cut(vector, sizes))
    return [weight for weight, _ in parts], [bias for _, bias in parts]


def _cut(vector: Floats, sizes: Sequence[int]) -> Iterator[tuple[Floats, Floats]]:
    start = 0
    for n_in, n_out in pairwise(sizes):
        middle = start + n_in * n_out
        yield vector[start:middle].reshape(n_in, n_out), vector[middle : middle + n_out]
        start = middle + n_out


def _rebuilt(sizes: Sequence[int], activation: str, parameters: Floats) -> Network:
    network = Network(sizes, activation)
    network.parameters[:] = parameters
    return network


def weight_arrays(network: Network) -> dict[str, Floats]:
    """Return the views of a network's parameters by their names in files."""
    pairs = enumerate(zip(network.weights, network.biases, strict=True), start=1)
    return {f"{part}_{i}": array for i, pair in pairs for part, array in zip(("weight", "bias"), pair, strict=True)}
