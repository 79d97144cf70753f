"""What every data source returns: a description, and its samples in blocks."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np

from mlx.core.array_types import Array
from mlx.core.class_names import clash_of
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import DataError
from mlx.datasets.roles import Roles

Factors = dict[str, Array]

IN_MEMORY_LIMIT = 10**9
LOWER = "lower dataset.params.n_samples or n_features"
"""Largest table, in bytes, that a source which builds its table in memory will agree to build."""


@dataclass(frozen=True)
class Block:
    r"""Consecutive samples of a dataset.

    Attributes
    ----------
    X
        Samples, shape (rows, \*sample_shape), in the dataset's dtype.
    y
        Class labels 0 … n_classes − 1 (int64) or targets (float64), shape (rows,).
    factors
        What each sample was generated from: name to array of shape (rows,); None where unknown.
    """

    X: Array
    y: Array
    factors: Factors | None


@runtime_checkable
class IndependentBlocks(Protocol):
    """The ``blocks`` of a dataset of which any can be made without those before it, also in another process."""

    def __call__(self, rows: int, /) -> Iterator[Block]:
        """Yield the samples in order, `rows` at a time."""

    def between(self, start: int, stop: int) -> Block:
        """Make samples start … stop − 1, in this thread."""


@dataclass(frozen=True)
class Dataset:
    """A source of samples, described before any sample is made.

    Attributes
    ----------
    name
        The name it has in ``dataset.name``.
    task
        What `y` is for.
    class_names
        The name of each label, in label order; empty for regression.
    sample_shape
        Shape of one sample: (features,) or (height, width, channels).
    dtype
        Of `X`; images are uint8 with 0 black and 255 white.
    n_samples
        How many samples the blocks hold together.
    source
        Where the samples come from, one line for people.
    seed
        What the samples were drawn with; None where nothing is random.
    details
        Facts about the whole source as JSON values, such as the true weights.
    has_factors
        Whether the blocks carry factors.
    inferred
        The task of the targets where it was inferred, and the setting that states it; empty otherwise.
    notes
        Lines for the user on how it was read: what was left out, what looks wrong.
    roles
        Columns that are neither features nor factors, and the source's own part of each sample.
    columns
        Of a table: the features in the order of `X`, and what else it has; empty where features have no names.
    files
        Where the files of a published set were found, in one folder; empty for other data.
    blocks
        ``blocks(rows)`` yields the samples in order, `rows` at a time (the last block may be
        shorter). Every call starts again and gives the same values, whatever `rows` is.
    """

    name: str
    task: Literal["classification", "regression"]
    class_names: tuple[str, ...]
    sample_shape: tuple[int, ...]
    dtype: np.dtype[Any]
    n_samples: int
    source: str
    seed: int | None
    blocks: Callable[[int], Iterator[Block]]
    details: dict[str, Any] = field(default_factory=dict)
    has_factors: bool = False
    inferred: str = ""
    notes: tuple[str, ...] = ()
    roles: Roles = field(default_factory=Roles)
    columns: tuple[ColumnDescription, ...] = ()
    files: tuple[Path, ...] = ()

    @property
    def features(self) -> list[ColumnDescription]:
        """The columns of `X`; empty where they have no names."""
        return [column for column in self.columns if column.use == "feature"]

    def __post_init__(self) -> None:
        """Reject class names that are equal.

        Raises
        ------
        DataError
            Names both.
        """
        if clash := clash_of(self.class_names):
            raise DataError(f"dataset {self.name}: expected class names that differ from each other, found {clash}")


def spans(n_samples: int, rows: int) -> Iterator[tuple[int, int]]:
    """Yield the bounds (start, stop) of consecutive blocks of `rows` samples.

    Raises
    ------
    ValueError
        If `rows` is not positive.
    """
    if rows < 1:
        raise ValueError(f"rows per block: expected at least 1, found {rows}")
    for start in range(0, n_samples, rows):
        yield start, min(start + rows, n_samples)


def blocks_of(X: Array, y: Array, factors: Factors | None = None) -> Callable[[int], Iterator[Block]]:
    """Return the ``blocks`` of a dataset that is in memory."""

    def blocks(rows: int) -> Iterator[Block]:
        for start, stop in spans(len(y), rows):
            part = None if factors is None else {name: values[start:stop] for name, values in factors.items()}
            yield Block(X[start:stop], y[start:stop], part)

    return blocks


def reject_oversized(name: str, n_samples: int, n_features: int, n_factors: int = 0, *, way_out: str = LOWER) -> None:
    """Reject a float64 table that would not reasonably fit in memory, before building it.

    Parameters
    ----------
    way_out
        What to do about it.

    Raises
    ------
    DataError
        If features, target and factors together would take more than `IN_MEMORY_LIMIT` bytes.
    """
    needed = Decimal(8 * n_samples * (n_features + 1 + n_factors))  # exact, however large the request
    if needed > IN_MEMORY_LIMIT:
        raise DataError(
            f"dataset {name}: {n_samples:,} samples of {n_features:,} features need {needed / 10**9:.1f} GB in "
            f"memory; at most {IN_MEMORY_LIMIT / 1e9:.0f} GB is built, so {way_out}"
        )
