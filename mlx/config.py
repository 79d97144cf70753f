"""One experiment: its sections put together, read from a file and checked as a whole."""

from pathlib import Path

from mlx.core.documents import read_document
from mlx.core.output import OutputSettings
from mlx.core.sections import validated
from mlx.core.settings import ExperimentHead
from mlx.datasets import DatasetSettings
from mlx.evaluation.settings import EvaluationSettings
from mlx.models.settings import ModelSettings
from mlx.plots.settings import ReportSettings
from mlx.preprocessing.settings import PreprocessingSettings, SplitSettings
from mlx.representations.settings import RepresentationsSettings
from mlx.residuals.settings import ResidualsSettings
from mlx.training.settings import TrainingSettings


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
