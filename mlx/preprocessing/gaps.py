"""Values that are missing in a table: how many each column has, and what is done about the rows that have them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from mlx.core.array_types import Array, Counts, Indices
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import DataError, SettingsError
from mlx.preprocessing.column_plans import Plan
from mlx.preprocessing.settings import Missing
from mlx.preprocessing.split import Split


@dataclass
class Gaps:
    """The gaps of the used columns, counted while the raw rows are read.

    Attributes
    ----------
    plan
        Which columns are used.
    rows
        (n,) whether a row has any.
    counts
        (n_used,) how many each used column has.
    """

    plan: Plan
    rows: Array
    counts: Counts = field(init=False)

    def __post_init__(self) -> None:
        """Start with none."""
        self.counts = np.zeros(len(self.plan.columns), np.int64)

    def counted(self, blocks: Iterable[tuple[slice, Array]]) -> Iterator[Array]:
        """Pass the blocks (m, n_columns) on, and count their gaps."""
        places = self.plan.places
        for where, block in blocks:
            if len(places):
                found = np.isnan(block[:, places])
                self.rows[where] = found.any(axis=1)
                self.counts += found.sum(axis=0)
            yield block

    def listed(self) -> str:
        """Return the columns that have any, and how many."""
        return _listed({c.name: int(n) for c, n in zip(self.plan.columns, self.counts, strict=True)})


def _listed(counts: Mapping[str, int]) -> str:
    having = [f"{n} in column '{name}'" for name, n in counts.items() if n]
    return ", ".join(having[:10]) + (", …" if len(having) > 10 else "")


def reject_gaps(plan: Plan, columns: Sequence[ColumnDescription], missing: Missing) -> None:
    """Raise the error of `after_gaps` for the gaps that `columns` count, where `missing` is ``reject``."""
    used = {column.name for column in plan.columns}
    counts = {column.name: column.gaps for column in columns if column.name in used}
    if missing == "reject" and any(counts.values()):
        raise _rejected(_listed(counts))


def _rejected(listed: str) -> SettingsError:
    return SettingsError(
        f"expected a value in each row of each column, found gaps: {listed}; set impute or drop, or leave columns out "
        "with preprocessing.columns: {NAME: drop}",
        key=KEY,
    )


KEY = ("preprocessing", "missing")


def after_gaps(split: Split, gaps: Gaps, missing: Missing) -> Split:
    """Return the rows of each part, without those that have gaps where `missing` is ``drop``.

    The parts are drawn before, so that a gap in a test row changes no other part.

    Raises
    ------
    SettingsError
        `missing` is ``reject`` and there are gaps, or ``drop`` and a part has no row left.
    """
    if missing == "impute" or not gaps.rows.any():
        return split
    if missing == "reject":
        raise _rejected(f"{gaps.listed()}, the first in row {int(np.argmax(gaps.rows))} from 0")
    kept = replace(split, train=_kept(split.train, gaps), val=_kept(split.val, gaps), test=_kept(split.test, gaps))
    for name, rows in kept.parts().items():
        if not len(rows):
            raise SettingsError(
                f"expected rows without gaps in each part, found none in {name} ({gaps.listed()}); set impute, or "
                "leave columns out with preprocessing.columns: {NAME: drop}",
                key=KEY,
            )
    return kept


def _kept(rows: Indices, gaps: Gaps) -> Indices:
    return rows[~gaps.rows[rows]]


def check_raw(
    blocks: Iterable[tuple[slice, Array]], columns: Sequence[ColumnDescription]
) -> Iterator[tuple[slice, Array]]:
    """Pass the raw blocks of a table on; reject infinite values, and codes of no category.

    Raises
    ------
    DataError
        Names row, column and value.
    """
    most = np.array([len(c.categories) - 1 if c.kind == "categorical" else np.inf for c in columns])
    least = np.where(np.isfinite(most), 0, -np.inf)
    whole = np.isfinite(most)
    for where, block in blocks:
        with np.errstate(invalid="ignore"):
            bad = np.isinf(block) | (block < least) | (block > most) | (whole & (block % 1 > 0))
        if bad.any():
            row, place = (int(one[0]) for one in np.nonzero(bad))
            wanted = f"a number from 0 to {most[place]:.0f}, as of a category," if whole[place] else "a finite number"
            raise DataError(
                f"X.npy: row {where.start + row}: expected {wanted} in column '{columns[place].name}', found "
                f"{block[row, place]}"
            )
        yield where, block
