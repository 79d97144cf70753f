"""One experiment: its sections put together, read from a file and checked as a whole."""

import re
from pathlib import Path

from pydantic import Field, field_validator

from mlx.core.documents import read_document
from mlx.core.sections import validated
from mlx.core.settings import Settings
from mlx.datasets import DatasetSettings
from mlx.evaluation.settings import EvaluationSettings
from mlx.models.settings import ModelSettings
from mlx.plots.settings import ReportSettings
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.representations.settings import RepresentationsSettings
from mlx.residuals.settings import ResidualsSettings
from mlx.training.settings import TrainingSettings


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
        if not (Path.cwd() / directory).resolve().is_relative_to(Path.cwd().resolve()):
            raise ValueError(f"expected a folder below the current one, found '{directory}'")
        return directory


class ExperimentConfig(Settings):
    """A whole study, as ``params.yaml`` and the files in ``examples/`` describe it.

    Attributes
    ----------
    name : of the experiment; also the name of a folder.
    description : a sentence for people.
    """

    name: str = Field(min_length=1, max_length=100)
    description: str | None = None
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

    @field_validator("name")
    @classmethod
    def _names_a_folder(cls, name: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*", name):
            raise ValueError(f"expected letters, digits, '_', '-' and '.', as it also names a folder, found '{name}'")
        return name


def read_config(path: Path) -> ExperimentConfig:
    """Read an experiment configuration from YAML or JSON.

    Raises
    ------
    SettingsError
        With a line for each fault: the file and line, the key, what was expected and what was found.
    """
    return validated(read_document(path), ExperimentConfig)
