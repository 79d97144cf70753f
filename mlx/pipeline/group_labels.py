"""Reads which samples belong together, from the column of factors or roles that a configuration names."""

import numpy as np
import pandas as pd

from mlx.core.array_types import Array
from mlx.core.artifacts import read_parquet
from mlx.core.descriptions import DatasetDescription, read_description
from mlx.core.errors import ArtifactError
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.stats.grouping import DUPLICATES, unknown_groups


def read_group_labels(
    workspace: Workspace, name: str | None, index: Array, *, key: str = "residuals.groups"
) -> Array | None:
    """Return the label of each sample's group (n,); None where no column is named.

    Parameters
    ----------
    workspace
        With ``data/raw/``.
    name
        A factor, a column with a role, or `DUPLICATES`, which are in no column; None for independent samples.
    index
        (n,) row of each sample in the raw data.
    key
        Of the configuration, where the name stands.

    Raises
    ------
    SettingsError
        There is no such column: names those there are.
    ArtifactError
        A table is missing, or has another number of rows than the raw data.
    """
    if name is None or name == DUPLICATES:
        return None
    described = read_description(workspace.raw / "dataset.json", DatasetDescription)
    for file, columns in (("factors.parquet", described.factors), ("roles.parquet", list(described.roles))):
        if name in columns:
            path = workspace.raw / file
            table: pd.DataFrame = read_parquet(path, [name])
            if not len(table) == described.shape[0] > index.max():
                wanted = f"the {described.shape[0]} rows of dataset.json, with sample {index.max()}"
                raise ArtifactError(f"{path}: expected {wanted}, found {len(table)} rows{REMAKE}")
            return np.asarray(table[name])[index]
    raise unknown_groups(name, [*described.factors, *described.roles], key=key)
