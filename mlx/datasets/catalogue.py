"""The datasets by name: what each one's parameters are and how it is opened."""

from collections.abc import Callable
from dataclasses import dataclass

from mlx.core.settings import Settings
from mlx.datasets.dataset import Dataset
from mlx.datasets.digits import DigitsParams, open_digits
from mlx.datasets.shape_params import ShapesParams
from mlx.datasets.shapes import open_shapes
from mlx.datasets.tabular import BlobsParams, RegressionParams, open_blobs, open_synthetic_regression


@dataclass(frozen=True)
class DatasetSpec:
    """How a dataset is configured and opened.

    Attributes
    ----------
    params
        Schema of ``dataset.params``.
    open
        Called with the parameters, and after them with ``dataset.path`` where `takes_path` holds.
    takes_path
        Whether the samples are read from ``dataset.path``.
    """

    params: type[Settings]
    open: Callable[..., Dataset]
    takes_path: bool = False


DATASETS: dict[str, DatasetSpec] = {
    "blobs": DatasetSpec(BlobsParams, open_blobs),
    "digits": DatasetSpec(DigitsParams, open_digits),
    "shapes": DatasetSpec(ShapesParams, open_shapes),
    "synthetic_regression": DatasetSpec(RegressionParams, open_synthetic_regression),
}
