"""Generated tables: Gaussian blobs for classification, a noisy linear law for regression."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field, ValidationInfo, field_validator

from mlx.core.settings import Settings
from mlx.datasets.dataset import Array, Block, Dataset, refuse_oversized, spans
from mlx.datasets.params import ClassParams, Count, Seed, bad_value
from mlx.datasets.randomness import Stream, generator


class BlobsParams(ClassParams):
    """Parameters of ``blobs``.

    Attributes
    ----------
    n_features
        Number of features.
    cluster_std
        Standard deviation of every class around its centre, in every feature.
    center_box
        Lowest and highest coordinate that a class centre may have.
    """

    n_features: Count = 2
    cluster_std: Annotated[float, Field(gt=0)] = 1.0
    center_box: list[float] = Field(default_factory=lambda: [-10.0, 10.0], min_length=2, max_length=2)

    @field_validator("center_box")
    @classmethod
    def _low_then_high(cls, center_box: list[float]) -> list[float]:
        if center_box[0] >= center_box[1]:
            raise bad_value("a lower and then a higher coordinate", center_box)
        return center_box


class RegressionParams(Settings):
    """Parameters of ``synthetic_regression``.

    Attributes
    ----------
    n_samples
        Number of samples.
    n_features
        Number of features, each standard normal.
    n_informative
        Number of features whose weight is not zero; all of them where it is not given.
    noise_std
        Standard deviation of the noise added to the target.
    seed
        What weights, features and noise are drawn with.
    """

    n_samples: Count = 1000
    n_features: Count = 10
    n_informative: Count | None = None
    noise_std: Annotated[float, Field(ge=0)] = 0.1
    seed: Seed = 42

    @field_validator("n_informative")
    @classmethod
    def _no_more_than_there_are(cls, n_informative: int | None, info: ValidationInfo) -> int | None:
        n_features = info.data.get("n_features")
        if n_informative is not None and n_features is not None and n_informative > n_features:
            raise bad_value(f"at most n_features = {n_features}", n_informative)
        return n_informative


def open_blobs(params: BlobsParams) -> Dataset:
    """Gaussian clusters of equal spread around random centres, from scikit-learn's `make_blobs`.

    X is float64 of shape (n_samples, n_features). The factor ``center_distance`` is a sample's
    Euclidean distance to the centre of its own class; ``details["centers"]`` holds the centres,
    shape (n_classes, n_features).

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    """
    refuse_oversized("blobs", params.n_samples, params.n_features)
    return Dataset(
        name="blobs",
        task="classification",
        class_names=tuple(f"blob {k}" for k in range(params.n_classes)),
        sample_shape=(params.n_features,),
        dtype=np.dtype(np.float64),
        n_samples=params.n_samples,
        source=f"{params.n_classes} Gaussian blobs, {params.n_features} features (scikit-learn make_blobs)",
        seed=params.seed,
        details={"centers": _centers(params).tolist()},
        has_factors=True,
        blocks=partial(_blob_blocks, params),
    )


def _centers(params: BlobsParams) -> Array:
    low, high = params.center_box
    shape = (params.n_classes, params.n_features)
    return generator(params.seed, Stream.LAW).uniform(low, high, shape)


def _blob_blocks(params: BlobsParams, rows: int) -> Iterator[Block]:
    from sklearn.datasets import make_blobs

    centers = _centers(params)
    X, y = make_blobs(params.n_samples, centers=centers, cluster_std=params.cluster_std, random_state=params.seed)
    y = y.astype(np.int64)
    for start, stop in spans(params.n_samples, rows):
        points, labels = X[start:stop], y[start:stop]
        distance = np.sqrt(np.square(points - centers[labels]).sum(axis=1))
        yield Block(points, labels, {"center_distance": distance})


def open_synthetic_regression(params: RegressionParams) -> Dataset:
    """Targets from a linear law: ``y = X @ weights + noise``.

    X is standard normal, float64 of shape (n_samples, n_features); the noise is normal with standard
    deviation `noise_std`. ``details["weights"]`` holds the true weights, shape (n_features,): the
    informative ones standard normal, at random places, the others 0. There is no intercept. The
    factor ``noise`` is what was added to a sample's target.

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    """
    refuse_oversized("synthetic_regression", params.n_samples, params.n_features)
    weights = _weights(params)
    informative = int(np.count_nonzero(weights))
    return Dataset(
        name="synthetic_regression",
        task="regression",
        class_names=(),
        sample_shape=(params.n_features,),
        dtype=np.dtype(np.float64),
        n_samples=params.n_samples,
        source=f"linear in {informative} of {params.n_features} features, noise sd {params.noise_std:g}",
        seed=params.seed,
        details={"weights": weights.tolist(), "noise_std": params.noise_std},
        has_factors=True,
        blocks=partial(_regression_blocks, params, weights),
    )


def _weights(params: RegressionParams) -> Array:
    rng = generator(params.seed, Stream.LAW)
    informative = rng.permutation(params.n_features)[: params.n_informative]
    weights = np.zeros(params.n_features)
    weights[informative] = rng.standard_normal(len(informative))
    return weights


def _regression_blocks(params: RegressionParams, weights: Array, rows: int) -> Iterator[Block]:
    features, errors = generator(params.seed, Stream.SAMPLES), generator(params.seed, Stream.NOISE)
    for start, stop in spans(params.n_samples, rows):
        X = features.standard_normal((stop - start, params.n_features))
        noise = params.noise_std * errors.standard_normal(stop - start)
        # summed row by row: a matrix product would round differently with the number of rows
        yield Block(X, (X * weights).sum(axis=1) + noise, {"noise": noise})
