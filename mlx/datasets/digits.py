"""The handwritten digits that come with scikit-learn."""

from collections.abc import Iterator

import numpy as np

from mlx.core.settings import Settings
from mlx.datasets.dataset import Block, Dataset, spans

INK_LEVELS = 16
"""The darkest ink in the published files, whose values are counts of 0 … 16 set pixels."""


class DigitsParams(Settings):
    """Parameters of ``digits``: it has none, the set is what it is."""


def open_digits(params: DigitsParams) -> Dataset:  # noqa: ARG001 - every source is opened with its parameters
    """1797 handwritten digits of 8 × 8 pixels, from scikit-learn.

    The published values 0 … 16 are stretched to 0 … 255 and rounded, so that 16, full ink, becomes
    exactly 255 and the images are ordinary uint8 ones; X has shape (1797, 8, 8, 1).

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998; test part.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    X = np.rint(data.images[..., np.newaxis] * (255 / INK_LEVELS)).astype(np.uint8)
    y = data.target.astype(np.int64)

    def blocks(rows: int) -> Iterator[Block]:
        for start, stop in spans(len(y), rows):
            yield Block(X[start:stop], y[start:stop], None)

    return Dataset(
        name="digits",
        task="classification",
        class_names=tuple(str(name) for name in data.target_names),
        sample_shape=X.shape[1:],
        dtype=X.dtype,
        n_samples=len(y),
        source="scikit-learn load_digits: handwritten digits, UCI 1998, 8x8 pixels",
        seed=None,
        blocks=blocks,
    )
