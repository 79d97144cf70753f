"""What is to be done to each column of a table: the settings, resolved for what the columns hold."""

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array
from mlx.core.column_descriptions import ColumnDescription
from mlx.core.errors import SettingsError
from mlx.core.settings import nearest, yaml_text
from mlx.preprocessing.column_settings import KINDS, ColumnKind, ColumnSettings, Encoder, Strategy

OWN_CATEGORY = "missing_value"
"""The category of gaps where ``strategy: constant`` names none, as in scikit-learn's ``SimpleImputer``."""

MICROSECONDS_A_DAY = 86_400_000_000

TAKEN_FOR: Mapping[str, tuple[ColumnKind, ...]] = {
    "numeric": ("numeric", "categorical"),
    "categorical": ("categorical",),
    "boolean": ("boolean", "numeric", "categorical"),
    "date": ("date", "numeric", "categorical"),
}
"""By what a column holds: what it can be taken for."""


@dataclass(frozen=True)
class ColumnPlan:
    """What is to be done to a column.

    Attributes
    ----------
    place
        Of the column in the raw samples.
    categories
        Names of the codes 0, 1, … of categories; empty where these are numbers, or the column is not categorical.
    fill
        For the strategy ``constant``: the raw value that a gap gets. A category of its own lies between the codes of
        its neighbors in sorted order.
    own
        The name of that category.
    drop_first
        Whether the first category has no feature.
    of_dates
        Whether the categories are dates.
    """

    name: str
    place: int
    kind: ColumnKind
    strategy: Strategy
    fill: float | None
    encoder: Encoder
    min_frequency: float | None
    max_categories: int | None
    categories: tuple[str, ...]
    own: str = ""
    drop_first: bool = False
    of_dates: bool = False

    @property
    def most_features(self) -> int:
        """How many features the column becomes at most; 0 where only its values tell."""
        if self.kind != "categorical" or self.encoder == "ordinal":
            return 1
        found = len(self.categories) + bool(self.own)
        return found if self.max_categories is None else min(found, self.max_categories)

    def title(self, value: float) -> str:
        """Return the name of a raw value as a category."""
        if self.of_dates:
            return _moment(value)
        if not self.categories:
            return f"{value:.15g}"
        return self.own if self.own and value == self.fill else self.categories[int(value)]


def _moment(days: float) -> str:
    """Return a number of days since 1970-01-01 as a date, with the time of day unless that is midnight."""
    moment = np.datetime64(round(days * MICROSECONDS_A_DAY), "us")
    day = moment.astype("datetime64[D]")
    return str(day if day == moment else moment.astype("datetime64[s]"))


@dataclass(frozen=True)
class Plan:
    """What is to be done to a table.

    Attributes
    ----------
    columns
        Those that become features, in the order of the raw samples.
    left_out
        By name of the others: why.
    """

    columns: tuple[ColumnPlan, ...]
    left_out: Mapping[str, str]

    @property
    def width(self) -> int:
        """How many features there are at most; a column of numbers as categories counts as one."""
        return sum(max(1, column.most_features) for column in self.columns)

    @property
    def places(self) -> Array:
        """The columns of the raw samples that are used."""
        return np.array([column.place for column in self.columns], np.int64)


def plan_columns(columns: Sequence[ColumnDescription], settings: Mapping[str, ColumnSettings]) -> Plan:
    """Resolve `settings`, by name of a column or by kind, for the `columns` of a table.

    Raises
    ------
    SettingsError
        A name is neither that of a feature nor a kind, a setting has no meaning for a column, or no column is left.
    """
    features = [column for column in columns if column.use == "feature"]
    _reject_unknown(settings, columns)
    by_kind: dict[str, ColumnSettings] = {
        kind: settings[kind] for kind in KINDS if kind in settings and kind not in {c.name for c in features}
    }
    plans, left_out = [], {}
    for place, column in enumerate(features):
        reason, chosen = _chosen(column, settings.get(column.name), by_kind)
        if reason:
            left_out[column.name] = reason
        else:
            plans.append(_plan(column, place, chosen))
    if features and not plans:
        listed = "; ".join(f"'{name}': {reason}" for name, reason in left_out.items())
        raise SettingsError(f"expected to use at least one column, found none ({listed})", key=KEY)
    return Plan(tuple(plans), left_out)


KEY = ("preprocessing", "columns")


