"""The extras of the installation: packages that only some studies need, and what to install where one is missing."""

from collections.abc import Mapping
from importlib.util import find_spec

from mlx.core.errors import MissingPackageError

EXTRAS: Mapping[str, Mapping[str, str]] = {
    "keras": {"tensorflow": "TensorFlow", "keras": "Keras", "h5py": "h5py"},
    "dvc": {"dvclive": "DVCLive"},
    "search": {"optuna": "Optuna"},
    "umap": {"umap": "umap-learn"},
    "onnx": {"onnx": "onnx", "onnxruntime": "onnxruntime"},
    "cluster": {"dask": "dask", "distributed": "distributed", "cloudpickle": "cloudpickle"},
}
"""Each extra of pyproject.toml, the modules that are imported from it, and the packages that these belong to."""


def missing(extra: str) -> str | None:
    """Return what `extra` lacks and how to install it; None where it is installed."""
    absent = [package for module, package in EXTRAS[extra].items() if find_spec(module) is None]
    return f"needs {absent[0]}{_remedy(extra)}" if absent else None


def require(extra: str, purpose: str) -> None:
    """Check that `extra` is installed.

    Raises
    ------
    MissingPackageError
        It is not: names `purpose`, a missing package and the command that installs it.
    """
    if found := missing(extra):
        raise MissingPackageError(f"{purpose}: {found}")


def remedy_for(error: BaseException) -> str:
    """Return how to install the extra whose import raised `error`; an empty string for any other error."""
    module = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    return next((_remedy(extra) for extra, modules in EXTRAS.items() if module in modules), "")


def _remedy(extra: str) -> str:
    return f'; pip install "mlx-harness[{extra}]"'
