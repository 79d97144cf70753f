"""The `training` section of the configuration."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlx.core.settings import ANY_CASE, Settings, known_name
from mlx.training.schedules import SCHEDULES, Schedule


class AugmentationSettings(Settings):
    """Random changes of the training images, drawn again in every epoch.

    Values given here override those of ``dataset.params.augmentation``; null leaves the choice to the dataset,
    whose default is no augmentation.

    Attributes
    ----------
    flip
        Mirror an image left to right with probability one half.
    shift
        Largest translation, as a share of height and width.
    crop
        Largest share of height and width that is cropped before the rest is enlarged to the whole.
    noise
        Standard deviation of the normal noise added to every value, in the units of the model's input.
    """

    flip: bool | None = None
    shift: float | None = Field(None, ge=0, lt=1)
    crop: float | None = Field(None, ge=0, lt=1)
    noise: float | None = Field(None, ge=0)


class TrainingParams(Settings):
    """Further parameters of the training.

    Attributes
    ----------
    momentum
        Of the optimizer sgd; the other optimizers have fixed ones.
    weight_decay
        Share of every weight, times the learning rate, that a step subtracts; null: the default of Keras's optimizer,
        which is 0.004 for adamw and 0 for the others.
    clip_norm
        Largest norm of the gradient of all weights; null for no limit.
    clip_value
        Largest absolute entry of a gradient; null for no limit.
    warmup_epochs
        Over which the learning rate rises linearly from 0.
    schedule
        How the learning rate falls after the warm-up.
    schedule_params
        Parameters of the schedule, checked against its schema.
    class_weights
        Factor of the loss of each class, in the order of the classes; balanced: inversely proportional to the class
        frequencies; null for 1.
    label_smoothing
        Share of each target that is distributed evenly over all classes.
    augmentation
        Random changes of the training images.
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
    epochs
        Largest number of passes over the training split.
    batch_size
        Samples in a step.
    learning_rate
        Step size of the optimizer.
    optimizer
        adam, sgd, rmsprop or adamw.
    seed
        Of initial weights, shuffling, augmentation and dropout.
    early_stopping_patience
        Stop after this many epochs without a lower validation loss and restore the weights of the best epoch; null:
        train all epochs and keep the last weights.
    cross_fit
        Into how many folds the training samples are divided, 2 or more, to fit a further model without each fold, whose
        outputs for it tell which training labels are likely wrong; 0: none.
    params
        Further parameters.
    """

    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1)
    learning_rate: float = Field(0.001, gt=0)
    optimizer: Annotated[Literal["adam", "sgd", "rmsprop", "adamw"], ANY_CASE] = "adam"
    seed: int = Field(42, ge=0, lt=2**32)
    early_stopping_patience: int | None = Field(None, ge=1)
    cross_fit: int = Field(0, ge=0, le=100)
    params: TrainingParams = TrainingParams()

    @field_validator("cross_fit")
    @classmethod
    def _not_one(cls, folds: int) -> int:
        if folds == 1:
            raise ValueError("expected 0 or at least 2 folds, found 1")
        return folds

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
        """Return the learning rate schedule."""
        chosen = SCHEDULES[self.params.schedule].model_validate(self.params.schedule_params)
        return Schedule(self.learning_rate, chosen, self.params.warmup_epochs, self.epochs)

    def set_fields(self) -> frozenset[str]:
        """Return the names of the fields that were given, with those of `params` dotted below it.

        If all were given, as in the configuration that a run records, the fields that differ from their defaults.
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
