"""Divides the rows of a dataset into train, validation and test."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Array, Indices
from mlx.core.errors import DataError, SettingsError
from mlx.core.group_names import DUPLICATES
from mlx.core.streams import stream
from mlx.preprocessing.draws import Codes, Rows, draw
from mlx.preprocessing.given_parts import PARTS, TEST, TRAIN, VAL, fold_by_time, parts_by_time, parts_of
from mlx.preprocessing.known_rows import KnownRows, group_codes
from mlx.preprocessing.settings import Method, SplitSettings

Fold = tuple[int, int]
"""Fold i of k, counted from 0."""


@dataclass(frozen=True)
class Split:
    """Which rows each part has: three disjoint ascending index arrays that cover all rows.

    Attributes
    ----------
    method
        How they were divided, not ``auto``.
    by
        The column that it went by; empty where it went by none.
    idle
        Settings without effect, by name, and why: sizes of parts that are given, columns of other methods.
    """

    train: Indices
    val: Indices
    test: Indices
    method: Method = "random"
    by: str = ""
    idle: tuple[tuple[str, str], ...] = ()

    def parts(self) -> dict[str, Indices]:
        """The parts by the name that their files carry."""
        return {"train": self.train, "val": self.val, "test": self.test}


def split_rows(
    y: npt.NDArray[np.generic],
    class_names: Sequence[str],
    settings: SplitSettings,
    known: KnownRows | None = None,
    *,
    fold: Fold | None = None,
) -> Split:
    """Divide ``len(y)`` rows.

    The rows of a part stay in the order of the source, so that a part is one pass over it; training
    shuffles for itself.

    Parameters
    ----------
    y
        (n,) class labels 0..K-1, or a regression target.
    class_names
        K names; empty for regression, which is never stratified.
    settings
        Method, sizes, seed, whether each class is divided alike, and perhaps the fold.
    known
        What a method other than ``random`` goes by.
    fold
        (i, k): make fold i of k, from 0, in place of parts of a size. The test parts of all folds together are all
        rows, once; by time, fold i trains on what is earlier than its test part, and the rest is in no part. Where the
        test part is given, it is that of every fold, and the validation parts of the folds are all other rows, once.
        By default that of the settings.

    Raises
    ------
    DataError
        A part would be empty, or a class, the groups or the times are too few for each part to get one.
    SettingsError
        The method needs a column that is not there, or that is a feature.
    """
    known = known or KnownRows()
    if fold is None and settings.fold is not None:
        fold = (settings.fold[0], settings.fold[1])
    method = resolved_method(settings, known)
    n, (n_test, n_val) = len(y), settings.sizes(len(y))
    rng = stream(settings.seed)
    by, values = _column(method, settings, known)
    rows = _rows(y, class_names, settings, method, known)
    idle = _unused_columns(method, settings)
    if method in {"random", "group"}:
        code = _folded(rows, n_val, rng, fold) if fold else draw(rows, (n_test, n_val), PARTS, rng)
    elif method == "time":
        where = f"split.order: column '{by}'"
        code = fold_by_time(values, *fold, n_val, where) if fold else parts_by_time(values, n_test, n_val, where)
    else:
        code = parts_of(values, f"split.part: column '{by}'" if by else "split.method: published")
        idle += _given_sizes(code, by)
        if fold or not (code == VAL).any():
            _, n_val = settings.sizes(int((code != TEST).sum()))
            _reject_test_classes(code, rows)
            code = _with_validation(code, rows, n_val, rng, fold)
    train, val, test = (np.flatnonzero(code == part).astype(np.int64) for part in (TRAIN, VAL, TEST))
    if not min(len(train), len(val), len(test)):
        raise DataError(
            f"split: expected at least one sample in each part, found {n} samples divided into {len(train)} train, "
            f"{len(val)} val, {len(test)} test by method {method}; use other sizes"
        )
    return Split(train, val, test, method, by, tuple(idle))


def resolved_method(settings: SplitSettings, known: KnownRows) -> Method:
    """Return the method that ``auto`` stands for, or the stated one.

    Raises
    ------
    SettingsError
        ``published`` is stated and the source has no part of its own.
    """
    has_test = known.parts is not None
    if settings.method == "auto":
        asked: tuple[tuple[bool, Method], ...] = (
            (has_test, "published"),
            (settings.group is not None, "group"),
            (settings.order is not None, "time"),
            (settings.part is not None, "column"),
        )
        return next((method for holds, method in asked if holds), "random")
    if settings.method == "published" and not has_test:
        raise SettingsError(
            "expected a source with a test part of its own, found none: set dataset.params.test_path, or for a "
            "published set subset: all, or use method: random",
            key=("split", "method"),
        )
    method: Method = settings.method  # type: ignore[assignment]  # checked when it was read
    return method


def _column(method: Method, settings: SplitSettings, known: KnownRows) -> tuple[str, Array]:
    """Return the name and values of the column that `method` goes by, without a name for the source's own parts."""
    if method == "published":
        assert known.parts is not None
        return "", known.parts
    if method == "time":
        return known.column("order", settings.order)
    if method == "column":
        return known.column("part", settings.part)
    if method == "group":
        return (DUPLICATES, np.empty(0)) if settings.group == DUPLICATES else known.column("group", settings.group)
    return "", np.empty(0)