def _reject_unknown(settings: Mapping[str, ColumnSettings], columns: Sequence[ColumnDescription]) -> None:
    known = {column.name: column for column in columns}
    for name in settings:
        if name in KINDS or (name in known and known[name].use == "feature"):
            continue
        if name in known and known[name].use == "left out" and settings[name].drop is True:
            continue
        if not columns:
            raise SettingsError(
                f"expected one of the kinds {', '.join(KINDS)}, as the data have no columns by name, found '{name}'",
                key=(*KEY, name),
            )
        if name in known:
            use = known[name].use
            why = known[name].reason or (f"it is the {use}" if use == "target" else f"its role is {use}")
            raise SettingsError(f"expected a feature, found '{name}', which is none, as {why}", key=(*KEY, name))
        names = [*(column.name for column in columns if column.use == "feature"), *KINDS]
        listed = ", ".join(names[:20]) + (", …" if len(names) > 20 else "")
        raise SettingsError(f"expected one of {listed}, found '{name}'{nearest(name, names)}", key=(*KEY, name))


def _chosen(
    column: ColumnDescription, own: ColumnSettings | None, by_kind: Mapping[str, ColumnSettings]
) -> tuple[str, ColumnSettings]:
    """Return why the column is left out, or an empty text; and its settings with those of its kind."""
    kind = (own and own.kind) or column.kind
    of_kind = by_kind.get(kind)
    chosen = (own or ColumnSettings()).over(of_kind or ColumnSettings())
    if chosen.drop is True:
        return f"preprocessing.columns.{column.name if own and own.drop is True else kind} says drop", chosen
    if column.kind == "date" and own is None and of_kind is None:
        remedy = f"preprocessing.columns: {{{yaml_text(column.name)}: date}}"
        return f"it holds dates; to use them as numbers, set {remedy}", chosen
    return "", chosen


def _plan(column: ColumnDescription, place: int, chosen: ColumnSettings) -> ColumnPlan:
    allowed = TAKEN_FOR[column.kind]
    kind = chosen.kind or allowed[0]
    key = (*KEY, column.name)
    if kind not in allowed:
        hint = "; its categories become numbers with encoder: ordinal" if column.kind == "categorical" else ""
        raise SettingsError(
            f"expected {' or '.join(allowed)} for a column of kind {column.kind}, found {kind}{hint}", key=key
        )
    categorical = kind == "categorical"
    usual: Strategy = "most_frequent" if kind in {"categorical", "boolean"} else "mean"
    strategy = chosen.strategy or usual
    if categorical and strategy in {"mean", "median"}:
        raise SettingsError(f"expected most_frequent or constant for categories, found strategy: {strategy}", key=key)
    if chosen.fill_value is not None and strategy != "constant":
        raise SettingsError(f"expected strategy: constant beside fill_value, found {strategy}", key=key)
    if not categorical:
        _reject_settings_of_categories(chosen, kind, key)
    if chosen.drop == "first" and chosen.encoder == "ordinal":
        raise SettingsError("expected encoder: onehot beside drop: first, found ordinal", key=key)
    names = TRUTH if column.kind == "boolean" else column.categories
    categories = tuple(names) if categorical else ()
    fill, own = _fill(column.name, categories, chosen.fill_value) if strategy == "constant" else (None, "")
    return ColumnPlan(
        name=column.name,
        place=place,
        kind=kind,
        strategy=strategy,
        fill=fill,
        encoder=chosen.encoder or "onehot",
        min_frequency=chosen.min_frequency,
        max_categories=chosen.max_categories,
        categories=categories,
        own=own,
        drop_first=chosen.drop == "first",
        of_dates=categorical and column.kind == "date",
    )


def _reject_settings_of_categories(chosen: ColumnSettings, kind: str, key: tuple[str, ...]) -> None:
    for name in ("encoder", "min_frequency", "max_categories", "drop"):
        if getattr(chosen, name):
            raise SettingsError(
                f"expected {name} of categories, found it of kind {kind}; set kind: categorical, or leave it out",
                key=key,
            )


TRUTH = ("False", "True")
"""The categories of truth values, in the order of their codes 0 and 1."""


def _fill(column: str, categories: Sequence[str], value: float | str | None) -> tuple[float, str]:
    """Return the raw value of a gap, and the name of its category if that is one of its own."""
    if not categories:
        if isinstance(value, str):
            raise SettingsError(f"expected a number as fill_value, found {value!r}", key=(*KEY, column))
        return float(value or 0.0), ""
    name = OWN_CATEGORY if value is None else str(value)
    if name in categories:
        return float(categories.index(name)), ""
    return bisect.bisect(categories, name) - 0.5, name
