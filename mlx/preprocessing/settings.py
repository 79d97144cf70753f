"""The `split` and `preprocessing` sections of the configuration."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from mlx.core.settings import ANY_CASE, Settings, known_name
from mlx.preprocessing.column_settings import Choice, ColumnsSettings

Method = Literal["random", "published", "group", "time", "column"]
METHODS = ("auto", "random", "published", "group", "time", "column")

Size = Annotated[float, Field(gt=0, lt=1)] | Annotated[int, Field(ge=1)]
"""A fraction of samples, or their number."""

MIN_FOLDS = 2


class SplitSettings(Settings):
    """How the samples are divided.

    Attributes
    ----------
    method
        ``random``; ``published``: the source's own test part; ``group``: no group on two sides; ``time``: the latest
        samples are the test part, the latest of the others the validation part; ``column``: a column names each row's
        part. ``auto``: ``published`` if the source has a test part of its own, else what a name below asks for, else
        ``random``.
    test_size, val_size
        Fractions of all samples, or numbers of samples; the rest trains. Where the source or a column gives the test
        part, a `val_size` below 1 is a fraction of all other samples, from which the validation part is drawn unless it
        is given, too.
    stratify
        Give every split the same share of each class (a regression target has none).
    seed
        Of the draw.
    group
        The column whose rows of one value stay on one side, or ``duplicates``: equal samples do. By default the column
        with the role ``group``. Under ``published`` and ``column`` the draw of the validation part keeps it.
    order
        The column of numbers or times for ``time``, by default the one with the role ``order``.
    part
        The column of ``train``, ``val`` and ``test`` for ``column``, by default the one with the role ``part``.
    fold
        ``[i, k]``: fold i of k, counted from 0, in place of a test part of a size; `mlx.preprocessing.split.split_rows`
        says what the folds are. A study with folds sets it for each of its runs.
    """

    method: str = Field("auto", json_schema_extra={"enum": list(METHODS)})
    test_size: Size = 0.2
    val_size: Size = 0.1
    stratify: bool = True
    seed: int = Field(42, ge=0, lt=2**32)
    group: str | None = None
    order: str | None = None
    part: str | None = None
    fold: Annotated[list[int], Field(min_length=2, max_length=2)] | None = None

    @field_validator("fold")
    @classmethod
    def _counted(cls, fold: list[int] | None) -> list[int] | None:
        if fold is not None and not (fold[1] >= MIN_FOLDS and 0 <= fold[0] < fold[1]):
            raise ValueError(f"expected [i, k], fold i from 0 to k - 1 of k folds, two or more, found {fold}")
        return fold

    @field_validator("method")
    @classmethod
    def _known(cls, method: str) -> str:
        return known_name(method, METHODS)

    @model_validator(mode="after")
    def _leave_some_for_training(self) -> "SplitSettings":
        fractions = isinstance(self.test_size, float) and isinstance(self.val_size, float)
        if fractions and self.test_size + self.val_size >= 1:
            raise ValueError(
                "expected test_size and val_size to add up to less than 1, "
                f"found {self.test_size:g} + {self.val_size:g}"
            )
        return self

    def sizes(self, n: int) -> tuple[int, int]:
        """Return the numbers of test and validation samples of `n`."""
        test, val = (size if isinstance(size, int) else round(n * size) for size in (self.test_size, self.val_size))
        return test, val


Missing = Literal["impute", "drop", "reject"]


class PreprocessingSettings(Settings):
    """How the values are scaled, and how the columns of a table become features; fitted to the training rows alone.

    Attributes
    ----------
    scaling
        ``none``; ``unit``: 8-bit values divided by 255; ``standard``: mean 0 and standard deviation 1 over the
        training split, per feature of a table or per channel of an image. Features of 0 and 1 for the categories of
        a column stay as they are.
    columns
        By the name of a column or by kind (``numeric``, ``categorical``, ``boolean``, ``date``), a name coming first:
        how it becomes features, see `mlx.preprocessing.column_settings.ColumnSettings`.
    missing
        What to do about values that are missing in a table: ``impute`` them as `columns` says, ``drop`` rows that have
        any, or ``reject`` the table.
    """

    scaling: Annotated[Literal["none", "unit", "standard"], ANY_CASE] = "none"
    columns: dict[str, Choice] = Field(default_factory=dict)
    missing: Annotated[Missing, ANY_CASE] = "impute"

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> type[Settings] | None:
        """Return the schema of `columns`, whose keys are names of the user's own."""
        return ColumnsSettings if key == "columns" and isinstance(values.get(key), dict) else None
