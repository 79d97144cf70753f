"""One experiment: its sections put together, read from a file and checked as a whole."""

from pathlib import Path

from pydantic import field_validator

from mlx.core.documents import read_document
from mlx.core.sections import validated
from mlx.core.settings import ExperimentHead, Settings
from mlx.datasets import DatasetSettings
from mlx.evaluation.settings import EvaluationSettings
from mlx.models.settings import ModelSettings
from mlx.plots.settings import ReportSettings
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.representations.settings import RepresentationsSettings
from mlx.residuals.settings import ResidualsSettings
from mlx.training.settings import TrainingSettings

WORKSPACE = frozenset({"data", "metrics", "mlx", "stages", ".dvc", ".git"})
"""Folders in which a run would be taken for part of the project."""


class OutputSettings(Settings):
    """Where `mlx run-experiment` puts its runs; the DVC pipeline writes into its own folders.

    Attributes
    ----------
    directory : folder below the current one.
    """

    directory: str = "outputs"

    @field_validator("directory")
    @classmethod
    def _inside(cls, directory: str) -> str:
        here = Path.cwd().resolve()
        inside = (here / directory).resolve()
        if inside == here or not inside.is_relative_to(here) or inside.relative_to(here).parts[0] in WORKSPACE:
            raise ValueError(f"expected a folder of its own below the current one, found '{directory}'")
        return directory


class ExperimentConfig(ExperimentHead):
    """A whole study, as ``params.yaml`` and the files in ``examples/`` describe it."""

    dataset: DatasetSettings
    split: SplitSettings = SplitSettings()
    preprocessing: PreprocessingSettings = PreprocessingSettings()
    model: ModelSettings
    training: TrainingSettings = TrainingSettings()
    representations: RepresentationsSettings = RepresentationsSettings()
    evaluation: EvaluationSettings = EvaluationSettings()
    residuals: ResidualsSettings = ResidualsSettings()
    report: ReportSettings = ReportSettings()
    output: OutputSettings = OutputSettings()


def read_config(path: Path) -> ExperimentConfig:
    """Read an experiment configuration from YAML or JSON.

    Raises
    ------
    SettingsError
        With a line for each fault: the file and line, the key, what was expected and what was found.
    """
    return validated(read_document(path), ExperimentConfig)
