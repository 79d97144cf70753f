"""Warns of inputs and targets whose scale a model cannot be trained on."""

import numpy as np

from mlx.core.array_types import Array
from mlx.core.scale import exponent_of, in_unit
from mlx.models import DirectModel, Model, ModelSettings
from mlx.models.in_sklearn.params import SvmParams

LARGE = 30.0
"""Initial weights and usual learning rates are made for smaller values than this, not for pixels of 0 … 255."""

N_CHECKED = 256
"""How many samples are checked."""


def scale_warnings(settings: ModelSettings, model: Model, X: Array, scaling: str) -> list[str]:
    """Return a warning, which names the key to set, if the inputs of a network are badly scaled.

    The first samples of ``X`` (n, *sample_shape), the input of the model, are checked.
    """
    if isinstance(model, DirectModel) or _scales_itself(settings, model):
        return []
    if settings.params.get("pretrained") is True and scaling != "unit":
        return [
            f"{settings.name} starts from weights for values from 0 to 1, and preprocessing.scaling is {scaling}; "
            "set it to unit"
        ]
    largest = float(np.abs(X[:N_CHECKED].astype(np.float64)).max(initial=0.0))
    if scaling != "none" or largest <= LARGE:
        return []
    remedy = "unit (8-bit values by 255)" if X.dtype == np.uint8 else "standard"
    return [
        f"the samples reach {largest:.4g}, on which {settings.name} trains badly or not at all; "
        f"set preprocessing.scaling to {remedy}"
    ]


LEAST_SPREAD = 1e-6
"""Trees divide no node whose targets have a variance below the rounding of 1; networks start from outputs near 1."""


def target_warnings(settings: ModelSettings, model: Model, y: Array) -> list[str]:
    """Return a warning if the targets ``y`` (n,) of a regression spread so little that the model fits a constant."""
    if settings.name == "custom" or (settings.name == "linear_regression" and isinstance(model, DirectModel)):
        return []
    exponent = exponent_of(y)
    spread = float(in_unit(in_unit(y, exponent).std(), -exponent))
    tube = float(settings.params.get("epsilon", SvmParams().epsilon)) if settings.name == "svm" else 0.0
    if not 0 < spread < max(tube, LEAST_SPREAD):
        return []
    lower = f", or lower model.params.epsilon, which is {tube:g}" if tube > LEAST_SPREAD else ""
    return [
        f"the targets have a standard deviation of {spread:.2g}, too little for {settings.name}, which fits a constant "
        f"to them; multiply them by a constant in the data{lower}"
    ]


def _scales_itself(settings: ModelSettings, model: Model) -> bool:
    """Whether a custom network has layers that scale its input."""
    layers = getattr(getattr(model, "network", None), "layers", ()) if settings.name == "custom" else ()
    return any(type(layer).__name__ in {"Rescaling", "Normalization", "BatchNormalization"} for layer in layers)
