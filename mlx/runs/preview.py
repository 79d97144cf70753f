"""Draws samples of a dataset before a model is trained on it."""

from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.artifacts import write_bytes
from mlx.datasets import open_dataset
from mlx.plots.report.shared import draw_samples
from mlx.plots.style import render_png
from mlx.runs.sample import first_of_each_class

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def preview_samples(config: ExperimentConfig, path: Path) -> Path:
    """Draw samples of the dataset of `config` as a PNG file: images by class, or the rows of a table.

    Reads no further into the dataset than it takes to have enough of every class.

    Raises
    ------
    MlxError
        The dataset can't be made or read.
    """
    dataset, settings = open_dataset(config.dataset), config.report
    images = len(dataset.sample_shape) == 3
    enough = settings.images_per_class if images else settings.max_points
    first = list(first_of_each_class(dataset.blocks(256), len(dataset.class_names), enough))
    X, y = (np.concatenate([getattr(block, name) for block in first]) for name in ("X", "y"))
    ax = draw_samples(X, y, dataset.class_names, settings)
    write_bytes(path, render_png(cast("Figure", ax.figure), settings.dpi))
    return path
