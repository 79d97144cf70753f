"""The columns of samples that the explorer of the page offers: what each is called, and its values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from mlx.core.array_types import Array
from mlx.core.checks import row_blocks
from mlx.plots.factor_names import plain_text, unit_of
from mlx.plots.page.page_samples import MOST_CATEGORIES
from mlx.plots.report.inputs import AnyReport
from mlx.results.prediction_sets import SAMPLE_SETS
from mlx.results.regression_intervals import SAMPLE_INTERVALS
from mlx.results.regression_residuals import REGRESSION_SAMPLES
from mlx.results.sample_scores import LAYER_SAMPLES, SAMPLES

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from mlx.core.column_descriptions import ColumnDescription

Kind = Literal["index", "split", "number", "date", "class", "flag", "category"]
Group = Literal["prediction", "place", "factor", "feature", "score", "layer", "more"]
"""In this order columns are offered; all but those of a prediction and its place may be left out for their size."""

PROJECTIONS = {"pca": "PCA", "tsne": "t-SNE", "umap": "UMAP"}
"""Columns ``<kind>_1``, ``<kind>_2`` of the table of samples, and what the kind is called."""

MOST_FEATURES = 60

LABELS = {
    "index": ("sample", "Row in the raw data"),
    "split": ("split", "Part of the data"),
    "y_true": ("true", ""),
    "y_pred": ("predicted", ""),
    "correct": ("outcome", ""),
    "confidence": ("confidence", "Probability given to the predicted class"),
    "entropy": ("entropy", "In nats; 0 is certain"),
    "surprise": ("loss", "Minus the logarithm of the probability of the true class, in nats"),
    "similarity": ("similarity", "Mean cosine similarity to the samples predicted alike"),
    "margin": ("margin", "Similarity to the own predicted class minus that to the nearest other one"),
    "set_size": ("set size", "Classes in the prediction set"),
    "residual": ("residual", "True minus predicted; sorts by size"),
    "standardised": ("standardized", "Residual over its standard deviation; sorts by size"),
    "leverage": ("leverage", "How unlike the training samples: variance of the prediction by that of a target"),
}
"""Heading and explanation of the columns of a prediction, in the order of the table of samples."""

YES_NO = ("false", "true")
"""Categories of a yes/no column, as `mlx.residuals` names them."""

INTERNAL = {"status", "block", "overview", "nearest"}
"""Columns of a layer that name rows of other files."""


@dataclass(frozen=True)
class SampleColumn:
    """One column of the explorer.

    Attributes
    ----------
    key
        Names it in the page and in its links: the column of ``samples.parquet``, or ``feature.<name>``.
    label, about
        Its heading, and an explanation, which may be empty.
    kind
        How its values are read and written.
    group
        Where it is offered.
    values
        (n_points,) numbers; of categories their places in `categories`, NaN where missing.
    categories
        Of a categorical column.
    """

    key: str
    label: str
    about: str
    kind: Kind
    group: Group
    values: Array
    categories: tuple[str, ...] = field(default=())


def sample_columns(report: AnyReport, frame: DataFrame) -> list[SampleColumn]:
    """Return the columns of the samples of the page, n_points rows, those of the prediction first.

    Columns that hold nothing are left out. Of a projection both axes are there, or none.
    """
    found = [
        _column(name, frame[name], group, report.dataset) for name in map(str, frame) if (group := _group_of(name))
    ]
    found += list(_features(report, frame))
    known = [column for column in found if column is not None]
    places = {column.key for column in known if column.group == "place"}
    order = {name: place for place, name in enumerate(LABELS)}
    groups = ("prediction", "place", "factor", "feature", "score", "layer", "more")
    kept = [one for one in known if one.group != "place" or {f"{one.key[:-1]}{axis}" for axis in "12"} <= places]
    return sorted(kept, key=lambda one: (groups.index(one.group), order.get(one.key, len(order))))


def projections_of(keys: set[str]) -> list[str]:
    """Return the kinds of projection whose two axes are among the columns."""
    return [kind for kind in PROJECTIONS if {f"{kind}_1", f"{kind}_2"} <= keys]


def _group_of(name: str) -> Group | None:
    """Return where a column of ``samples.parquet`` is offered; None where it is not."""
    if name.startswith("factor."):
        return "factor"
    if name.startswith("score."):
        return "score"
    base, _, layer = name.partition(".")
    if base in INTERNAL or (layer and base in PLACES):
        return None
    if name in PLACES:
        return "place"
    if name in LABELS:
        return "prediction"
    return "layer" if base in LAYER_SAMPLES.columns else "more"


PLACES = {f"{kind}_{axis}" for kind in PROJECTIONS for axis in (1, 2)}
MEANINGS = {
    column: text
    for schema in (SAMPLES, LAYER_SAMPLES, REGRESSION_SAMPLES, SAMPLE_SETS, SAMPLE_INTERVALS)
    for column, text in schema.meanings.items()
}


def _column(name: str, values: Series, group: Group, dataset: str) -> SampleColumn | None:
    base, _, rest = name.partition(".")
    if group in {"factor", "score"}:
        label = rest.replace("_", " ") if group == "score" else plain_text(rest, dataset)
        about = unit_of(rest, dataset) if group == "factor" else ""
    elif group == "place":
        label, about = f"{PROJECTIONS[name[:-2]]} {name[-1]}", MEANINGS[name]
    else:
        label, about = LABELS.get(name) or (base.replace("_", " "), MEANINGS.get(base, ""))
        label = f"{label} ({rest})" if rest else label
    if name == "split":
        parts = tuple(dict.fromkeys(values))
        return SampleColumn(name, label, about, "split", group, values.map(parts.index).to_numpy(), parts)
    kind: Kind | None = {"index": "index", "y_true": "class", "y_pred": "class", "correct": "flag"}.get(name)  # type: ignore[assignment]
    if kind == "class" and values.dtype.kind == "f":
        kind = None  # the target of a regression
    return _typed(name, label, about.replace("`", ""), kind, group, values)


def _typed(key: str, label: str, about: str, kind: Kind | None, group: Group, values: Series) -> SampleColumn | None:
    """Return the column with its values as numbers; None where there are none."""
    from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

    if kind is not None:
        return SampleColumn(key, label, about, kind, group, values.to_numpy())
    if is_bool_dtype(values.dtype):
        codes = values.to_numpy(float, na_value=np.nan)
        return SampleColumn(key, label, about, "category", group, codes, YES_NO)
    if is_datetime64_any_dtype(values.dtype):
        days = values.to_numpy("datetime64[ms]").astype(float)
        days[values.isna().to_numpy()] = np.nan
        return SampleColumn(key, label, about, "date", group, days / 86_400_000)
    if is_numeric_dtype(values.dtype):
        numbers = values.to_numpy(float, na_value=np.nan)
        return None if np.isnan(numbers).all() else SampleColumn(key, label, about, "number", group, numbers)
    return _categorical(key, label, about, group, values)


def _categorical(key: str, label: str, about: str, group: Group, values: Series) -> SampleColumn | None:
    missing = values.isna().to_numpy()
    texts = values.astype(str).to_numpy(dtype=str)
    categories, codes = np.unique(texts[~missing], return_inverse=True)
    if not 0 < len(categories) <= MOST_CATEGORIES:
        return None
    places = np.full(len(texts), np.nan)
    places[~missing] = codes
    return SampleColumn(key, label, about, "category", group, places, tuple(map(str, categories)))


def _features(report: AnyReport, frame: DataFrame) -> Iterator[SampleColumn | None]:
    """Yield the columns of tabular data, at most `MOST_FEATURES`."""
    from pandas import Series

    if report.raw is None or report.raw.inputs is None or report.raw.inputs.ndim != 2:
        return
    block = _first_features(report.raw.inputs, report.image_rows(frame))
    for k in range(block.shape[1]):
        described: ColumnDescription | None = report.raw.columns[k] if report.raw.columns else None
        name, values = described.name if described else f"feature {k}", block[:, k].astype(float)
        if described and described.kind == "categorical":
            yield SampleColumn(f"feature.{name}", name, "", "category", "feature", values, tuple(described.categories))
        elif described and described.kind == "boolean":
            yield SampleColumn(f"feature.{name}", name, "", "category", "feature", values, YES_NO)
        elif described and described.kind == "date":
            yield SampleColumn(f"feature.{name}", name, "", "date", "feature", values)
        else:
            yield _typed(f"feature.{name}", name, "", None, "feature", Series(values))


def _first_features(inputs: Array, rows: Array) -> Array:
    """Read `MOST_FEATURES` columns of the rows (m,), a block at a time."""
    blocks = (inputs[rows[where]][:, :MOST_FEATURES] for where in row_blocks(len(rows), inputs.shape[1]))
    return np.concatenate([np.array(block) for block in blocks])
