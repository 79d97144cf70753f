"""The modules of other frameworks that the tests of each file here need."""

from importlib.util import find_spec

NEEDS = {
    **{f"test_pytorch_{part}": ["torch"] for part in ("recorder", "pooling", "rejections", "processes")},
    "test_recorded_networks": ["torch", "onnx", "onnxscript", "onnxruntime"],
    "test_onnx_files": ["onnx", "onnxruntime"],
    "test_recipes": ["torch", "lightning", "transformers", "accelerate"],
}


def absent(name: str) -> list[str]:
    """Return the modules that the tests of a file lack."""
    return [module for module in NEEDS.get(name, []) if find_spec(module) is None]
