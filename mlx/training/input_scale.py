"""Whether the samples have a scale that a network can be trained on."""

import numpy as np

from mlx.core.array_types import Array
from mlx.models import DirectModel, Model, ModelSettings

LARGE = 30.0
"""Values beyond this, such as pixels of 0 … 255, are far from what initial weights and usual rates are made for."""

SEEN = 256
"""So many samples are looked at."""


def scale_warnings(settings: ModelSettings, model: Model, X: Array, scaling: str) -> list[str]:
    """Name the key to set where a network is given values of a scale that it was not made for.

    Parameters
    ----------
    X : (n, *sample_shape), as the model is given them; the first are looked at.
    scaling : what ``preprocessing.scaling`` was.
    """
    if isinstance(model, DirectModel) or _scales_itself(settings, model):
        return []
    if settings.params.get("pretrained") and scaling != "unit":
        return [
            f"{settings.name} starts from weights for values from 0 to 1, and preprocessing.scaling is {scaling}; "
            "set it to unit"
        ]
    reached = float(np.abs(X[:SEEN].astype(np.float64)).max(initial=0.0))
    if scaling != "none" or reached <= LARGE:
        return []
    remedy = "unit (8-bit values by 255)" if X.dtype == np.uint8 else "standard"
    return [
        f"the samples reach {reached:.4g}, on which {settings.name} trains badly or not at all; "
        f"set preprocessing.scaling to {remedy}"
    ]


def _scales_itself(settings: ModelSettings, model: Model) -> bool:
    """Say whether a network of the user's own brings its samples to scale."""
    layers = getattr(getattr(model, "network", None), "layers", ()) if settings.name == "custom" else ()
    return any(type(layer).__name__ in {"Rescaling", "Normalization", "BatchNormalization"} for layer in layers)
