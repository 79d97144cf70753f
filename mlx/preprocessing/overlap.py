"""Groups of rows that a split divides: what a model saw of a group may tell it the answer for the others."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Indices
from mlx.core.group_names import DUPLICATES
from mlx.core.settings import yaml_text
from mlx.preprocessing.known_rows import KnownRows, group_codes
from mlx.preprocessing.settings import SplitSettings
from mlx.preprocessing.split import Split


@dataclass(frozen=True)
class Overlap:
    """How a split lies to groups of rows.

    Attributes
    ----------
    groups
        Groups of at least two rows.
    divided
        Those with rows in more than one part.
    test_rows
        Test rows whose group has rows in train or val.
    missing
        Rows without a value, each of which is a group of its own.
    """

    groups: int
    divided: int
    test_rows: int
    missing: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name; that of missing values where there are any."""
        counts = {"groups": self.groups, "divided": self.divided, "test_rows": self.test_rows}
        return counts | ({"missing": self.missing} if self.missing else {})


def overlap(codes: Indices, split: Split, missing: int = 0) -> Overlap:
    """Count the groups that `split` divides; `codes` (n,) of rows, `missing` of which have no value."""
    n_groups = int(codes.max(initial=-1)) + 1
    train, val, test = (np.bincount(codes[rows], minlength=n_groups) for rows in (split.train, split.val, split.test))
    in_parts = np.sum([counts > 0 for counts in (train, val, test)], axis=0)
    shared = (train + val > 0) & (test > 0)
    return Overlap(int((train + val + test > 1).sum()), int((in_parts > 1).sum()), int(test[shared].sum()), missing)


def overlaps_of(known: KnownRows, split: Split) -> dict[str, Overlap]:
    """Return how `split` lies to the groups of each column with that role, and to equal rows."""
    import pandas as pd

    columns = {name: known.columns[name] for name, role in known.roles.items() if role == "group"}
    found = {
        name: overlap(group_codes(values), split, int(np.sum(pd.isna(values)))) for name, values in columns.items()
    }
    return found if known.duplicates is None else found | {DUPLICATES: overlap(known.duplicates, split)}


def notes_of(split: Split, settings: SplitSettings, overlaps: Mapping[str, Overlap]) -> list[str]:
    """Return a line on each size that has no effect, and on what a model sees of the test rows before it is tested."""
    idle = [f"split.{name}: {getattr(settings, name)} has no effect, as {why}" for name, why in split.idle]
    return [*idle, *_unknown(split, settings, overlaps), *_leaks(split, overlaps)]


def _unknown(split: Split, settings: SplitSettings, overlaps: Mapping[str, Overlap]) -> Iterator[str]:
    for name, found in overlaps.items():
        if found.missing and name in (split.by, settings.group):
            yield (
                f"{found.missing} rows without a value of column '{name}' are each a group of their own; rows that "
                "belong together need the same value"
            )


def _leaks(split: Split, overlaps: Mapping[str, Overlap]) -> Iterator[str]:
    n = len(split.test)
    for name, found in overlaps.items():
        if not found.test_rows:
            continue
        if name == DUPLICATES:
            yield (
                f"{found.test_rows} of {n} test samples equal a sample in train or val; split: {{method: group, group: "
                f"{DUPLICATES}}} keeps equal samples on one side"
            )
        else:
            yield (
                f"split.method: {split.method} divides {found.divided} of {found.groups} groups of column '{name}', so "
                f"that {found.test_rows} of {n} test samples are of a group that is in train or val, too; "
                f"split: {{method: group, group: {yaml_text(name)}}} keeps each group on one side"
            )
