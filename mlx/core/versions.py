"""The versions of what numbers depend on: Python, this package and the libraries behind it."""

import platform
from importlib.metadata import PackageNotFoundError, version

from mlx import __version__

LIBRARIES = ("numpy", "scipy", "pandas", "scikit-learn", "tensorflow", "keras", "matplotlib")


def versions() -> dict[str, str]:
    """Return the versions by name; a library that is not installed is left out."""
    found = {"python": platform.python_version(), "mlx": __version__}
    for library in LIBRARIES:
        try:
            found[library] = version(library)
        except PackageNotFoundError:  # an environment for analysis alone may leave TensorFlow out
            continue
    return found
