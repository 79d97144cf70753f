"""Where samples come from: every dataset behind one description and one way to read it."""

from mlx.core.console import note
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

PLAIN = ({"separator": ",", "decimal": "."}, {"separator": "\t", "decimal": "."})
"""How a table in a text file is written as everybody expects; anything else is stated."""


def open_dataset(settings: DatasetSettings) -> Dataset:
    """Open the dataset that `settings` names; note on stderr what was inferred, left out or looks wrong.

    The same notes are in the dataset.

    Raises
    ------
    DataError
        If it can't be built as asked, for example because it would not fit in memory.
    """
    spec = DATASETS[settings.name]
    dataset = spec.open(settings.source(), settings.path) if spec.takes_path else spec.open(settings.source())
    if dataset.inferred:
        note(f"dataset {dataset.name}: targets {dataset.inferred}")
    if (written := dataset.details.get("written")) and written not in PLAIN:
        note(f"dataset {dataset.name}: cells divided by {written['separator']!r}, decimal mark {written['decimal']!r}")
    for line in dataset.notes:
        note(f"warning: {line}")
    return dataset
