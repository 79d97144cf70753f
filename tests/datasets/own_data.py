"""A user's own data, written to files for the tests of the dataset `custom`."""

import csv

import numpy as np
import pytest

from mlx.core.errors import DataError
from mlx.datasets import DatasetSettings, open_dataset

RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 3))
Y = np.arange(30) % 3


def opened(path, **params):
    return open_dataset(DatasetSettings(name="custom", path=None if path is None else str(path), params=params))


def everything(dataset, rows=7):
    blocks = list(dataset.blocks(rows))
    return np.concatenate([b.X for b in blocks]), np.concatenate([b.y for b in blocks])


def features_of(dataset):
    return [column.name for column in dataset.features]


def categories_of(dataset):
    return {column.name: column.categories for column in dataset.features if column.kind == "categorical"}


def factors_of(dataset, rows=7):
    tables = [block.factors for block in dataset.blocks(rows)]
    return {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}


def refused(path, message, kind=DataError, **params):
    with pytest.raises(kind, match=message) as caught:
        everything(opened(path, **params))
    return caught.value


def saved_csv(folder, *, separator=",", encoding="utf-8", **columns):
    path = folder / "t.csv"
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, delimiter=separator)
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path
