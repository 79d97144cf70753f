"""Runs the steps of an experiment on a sample, in a temporary folder, and times the training."""

import math
import os
import time
import warnings
from collections.abc import Iterable
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from mlx.config import ExperimentConfig
from mlx.core.descriptions import RepresentationsDescription, SplitsDescription, read_description
from mlx.core.errors import MlxError
from mlx.core.paths import Workspace
from mlx.core.reading import REMAKE
from mlx.core.stage import sections_of
from mlx.datasets import Dataset
from mlx.models import IterativeModel, Model
from mlx.pipeline.generate_data import write_dataset
from mlx.pipeline.steps import STEPS
from mlx.pipeline.train import train
from mlx.runs.footprint import SampleSizes

TRAINING_WARNING = "train: warning: "

LONGER = 4
"""How many times as many epochs the second training of a timed dry run has, which tells the epochs from the rest."""


@dataclass(frozen=True)
class StepsOnSample:
    """What the steps found on a sample.

    Attributes
    ----------
    splits
        Description of the divided sample.
    widths
        Number of values of each recorded layer.
    warnings
        Of the training, of a model that is trained by epochs: a short fit of another to few samples does not converge.
    sizes
        Of what the steps wrote.
    seconds
        Of the training, and of a second one with `times` as many epochs.
    times
        0 if there was no second training.
    """

    splits: SplitsDescription
    widths: list[int]
    warnings: tuple[str, ...]
    sizes: SampleSizes
    seconds: tuple[float, float]
    times: int

    def training_seconds(self, work: float) -> float:
        """Estimate the seconds of a training that does `work` times what the first training did."""
        first, second = self.seconds
        if self.times == 1:  # the first one loaded libraries
            return second * max(1.0, work)
        return first + max(0.0, second - first) / (self.times - 1) * max(0.0, work - 1)


def run_on_sample(config: ExperimentConfig, dataset: Dataset, model: Model, *, timed: bool) -> StepsOnSample:
    """Run the steps on `dataset`, the sample, and with `timed` the training once more.

    The report is left out: it takes longer than all others, and draws what residuals-analysis wrote.

    Raises
    ------
    MlxError
        The error with which the run would fail; it names the folder that the run would have.
    """
    iterative = isinstance(model, IterativeModel)
    times = 0 if not timed else LONGER if iterative else 1
    with TemporaryDirectory(prefix="mlx-dry-run-") as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", UserWarning)
        workspace = Workspace(Path(folder))
        try:
            with redirect_stderr(StringIO()) as log:
                first = _run_steps(workspace, dataset, config)
        except MlxError as error:
            run = os.path.join(config.output.directory, config.name, "<time>")  # noqa: PTH118  # as text
            error.args = (str(error).replace(folder, run).removesuffix(REMAKE),)
            raise
        splits = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
        recorded = read_description(workspace.representations / "representations.json", RepresentationsDescription)
        sizes = _sizes(workspace, splits, recorded)
        second = _seconds_of_training(workspace, config, times) if times else 0.0
    lines = [line for line in log.getvalue().splitlines() if iterative and line.startswith(TRAINING_WARNING)]
    said = tuple(dict.fromkeys(line.removeprefix(TRAINING_WARNING) for line in lines))
    return StepsOnSample(splits, list(recorded.layers.values()), said, sizes, (first, second), times)


def _run_steps(workspace: Workspace, dataset: Dataset, config: ExperimentConfig) -> float:
    """Return the seconds of the training."""
    write_dataset(workspace, dataset, config.dataset, {})
    seconds = {}
    for step in STEPS[1:-1]:
        begin = time.perf_counter()
        step(workspace, **{name: getattr(config, name) for name in sections_of(step)})
        seconds[step] = time.perf_counter() - begin
    return seconds[train]


def _seconds_of_training(workspace: Workspace, config: ExperimentConfig, times: int) -> float:
    training = config.training.model_copy(update={"epochs": times * config.training.epochs})
    begin = time.perf_counter()
    with redirect_stderr(StringIO()):
        train(workspace, model=config.model, training=training, output=config.output)
    return time.perf_counter() - begin


def _sizes(workspace: Workspace, splits: SplitsDescription, recorded: RepresentationsDescription) -> SampleSizes:
    return SampleSizes(
        n_train=splits.sizes["train"],
        n_recorded=sum(recorded.samples.values()),
        dense_bytes=_size_of(workspace.representations.rglob("*.npy")),
        model_bytes=_size_of(workspace.model.iterdir()),
        width=max(recorded.layers.values()),
        n_sparse=len(recorded.sparse),
        sample_bytes=math.prod(splits.sample_shape) * np.dtype(splits.dtype).itemsize,
    )


def _size_of(files: Iterable[Path]) -> int:
    return sum(file.stat().st_size for file in files)
