"""Columns of a table that may leak the target: identifiers, row numbers, and copies of the target."""

from pathlib import Path

import numpy as np

from mlx.core.array_types import Array
from mlx.datasets.custom.block_file import BlockFile
from mlx.datasets.custom.columns import Column
from mlx.datasets.custom.features import leave_out
from mlx.datasets.custom.table_labels import Labels

FEWEST_ROWS = 10
"""With fewer rows, a column may look like an identifier or a copy by chance."""


class Suspicion:
    """Looks at a feature block by block: whether it is like an id, or a copy of the target, and how many gaps it has.

    It is like an id if it is of whole numbers or text, with another value in each row. It is a copy if it has one value
    for each value of the target, gaps apart; where the target's values occur less than twice each on average, only if
    it has the same numbers, as any two columns of distinct values match each other.
    """

    def __init__(self, column: Column, labels: Labels) -> None:
        self.column, self.gaps, self.infinite = column, 0, 0
        self._labels, self._n = labels, 0
        self._id_like, self._low, self._high = column.kind != "date", np.inf, -np.inf
        numbers = labels.values.dtype.kind in "iuf" and column.kind != "categorical"
        self._copy = 2 * len(labels.values) <= labels.n if labels.codes is not None else numbers
        self._copy = self._copy and len(labels.values) > 1
        self._of_label = np.full(len(labels.values) if labels.codes is not None else 0, np.nan)

    def look(self, values: Array, known: Array, samples: slice) -> None:
        """Look at a block of the column: its numbers (rows,), which of them are `known`, and the samples they are."""
        if self._id_like:
            self._id_like = bool((values == np.rint(values)).all()) and len(np.unique(values)) == len(values)
            self._low, self._high = min(self._low, values.min()), max(self._high, values.max())
        kept = values if known.all() else values[known]
        self.gaps += int(np.isnan(kept).sum())
        self._n += len(values)
        if self._copy and len(kept):
            codes, present = self._labels.codes, ~np.isnan(kept)
            labels = (self._labels.values if codes is None else codes)[samples][present]
            self._copy = np.array_equal(
                kept[present], labels if codes is None else self._values_by_class(labels, kept[present])
            )

    def _values_by_class(self, codes: Array, values: Array) -> Array:
        """Return the value that goes with the label of each sample: that of the first sample with this label."""
        if np.isnan(self._of_label).any():
            found, first = np.unique(codes, return_index=True)
            new = np.isnan(self._of_label[found])
            self._of_label[found[new]] = values[first[new]]
        return self._of_label[codes]

    def id_line(self, cells: BlockFile, path: Path) -> str | None:
        """Return a line if it is like an id, all its blocks seen; else None."""
        found = self._found(cells) if self._id_like and self._n >= FEWEST_ROWS else None
        if found is None:
            return None
        return (
            f"{path}: column '{self.column.name}' {found}, as an id or a row's number; if it is one, "
            f"{leave_out(self.column.name)}: where rows are sorted by class it gives the class away"
        )

    def _found(self, cells: BlockFile) -> str | None:
        if self._high - self._low < self._n - 1:
            return None
        values = self.column.convert(self.column.raw.numbers(cells))
        if len(np.unique(values)) < len(values):
            return None
        if self.column.kind != "categorical" and self._high - self._low == self._n - 1:
            return f"counts the rows from {self._low:.0f} to {self._high:.0f}"
        written_whole = self.column.raw.kind == "text" or self.column.raw.whole
        return "has another value in each row" if written_whole else None

    def copy_line(self, target: str, path: Path) -> str | None:
        """Return a line if it is a copy of the target, all its blocks seen; else None."""
        n = self._labels.n - self.gaps
        if not self._copy or n < max(FEWEST_ROWS, self.gaps) or len(np.unique(self._of_label)) < len(self._of_label):
            return None
        return (
            f"{path}: column '{self.column.name}' has one value for each value of the target '{target}', as a copy of "
            f"it; if it is one, {leave_out(self.column.name)}: a model would only read the answer there"
        )
