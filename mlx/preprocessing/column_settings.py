"""The keys of ``preprocessing.columns``: how a column of a table, or all columns of a kind, become features."""

from collections.abc import Callable
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, model_serializer

from mlx.core.settings import Settings, known_name

ColumnKind = Literal["numeric", "categorical", "boolean", "date"]
KINDS: tuple[ColumnKind, ...] = ("numeric", "categorical", "boolean", "date")

Strategy = Literal["mean", "median", "most_frequent", "constant"]
Encoder = Literal["onehot", "ordinal"]

WORDS: dict[str, dict[str, Any]] = {
    **{kind: {"kind": kind} for kind in KINDS},
    **{strategy: {"strategy": strategy} for strategy in ("mean", "median", "most_frequent", "constant")},
    **{encoder: {"encoder": encoder} for encoder in ("onehot", "ordinal")},
    "drop": {"drop": True},
}
"""What a single word in place of the keys means."""


class ColumnSettings(Settings):
    """How a column becomes features; what is not set is as the settings of its kind say, or the default.

    The names and rules are those of scikit-learn's ``SimpleImputer``, ``OneHotEncoder`` and ``OrdinalEncoder``.

    Attributes
    ----------
    kind
        What its values are taken for: numbers, truth values and dates may be ``categorical``, truth values and dates
        ``numeric``. A ``date`` is the number of days since 1970-01-01, and is used only where this section says so.
    drop
        Leave it out; ``first``: one-hot, but for the first category, so that the features of a linear model don't
        depend on each other.
    strategy
        What fills gaps: ``mean`` (the default of numbers and dates), ``median``, ``most_frequent`` (the default of
        all others), or ``constant``, which is `fill_value`. Fitted to the training rows.
    fill_value
        For ``constant``: by default 0, and ``missing_value`` as a category of its own.
    encoder
        Of categories: ``onehot``, a feature of 0 and 1 for each in the training rows, or ``ordinal``, one feature of
        the place in their sorted order.
    min_frequency
        Categories of fewer training rows are one category, ``infrequent``; a fraction is one of the training rows.
    max_categories
        The most features, that of the infrequent categories included.
    """

    kind: ColumnKind | None = None
    drop: bool | Literal["first"] | None = None
    strategy: Strategy | None = None
    fill_value: float | str | None = None
    encoder: Encoder | None = None
    min_frequency: Annotated[float, Field(gt=0, lt=1)] | Annotated[int, Field(ge=1)] | None = None
    max_categories: Annotated[int, Field(ge=1)] | None = None

    @model_serializer(mode="wrap")
    def _without_defaults(self, serialize: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        return {name: value for name, value in serialize(self).items() if value is not None}

    def over(self, other: "ColumnSettings") -> "ColumnSettings":
        """Return these settings, and those of `other` where these are not set."""
        own = {name: value for name, value in self if value is not None}
        return other.model_copy(update=own)


def _spelled_out(value: Any) -> Any:
    if isinstance(value, str):
        return WORDS[known_name(value, WORDS)]
    if not isinstance(value, dict | ColumnSettings):
        raise ValueError(f"expected a section of keys, or one of {', '.join(WORDS)}, found {value!r}")
    return value


Choice = Annotated[
    ColumnSettings,
    BeforeValidator(_spelled_out),
    WithJsonSchema({"anyOf": [{"enum": list(WORDS)}, ColumnSettings.model_json_schema()]}),
]
"""A section of keys, or one word."""


class ColumnsSettings(Settings):
    """By name of a column or by kind: finds the schema of each, so that messages name its keys."""

    @classmethod
    def schema_of(cls, key: str, values: Any) -> type[Settings] | None:
        """Return the schema of a column whose settings are a section."""
        return ColumnSettings if isinstance(values.get(key), dict) else None
