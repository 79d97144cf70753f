"""What the generated classification tables share: their parameters, and how a table becomes a dataset."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from pydantic import ValidationInfo, field_validator

from mlx.core.array_types import Array
from mlx.datasets.dataset import Block, Dataset, Factors, reject_oversized, spans
from mlx.datasets.labels import class_counts, mislabel, shuffled_labels
from mlx.datasets.params import ClassParams, Count, bad_value

Table = tuple[Array, Array, Factors]
"""Samples (n, features), their true labels (n,) and their factors."""


class TableParams(ClassParams):
    """Parameters of every generated classification table.

    With `class_weights` the classes have as many samples as the weights' proportions ask for, to within
    one sample. With `label_noise` exactly that share of the labels is wrong.

    Attributes
    ----------
    n_features
        Number of features.
    """

    n_features: Count = 2

    @field_validator("class_weights")
    @classmethod
    def _no_empty_class(cls, weights: list[float] | None, info: ValidationInfo) -> list[float] | None:
        n_samples = info.data.get("n_samples")
        if weights and n_samples and class_counts(n_samples, len(weights), weights).min() == 0:
            raise bad_value(f"weights that give every class at least one of {n_samples} samples", weights)
        return weights

    def counts(self) -> Array:
        """Return the number of samples of each true class, int64 of shape (n_classes,)."""
        return class_counts(self.n_samples, self.n_classes, self.class_weights)

    def labels(self) -> Array:
        """Return the true labels in the order of the samples, int64 of shape (n_samples,)."""
        return shuffled_labels(self.seed, self.counts())


def reject_oversized_table(name: str, params: TableParams, n_factors: int) -> None:
    """Reject a table with so many factors, beside those of label noise, that would not fit in memory.

    Raises
    ------
    DataError
        If it would take more than 1 GB.
    """
    known = n_factors + (2 if params.label_noise else 0)
    reject_oversized(name, params.n_samples, params.n_features, known)


def table_dataset(
    name: str,
    params: TableParams,
    make: Callable[[], Table],
    *,
    classes: str,
    source: str,
    details: dict[str, Any] | None = None,
) -> Dataset:
    """Describe a table that `make` builds all at once, its label noise added here.

    Parameters
    ----------
    classes
        What a class is called: "moon" makes the class names "moon 0", "moon 1" …
    """
    return Dataset(
        name=name,
        task="classification",
        class_names=tuple(f"{classes} {k}" for k in range(params.n_classes)),
        sample_shape=(params.n_features,),
        dtype=np.dtype(np.float64),
        n_samples=params.n_samples,
        source=source,
        seed=params.seed,
        details=details or {},
        has_factors=True,
        blocks=partial(_blocks, params, make),
    )


def _blocks(params: TableParams, make: Callable[[], Table], rows: int) -> Iterator[Block]:
    bounds = list(spans(params.n_samples, rows))
    X, labels, factors = make()
    y, noise = mislabel(labels, params.n_classes, params.label_noise, params.seed)
    factors = factors | noise
    for start, stop in bounds:
        known = {name: values[start:stop] for name, values in factors.items()}
        yield Block(X[start:stop], y[start:stop], known)
