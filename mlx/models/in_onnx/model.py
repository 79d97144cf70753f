"""A network that was trained elsewhere and exported to ONNX: it is evaluated, and not trained."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import softmax

from mlx.core.array_types import Array
from mlx.core.artifacts import write_bytes
from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.core.reading import existing
from mlx.models.contract import DirectModel, Outputs
from mlx.models.in_onnx.graph import Graph, read_graph, with_outputs
from mlx.models.in_onnx.params import OnnxParams
from mlx.models.task_spec import BOTH_TASKS, TaskSpec

CHECKPOINT = "model.onnx"
TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(float16)": np.float16,
    "tensor(uint8)": np.uint8,
}


class OnnxModel(DirectModel):
    """A network that ONNX Runtime evaluates.

    Parameters
    ----------
    file
        Of the network; a saved model has a copy.
    """

    tasks = BOTH_TASKS
    training_fields = frozenset()
    inference_only = True

    def __init__(self, params: OnnxParams, task_spec: TaskSpec, file: Path) -> None:
        self.params, self.task_spec, self.file = params, task_spec, file
        self._graph: Graph | None = None
        self._session: Any = None

    @property
    def penultimate(self) -> str:
        """The last of the layers."""
        return self.layers[-1]

    @property
    def n_parameters(self) -> int:
        """The number of weights."""
        assert self._graph is not None, "load_pretrained was not called"
        return self._graph.n_weights

    def load_pretrained(self) -> None:
        """Read the network.

        Raises
        ------
        DataError
            The file is missing or damaged.
        SettingsError
            A tensor is missing, or the model is for other samples.
        """
        self._load(self.file)

    def restore(self, folder: Path) -> None:
        """Read the copy of the network."""
        try:
            self._load(existing(folder / CHECKPOINT))
        except (DataError, SettingsError) as error:
            raise ArtifactError(f"{folder / CHECKPOINT}: expected the network of model.json, found {error}") from None

    def save(self, folder: Path) -> None:
        """Write a copy of the network, with its weights."""
        assert self._graph is not None
        write_bytes(folder / CHECKPOINT, self._graph.model.SerializeToString(deterministic=True))

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Change nothing."""

    def _load(self, path: Path) -> None:
        import onnxruntime

        graph = read_graph(path)
        self._scores = graph.output(self.params.output)
        key = ("model", "params", "layers")
        named = {name: graph.tensor(tensor, key) for name, tensor in self.params.layers.items()}
        self._tensors = named or {"penultimate": graph.penultimate(self._scores)}
        self.layers = ("input", *self._tensors)
        if len(graph.inputs) != 1:
            names = ", ".join(value.name for value in graph.inputs)
            raise DataError(f"{path}: expected one input, found {names}")
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(
                with_outputs(graph, list(self._tensors.values())), options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime has a class of its own for each kind
            raise DataError(f"{path}: ONNX Runtime can't run it: {' '.join(str(error).split())[:300]}") from None
        self._graph = graph
        self._first = self._channels_first()
        self._check_outputs()

    def _channels_first(self) -> bool:
        """Return whether channels are moved to the front; reject a network for other samples."""
        (given,) = self._session.get_inputs()
        shape, expected = self.task_spec.sample_shape, tuple(given.shape[1:])
        moved = (*shape[-1:], *shape[:-1]) if len(shape) == 3 else shape
        if given.type not in TYPES:
            raise DataError(f"{self.file}: expected an input of {', '.join(TYPES)}, found {given.type}")
        choices = {"first": [True], "last": [False], "auto": [False, True]}[self.params.channels]
        for first in choices:
            if _fits(moved if first and len(shape) == 3 else shape, expected):
                return first and len(shape) == 3
        raise DataError(
            f"{self.file}: expected a network for samples of shape {shape}"
            f"{f' or {moved}' if moved != shape else ''}, found one for {expected}"
        )

    def _check_outputs(self) -> None:
        probe = self._run(np.zeros((1, *self.task_spec.sample_shape), np.float32))
        scores = np.asarray(probe[self._scores])
        columns = scores.shape[1] if scores.ndim == 2 else 1
        allowed = {self.task_spec.n_outputs} | ({1} if self.task_spec.n_classes == 2 else set())
        if scores.ndim > 2 or len(scores) != 1 or columns not in allowed:
            raise DataError(
                f"{self.file}: expected an output '{self._scores}' of shape (n, {self.task_spec.n_outputs}), found "
                f"{scores.shape} for one sample"
            )

    def outputs(self, X: Array, layers: Sequence[str] = ()) -> Outputs:
        """Run the network; probabilities are computed in float64 from logits."""
        self.check(X)
        found = self._run(X)
        representations: dict[str, Any] = {
            name: np.asarray(X, np.float64).reshape(len(X), -1)
            if name == "input"
            else self._pooled(found[self._tensors[name]], len(X))
            for name in layers
        }
        scores = np.asarray(found[self._scores])
        scores = scores.astype(np.float64 if scores.dtype == np.float64 else np.float32).reshape(len(X), -1)
        if self.task_spec.task == "regression":
            return Outputs(None, None, scores[:, 0].astype(np.float64), representations)
        logits, probabilities = self._probabilities(scores)
        best = (probabilities if logits is None else logits).argmax(axis=1)
        return Outputs(logits, probabilities, best, representations)

    def _probabilities(self, scores: Array) -> tuple[Array | None, Array]:
        assert self._graph is not None
        kind = self.params.output_type
        if kind == "probabilities" or (kind == "auto" and self._graph.ends_in_softmax(self._scores)):
            wide = scores.astype(np.float64)
            wide = np.hstack([1 - wide, wide]) if wide.shape[1] == 1 else wide
            return None, wide / wide.sum(axis=1, keepdims=True)
        logits = np.hstack([np.zeros_like(scores), scores]) if scores.shape[1] == 1 else scores
        return logits, softmax(logits.astype(np.float64), axis=1)

    def _pooled(self, values: Array, m: int) -> Array:
        if values.ndim == 0 or len(values) != m:
            raise DataError(f"{self.file}: expected tensors with a row for each of {m} samples, found {values.shape}")
        values = values.astype(np.float64 if values.dtype == np.float64 else np.float32)
        if values.ndim > 2 and self.params.pool == "mean":
            return np.asarray(values.mean(axis=1 if values.ndim == 3 else tuple(range(2, values.ndim))))
        return values.reshape(m, -1)

    def _run(self, X: Array) -> dict[str, Array]:
        """Return the tensors by name; a network of a fixed batch size runs piece by piece."""
        (given,) = self._session.get_inputs()
        images = np.moveaxis(X, -1, 1) if self._first else X
        samples = np.ascontiguousarray(images, TYPES[given.type])
        names = list(dict.fromkeys((self._scores, *self._tensors.values())))
        size = given.shape[0] if given.shape and isinstance(given.shape[0], int) else len(samples)
        pieces = []
        for start in range(0, len(samples), size):
            some = samples[start : start + size]
            padded = np.concatenate([some, np.repeat(some[-1:], size - len(some), axis=0)])
            found = self._session.run(names, {given.name: padded})
            pieces.append([values[: len(some)] if values.ndim else values for values in found])
        return {name: np.concatenate(parts) for name, parts in zip(names, zip(*pieces, strict=True), strict=True)}


def _fits(shape: tuple[int, ...], expected: tuple[Any, ...]) -> bool:
    """Return whether samples of `shape` fit an input, whose named dimensions take any length."""
    return len(shape) == len(expected) and all(
        not isinstance(wanted, int) or wanted == found for found, wanted in zip(shape, expected, strict=True)
    )
