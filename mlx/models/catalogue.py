"""From a name in the configuration to a model, fresh or loaded."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mlx.core.artifacts import REMAKE, write_json
from mlx.core.descriptions import ModelDescription, read_description
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.settings import Settings
from mlx.models.contract import Model, Problem
from mlx.models.settings import CnnParams, LinearRegressionParams, LogisticRegressionParams, ModelSettings

DESCRIPTION = "model.json"


def build_model(settings: ModelSettings, problem: Problem, *, seed: int) -> Model:
    """Make the model that `settings` describe for `problem`, its initial weights drawn from `seed`.

    Raises
    ------
    SettingsError
        The model is for another kind of problem, or can't be built for samples of this shape.
    """
    model = _BUILDERS[settings.name](settings.parameters(), problem, seed)
    if model.task != problem.task:
        raise SettingsError(
            f"expected a model for {problem.task}, which the dataset is, found {settings.name}, "
            f"which is for {model.task}",
            key=("model", "name"),
        )
    return model


def save_model(model: Model, settings: ModelSettings, folder: Path, class_names: Sequence[str]) -> None:
    """Write `model` and a description from which `load_model` rebuilds it into `folder`."""
    model.save(folder)
    problem = model.problem
    described = ModelDescription(
        name=settings.name,
        params=settings.params,
        task=problem.task,
        class_names=list(class_names),
        sample_shape=list(problem.sample_shape),
        layers=list(model.layers),
        penultimate=model.penultimate,
        parameters=model.n_parameters,
    )
    write_json(folder / DESCRIPTION, described.as_dict())


def load_model(folder: Path) -> Model:
    """Load what `save_model` wrote.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or does not hold the model that ``model.json`` describes.
    """
    path = folder / DESCRIPTION
    described = read_description(path, ModelDescription)
    problem = Problem(described.task, tuple(described.sample_shape), len(described.class_names))
    try:
        settings = ModelSettings(name=described.name, params=described.params)
        model = build_model(settings, problem, seed=0)
    except (ValueError, SettingsError) as error:
        raise ArtifactError(f"{path}: expected the description of a model, found {error}{REMAKE}") from None
    model.restore(folder)
    return model


def _cnn(params: Any, problem: Problem, seed: int) -> Model:
    from mlx.models.keras_cnn import Cnn

    assert isinstance(params, CnnParams)
    return Cnn(params, problem, seed)


def _logistic_regression(params: Any, problem: Problem, seed: int) -> Model:  # noqa: ARG001  # it has no initial weights
    from mlx.models.logistic_regression import LogisticRegression

    assert isinstance(params, LogisticRegressionParams)
    return LogisticRegression(params, problem)


def _linear_regression(params: Any, problem: Problem, seed: int) -> Model:  # noqa: ARG001  # nor has this
    from mlx.models.linear_regression import LinearRegression

    assert isinstance(params, LinearRegressionParams)
    return LinearRegression(problem)


_BUILDERS: dict[str, Callable[[Settings, Problem, int], Model]] = {
    "cnn": _cnn,
    "linear_regression": _linear_regression,
    "logistic_regression": _logistic_regression,
}
