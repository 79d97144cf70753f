"""Which columns are factors: those that ``residuals.factors`` picks, and never one that restates the target."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd

from mlx.core.array_types import Array
from mlx.core.errors import SettingsError
from mlx.core.settings import nearest

Chosen = list[str] | Literal["all", "none"]

LISTED = 20
"""Names that a message lists."""

FEWEST_ROWS = 10
"""With fewer rows, a column may agree with the target by chance."""


def choose_factors(chosen: Chosen, names: Sequence[str], target: str = "") -> list[str]:
    """Return the names that are picked, each once.

    Parameters
    ----------
    chosen
        ``residuals.factors``.
    names
        Those there are.
    target
        The name of the target, which is not a factor.

    Raises
    ------
    SettingsError
        The name is unknown: lists those there are, and suggests the nearest.
    """
    if chosen == "all":
        return list(names)
    picked = [] if chosen == "none" else list(dict.fromkeys(chosen))
    for name in picked:
        if name not in names:
            listed = ", ".join(names[:LISTED]) + (f", … ({len(names)} in all)" if len(names) > LISTED else "")
            found = f"'{name}', the target" if name == target else f"'{name}'{nearest(name, names)}"
            known = f"some of {listed}" if names else "all or none, as no columns are known"
            raise SettingsError(f"expected {known}, found {found}", key=("residuals", "factors"))
    return picked


def restates(values: "pd.Series[Any]", target: Array) -> bool:
    """Whether a column determines the target and is determined by it, in the rows in which it has a value.

    Where the target's values occur less than twice each on average, only a column of numbers that rises or falls with
    them restates them, as any two columns of distinct values determine each other.

    Parameters
    ----------
    values, target
        (n,), a column of any kind; labels or numbers.
    """
    known = values.notna().to_numpy()
    if known.sum() < FEWEST_ROWS:
        return False
    codes, different = pd.factorize(values[known], sort=True)
    labels, ranks = np.unique(target[known], return_inverse=True)
    n_labels = len(labels)
    if not n_labels == len(different) == len(np.unique(codes * n_labels + ranks)) > 1:
        return False
    if 2 * n_labels <= known.sum():
        return True
    numeric = pd.api.types.is_numeric_dtype(values.dtype)
    return bool(numeric and (np.array_equal(codes, ranks) or np.array_equal(codes, n_labels - 1 - ranks)))


def chosen_columns(table: pd.DataFrame | None, chosen: Chosen, groups: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the columns that are factors, and these with the one that says which samples belong together.

    Raises
    ------
    SettingsError
        ``residuals.factors`` names a column that is not there.
    """
    table = pd.DataFrame() if table is None else table
    names = table.columns.map(str)
    picked = names.isin(choose_factors(chosen, list(names)))
    return table.loc[:, picked & (names != groups)], table.loc[:, picked | (names == groups)]
