"""Runs the steps one after the other in this process, into a folder of their own; draws a dataset."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

import numpy as np
import pandas as pd

from mlx.config import ExperimentConfig
from mlx.core.artifacts import write_bytes, write_json
from mlx.core.console import note
from mlx.core.errors import SettingsError
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.datasets import Dataset, open_dataset
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.report import report
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.pipeline.train import train
from mlx.plots.figures import draw_report
from mlx.plots.inputs import ReportInputs
from mlx.plots.style import render_png

STEPS: tuple[Callable[..., str], ...] = (
    generate_data,
    preprocess_split,
    train,
    extract_representations,
    evaluate,
    residuals_analysis,
    report,
)
"""The pipeline, in the order in which data flows."""


def run_experiment(config: ExperimentConfig) -> Path:
    """Run all steps of `config` and return the run's folder, ``<output.directory>/<name>/<time>``.

    The folder has the shape of a DVC workspace: ``data/``, ``metrics/`` and ``config.json``, the
    configuration with all defaults.

    Raises
    ------
    MlxError
        A step can't do what the configuration asks; what the steps before it wrote stays.
    """
    folder = _new_folder(Path(config.output.directory) / config.name)
    write_json(folder / "config.json", config.as_dict())
    for step in STEPS:
        sections = {name: getattr(config, name) for name in sections_of(step)}
        try:
            said = step(Workspace(folder), **sections)
        except SettingsError as error:
            raise SettingsError(f"{'.'.join(map(str, error.key))}: {error}" if error.key else str(error)) from None
        note(f"{step.__name__.replace('_', '-')}: {said}")
    return folder


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


def _new_folder(parent: Path) -> Path:
    """Make a folder named after the time, with a number behind it when several start at once."""
    if not parent.resolve().is_relative_to(Path.cwd().resolve()):
        raise SettingsError(
            f"output.directory: expected a folder below the current one, found a link to {parent.resolve()}"
        )
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    for attempt in count(1):
        folder = parent / (stamp if attempt == 1 else f"{stamp}_{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("count never ends")
