"""Samples from a Python function of the user's own, ``file.py:name``."""

from collections.abc import Mapping
from typing import Any

from mlx.core.errors import DataError
from mlx.core.user_code import UserFunction


def call_function(path: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Call the function and return what it made: ``X``, ``y`` and, if given, ``class_names`` and ``factors``.

    Parameters
    ----------
    path
        ``file.py:name``, relative to the root of the repository.
    arguments
        Passed by name.

    Raises
    ------
    DataError
        If the file lies outside of the repository or is not there, has no such function, fails, or
        returns something else than ``(X, y)`` or a dict.
    """
    made = UserFunction(path, key="dataset.path", purpose="samples")(**arguments)
    if isinstance(made, tuple | list) and len(made) == 2:
        return {"X": made[0], "y": made[1]}
    if isinstance(made, dict) and {"X", "y"} <= made.keys() <= {"X", "y", "class_names", "factors"}:
        return made
    found = f"a dict of {sorted(map(str, made))}" if isinstance(made, dict) else f"a {type(made).__name__}"
    raise DataError(f"{path}: expected (X, y), or a dict of X, y and perhaps class_names, factors; found {found}")
