"""scikit-learn's handwritten digits."""

import numpy as np

from mlx.datasets.dataset import Dataset
from mlx.datasets.files.stored import StoredParams, augmentation_of, stored_dataset
from mlx.datasets.files.subsets import choose_rows, rows_in

INK_LEVELS = 16
"""The darkest ink in the published files, whose values are counts of 0 … 16 set pixels."""


class DigitsParams(StoredParams):
    """Parameters of ``digits``: those of every set of images."""


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
    images = np.rint(data.images[..., np.newaxis] * (255 / INK_LEVELS)).astype(np.uint8)
    return stored_dataset(
        "digits",
        params,
        rows_in(images),
        choose_rows(data.target, params.n_samples, params.seed),
        data.target.astype(np.int64),
        class_names=tuple(str(name) for name in data.target_names),
        sample_shape=images.shape[1:],
        source="scikit-learn load_digits: handwritten digits, UCI 1998, 8x8 pixels",
        details={"augmentation": augmentation_of("digits", params)},
    )
