"""The `training` section of the configuration."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from mlx.core.settings import Settings


def _lowered(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


class TrainingParams(Settings):
    """Further parameters of the training; there are none yet, and none is accepted."""


class TrainingSettings(Settings):
    """How the model is fitted.

    Attributes
    ----------
    epochs : most passes over the training split.
    batch_size : samples a step.
    learning_rate : step size of the optimizer.
    optimizer : one of Keras's optimizers.
    seed : of initial weights, shuffling and dropout.
    early_stopping_patience : stop after this many epochs without a lower validation loss and go back
        to the weights of the best epoch; null: train all epochs and keep the last weights.
    """

    epochs: int = Field(10, ge=1)
    batch_size: int = Field(32, ge=1)
    learning_rate: float = Field(0.001, gt=0)
    optimizer: Annotated[Literal["adam", "sgd", "rmsprop", "adamw"], BeforeValidator(_lowered)] = "adam"
    seed: int = Field(42, ge=0, lt=2**32)
    early_stopping_patience: int | None = Field(None, ge=1)
    params: TrainingParams = TrainingParams()
