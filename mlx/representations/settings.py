"""The `representations` section of the configuration."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from mlx.core.descriptions import SPLITS, Split
from mlx.core.settings import Settings

RESERVED = frozenset({"logits", "probabilities", "y_true", "y_pred", "index"})
"""Names of the files beside those of the layers."""


def _usable_layers(layers: list[str]) -> list[str]:
    for name in layers:
        if not re.fullmatch(r"[A-Za-z0-9][\w.-]*", name) or name in RESERVED:
            raise ValueError(f"expected names of hidden layers, found '{name}'")
    if len({name.lower() for name in layers}) < len(layers):
        raise ValueError(f"expected each layer once, found {', '.join(layers)}")
    return layers


def _usable_splits(splits: list[Split]) -> list[Split]:
    if "test" not in splits or len(set(splits)) < len(splits):
        raise ValueError(f"expected test, which is analyzed, and other parts once each, found {', '.join(splits)}")
    return splits


class RepresentationsSettings(Settings):
    """Which representations of which samples are recorded.

    Attributes
    ----------
    layers
        Names of layers of the model, or ``penultimate``, which every model has. The headline analysis uses the first
        one.
    splits
        The parts of the data that are recorded, test among them.
    max_train_samples
        The most training samples that are recorded: of more, a sample with the classes in proportion.
    batch_size
        Samples in a batch.
    """

    layers: Annotated[list[str], AfterValidator(_usable_layers)] = Field(["penultimate"], min_length=1)
    splits: Annotated[list[Split], AfterValidator(_usable_splits)] = Field(list(SPLITS), min_length=1)
    max_train_samples: int = Field(20_000, ge=1)
    batch_size: int = Field(256, ge=1)
