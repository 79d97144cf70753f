"""scikit-learn's handwritten digits."""

import numpy as np

from mlx.datasets.dataset import Dataset, blocks_of
from mlx.datasets.files.stored import StoredParams, augmentation_of, choose_rows, image_dtype, unit

INK_LEVELS = 16
"""The darkest ink in the published files, whose values are counts of 0 … 16 set pixels."""


class DigitsParams(StoredParams):
    """Parameters of ``digits``: those of every set that is read from files."""


def open_digits(params: DigitsParams) -> Dataset:
    """1797 handwritten digits of 8 × 8 pixels, from scikit-learn.

    The published values 0 … 16 are stretched to 0 … 255 and rounded, so that 16, full ink, becomes
    exactly 255 and the images are ordinary uint8 ones; X has shape (n_samples, 8, 8, 1).

    Source: E. Alpaydin and C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine
    Learning Repository, 1998; test part.

    Raises
    ------
    SettingsError
        If more samples are asked for than there are.
    """
    from sklearn.datasets import load_digits

    data = load_digits()
    index = choose_rows(data.target, params.n_samples, params.seed)
    X = np.rint(data.images[index, :, :, np.newaxis] * (255 / INK_LEVELS)).astype(np.uint8)
    return Dataset(
        name="digits",
        task="classification",
        class_names=tuple(str(name) for name in data.target_names),
        sample_shape=X.shape[1:],
        dtype=image_dtype(normalize=params.normalize),
        n_samples=len(index),
        source="scikit-learn load_digits: handwritten digits, UCI 1998, 8x8 pixels",
        seed=None if params.n_samples is None else params.seed,
        blocks=blocks_of(unit(X) if params.normalize else X, data.target[index].astype(np.int64)),
        details={"augmentation": augmentation_of("digits", params)},
    )
