"""The models by name: what each one's parameters are and what makes it."""

from dataclasses import dataclass

from mlx.core.recorded import RECORDED
from mlx.core.settings import Settings
from mlx.models.custom.params import CustomModelParams
from mlx.models.in_keras import params as keras
from mlx.models.in_numpy.params import LinearRegressionParams, MlpParams
from mlx.models.in_onnx.params import OnnxParams
from mlx.models.in_sklearn import params as sklearn
from mlx.models.recorded.params import RecordedModelParams

FUNCTION = "file.py:name"
"""A function of the user's that makes the model."""


@dataclass(frozen=True)
class ModelSpec:
    """How a model is configured and made.

    Attributes
    ----------
    params
        Schema of ``model.params``.
    library
        The subpackage of `mlx.models` whose function ``build.build`` completes and checks the model.
    maker
        The function or class in that subpackage, as ``module:name``, that makes the model. It is imported only when a
        model is made, because TensorFlow takes seconds to import.
    family
        The architecture of which the model is one variant; None for a model without variants.
    made_by
        What ``model.architecture`` names: `FUNCTION`, or files with these endings.
    """

    params: type[Settings]
    library: str
    maker: str
    family: str | None = None
    made_by: tuple[str, ...] = ()


def _variants(family: str, maker: str, params: type[Settings], *names: str) -> dict[str, ModelSpec]:
    return {name: ModelSpec(params, "in_keras", maker, family) for name in names}


_BUILD_APPLICATION = "applications:build_application"

_SPECS: dict[str, ModelSpec] = {
    "linear_regression": ModelSpec(LinearRegressionParams, "in_numpy", "build:make_linear_regression"),
    "mlp": ModelSpec(MlpParams, "in_numpy", "build:make_mlp"),
    "random_forest": ModelSpec(sklearn.RandomForestParams, "in_sklearn", "random_forest:RandomForest"),
    "gradient_boosting": ModelSpec(sklearn.GradientBoostingParams, "in_sklearn", "gradient_boosting:GradientBoosting"),
    "svm": ModelSpec(sklearn.SvmParams, "in_sklearn", "svm:Svm"),
    "logistic_regression": ModelSpec(
        sklearn.LogisticRegressionParams, "in_sklearn", "logistic_regression:LogisticRegression"
    ),
    "keras_mlp": ModelSpec(keras.KerasMlpParams, "in_keras", "mlp:build_mlp"),
    "cnn": ModelSpec(keras.CnnParams, "in_keras", "cnn:build_cnn"),
    "rnn": ModelSpec(keras.RnnParams, "in_keras", "rnn:build_rnn"),
    **_variants("resnet", "resnet:build_resnet", keras.ResNet18Params, "resnet18", "resnet34"),
    **_variants("resnet", _BUILD_APPLICATION, keras.ImageNetParams, "resnet50", "resnet101", "resnet152"),
    **_variants("vgg", "vgg:build_vgg", keras.VggParams, "vgg11", "vgg13", "vgg16", "vgg19"),
    **_variants(
        "mobilenet", _BUILD_APPLICATION, keras.MobileParams,
        "mobilenet", "mobilenet_v2", "mobilenet_v3_small", "mobilenet_v3_large",
    ),
    **_variants("efficientnet", _BUILD_APPLICATION, keras.MobileParams, *(f"efficientnet_b{i}" for i in range(8))),
    "custom": ModelSpec(CustomModelParams, "custom", "build:call_function", made_by=(FUNCTION,)),
    "sklearn": ModelSpec(CustomModelParams, "own_sklearn", "model:OwnEstimator", made_by=(FUNCTION, ".skops")),
    "onnx": ModelSpec(OnnxParams, "in_onnx", "model:OnnxModel", made_by=(".onnx",)),
    RECORDED: ModelSpec(RecordedModelParams, "recorded", "build:RecordedModel"),
}  # fmt: skip

MODELS: dict[str, ModelSpec] = dict(sorted(_SPECS.items()))
"""All models, by name."""

FAMILIES: dict[str, list[str]] = {
    family: [name for name, spec in _SPECS.items() if spec.family == family]
    for family in dict.fromkeys(spec.family for spec in _SPECS.values())
    if family
}
"""The variants of each architecture that has several."""
