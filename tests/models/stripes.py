"""Images with a bright stripe at a height that tells their class, and which large networks are trained on them."""

from pathlib import Path

import numpy as np

from mlx.models import TaskSpec
from mlx.models.catalogue import FAMILIES
from mlx.training import Samples

LARGE = {name for variants in FAMILIES.values() for name in variants}
TRAINED = {"resnet18", "vgg11", "mobilenet_v3_small"}  # whose families are built in one way each


class Silent:
    def begin(self, history: object) -> None: ...

    def batch(self) -> None: ...

    def epoch(self, number: int, metrics: dict[str, float]) -> None: ...


def samples(task_spec: TaskSpec, n: int = 150, seed: int = 0) -> Samples:
    """Bright stripes at a height that tells the class, or the target."""
    rng = np.random.default_rng(seed)
    X = rng.normal(0, 0.1, size=(n, *task_spec.sample_shape)).astype(np.float32)
    y = rng.integers(0, 3, n)
    X[np.arange(n), 2 * y + 1] += 1
    if task_spec.task == "regression":
        return Samples(X, X[:, 3].sum(axis=(1, 2)) + 0.01 * rng.normal(size=n))
    return Samples(X, y)


def write_onnx(path: Path) -> None:
    """Write a network that knows the stripes: their sums, twice, as the penultimate layer."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    sums = np.zeros((64, 6), np.float32)
    for k in range(6):
        sums[8 * (2 * (k % 3) + 1) :, k][:8] = 1
    head = np.vstack([np.eye(3), np.eye(3)]).astype(np.float32)
    nodes = [
        helper.make_node("Flatten", ["image"], ["flat"]),
        helper.make_node("MatMul", ["flat", "sums"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("MatMul", ["active", "head"], ["logits"]),
    ]
    value, shape = helper.make_tensor_value_info, ["n", 1, 8, 8]
    graph = helper.make_graph(
        nodes, "stripes", [value("image", TensorProto.FLOAT, shape)], [value("logits", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(sums, "sums"), numpy_helper.from_array(head, "head")],
    )  # fmt: skip
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
