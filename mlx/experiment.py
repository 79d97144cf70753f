"""Runs the steps one after the other in this process, into a folder of their own."""

from collections.abc import Callable
from datetime import datetime
from itertools import count
from pathlib import Path

from mlx.config import ExperimentConfig
from mlx.core.artifacts import write_json
from mlx.core.console import note
from mlx.core.errors import SettingsError
from mlx.core.paths import Workspace
from mlx.core.stage import sections_of
from mlx.pipeline.evaluate import evaluate
from mlx.pipeline.extract_representations import extract_representations
from mlx.pipeline.generate_data import generate_data
from mlx.pipeline.preprocess_split import preprocess_split
from mlx.pipeline.report import report
from mlx.pipeline.residuals_analysis import residuals_analysis
from mlx.pipeline.train import train

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


def _new_folder(parent: Path) -> Path:
    """Make a folder named after the time, with a number behind it when several start at once."""
    stamp = datetime.now().astimezone().strftime("%Y%m%d-%H%M%S")
    for attempt in count(1):
        folder = parent / (stamp if attempt == 1 else f"{stamp}_{attempt}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("count never ends")
