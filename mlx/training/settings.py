"""The `training` section of the configuration."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from mlx.core.settings import Settings, known_name
from mlx.training.schedules import SCHEDULES, Schedule


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class AugmentationSettings(Settings):
    """How the training images are changed anew in every epoch.

    What is given here stands before what ``dataset.params.augmentation`` chooses for the dataset; null leaves
    it to the dataset, which without that asks for nothing.

    Attributes
    ----------
    flip : mirror an image left to right, half of the time.
    shift : move it by up to this share of its height and width.
    crop : enlarge a part of it that leaves out up to this share of its height and width.
    noise : standard deviation of what is added to every value, in the units that the model is fed.
    """

    flip: bool | None = None
    shift: float | None = Field(None, ge=0, lt=1)
    crop: float | None = Field(None, ge=0, lt=1)
    noise: float | None = Field(None, ge=0)


class TrainingParams(Settings):
    """Further parameters of the training.

    Attributes
    ----------
    momentum : of the optimizer sgd; the others have their own.
    weight_decay : share of every weight, times the learning rate, that a step takes off; null: what Keras's
        optimizer has by default, which is 0.004 for adamw and 0 for the others.
    clip_norm : longest gradient, all weights together; null for any.
    clip_value : largest entry of a gradient; null for any.
    warmup_epochs : over which the learning rate rises in a line from 0.
    schedule : how the learning rate falls after the warm-up.
    schedule_params : the schedule's own numbers, checked against its schema.
    class_weights : factor of the loss of each class, in the order of the classes; balanced: what makes
        all classes count the same; null for 1.
    label_smoothing : share of each target that is spread evenly over all classes.
    augmentation : random changes of the training images.
    """

    momentum: float = Field(0.0, ge=0, lt=1)
    weight_decay: float | None = Field(None, ge=0)
    clip_norm: float | None = Field(None, gt=0)
    clip_value: float | None = Field(None, gt=0)
    warmup_epochs: int = Field(0, ge=0)
    schedule: str = "none"
    schedule_params: dict[str, Any] = Field({}, validate_default=True)
    class_weights: Literal["balanced"] | list[Annotated[float, Field(ge=0)]] | None = None
    label_smoothing: float = Field(0.0, ge=0, lt=1)
    augmentation: AugmentationSettings = AugmentationSettings()

    @classmethod
    def schema_of(cls, key: str, values: Mapping[str, Any]) -> type[Settings] | None:
        """Return the schema of `schedule_params` for the schedule that `values` name."""
        return SCHEDULES.get(str(values.get("schedule", "none")).lower()) if key == "schedule_params" else None

    @field_validator("schedule")
    @classmethod
    def _known(cls, schedule: str) -> str:
        return known_name(schedule, SCHEDULES)

    @field_validator("schedule_params")
    @classmethod
    def _checked(cls, params: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        schema = SCHEDULES.get(info.data.get("schedule", ""))
        return schema.model_validate(params).as_dict() if schema else params


class TrainingSettings(Settings):
    """How the model is fitted.

    Attributes
    ----------
    epochs : most passes over the training split.
    batch_size : samples a step.
    learning_rate : step size of the optimizer.
    optimizer : adam, sgd, rmsprop or adamw.
    seed : of initial weights, shuffling, augmentation and dropout.
    early_stopping_patience : stop after this many epochs without a lower validation loss and go back
        to the weights of the best epoch; null: train all epochs and keep the last weights.
    params : further parameters.
    """

    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1)
    learning_rate: float = Field(0.001, gt=0)
    optimizer: Annotated[Literal["adam", "sgd", "rmsprop", "adamw"], BeforeValidator(_lowered)] = "adam"
    seed: int = Field(42, ge=0, lt=2**32)
    early_stopping_patience: int | None = Field(None, ge=1)
    params: TrainingParams = TrainingParams()

    @field_validator("params")
    @classmethod
    def _warmed_up_in_time(cls, params: TrainingParams, info: ValidationInfo) -> TrainingParams:
        epochs = info.data.get("epochs")
        if epochs is not None and params.warmup_epochs >= epochs:
            raise ValueError(
                f"expected warmup_epochs below training.epochs, which is {epochs}, found {params.warmup_epochs}"
            )
        return params

    def schedule(self) -> Schedule:
        """Return what says the learning rate of every step."""
        chosen = SCHEDULES[self.params.schedule].model_validate(self.params.schedule_params)
        return Schedule(self.learning_rate, chosen, self.params.warmup_epochs, self.epochs)

    def set_fields(self) -> frozenset[str]:
        """Return the fields that were given, those of `params` dotted below it.

        Where all are, as in the configuration that a run records, those that are not at their defaults.
        """
        given = _dotted(self.model_fields_set, self.params.model_fields_set)
        if given < _dotted(set(TrainingSettings.model_fields), set(TrainingParams.model_fields)):
            return given
        default = TrainingSettings()
        own = {name for name in TrainingSettings.model_fields if getattr(self, name) != getattr(default, name)}
        params = TrainingParams.model_fields
        return _dotted(own, {n for n in params if getattr(self.params, n) != getattr(default.params, n)})


def _dotted(own: set[str], params: set[str]) -> frozenset[str]:
    return frozenset((own - {"params"}) | {f"params.{name}" for name in params})
