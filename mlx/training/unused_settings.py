"""Names the settings that were given and have no effect on a model."""

from collections.abc import Callable

from mlx.core.descriptions import SplitsDescription
from mlx.core.output import OutputSettings
from mlx.models import DirectModel, Model, ModelSettings, TaskSpec
from mlx.training.settings import TrainingSettings


def unused_settings(
    model: ModelSettings,
    training: TrainingSettings,
    output: OutputSettings,
    described: SplitsDescription,
    built: Model,
) -> list[str]:
    """Return a line for each reason why settings that were given have no effect on the model `built`."""
    lines = []
    given = training.set_fields()
    unused = [f"training.{name}" for name in sorted(given - built.training_fields - {"cross_fit"})]
    if described.augmentation and "params.augmentation" not in built.training_fields:
        unused.append("dataset.params.augmentation")
    if isinstance(built, DirectModel):
        unused += [f"output.{name}" for name in _OF_CHECKPOINTS if name in output.model_fields_set]
    elif not output.save_checkpoints:
        lines.append("no checkpoints are saved (output.save_checkpoints), so a killed training starts over")
    if unused:
        fitted = "elsewhere" if isinstance(built, DirectModel) and built.inference_only else "all at once"
        why = f", which is fitted {fitted}" if isinstance(built, DirectModel) else ""
        lines.append(f"no effect on {model.name}{why}: {', '.join(unused)}")
    if training.cross_fit and _is_regression(training, built.task_spec):
        lines.append("a regression has no labels that may be wrong; training.cross_fit has no effect")
    for name, reason, applies in _CONDITIONS:
        if f"params.{name}" in given & built.training_fields and applies(training, built.task_spec):
            lines.append(f"{reason}; training.params.{name} has no effect")
    return lines


def _is_regression(_: TrainingSettings, task_spec: TaskSpec) -> bool:
    return task_spec.task == "regression"


_OF_CHECKPOINTS = ("checkpoint_frequency", "save_checkpoints")
_CONDITIONS: tuple[tuple[str, str, Callable[[TrainingSettings, TaskSpec], bool]], ...] = (
    ("momentum", "only the optimizer sgd has a momentum to set", lambda settings, _: settings.optimizer != "sgd"),
    ("class_weights", "a regression has no classes", _is_regression),
    ("label_smoothing", "a regression has no labels", _is_regression),
)
"""Fields of `training.params` that other settings make ineffective: the field, the reason, and the condition."""
