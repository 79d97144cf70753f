"""Draws samples of a dataset and summarizes its columns before a model is trained on it."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.array_types import Array
from mlx.core.artifacts import write_bytes
from mlx.core.console import note
from mlx.datasets import Dataset, open_dataset
from mlx.pipeline.residuals_analysis import MOST_FEATURES
from mlx.plots.columns import ColumnSummary, FeatureCounts, summarize_columns
from mlx.plots.report.shared import draw_samples
from mlx.plots.style import render_png
from mlx.preprocessing.column_plans import plan_columns
from mlx.residuals.errors.factor_choice import choose_factors
from mlx.runs.sample import first_of_each_class

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TABLE_ROWS = 4096


def preview_samples(config: ExperimentConfig, path: Path) -> list[ColumnSummary]:
    """Draw samples of the dataset of `config` as a PNG file: images by class, or the rows of a table.

    Notes the source's own parts, and the names of the factors of samples that are no table. A table is read once as a
    whole, other data no further than it takes to have enough of every class.

    Returns
    -------
    list
        The columns of a table and those with a role; empty if there are none.

    Raises
    ------
    MlxError
        The dataset can't be made or read, or ``residuals.factors`` names no column of it.
    """
    dataset, settings = open_dataset(config.dataset), config.report
    if parts := dataset.roles.sizes():
        note(f"parts of the source: {', '.join(f'{size} {part}' for part, size in parts.items())}")
    images = len(dataset.sample_shape) == 3
    enough = settings.images_per_class if images else settings.max_points
    first = list(first_of_each_class(dataset.blocks(256), len(dataset.class_names), enough))
    X, y = (np.concatenate([getattr(block, name) for block in first]) for name in ("X", "y"))
    if (names := list(first[0].factors or {})) and not dataset.columns:
        note(f"factors of each sample: {', '.join(names)}")
    found = _columns(dataset, names, config)
    ax = draw_samples(X, y, dataset.class_names, settings, dataset.features)
    write_bytes(path, render_png(cast("Figure", ax.figure), settings.dpi))
    return found


def _columns(dataset: Dataset, factors: list[str], config: ExperimentConfig) -> list[ColumnSummary]:
    """Summarize the columns of a table, of which all rows are read, and those with a role."""
    roles, features = dataset.roles, [column.name for column in dataset.features]
    target = next((column.name for column in dataset.columns if column.use == "target"), "")
    asked = config.residuals.factors
    known = [*factors, *(features[:MOST_FEATURES] if asked == "all" else features), *roles.columns]
    explain = choose_factors(asked, list(dict.fromkeys(known)), target)
    if not dataset.columns:
        nothing = FeatureCounts.of(())
        return summarize_columns((), nothing, np.empty(0), (), roles.columns, roles.roles, explain, {})
    counts = FeatureCounts.of(dataset.features)
    targets: list[Array] = []
    others: dict[str, list[Array]] = {name: [] for name in factors}
    for block in dataset.blocks(TABLE_ROWS):
        counts.add(block.X)
        targets.append(block.y)
        for name, values in (block.factors or {}).items():
            others[name].append(values)
    beside = {name: np.concatenate(parts) for name, parts in others.items()} | dict(roles.columns)
    y, names = np.concatenate(targets), dataset.class_names
    left_out = plan_columns(dataset.columns, config.preprocessing.columns).left_out
    return summarize_columns(dataset.columns, counts, y, names, beside, roles.roles, explain, left_out)
