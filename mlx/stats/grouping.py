"""Which samples belong together: chosen by the name that ``evaluation.groups`` and ``residuals.groups`` give."""

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from mlx.core.errors import DataError, SettingsError
from mlx.core.group_names import DUPLICATES, unknown_groups
from mlx.stats.duplicates import Duplicates
from mlx.stats.groups import Groups

if TYPE_CHECKING:
    import pandas as pd

GIVEN = "given"
"""What results call groups that were handed over without a name."""


def given_groups(name: str | None, given: npt.ArrayLike | None, n: int) -> Groups | None:
    """Return the groups with labels (n_samples,), where they are given.

    Raises
    ------
    SettingsError
        ``evaluation.groups`` names groups, and no labels are given.
    DataError
        The labels are of another shape than (n,).
    """
    if given is None:
        if name is not None:
            raise SettingsError(f"evaluation.groups: expected the labels of groups '{name}', found none")
        return None
    labels = np.asarray(given)
    if labels.shape != (n,):
        raise DataError(f"groups: expected shape ({n},), found {labels.shape}")
    return Groups.of(labels)


def names_of(name: str | None, groups: Groups | None) -> dict[str, Any]:
    """Return what a result says of the groups: their name (``groups``) and number (``n_groups``), if there are any."""
    return {} if groups is None else {"groups": name or GIVEN, "n_groups": groups.count}


def choose_groups(
    name: str | None, given: npt.ArrayLike | None, factors: "pd.DataFrame | None", duplicates: Duplicates
) -> Groups | None:
    """Return the groups of n_samples samples, or None where each is its own.

    Parameters
    ----------
    name
        A column of ``factors``, or `DUPLICATES`; None for none.
    given
        (n_samples,), labels of the groups, which are then not looked up by name; None for none.
    factors
        A column a factor, n_samples rows.
    duplicates
        Which samples are exact duplicates.

    Raises
    ------
    SettingsError
        No factor has this name.
    DataError
        The labels are of another shape.
    """
    n = duplicates.first.size
    if given is not None:
        return given_groups(name, given, n)
    if name is None:
        return None
    if name == DUPLICATES:
        return Groups.of(duplicates.first)
    columns = {} if factors is None else {str(column): factors[column] for column in factors}
    if name not in columns:
        raise unknown_groups(name, columns)
    return Groups.of(columns[name].to_numpy())
