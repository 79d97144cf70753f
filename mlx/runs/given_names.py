"""Checks the names of columns and layers in a configuration against the data and the model, before the training."""

from mlx.config import ExperimentConfig
from mlx.core.descriptions import SplitsDescription, read_description
from mlx.core.paths import Workspace
from mlx.models import TaskSpec, build_model
from mlx.models.contract import DirectModel
from mlx.pipeline.sample_columns import SampleColumns
from mlx.representations import RepresentationsSettings
from mlx.residuals.errors.factor_choice import choose_factors


def check_names(workspace: Workspace, config: ExperimentConfig) -> None:
    """Reject names that a step after the training would reject.

    Parameters
    ----------
    workspace
        With ``data/raw/`` and ``data/splits/``.
    config
        Of the experiment; its ``evaluation.groups``, ``residuals.groups``, ``residuals.factors`` and
        ``representations.layers`` are checked.

    Raises
    ------
    SettingsError
        There is no such column or layer: names those there are, and suggests the nearest.
    """
    columns = SampleColumns.of(workspace)
    for section in ("evaluation", "residuals"):
        columns.check_groups(getattr(config, section).groups, f"{section}.groups")
    choose_factors(config.residuals.factors, columns.names, columns.target)
    layers = config.representations.layers
    described = read_description(workspace.splits / "preprocessing.json", SplitsDescription)
    if described.recorded is None and layers != RepresentationsSettings().layers:
        model = build_model(config.model, TaskSpec.of(described), seed=config.training.seed, pretrained=False)
        if isinstance(model, DirectModel) and model.inference_only:  # its layers are those of its file
            model.load_pretrained()
        for name in layers:
            model.resolve_layer(name)
