"""Random changes of training images that preserve their class."""

from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array
from mlx.core.descriptions import AugmentationDescription
from mlx.core.errors import DataError
from mlx.training.settings import AugmentationSettings


@dataclass(frozen=True)
class Augmentation:
    """Random changes of a sample that preserve its class.

    Attributes
    ----------
    flip
        Mirror an image left to right with probability one half; a dataset allows it if mirrored images keep their
        class.
    shift
        Largest translation, as a share of height and width, in whole pixels; edge pixels are repeated.
    crop
        Crop to a random part of at least ``1 - crop`` of height and width, and enlarge it to the whole by repeating
        pixels.
    noise
        Standard deviation of the normal noise added to every value, in the units of the values.
    """

    flip: bool = False
    shift: float = 0.0
    crop: float = 0.0
    noise: float = 0.0

    def __bool__(self) -> bool:
        """Whether there is any change."""
        return self != Augmentation()

    def apply(self, X: Array, rng: np.random.Generator) -> Array:
        """Change each sample of a batch (m, *sample_shape) independently.

        Integers become float32 where noise is added.

        Raises
        ------
        DataError
            The samples are not images (height, width, channels), which all changes but noise need.
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
        """Return the source row or column of each target position (m, length)."""
        most = int(self.shift * length)
        places: Array = np.arange(length) + rng.integers(-most, most, size=m, endpoint=True)[:, None]
        if share is not None:
            first = rng.random(m) * (1 - share) * length
            # The center of each new row or column, within the cropped part.
            places = np.floor(first[:, None] + (places + 0.5) * share[:, None]).astype(np.int64)
        return np.clip(places, 0, length - 1)


def augmentation_of(settings: AugmentationSettings, allowed: AugmentationDescription | None) -> Augmentation:
    """Combine the augmentation that the dataset allows with the `settings`, which override it."""
    of_dataset = allowed.as_dict() if allowed else {}
    return Augmentation(**of_dataset | settings.model_dump(exclude_none=True))
