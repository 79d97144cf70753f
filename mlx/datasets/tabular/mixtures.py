"""``gaussian_mixture``: normal classes of known law, and so of known Bayes error."""

from functools import partial
from typing import Annotated, Any

import numpy as np
from pydantic import AliasChoices, Field, ValidationInfo, field_validator, model_validator

from mlx.core.array_types import Array
from mlx.core.errors import DataError
from mlx.datasets.dataset import Dataset
from mlx.datasets.params import Coordinate, Separation, bad_value
from mlx.datasets.randomness import Stream, generator
from mlx.datasets.tabular.common import Table, TableParams, reject_oversized_table, table_dataset

Vector = list[Coordinate]
_SYMMETRIC_TO = 1e-9
MOST_NUMBERS = 2_000_000  # in means, covariances and distances between means; the law stands in dataset.json


class MixtureParams(TableParams):
    """Parameters of ``gaussian_mixture``.

    Attributes
    ----------
    class_weights
        Share of each class, of any sum; also called ``weights``. Equal where it is not given.
    means
        Mean of each class, one list of `n_features` numbers a class. It settles `n_classes` and
        `n_features` where these are not given.
    covariances
        Covariance matrix of each class, symmetric and positive definite, as lists of lists.
    class_sep
        Where the means are drawn: half the distance of the closest two. A drawn covariance has its
        standard deviations round 1.
    """

    n_features: Annotated[int, Field(ge=1, le=500)] = 2  # the covariances have its square
    class_weights: list[Annotated[float, Field(gt=0)]] | None = Field(
        None, validation_alias=AliasChoices("class_weights", "weights")
    )
    means: list[Vector] | None = None
    covariances: list[list[Vector]] | None = None
    class_sep: Separation = 1.5

    @model_validator(mode="before")
    @classmethod
    def _sizes_of_the_means(cls, values: Any) -> Any:
        means = values.get("means") if isinstance(values, dict) else None
        if isinstance(means, list) and means and isinstance(means[0], list):
            return {"n_classes": len(means), "n_features": len(means[0])} | values
        return values

    @field_validator("means")
    @classmethod
    def _a_mean_a_class(cls, means: list[Vector] | None, info: ValidationInfo) -> list[Vector] | None:
        n, d = info.data.get("n_classes"), info.data.get("n_features")
        if means is not None and n and d and [len(mean) for mean in means] != [d] * n:
            raise bad_value(f"{n} lists of {d} numbers, a mean a class", means)
        return means

    @field_validator("covariances")
    @classmethod
    def _a_covariance_a_class(cls, given: list[list[Vector]] | None, info: ValidationInfo) -> Any:
        n, d = info.data.get("n_classes"), info.data.get("n_features")
        if given is None or not n or not d:
            return given
        if [[len(row) for row in matrix] for matrix in given] != [[d] * d] * n:
            raise bad_value(f"{n} matrices of {d} x {d} numbers, one per class", given)
        for k, matrix in enumerate(np.asarray(given, np.float64)):
            if not np.allclose(matrix, matrix.T, rtol=_SYMMETRIC_TO) or np.linalg.eigvalsh(matrix)[0] <= 0:
                raise bad_value(f"a symmetric, positive definite matrix for class {k}", matrix.tolist())
        return given

    def shares(self) -> Array:
        """Return the probability of each class, shape (n_classes,)."""
        weights = np.asarray(self.class_weights or np.ones(self.n_classes), np.float64)
        shares: Array = weights / weights.sum()
        return shares


def open_gaussian_mixture(params: MixtureParams) -> Dataset:
    """Multivariate normal classes with the true posterior of every sample.

    X is float64 of shape (n_samples, n_features). The factors ``posterior_0`` … are the probabilities of
    each label given the sample, label noise included. Details:

    - ``means`` (n_classes, n_features), ``covariances`` (n_classes, n_features, n_features) and
      ``weights`` (n_classes,): the law;
    - ``bayes_error``: share of samples that the best possible classifier gets wrong, 0 to 1, and
      ``bayes_entropy``: mean entropy of the posterior, in nats; lower is better for both. They are means
      over fresh samples of the law, with standard errors ``bayes_error_se`` and ``bayes_entropy_se``.

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    """
    reject_oversized_table("gaussian_mixture", params, params.n_classes)
    k, d = params.n_classes, params.n_features
    if (numbers := k * d * d + k * k * d) > MOST_NUMBERS:
        raise DataError(
            f"dataset gaussian_mixture: {k:,} classes in {d:,} features take {numbers:,} numbers to describe; at most "
            f"{MOST_NUMBERS:,} are computed with, so lower n_classes or n_features"
        )
    means, covariances = law(params)
    return table_dataset(
        "gaussian_mixture",
        params,
        partial(_make, params, means, covariances),
        classes="component",
        source=f"{params.n_classes} normal classes with known posteriors, {params.n_features} features",
        details=_details(params, means, covariances),
    )


