"""``synthetic_regression``: a noisy linear law whose weights are known."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from pydantic import field_validator

from mlx.core.array_types import Array
from mlx.core.settings import Settings
from mlx.datasets.dataset import Block, Dataset, reject_oversized, spans
from mlx.datasets.params import Count, Deviation, Seed, no_more_than_features
from mlx.datasets.randomness import Stream, generator


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
    noise_std: Deviation = 0.1
    seed: Seed = 42

    _informative = field_validator("n_informative")(no_more_than_features)


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
    reject_oversized("synthetic_regression", params.n_samples, params.n_features, 1)
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
