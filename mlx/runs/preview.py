"""Draws a dataset as it is, before anything is trained on it."""

from pathlib import Path

import numpy as np
import pandas as pd

from mlx.config import ExperimentConfig
from mlx.core.artifacts import write_bytes
from mlx.datasets import Dataset, open_dataset
from mlx.plots.figures import draw_report
from mlx.plots.inputs import ReportInputs
from mlx.plots.style import render_png


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
    X, y = _first_samples(dataset, settings.images_per_class if images else settings.max_points)
    inputs = ReportInputs(
        name=dataset.name,
        task=dataset.task,
        class_names=dataset.class_names,
        history=pd.DataFrame(),
        samples=pd.DataFrame(),
        grid_inputs=X,
        grid_targets=y,
    )
    _, figure = next(draw_report(inputs, settings))
    write_bytes(path, render_png(figure, settings.dpi))
    return path


def _first_samples(dataset: Dataset, enough: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the first `enough` samples of every class (of all, for regression), in their order."""
    parts: list[tuple[np.ndarray, np.ndarray]] = []
    counts = np.zeros(max(1, len(dataset.class_names)), np.int64)
    for block in dataset.blocks(256):
        labels = block.y if dataset.class_names else np.zeros(len(block.y), np.int64)
        order = np.argsort(labels, kind="stable")
        grouped = labels[order]
        place = np.empty(len(labels), np.int64)
        place[order] = np.arange(len(labels)) - np.searchsorted(grouped, grouped)
        taken = place + counts[labels] < enough
        parts.append((block.X[taken], block.y[taken]))
        counts += np.bincount(labels, minlength=len(counts))
        if counts.min() >= enough:
            break
    return np.concatenate([X for X, _ in parts]), np.concatenate([y for _, y in parts])