def law(params: MixtureParams) -> tuple[Array, Array]:
    """Return means (n_classes, n_features) and covariances (n_classes, n_features, n_features)."""
    rng, n, d = generator(params.seed, Stream.LAW), params.n_classes, params.n_features
    means = rng.standard_normal((n, d))
    gaps = np.linalg.norm(means[:, None] - means, axis=-1)[np.triu_indices(n, 1)]
    means *= 2 * params.class_sep / gaps.min()
    axes = np.linalg.qr(rng.standard_normal((n, d, d)))[0]
    variances = rng.uniform(0.4, 1.6, (n, 1, d))
    covariances = (axes * variances) @ axes.swapaxes(1, 2)
    given_means, given_covariances = params.means, params.covariances
    return (
        means if given_means is None else np.asarray(given_means, np.float64),
        (covariances + covariances.swapaxes(1, 2)) / 2
        if given_covariances is None
        else np.asarray(given_covariances, np.float64),
    )


def posterior(X: Array, means: Array, covariances: Array, shares: Array) -> Array:
    """Return the probability of each class given each sample, shape (n, n_classes).

    Bayes' rule on log densities; the quadratic form by a triangular solve with the Cholesky factor.
    """
    logs = np.empty((len(X), len(means)))
    for k, (mean, factor) in enumerate(zip(means, np.linalg.cholesky(covariances), strict=True)):
        whitened = (X - mean) @ np.linalg.inv(factor).T
        scale = np.log(np.diag(factor)).sum()
        logs[:, k] = np.log(shares[k]) - scale - 0.5 * np.einsum("ij,ij->i", whitened, whitened)
    logs -= logs.max(axis=1, keepdims=True)
    np.exp(logs, out=logs)
    logs /= logs.sum(axis=1, keepdims=True)
    return logs


def observed(probabilities: Array, label_noise: float) -> Array:
    """Turn probabilities of the true class into those of the label after noise, shape (n, n_classes)."""
    spread = label_noise / (probabilities.shape[1] - 1)
    after: Array = spread + (1 - label_noise - spread) * probabilities
    return after


def _draw(labels: Array, means: Array, covariances: Array, rng: np.random.Generator) -> Array:
    X = rng.standard_normal((len(labels), means.shape[1]))
    for k, (mean, factor) in enumerate(zip(means, np.linalg.cholesky(covariances), strict=True)):
        mine = labels == k
        X[mine] = X[mine] @ factor.T + mean
    return X


def _make(params: MixtureParams, means: Array, covariances: Array) -> Table:
    labels = params.labels()
    X = _draw(labels, means, covariances, generator(params.seed, Stream.SAMPLES))
    known = observed(posterior(X, means, covariances, params.shares()), params.label_noise)
    return X, labels, {f"posterior_{k}": column for k, column in enumerate(known.T)}


def _details(params: MixtureParams, means: Array, covariances: Array) -> dict[str, Any]:
    """Estimate Bayes error and entropy of the true posterior from fresh samples.

    The mean of 1 − max posterior has the Bayes error as its expectation and a smaller variance than
    counting the errors of the best classifier.
    """
    rng, (n, d) = generator(params.seed, Stream.ESTIMATE), means.shape
    size = int(np.clip(2e7 / (n * d * d), 10_000, 200_000))
    shares = params.shares()
    X = _draw(rng.choice(n, size, p=shares), means, covariances, rng)
    known = observed(posterior(X, means, covariances, shares), params.label_noise)
    wrong = 1 - known.max(axis=1)
    entropy = -(known * np.log(np.maximum(known, np.finfo(float).tiny))).sum(axis=1)
    return {
        "means": means.tolist(),
        "covariances": covariances.tolist(),
        "weights": shares.tolist(),
        "bayes_error": float(wrong.mean()),
        "bayes_error_se": float(wrong.std() / np.sqrt(size)),
        "bayes_entropy": float(entropy.mean()),
        "bayes_entropy_se": float(entropy.std() / np.sqrt(size)),
    }
