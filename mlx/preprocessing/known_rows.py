"""What is known of the raw rows beside their targets: columns with a role, the source's own parts, equal rows."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.errors import SettingsError
from mlx.core.group_names import DUPLICATES
from mlx.core.settings import nearest, yaml_text


@dataclass(frozen=True)
class KnownRows:
    """Columns of n raw rows that a split may go by.

    Attributes
    ----------
    columns
        Values (n,) by name.
    roles
        ``group``, ``order``, ``part`` or ``ignore`` by name.
    parts
        (n,) the source's own part of each row, ``train``, ``val`` or ``test``; None where it has none.
    duplicates
        (n,) codes that are the same for equal rows; None where rows were not compared.
    features
        Names of columns that the model is fed.
    """

    columns: Mapping[str, Array] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)
    parts: Array | None = None
    duplicates: Indices | None = None
    features: Collection[str] = ()

    def column(self, key: str, name: str | None) -> tuple[str, Array]:
        """Return the name and the values of the column that ``split.<key>`` names; without a name, of the role `key`.

        A group may be missing; an order or a part may not, which would be no place in the split.

        Raises
        ------
        SettingsError
            There is no such column, it is a feature, several have the role, or a place is missing.
        """
        if name is None:
            name = self._of_role(key)
        if name not in self.columns:
            raise self._absent(key, name)
        import pandas as pd

        values = self.columns[name]
        missing = np.asarray(pd.isna(values))
        if key != "group" and missing.any():
            raise SettingsError(
                f"expected a value in each row of column '{name}', found none in row {int(np.argmax(missing))} from 0 "
                f"({int(missing.sum())} in all); fill them in, or use another column or method",
                key=("split", key),
            )
        return name, values

    def _of_role(self, key: str) -> str:
        having = [name for name, role in self.roles.items() if role == key]
        if len(having) == 1:
            return having[0]
        if having:
            raise SettingsError(
                f"expected the name of one of the columns with the role {key} ({', '.join(having)}), found none",
                key=("split", key),
            )
        raise SettingsError(
            f"expected a column with the role {key}, found none; set dataset.params.roles: {{COLUMN: {key}}} for a "
            "column of the table or the metadata, or another method",
            key=("split", "method"),
        )

    def _absent(self, key: str, name: str) -> SettingsError:
        remedy = f"set dataset.params.roles: {{{yaml_text(name)}: {key}}}, so that it is no feature"
        if name in self.features:
            return SettingsError(
                f"expected a column that is no feature, found '{name}', which is one; {remedy}", key=("split", key)
            )
        names = [*self.columns, *([DUPLICATES] if key == "group" else [])]
        there = f"one of {', '.join(names)}" if names else "a column with a role in dataset.params.roles"
        return SettingsError(f"expected {there}, found '{name}'{nearest(name, names)}", key=("split", key))


def group_codes(values: Array) -> Indices:
    """Return a code 0 … G − 1 of each value (n,), as ``residuals.groups`` has: a row without a value is a group itself.

    Values are numbered in the order in which they first occur, then the rows without.
    """
    import pandas as pd

    codes = pd.factorize(values)[0].astype(np.int64)
    missing = codes < 0
    codes[missing] = codes.max(initial=-1) + 1 + np.arange(missing.sum())
    return codes
