"""Random changes of training images that leave their class as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.training.settings import AugmentationSettings


@dataclass(frozen=True)
class Augmentation:
    """What may be done to a sample without changing what it shows.

    Attributes
    ----------
    flip : mirror an image left to right, half of the time. A mirrored letter is another letter, so
        the dataset says whether this holds.
    shift : move it by up to this share of its height and width, in whole pixels; what comes in at
        an edge repeats the edge.
    crop : keep a part of at least ``1 - crop`` of its height and width, drawn anew, and enlarge that to
        the whole by repeating pixels.
    noise : standard deviation of the normal noise added to every value, in the units of the values.
    """

    flip: bool = False
    shift: float = 0.0
    crop: float = 0.0
    noise: float = 0.0

    def __bool__(self) -> bool:
        """Whether anything is done."""
        return self != Augmentation()

    def apply(self, X: Array, rng: np.random.Generator) -> Array:
        """Change each sample of a batch (m, *sample_shape) by a draw of its own.

        Integers become float32 where noise is added.

        Raises
        ------
        DataError
            The samples are no images (height, width, channels), and noise is not all that is asked for.
        """
        if self.flip or self.shift or self.crop:
            X = self._moved(X, rng)
        if self.noise:
            dtype = X.dtype if X.dtype.kind == "f" else np.dtype(np.float32)
            X = X.astype(dtype) + (self.noise * rng.standard_normal(X.shape, np.float32)).astype(dtype)
        return X

    def _moved(self, X: Array, rng: np.random.Generator) -> Array:
        if X.ndim != 4:
            raise DataError(f"augmentation: expected images (height, width, channels), found samples of {X.shape[1:]}")
        share = 1 - self.crop * rng.random(len(X)) if self.crop else None
        rows = self._places(X.shape[1], len(X), share, rng)
        columns = self._places(X.shape[2], len(X), share, rng)
        if self.flip:
            mirrored = rng.random(len(X)) < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        changed: Array = X[np.arange(len(X))[:, None, None], rows[:, :, None], columns[:, None, :]]
        return changed

    def _places(self, length: int, m: int, share: Array | None, rng: np.random.Generator) -> Array:
        """Return for each of m images which line of it stands where, (m, length)."""
        most = int(self.shift * length)
        places: Array = np.arange(length) + rng.integers(-most, most, size=m, endpoint=True)[:, None]
        if share is not None:
            first = rng.random(m) * (1 - share) * length
            # The middle of each new line, where it lies in the part that is kept.
            places = np.floor(first[:, None] + (places + 0.5) * share[:, None]).astype(np.int64)
        return np.clip(places, 0, length - 1)


def augmentation_of(settings: AugmentationSettings, allowed: Mapping[str, Any] | None) -> Augmentation:
    """Put together what the dataset allows, where it was asked for it, and what the training sets.

    Parameters
    ----------
    allowed : fields of `Augmentation` by the dataset; what `settings` give stands before them.
    """
    chosen = settings.model_dump(exclude_none=True)
    return replace(Augmentation(), **dict(allowed or {}) | chosen)
