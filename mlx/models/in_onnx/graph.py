"""The graph of an ONNX file: its tensors by name, and which of them are scores and representations."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlx.core.errors import DataError, SettingsError
from mlx.core.settings import nearest

LINEAR = ("Gemm", "MatMul")
"""Operators of a linear layer; its input is the penultimate representation."""

PASSED = ("Add", "Softmax", "Identity", "Cast", "LogSoftmax", "QLinearAdd")
"""Operators between the last linear layer and the output."""


@dataclass(frozen=True)
class Graph:
    """A graph that ONNX read and checked.

    Attributes
    ----------
    model
        Its ``onnx.ModelProto``, with all weights.
    path
        Where it was read from, for messages.
    """

    model: Any
    path: Path

    @property
    def inputs(self) -> list[Any]:
        """The inputs, without weights."""
        weights = {tensor.name for tensor in self.model.graph.initializer}
        return [value for value in self.model.graph.input if value.name not in weights]

    @property
    def n_weights(self) -> int:
        """The number of stored numbers."""
        return sum(math.prod(tensor.dims) for tensor in self.model.graph.initializer)

    def output(self, name: str | None) -> str:
        """Return the name of the scores.

        Raises
        ------
        SettingsError
            The tensor is missing, or none of several outputs was named.
        """
        outputs = [value.name for value in self.model.graph.output]
        if name is not None:
            return self.tensor(name, ("model", "params", "output"))
        if len(outputs) != 1:
            raise SettingsError(
                f"expected the name of one of the outputs {', '.join(outputs)}, found nothing",
                key=("model", "params", "output"),
            )
        return str(outputs[0])

    def tensor(self, name: str, key: tuple[str, ...]) -> str:
        """Return `name` if a tensor has it.

        Raises
        ------
        SettingsError
            None has: lists those that a node computes.
        """
        made = [output for node in self.model.graph.node for output in node.output if output]
        if name not in made:
            shown = ", ".join(made[:MOST_SHOWN]) + (", …" if len(made) > MOST_SHOWN else "")
            hint = nearest(name, made)
            raise SettingsError(f"expected a tensor of {self.path}: {shown}; found '{name}'{hint}", key=key)
        return name

    def ends_in_softmax(self, output: str) -> bool:
        """Return whether a softmax computes `output`."""
        node = self._node_of(output)
        return node is not None and node.op_type == "Softmax"

    def penultimate(self, output: str) -> str:
        """Return the input of the last linear layer before `output`.

        Raises
        ------
        SettingsError
            The output is not of a linear layer.
        """
        node = self._node_of(output)
        weights = {tensor.name for tensor in self.model.graph.initializer}
        while node is not None and node.op_type in PASSED:
            sources = [name for name in node.input if name not in weights]
            node = self._node_of(sources[0]) if sources else None
        if node is None or node.op_type not in LINEAR or self._node_of(node.input[0]) is None:
            found = "nothing" if node is None else f"a {node.op_type}"
            raise SettingsError(
                f"expected names of tensors, as the output of {self.path} is not of a linear layer but of {found}",
                key=("model", "params", "layers"),
            )
        return str(node.input[0])

    def _node_of(self, tensor: str) -> Any:
        return next((node for node in self.model.graph.node if tensor in node.output), None)


MOST_SHOWN = 40


def read_graph(path: Path) -> Graph:
    """Read an ONNX file, with the weights that it names beside it.

    Raises
    ------
    DataError
        It is missing, or no valid model.
    """
    import onnx

    if not path.is_file():
        raise DataError(f"model.architecture: {path}: expected an ONNX file, found none")
    try:
        model = onnx.load(str(path))
        onnx.checker.check_model(model)
    except Exception as error:  # protobuf's, onnx's own and of the system
        reason = " ".join(str(error).split())[:200]
        raise DataError(f"{path}: expected a model in ONNX, found {type(error).__name__}: {reason}") from None
    return Graph(model, path)


def with_outputs(graph: Graph, names: Sequence[str]) -> bytes:
    """Return the model as bytes, with these tensors among its outputs."""
    import onnx

    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    present = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names if name not in present)
    content: bytes = model.SerializeToString(deterministic=True)
    return content
