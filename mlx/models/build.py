"""Makes, saves and loads models."""

import math
from collections.abc import Sequence
from pathlib import Path
from pkgutil import resolve_name

from pydantic import ValidationError

from mlx.core.artifacts import write_json
from mlx.core.descriptions import ModelDescription, read_description
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.linear_fit import read_linear_fit, write_linear_fit
from mlx.core.reading import REMAKE
from mlx.models.catalogue import MODELS
from mlx.models.contract import Model
from mlx.models.settings import ModelSettings
from mlx.models.task_spec import TaskSpec

DESCRIPTION = "model.json"


def build_model(settings: ModelSettings, task_spec: TaskSpec, *, seed: int, pretrained: bool = True) -> Model:
    """Make the model that `settings` describe, with initial weights drawn from `seed`.

    Without `pretrained`, no pretrained weights are loaded: a model about to be restored needs none.

    Raises
    ------
    SettingsError
        The model is for another task, or can't be built for samples of this shape.
    MissingPackageError
        It is a Keras network, and the extra `keras` is not installed.
    """
    spec = MODELS[settings.name]
    build, make = (resolve_name(f"mlx.models.{spec.library}.{name}") for name in ("build:build", spec.maker))
    model: Model = build(make, settings, task_spec, seed)
    if pretrained:
        model.load_pretrained()
    return model


def save_model(
    model: Model,
    settings: ModelSettings,
    folder: Path,
    class_names: Sequence[str],
    *,
    chosen_by_validation: bool | None = None,
) -> None:
    """Write `model`, and the description from which `load_model` rebuilds it, into `folder`."""
    model.save(folder)
    if model.linear_fit is not None:
        write_linear_fit(folder, model.linear_fit)
    described = describe_model(model, settings, class_names)
    chosen = {"chosen_by_validation": chosen_by_validation}
    write_json(folder / DESCRIPTION, described.model_copy(update=chosen).as_dict())


def describe_model(model: Model, settings: ModelSettings, class_names: Sequence[str]) -> ModelDescription:
    """Return the description from which `rebuild_model` makes a model like `model`."""
    task_spec = model.task_spec
    return ModelDescription(
        name=settings.name,
        architecture=settings.architecture,
        params=settings.params,
        task=task_spec.task,
        class_names=list(class_names),
        sample_shape=list(task_spec.sample_shape),
        layers=list(model.layers),
        penultimate=model.penultimate,
        parameters=model.n_parameters,
    )


def load_model(folder: Path) -> Model:
    """Load what `save_model` wrote.

    Raises
    ------
    ArtifactError
        A file is missing or damaged, or does not hold the model that ``model.json`` describes.
    """
    path = folder / DESCRIPTION
    model = rebuild_model(path)
    try:
        model.restore(folder)
        if model.task_spec.task == "regression" and model.layers == ("input",):
            model.linear_fit = read_linear_fit(folder, math.prod(model.task_spec.sample_shape))
    except MemoryError as error:
        raise _too_large(path, error, model.task_spec) from None
    return model


def _too_large(path: Path, error: MemoryError, task_spec: TaskSpec) -> Exception:
    """Return the error for a lack of memory, which blames `path` if one sample exceeds the memory of this machine."""
    import psutil

    if 8 * math.prod(task_spec.sample_shape) > psutil.virtual_memory().total:
        found = f"found shape {task_spec.sample_shape}"
        return ArtifactError(f"{path}: expected samples that fit in memory, {found}{REMAKE}")
    return MemoryError(
        f"{path}: its model, for samples of shape {task_spec.sample_shape}: {error or 'no more is free'}"
    )


def rebuild_model(path: Path) -> Model:
    """Make the model that the file at `path` describes, not fitted.

    Raises
    ------
    ArtifactError
        The description is missing or damaged, or of a model that does not exist.
    """
    described = read_description(path, ModelDescription)
    task_spec = TaskSpec.of(described)
    try:
        settings = ModelSettings(name=described.name, architecture=described.architecture, params=described.params)
        return build_model(settings, task_spec, seed=0, pretrained=False)
    except MemoryError as error:
        raise _too_large(path, error, task_spec) from None
    except (ValueError, SettingsError, ArithmeticError) as error:  # the last for absurd sizes
        raise ArtifactError(f"{path}: expected the description of a model, found {_reason(error)}{REMAKE}") from None


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return " ".join(str(error).split())
