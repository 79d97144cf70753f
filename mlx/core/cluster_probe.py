"""What a worker of a cluster says of itself before any work; sent as code, as it may lack this package."""

from typing import Any

PROCESSOR = "processor"
"""Key of an answer: the architecture, and for which processor OpenBLAS computes, whose sums depend on it."""


def probe(folder: str) -> dict[str, Any]:
    """Return what must be the same on every worker and in the process that sends the tasks.

    Parameters
    ----------
    folder
        A folder that the worker must see.
    """
    import hashlib
    import os
    import platform
    import sys
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec
    from pathlib import Path

    def installed(package: str) -> str:
        try:
            return version(package)
        except PackageNotFoundError:
            return "none"

    def kernels() -> set[str]:
        try:
            import numpy as np  # noqa: F401  # loads the library
            from threadpoolctl import threadpool_info
        except ImportError:
            return set()
        return {library["architecture"] for library in threadpool_info() if "architecture" in library}

    found: dict[str, Any] = {"Python": ".".join(map(str, sys.version_info[:3])), "mlx": None}
    found |= {package: installed(package) for package in ("numpy", "scipy", "scikit-learn", "pandas", "distributed")}
    found |= {PROCESSOR: ", ".join([platform.machine(), *sorted(kernels())]), "folder": os.path.isdir(folder)}  # noqa: PTH112
    spec = find_spec("mlx")
    if spec is not None and spec.origin:
        digest, package = hashlib.sha256(), Path(spec.origin).parent
        for file in sorted(package.rglob("*.py")):
            digest.update(file.relative_to(package).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
        found["mlx"] = f"code {digest.hexdigest()[:12]}"
    return found