def _rows(
    y: npt.NDArray[np.generic], class_names: Sequence[str], settings: SplitSettings, method: Method, known: KnownRows
) -> Rows:
    labels = np.asarray(y, np.int64) if settings.stratify and class_names else None
    rows = Rows(len(y), labels, class_names)
    if method == "group" or (method in {"published", "column"} and settings.group is not None):
        if settings.group == DUPLICATES and DUPLICATES not in known.columns:
            groups = np.arange(len(y)) if known.duplicates is None else known.duplicates
            return replace(rows, groups=np.unique(groups, return_inverse=True)[1])
        return replace(rows, groups=group_codes(known.column("group", settings.group)[1]))
    return rows


def _folded(rows: Rows, n_val: int, rng: np.random.Generator, fold: Fold) -> Codes:
    """Return the parts of a fold: its stretch tests, and the validation part is drawn from the rest."""
    i, k = fold
    code = np.where(_stretches(rows, k, rng) == i, TEST, TRAIN)
    return _with_validation(code, rows, n_val, rng, None)


def _stretches(rows: Rows, k: int, rng: np.random.Generator) -> Codes:
    if k > rows.n:
        raise DataError(f"split.fold: expected at most as many folds as samples, {rows.n}, found {k}")
    sizes = [rows.n * (i + 1) // k - rows.n * i // k for i in range(k)]
    return draw(rows, sizes[:-1], [f"fold {i}" for i in range(k)], rng)


def _with_validation(code: Codes, rows: Rows, n_val: int, rng: np.random.Generator, fold: Fold | None) -> Codes:
    """Return the parts with a validation part that is drawn from all rows that don't test."""
    rest = np.flatnonzero(code != TEST)
    within = rows.take(rest)
    drawn = (
        draw(within, (n_val,), ("val", "train"), rng) if fold is None else _stretches(within, fold[1], rng) != fold[0]
    )
    code = code.copy()
    code[rest] = np.where(drawn == 0, VAL, TRAIN)
    return code


def _reject_test_classes(code: Codes, rows: Rows) -> None:
    """Reject classes that only the given test part has, of which a stratified draw can find no sample."""
    if rows.labels is None:
        return
    of_test = np.setdiff1d(rows.labels, rows.labels[code != TEST])
    if of_test.size:
        raise DataError(
            f"split.stratify: expected training samples of each class, found class '{rows.class_names[of_test[0]]}' in "
            "the test part alone; leave its samples out, or set stratify: false (neural networks only)"
        )


def _unused_columns(method: Method, settings: SplitSettings) -> list[tuple[str, str]]:
    """Return the columns that are named and that `method` does not go by, and why."""
    used = {"published": ["group"], "column": ["part", "group"], "group": ["group"], "time": ["order"], "random": []}
    named = [key for key in ("group", "order", "part") if getattr(settings, key) is not None]
    return [(key, f"split.method is {method}") for key in named if key not in used[method]]


def _given_sizes(code: Codes, by: str) -> list[tuple[str, str]]:
    """Return the sizes that have no effect on given parts, and why."""
    whose = f"column '{by}'" if by else "the source"
    given = [("test_size", TEST, "test"), ("val_size", VAL, "validation")]
    return [(name, f"{whose} has a {part} part of its own") for name, k, part in given if (code == k).any()]
