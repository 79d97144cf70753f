"""From a name in the configuration to a model, fresh or loaded."""

import math
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from mlx.core.artifacts import write_json
from mlx.core.descriptions import ModelDescription, read_description
from mlx.core.errors import ArtifactError, SettingsError
from mlx.core.extras import require
from mlx.core.linear_fit import read_linear_fit, write_linear_fit
from mlx.core.reading import REMAKE
from mlx.models.contract import Model, TaskSpec
from mlx.models.custom.params import CUSTOM_PARAMS
from mlx.models.in_keras.params import KERAS_PARAMS
from mlx.models.in_numpy.params import NUMPY_PARAMS
from mlx.models.in_sklearn.params import SKLEARN_PARAMS
from mlx.models.settings import ModelSettings

DESCRIPTION = "model.json"


def build_model(settings: ModelSettings, task_spec: TaskSpec, *, seed: int) -> Model:
    """Make the model that `settings` describe for `task_spec`, its initial weights drawn from `seed`.

    Raises
    ------
    SettingsError
        The model is for another task, or can't be built for samples of this shape.
    MissingPackageError
        It is a Keras network, and the extra `keras` is not installed.
    """
    return _built(settings, task_spec, seed, fetch=True)


def _built(settings: ModelSettings, task_spec: TaskSpec, seed: int, *, fetch: bool) -> Model:
    """Import the family of the model, and it alone: TensorFlow takes seconds.

    Pretrained weights are got only where `fetch` holds: what is restored afterwards needs none.
    """
    if settings.name in NUMPY_PARAMS:
        from mlx.models.in_numpy.build import build_numpy

        return build_numpy(settings, task_spec, seed)
    if settings.name in SKLEARN_PARAMS:
        from mlx.models.in_sklearn.build import build_sklearn

        return build_sklearn(settings, task_spec, seed)
    if settings.name in CUSTOM_PARAMS:
        from mlx.models.custom.build import build_custom

        return build_custom(settings, task_spec, seed)
    assert settings.name in KERAS_PARAMS, settings.name
    require("keras", f"model {settings.name}")
    from mlx.models.in_keras.build import build_keras

    return build_keras(settings, task_spec, seed, fetch=fetch)


def save_model(model: Model, settings: ModelSettings, folder: Path, class_names: Sequence[str]) -> None:
    """Write `model` and a description from which `load_model` rebuilds it into `folder`."""
    model.save(folder)
    if model.linear_fit is not None:
        write_linear_fit(folder, model.linear_fit)
    write_json(folder / DESCRIPTION, describe_model(model, settings, class_names).as_dict())


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
    """Word a lack of memory: the fault of the description at `path` where no such sample fits in this machine."""
    import psutil

    if 8 * math.prod(task_spec.sample_shape) > psutil.virtual_memory().total:
        found = f"found shape {task_spec.sample_shape}"
        return ArtifactError(f"{path}: expected samples that fit in memory, {found}{REMAKE}")
    return MemoryError(
        f"{path}: its model, for samples of shape {task_spec.sample_shape}: {error or 'no more is free'}"
    )


def rebuild_model(path: Path) -> Model:
    """Make the model that the description at `path` tells of, before it was fitted.

    Raises
    ------
    ArtifactError
        The description is missing or damaged, or of no model that there is.
    """
    described = read_description(path, ModelDescription)
    task_spec = TaskSpec(described.task, tuple(described.sample_shape), len(described.class_names))
    try:
        settings = ModelSettings(name=described.name, architecture=described.architecture, params=described.params)
        return _built(settings, task_spec, 0, fetch=False)
    except MemoryError as error:
        raise _too_large(path, error, task_spec) from None
    except (ValueError, SettingsError, ArithmeticError) as error:  # the last of absurd sizes
        raise ArtifactError(f"{path}: expected the description of a model, found {_reason(error)}{REMAKE}") from None


def _reason(error: Exception) -> str:
    """Word in one line why no model can be built."""
    if isinstance(error, ValidationError):
        fault = error.errors()[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}"
    return " ".join(str(error).split())
