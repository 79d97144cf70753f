"""Descriptions of a table's columns, which each step passes on to the next."""

from typing import Literal

from pydantic import Field

from mlx.core.settings import Settings

Kind = Literal["numeric", "categorical", "boolean", "date", "text"]
"""What the values of a column are; ``text`` is names or sentences, too many for categories."""

Use = Literal["feature", "target", "group", "order", "part", "ignore", "left out"]


class ColumnDescription(Settings):
    """A column of a table.

    The features are the columns of ``X.npy``, in this order, as float64 with NaN where a value is missing: numbers; the
    place of the category in `categories`; 0 and 1 for false and true; days since 1970-01-01, UTC, for dates.

    Attributes
    ----------
    use
        What it is for: a feature, the target, its role, or nothing.
    categories
        The different texts of a categorical column, sorted.
    gaps
        Rows without a value, of those in ``X.npy``; for the target, of those in the table.
    reason
        Why it is left out.
    """

    name: str
    kind: Kind
    use: Use = "feature"
    categories: list[str] = Field([])
    gaps: int = Field(0, ge=0)
    reason: str = ""


class PreparedColumn(Settings):
    """What became of a column of a table, fitted to its training rows alone.

    Attributes
    ----------
    kind
        What its values were taken for.
    features
        Names of the features that it became; none where it was left out, with the `reason`.
    strategy, fill_value
        What filled its gaps.
    encoder, categories, infrequent
        Of a categorical column: how it was encoded, its categories in the training rows in order, and which of them
        are one. Numbers are written as text.
    gaps, unknown
        By part: rows without a value, and rows of a category that the training rows lack.
    """

    name: str
    kind: Kind | None = None
    features: list[str] = Field([])
    reason: str = ""
    strategy: str | None = None
    fill_value: float | str | None = None
    encoder: str | None = None
    categories: list[str] = Field([])
    infrequent: list[str] = Field([])
    gaps: dict[str, int] = Field({})
    unknown: dict[str, int] = Field({})
