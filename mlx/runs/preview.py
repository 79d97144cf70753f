"""Draws samples of a dataset before a model is trained on it."""

from pathlib import Path

import numpy as np
import pandas as pd

from mlx.config import ExperimentConfig
from mlx.core.artifacts import write_bytes
from mlx.datasets import open_dataset
from mlx.plots.figures import draw_report
from mlx.plots.inputs import ReportInputs
from mlx.plots.style import render_png
from mlx.runs.sample import first_of_each_class


def draw_samples(config: ExperimentConfig, path: Path) -> Path:
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
    inputs = ReportInputs(
        name=dataset.name,
        task=dataset.task,
        class_names=dataset.class_names,
        history=pd.DataFrame(),
        samples=pd.DataFrame(),
        grid_inputs=np.concatenate([block.X for block in first]),
        grid_targets=np.concatenate([block.y for block in first]),
    )
    _, figure = next(draw_report(inputs, settings))
    write_bytes(path, render_png(figure, settings.dpi))
    return path
