"""The parts of rows that follow from what is known of them: their own part, or their order in time."""

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.errors import DataError
from mlx.core.settings import nearest
from mlx.preprocessing.draws import Codes

TEST, VAL, TRAIN = range(3)
PARTS = ("test", "val", "train")
"""In the order in which they are drawn, which is that of their codes."""

ALIASES = {"training": "train", "validation": "val", "valid": "val", "dev": "val", "testing": "test"}


def parts_of(values: Array, where: str) -> Codes:
    """Return the code of each row's part, (n,), from the names that a column gives them, in any case.

    Raises
    ------
    DataError
        A value is no name of a part, or no row trains or tests.
    """
    import pandas as pd

    codes, different = pd.factorize(values, sort=True)
    found = [_part_of(str(name), where) for name in different]
    for part in (TRAIN, TEST):
        if part not in found:
            names = ", ".join(map(str, different))
            raise DataError(
                f"{where}: expected rows of the part {PARTS[part]}, found only {names}; use more samples, or another "
                "split.method"
            )
    parts: Codes = np.array(found, np.int64)[codes]
    return parts


def _part_of(name: str, where: str) -> int:
    plain = name.strip().lower()
    plain = ALIASES.get(plain, plain)
    if plain not in PARTS:
        raise DataError(
            f"{where}: expected train, val or test in each row, found {name!r}{nearest(plain, [*PARTS, *ALIASES])}"
        )
    return PARTS.index(plain)


def parts_by_time(order: Array, n_test: int, n_val: int, where: str) -> Codes:
    """Return the code of each row's part, (n,): the latest `n_test` rows test, the latest `n_val` of the rest validate.

    Rows of one time stay together, so that no part has rows of a time at which another one ends: the cut is the one
    between two times that is nearest to the wanted size.

    Raises
    ------
    DataError
        There are fewer than three different times, or no row would train.
    """
    times, code, counts = np.unique(order, return_inverse=True, return_counts=True)
    if len(times) < len(PARTS):
        raise DataError(
            f"{where}: expected at least three different values, one for each part, found {len(times)}; use another "
            "column, or another split.method"
        )
    ends = np.cumsum(counts)  # rows up to each time
    first_test = _nearest_cut(ends, len(order) - n_test, 2, len(times) - 1)
    first_val = _nearest_cut(ends, ends[first_test - 1] - n_val, 1, first_test - 1)
    return np.where(code >= first_test, TEST, np.where(code >= first_val, VAL, TRAIN))


def _nearest_cut(ends: Indices, wanted: float, least: int, most: int) -> int:
    """Return the number of times, from `least` to `most`, that have the number of rows nearest to `wanted`."""
    candidates = np.arange(least, most + 1)
    return int(candidates[np.argmin(np.abs(ends[candidates - 1] - wanted))])


def fold_by_time(order: Array, i: int, k: int, n_val: int, where: str) -> Codes:
    """Return the part of each row in fold `i` of `k`, (n,); -1 for rows that are later than those of the test part.

    The times are cut into k + 1 stretches of about as many rows; stretch i + 1 tests what the earlier ones trained.
    """
    times, code, counts = np.unique(order, return_inverse=True, return_counts=True)
    if len(times) < k + 2:
        raise DataError(f"{where}: expected at least {k + 2} different values for {k} folds, found {len(times)}")
    ends = np.cumsum(counts)
    cuts: list[int] = []
    for j in range(k):
        least = max(2 + j, cuts[-1] + 1 if cuts else 0)
        cuts.append(_nearest_cut(ends, len(order) * (j + 1) / (k + 1), least, len(times) - (k - j)))
    first, last = [*cuts, len(times)][i : i + 2]
    first_val = _nearest_cut(ends, ends[first - 1] - n_val, 1, first - 1)
    bounds = np.array([0, first_val, first, last, len(times)])
    return np.array([TRAIN, VAL, TEST, -1])[np.searchsorted(bounds, code, side="right") - 1]
