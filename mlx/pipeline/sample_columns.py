"""Reads what is known of samples: factors of the source, columns of its table, columns with a role."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from mlx.core.array_types import Array, Floats, Indices
from mlx.core.arrays import RowsOfFile, open_array
from mlx.core.artifacts import read_parquet
from mlx.core.checks import row_blocks
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.descriptions import DatasetDescription, read_description
from mlx.core.errors import ArtifactError
from mlx.core.group_names import DUPLICATES, unknown_groups
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.pipeline.model_outputs import ModelOutputs

MICROSECONDS_A_DAY = 86_400_000_000


@dataclass(frozen=True)
class SampleColumns:
    """The columns of the raw data, by name; where two have one name, the first of the three kinds is meant.

    Attributes
    ----------
    workspace
        With ``data/raw/``.
    described
        What the samples are.
    """

    workspace: Workspace
    described: DatasetDescription

    @classmethod
    def of(cls, workspace: Workspace) -> "SampleColumns":
        """Open those of a workspace.

        Raises
        ------
        ArtifactError
            The description is missing or damaged.
        """
        return cls(workspace, read_description(workspace.raw / "dataset.json", DatasetDescription))

    @property
    def factors(self) -> list[str]:
        """What the source knows of each sample."""
        return self.described.factors

    @cached_property
    def features(self) -> dict[str, ColumnDescription]:
        """The columns of ``X.npy`` by name: x0, x1 … where they have none; empty for images and recorded arrays."""
        shape = self.described.shape
        if len(shape) != 2 or not (self.workspace.raw / "X.npy").exists():
            return {}
        unnamed = (ColumnDescription(name=f"x{place}", kind="numeric") for place in range(shape[1]))
        return {column.name: column for column in (self.described.features or unnamed)}

    @property
    def roles(self) -> dict[str, str]:
        """The role of each column that has one."""
        return self.described.roles

    @property
    def target(self) -> str:
        """The name of the target; empty where it has none."""
        return next((column.name for column in self.described.columns if column.use == "target"), "")

    @property
    def names(self) -> list[str]:
        """All names, each once."""
        return list(dict.fromkeys([*self.factors, *self.features, *self.roles]))

    def check_groups(self, name: str | None, key: str) -> None:
        """Reject a `name` of groups, given as `key`, that is no column with a name.

        Raises
        ------
        SettingsError
            There is no such column: names those there are.
        """
        named = [feature.name for feature in self.described.features]
        known = dict.fromkeys([*self.factors, *named, *self.roles])
        if name not in {None, DUPLICATES, *known}:
            raise unknown_groups(str(name), known, key=key)

    def read(self, names: Sequence[str], rows: Indices | None = None) -> pd.DataFrame:
        """Return columns for samples, a row each; only these rows of ``X.npy`` are read.

        Numbers, truth values, moments, and categories by their names; NaN, None or NaT where a value is missing.

        Parameters
        ----------
        names
            Some of `names`.
        rows
            (n,), of the raw data; all where it is None.

        Raises
        ------
        ArtifactError
            A file is missing, damaged, or of another number of rows.
        """
        n = self.described.shape[0]
        chosen = np.arange(n) if rows is None else rows
        if chosen.max(initial=-1) >= n:
            raise ArtifactError(
                f"{self.workspace.raw / 'dataset.json'}: expected more than {chosen.max()} samples, as index.npy says, "
                f"found {n}{REMAKE}"
            )
        features = [name for name in names if name in self.features and name not in self.factors]
        found: dict[str, Any] = dict(zip(features, self._feature_values(features, chosen), strict=True))
        for file, known in (("factors.parquet", self.factors), ("roles.parquet", list(self.roles))):
            if wanted := [name for name in known if name in names and name not in found]:
                found |= self._table_values(file, wanted, chosen)
        return pd.DataFrame({name: found[name] for name in names}, index=range(len(chosen)))

    def _table_values(self, file: str, names: list[str], rows: Indices) -> "dict[str, pd.Series[Any]]":
        path, n = self.workspace.raw / file, self.described.shape[0]
        table: pd.DataFrame = read_parquet(path, names)
        if len(table) != n:
            raise ArtifactError(f"{path}: expected the {n} rows of dataset.json, found {len(table)}{REMAKE}")
        return {name: table[name].iloc[rows].reset_index(drop=True) for name in names}

    def _feature_values(self, names: list[str], rows: Indices) -> list[Array]:
        if not names:
            return []
        path, shape = self.workspace.raw / "X.npy", self.described.shape
        X = open_array(path, ndim=2, rows=shape[0])
        if X.shape[1] != len(self.features):
            raise ArtifactError(
                f"{path}: expected the {len(self.features)} features of dataset.json, found {X.shape[1]}{REMAKE}"
            )
        places = [list(self.features).index(name) for name in names]
        values = columns_at(X, rows, places)
        return [column_values(self.features[name], column) for name, column in zip(names, values, strict=True)]


def columns_at(X: Array, rows: Indices, places: Sequence[int]) -> Floats:
    """Return some columns of some rows of an array, (columns, rows); of a file, block by block."""
    found = np.empty((len(places), len(rows)))
    file = RowsOfFile(X) if RowsOfFile.supports(X) else None
    for part in row_blocks(len(rows), X.shape[1]):
        block = X[rows[part]] if file is None else file.read(rows[part])
        found[:, part] = block[:, places].T
    if file is not None:
        file.close()
    return found


def column_values(described: ColumnDescription, numbers: Floats) -> Array:
    """Return a column of ``X.npy`` (n,) as what its numbers stand for.

    Categories by their names, truth values with None for a gap, moments for dates, numbers otherwise.
    """
    absent = np.isnan(numbers)
    if described.kind == "categorical":
        names = np.array([*described.categories, None], dtype=object)
        return names[np.where(absent, -1, numbers).astype(np.intp)]
    if described.kind == "boolean":
        values = (numbers > 0).astype(object if absent.any() else bool)
        values[absent] = None
        return values
    if described.kind == "date":
        moments = np.full(len(numbers), np.datetime64("NaT"), "datetime64[us]")
        moments[~absent] = np.rint(numbers[~absent] * MICROSECONDS_A_DAY).astype(np.int64).view("datetime64[us]")
        return moments
    return numbers


def read_groups(workspace: Workspace, name: str | None, recorded: ModelOutputs, *, key: str) -> Array | None:
    """Return the label (n,) of the group of each recorded sample, duplicates included; None without groups.

    Raises
    ------
    SettingsError, ArtifactError
        As `read_group_labels`.
    """
    if name == DUPLICATES:
        return recorded.duplicates.first
    return read_group_labels(workspace, name, np.asarray(recorded.index), key=key)


def read_group_labels(
    workspace: Workspace, name: str | None, index: Array, *, key: str = "residuals.groups"
) -> Array | None:
    """Return the label of each sample's group (n,); None where no column is named.

    Parameters
    ----------
    workspace
        With ``data/raw/``.
    name
        A factor, a feature that has a name, a column with a role, or `DUPLICATES`, which are in no column; None for
        independent samples.
    index
        (n,) row of each sample in the raw data.
    key
        Of the configuration, where the name stands.

    Raises
    ------
    SettingsError
        The column is missing: names those there are.
    ArtifactError
        A table is missing, or has another number of rows than the raw data.
    """
    if name is None or name == DUPLICATES:
        return None
    columns = SampleColumns.of(workspace)
    columns.check_groups(name, key)
    return np.asarray(columns.read([name], index)[name])
