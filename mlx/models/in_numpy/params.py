"""The parameters of the NumPy models."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from mlx.core.settings import ANY_CASE, Settings

Width = Annotated[int, Field(ge=1, le=65_536)]


class OptimizerConfig(Settings):
    """Optimizer parameters of the model, which override those of the `training` section.

    Attributes
    ----------
    optimizer_type
        adam, sgd, rmsprop or adamw; null for ``training.optimizer``.
    learning_rate
        Null for ``training.learning_rate``; a schedule there scales this one too.
    momentum
        Of sgd; null for ``training.params.momentum``.
    weight_decay
        Share of every weight, times the learning rate, that a step subtracts; null for
        ``training.params.weight_decay``.
    """

    optimizer_type: Annotated[Literal["adam", "sgd", "rmsprop", "adamw"] | None, ANY_CASE] = None
    learning_rate: float | None = Field(None, gt=0)
    momentum: float | None = Field(None, ge=0, lt=1)
    weight_decay: float | None = Field(None, ge=0)


class LinearRegressionParams(Settings):
    """Least squares with an intercept.

    Attributes
    ----------
    seed
        Of the initial weights of gradient descent; null for ``training.seed``. The closed form is deterministic.
    use_gradient_descent
        By mini-batches, configured by the `training` section, instead of the closed form.
    l2_regularization
        Factor of the sum of squared weights added to the sum of squared errors (ridge regression; scikit-learn's
        alpha); the intercept is not penalized.
    optimizer_config
        Of gradient descent.
    """

    seed: int | None = Field(None, ge=0, lt=2**32)
    use_gradient_descent: bool = False
    l2_regularization: float = Field(0.0, ge=0)
    optimizer_config: OptimizerConfig = OptimizerConfig()


class MlpParams(Settings):
    """A fully connected network in NumPy, in float64.

    Attributes
    ----------
    layer_sizes
        Widths of all layers from the input to the output, which must match the data; null to use `hidden_layers`.
    hidden_layers
        Widths of the hidden layers; null for 128 and 64.
    activation
        relu, tanh or sigmoid, of the hidden layers; relu has He's initial weights, the others have Xavier's.
    output_activation
        none for regression, softmax or sigmoid for classification; null for none or softmax, depending on the task.
    seed
        Of the initial weights; null for ``training.seed``.
    l2
        Factor of the sum of squared weights added to the loss.
    gradient_clip
        Largest absolute entry of a gradient; null for no limit.
    weight_clip
        Largest absolute weight or bias; null for no limit.
    optimizer_config
        Optimizer parameters of the model.
    """

    layer_sizes: list[Width] | None = Field(None, min_length=2)
    hidden_layers: list[Width] | None = None
    activation: Annotated[Literal["relu", "tanh", "sigmoid"], ANY_CASE] = "relu"
    output_activation: Annotated[Literal["none", "sigmoid", "softmax"] | None, ANY_CASE] = None
    seed: int | None = Field(None, ge=0, lt=2**32)
    l2: float = Field(0.0, ge=0)
    gradient_clip: float | None = Field(10.0, gt=0)
    weight_clip: float | None = Field(10.0, gt=0)
    optimizer_config: OptimizerConfig = OptimizerConfig()

    @field_validator("hidden_layers")
    @classmethod
    def _one_of_two(cls, hidden: list[int] | None, info: ValidationInfo) -> list[int] | None:
        if hidden is not None and (given := info.data.get("layer_sizes")) is not None:
            raise ValueError(f"expected either layer_sizes or hidden_layers, found both: {given} and {hidden}")
        return hidden
