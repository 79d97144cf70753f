"""Random changes of training images that leave their class as it is."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlx.core.errors import DataError

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Augmentation:
    """What may be done to an image without changing what it shows.

    Attributes
    ----------
    flip : mirror it left to right, half of the time. A mirrored letter is another letter, so the
        dataset says whether this holds.
    shift : move it by up to this share of its height and width, in whole pixels; what comes in at
        an edge repeats the edge.
    """

    flip: bool
    shift: float

    def apply(self, X: Array, rng: np.random.Generator) -> Array:
        """Change each image of a batch (m, height, width, channels) by a draw of its own.

        Raises
        ------
        DataError
            The samples are no images.
        """
        if X.ndim != 4:
            raise DataError(f"augmentation: expected images (height, width, channels), found samples of {X.shape[1:]}")
        rows = self._places(X.shape[1], len(X), rng)
        columns = self._places(X.shape[2], len(X), rng)
        if self.flip:
            mirrored = rng.random(len(X)) < 0.5
            columns[mirrored] = columns[mirrored, ::-1]
        changed: Array = X[np.arange(len(X))[:, None, None], rows[:, :, None], columns[:, None, :]]
        return changed

    def _places(self, length: int, m: int, rng: np.random.Generator) -> Array:
        """Return for each of m images which line of it stands where, (m, length)."""
        most = int(self.shift * length)
        offsets = rng.integers(-most, most, size=m, endpoint=True)
        places: Array = np.clip(np.arange(length) + offsets[:, None], 0, length - 1)
        return places
