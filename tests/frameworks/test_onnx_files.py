"""A file for `model.name: onnx` that is none, or of another network, is rejected in one line."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from mlx.core.errors import MlxError
from mlx.models import Model, ModelSettings, TaskSpec, build_model

TASK = TaskSpec("classification", (4,), 3)
eye = partial(np.eye, dtype=np.float32)
HIDDEN, HEAD = eye(4, 6), eye(6, 3)


def network(
    path: Path,
    shape: Sequence[Any] = ("n", 4),
    out: Sequence[Any] = ("n", 3),
    kind: int = TensorProto.FLOAT,
    **more: Any,
) -> None:
    """Write a network of two linear layers, whatever shapes it claims."""
    weights = [numpy_helper.from_array(more.get(name, value), name) for name, value in (("W", HIDDEN), ("V", HEAD))]
    nodes = more.get("nodes") or [
        helper.make_node("MatMul", ["x", "W"], ["h"]),
        helper.make_node("MatMul", ["h", "V"], ["z"]),
    ]
    inputs = [helper.make_tensor_value_info(name, kind, shape) for name in more.get("inputs", ["x"])]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, out) for name in more.get("outputs", ["z"])]
    graph = helper.make_graph(nodes, "g", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid(more.get("domain", ""), 17)], ir_version=8)
    path.write_bytes(model.SerializeToString())


def built(path: Path, task: TaskSpec = TASK, **params: Any) -> Model:
    settings = ModelSettings(name="onnx", architecture=str(path), params=params)
    return build_model(settings, task, seed=0)


UNUSUAL = [helper.make_node("Unheard", ["x"], ["h"]), helper.make_node("MatMul", ["h", "V"], ["z"])]
OTHER = [helper.make_node("MatMul", ["x", "W"], ["h"]), helper.make_node("Relu", ["h"], ["z"])]
BAD: dict[str, tuple[Callable[[Path], None], dict[str, Any], str]] = {
    "no file": (lambda _: None, {}, "expected an ONNX file, found none"),
    "a folder": (lambda path: path.mkdir(), {}, "expected an ONNX file, found none"),
    "nothing": (lambda path: path.write_bytes(b""), {}, "expected a model in ONNX"),
    "a text": (lambda path: path.write_bytes(b"PK\3\4 nothing"), {}, "expected a model in ONNX"),
    "noise": (lambda path: path.write_bytes(np.random.default_rng(0).bytes(5000)), {}, "expected a model in ONNX"),
    "an unknown operator": (lambda path: network(path, nodes=UNUSUAL), {}, "expected a model in ONNX, found"),
    "other samples": (lambda path: network(path, ("n", 5), W=eye(5, 6)), {}, "found one for .5,"),
    "images": (lambda path: network(path, ("n", 3, 8, 8), ("n", 3, 8, 3), W=eye(8, 6)), {}, "found one for .3, 8, 8"),
    "whole numbers": (lambda path: network(path, kind=TensorProto.INT64), {}, "INT64|int64"),
    "two inputs": (lambda path: network(path, inputs=["x", "y"]), {}, "expected one input, found x, y"),
    "weights that don't fit": (lambda path: network(path, W=eye(5, 6)), {}, "ONNX Runtime can't run"),
    "other classes": (lambda path: network(path, V=eye(6, 4), out=("n", 4)), {}, r"shape \(n, 3\)"),
    "two outputs": (lambda path: network(path, outputs=["h", "z"], out=("n", "k")), {}, "one of the outputs h, z"),
    "no such output": (network, {"output": "zz"}, "expected a tensor of .*: h, z; found 'zz'; did you mean 'z'"),
    "no such layer": (network, {"layers": {"penultimate": "g"}}, "expected a tensor of .*: h, z; found 'g'"),
    "an output of no linear layer": (lambda path: network(path, nodes=OTHER, out=("n", 6)), {}, "MatMul|linear layer"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_a_file_that_is_no_network_for_the_samples_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    write, params, said = BAD[name]
    write(tmp_path / "m.onnx")
    with pytest.raises(MlxError, match=said) as error:
        built(tmp_path / "m.onnx", **params)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("shape", [("n", 4), (1, 4), (7, 4), ("n", "d"), (None, None)])
def test_axes_of_any_length_and_fixed_batches_are_run(tmp_path: Path, shape: Any) -> None:
    network(tmp_path / "m.onnx", shape, (shape[0], 3))
    X = np.random.default_rng(0).normal(size=(17, 4)).astype(np.float32)
    model = built(tmp_path / "m.onnx")
    found = model.outputs(X, ("penultimate",))
    np.testing.assert_allclose(found.logits, X @ HIDDEN @ HEAD, rtol=1e-6)
    np.testing.assert_allclose(found.representations["penultimate"], X @ HIDDEN, rtol=1e-6)
    (tmp_path / "saved").mkdir()
    model.save(tmp_path / "saved")
    assert onnx.load(str(tmp_path / "saved/model.onnx")).graph.input[0].name == "x"
