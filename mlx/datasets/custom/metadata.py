"""A table with a row per sample, beside the samples: its columns as factors, or in the role that they are given."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from mlx.core.array_types import Array
from mlx.core.console import note
from mlx.core.errors import DataError
from mlx.datasets.custom.factors import factors_of
from mlx.datasets.custom.gathering import Wanted
from mlx.datasets.custom.table_files import column_of, read_table
from mlx.datasets.custom.written_cells import accepted
from mlx.datasets.dataset import Factors
from mlx.datasets.roles import role_values

if TYPE_CHECKING:
    import pandas as pd


def read_metadata(
    path: Path, n_samples: int, files: Sequence[str] | None = None, roles: Mapping[str, str] | None = None
) -> tuple[Factors, dict[str, Array]]:
    """Read a table with one row per sample, in their order: its columns as factors, and those that have a role.

    Factors are numbers, yes or no, or text; gaps stay gaps. Texts are read as targets are: a category may be called
    "None" or "NA". Columns that explain nothing are left out, with a note (`factors_of`).

    Parameters
    ----------
    files
        The samples' files, for a folder of images: the table's column ``file`` assigns the rows to
        them, in any order, as the order in which a folder is read is arbitrary.
    roles
        By column, see `mlx.datasets.roles`; columns that are not in the table are passed over.

    Raises
    ------
    DataError
        If it has another number of rows, two columns of one name, or a column of something else.
    """
    roles = roles or {}
    accepts = accepted(roles) | ({} if files is None else {"file": "integers"})
    read = read_table(path, Wanted(accepts, most_texts=None), words=True)
    with_role = [name for name in roles if name in read.columns]
    table = read.frame([name for name, role in roles.items() if role == "ignore"])
    if files is not None:
        table = _in_order_of(table, files, path)
    if len(table) != n_samples:
        raise DataError(f"{path}: expected {n_samples} rows, one per sample, found {len(table)}")
    with_role = [name for name in with_role if name in table]
    columns = {name: role_values(table[name], roles[name], f"{path}: column '{name}'") for name in with_role}
    factors, lines = factors_of(table.drop(columns=with_role), str(path))
    for line in (*read.left_out, *lines):
        note(line)
    return factors, columns


def _in_order_of(table: "pd.DataFrame", files: Sequence[str], path: Path) -> "pd.DataFrame":
    names = table[column_of(table.columns, "file", path, "metadata")].astype(str)
    table = table.set_index(names).drop(columns="file")
    if not table.index.is_unique:
        twice = table.index[table.index.duplicated()][0]
        raise DataError(f"{path}: expected one row per file, found several for {twice}")
    absent = [file for file in files if file not in table.index]
    if absent:
        raise DataError(f"{path}: expected a row for each image, found none for {len(absent)}, such as {absent[0]}")
    return table.loc[list(files)].reset_index(drop=True)
