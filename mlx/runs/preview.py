"""Draws samples of a dataset before a model is trained on it."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.artifacts import write_bytes
from mlx.core.console import note
from mlx.datasets import open_dataset
from mlx.datasets.roles import Roles
from mlx.plots.report.shared import draw_samples
from mlx.plots.style import render_png
from mlx.runs.sample import first_of_each_class

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def preview_samples(config: ExperimentConfig, path: Path) -> Path:
    """Draw samples of the dataset of `config` as a PNG file: images by class, or the rows of a table.

    Note what is known of the samples that is no feature: columns with a role, and the source's own parts.

    Reads no further into the dataset than it takes to have enough of every class.

    Raises
    ------
    MlxError
        The dataset can't be made or read.
    """
    dataset, settings = open_dataset(config.dataset), config.report
    for line in known_lines(dataset.roles):
        note(line)
    images = len(dataset.sample_shape) == 3
    enough = settings.images_per_class if images else settings.max_points
    first = list(first_of_each_class(dataset.blocks(256), len(dataset.class_names), enough))
    X, y = (np.concatenate([getattr(block, name) for block in first]) for name in ("X", "y"))
    ax = draw_samples(X, y, dataset.class_names, settings, dataset.features)
    write_bytes(path, render_png(cast("Figure", ax.figure), settings.dpi))
    return path


def known_lines(roles: Roles) -> list[str]:
    """Return a line on each column with a role, and one on the source's own parts."""
    import pandas as pd

    lines = []
    for name, values in roles.columns.items():
        column = pd.Series(values)
        gaps = f", {int(column.isna().sum())} missing" if column.isna().any() else ""
        present = column.dropna()
        ends = f" from {present.min()} to {present.max()}" if len(present) and column.dtype != object else ""
        lines.append(f"column '{name}' ({roles.roles[name]}): {present.nunique()} distinct{ends}{gaps}")
    if parts := roles.sizes():
        lines.append(f"parts of the source: {', '.join(f'{size} {part}' for part, size in parts.items())}")
    return lines
