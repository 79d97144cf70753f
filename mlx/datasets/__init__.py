"""Where samples come from: every dataset behind one description and one way to read it."""

from mlx.datasets.catalogue import DATASETS, DatasetSpec
from mlx.datasets.dataset import Block, Dataset
from mlx.datasets.settings import DatasetSettings
from mlx.datasets.synthetic import GeneratedSamples, SyntheticDataset

__all__ = [
    "DATASETS",
    "Block",
    "Dataset",
    "DatasetSettings",
    "DatasetSpec",
    "GeneratedSamples",
    "SyntheticDataset",
    "open_dataset",
]


def open_dataset(settings: DatasetSettings) -> Dataset:
    """Open the dataset that `settings` names.

    Raises
    ------
    DataError
        If it can't be built as asked, for example because it would not fit in memory.
    """
    spec = DATASETS[settings.name]
    if spec.takes_path:
        return spec.open(settings.source(), settings.path)
    return spec.open(settings.source())
