"""``blobs`` and ``synthetic_classification``: one round Gaussian cluster a class."""

from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field, field_validator

from mlx.core.array_types import Array
from mlx.datasets.dataset import Dataset
from mlx.datasets.params import Coordinate, Count, Separation, bad_value, no_more_than_features
from mlx.datasets.randomness import Stream, generator
from mlx.datasets.tabular.common import Table, TableParams, reject_oversized_table, table_dataset


class BlobsParams(TableParams):
    """Parameters of ``blobs``.

    Attributes
    ----------
    cluster_std
        Standard deviation of every class around its center, in every feature.
    center_box
        Lowest and highest coordinate that a class center may have.
    """

    cluster_std: Separation = 1.0
    center_box: list[Coordinate] = Field(default_factory=lambda: [-10.0, 10.0], min_length=2, max_length=2)

    @field_validator("center_box")
    @classmethod
    def _low_then_high(cls, center_box: list[Coordinate]) -> list[float]:
        if center_box[0] >= center_box[1]:
            raise bad_value("a lower and then a higher coordinate", center_box)
        return center_box


class ClusterParams(TableParams):
    """Parameters of ``synthetic_classification``.

    Attributes
    ----------
    n_informative
        Number of features that differ between classes, the first ones; all where it is not given.
    class_sep
        Standard deviation of the class means in every informative feature; a class's own is 1.
    """

    n_classes: Annotated[int, Field(ge=2)] = 2
    n_features: Count = 10
    n_informative: Count | None = None
    class_sep: Separation = 1.0

    _informative = field_validator("n_informative")(no_more_than_features)


def open_blobs(params: BlobsParams) -> Dataset:
    """Gaussian clusters of equal spread around random centers: the law of scikit-learn's `make_blobs`.

    X is float64 of shape (n_samples, n_features). The factor ``center_distance`` is a sample's
    Euclidean distance to the center of its true class; ``details["centers"]`` holds the centers,
    shape (n_classes, n_features).

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    """
    reject_oversized_table("blobs", params, 1)
    (low, high), shape = params.center_box, (params.n_classes, params.n_features)
    centers = generator(params.seed, Stream.LAW).uniform(low, high, shape)
    return table_dataset(
        "blobs",
        params,
        partial(_around, params, centers, params.cluster_std),
        classes="blob",
        source=f"{params.n_classes} Gaussian blobs, {params.n_features} features",
        details={"centers": centers.tolist()},
    )


def open_synthetic_classification(params: ClusterParams) -> Dataset:
    """Gaussian clusters of standard deviation 1 round one mean a class.

    X is float64 of shape (n_samples, n_features). The means are normal with standard deviation
    `class_sep` in the informative features and 0 in the others, which are noise.
    ``details["means"]`` holds them, shape (n_classes, n_features); the factor ``center_distance`` is a
    sample's Euclidean distance to the mean of its true class.

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    """
    reject_oversized_table("synthetic_classification", params, 1)
    informative = params.n_informative or params.n_features
    means = np.zeros((params.n_classes, params.n_features))
    draws = generator(params.seed, Stream.LAW).standard_normal((params.n_classes, informative))
    means[:, :informative] = params.class_sep * draws
    return table_dataset(
        "synthetic_classification",
        params,
        partial(_around, params, means, 1.0),
        classes="class",
        source=f"{params.n_classes} Gaussian clusters in {informative} of {params.n_features} features",
        details={"means": means.tolist(), "n_informative": informative},
    )


def _around(params: TableParams, centers: Array, deviation: float) -> Table:
    labels = params.labels()
    X = generator(params.seed, Stream.SAMPLES).standard_normal((params.n_samples, params.n_features))
    X *= deviation
    distance = np.sqrt(np.einsum("ij,ij->i", X, X))
    X += centers[labels]
    return X, labels, {"center_distance": distance}
