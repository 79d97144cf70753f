"""The names that ``evaluation.groups`` and ``residuals.groups`` may have, and the error for another."""

from collections.abc import Iterable

from mlx.core.errors import SettingsError
from mlx.core.settings import nearest

DUPLICATES = "duplicates"
"""The name that stands for equal samples."""

LISTED = 30
"""Names of columns that a message lists."""


def unknown_groups(name: str, columns: Iterable[str], *, key: str = "residuals.groups") -> SettingsError:
    """Return the error for groups, given as ``key``, whose name is not among the known columns."""
    known = [*columns, DUPLICATES]
    listed = known if len(known) <= LISTED else [*known[:LISTED], "…", DUPLICATES]
    return SettingsError(f"{key}: expected one of {', '.join(listed)}, found '{name}'{nearest(name, known)}")
