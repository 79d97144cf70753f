"""``moons`` and ``circles``: classes along curves in a plane, for any number of classes."""

from collections.abc import Callable
from functools import partial
from typing import Annotated

import numpy as np
from pydantic import Field

from mlx.core.array_types import Array
from mlx.datasets.dataset import Dataset
from mlx.datasets.params import Deviation
from mlx.datasets.randomness import Stream, generator
from mlx.datasets.tabular.common import Table, TableParams, reject_oversized_table, table_dataset

PAIR_SHIFT = 2.4
"""How far each pair of moons lies to the right of the pair before, in radii of a moon. Neighbors interlock
for any shift between 2, where the moons of one orientation touch, and 2.87, where those of the two cross;
at 2.4 the closest are 0.36 apart, against 0.5 within a pair."""

Curve = Callable[[Array, Array], tuple[Array, Array]]


class CurveParams(TableParams):
    """Parameters of ``moons``, and most of ``circles``.

    Attributes
    ----------
    n_features
        At least 2. The first two are the plane of the curves; any others are standard normal noise.
    noise
        Standard deviation of the distance from the curve, in each of the two directions.
    """

    n_classes: Annotated[int, Field(ge=2)] = 2
    n_features: Annotated[int, Field(ge=2)] = 2
    noise: Deviation = 0.1


class CirclesParams(CurveParams):
    """Parameters of ``circles``: those of ``moons``, and one more.

    Attributes
    ----------
    factor
        Radius of the innermost circle, the outermost having 1; the others lie evenly between.
    """

    factor: Annotated[float, Field(ge=0, lt=1)] = 0.5


def open_moons(params: CurveParams) -> Dataset:
    """Interleaved half circles of radius 1, evenly sampled, with normal noise.

    Two classes have the places of scikit-learn's `make_moons`; each further pair lies `PAIR_SHIFT` to the
    right of the one before. X is float64 of shape (n_samples, n_features). The factors are ``angle``,
    where on its half circle a sample was put, in radians, and ``displacement``, its distance from there.

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    """
    return _open("moons", params, _moon, np.pi, "moon")


def open_circles(params: CirclesParams) -> Dataset:
    """Concentric circles, evenly sampled, with normal noise: class 0 is the outermost, of radius 1.

    Two classes have the law of scikit-learn's `make_circles`. X is float64 of shape
    (n_samples, n_features). The factors are ``angle``, where on its circle a sample was put, in radians,
    and ``displacement``, its distance from there.

    Raises
    ------
    DataError
        If the table would take more than 1 GB.
    """
    radii = np.linspace(1, params.factor, params.n_classes)
    return _open("circles", params, partial(_circle, radii), 2 * np.pi, "circle")


def _open(name: str, params: CurveParams, curve: Curve, length: float, classes: str) -> Dataset:
    reject_oversized_table(name, params, 2)
    return table_dataset(
        name,
        params,
        partial(_along, params, curve, length),
        classes=classes,
        source=f"{params.n_classes} {name}, noise sd {params.noise:g}, {params.n_features} features",
    )


def _moon(labels: Array, angle: Array) -> tuple[Array, Array]:
    hangs = labels % 2
    side = 1 - 2 * hangs
    return labels // 2 * PAIR_SHIFT + hangs + side * np.cos(angle), 0.5 * hangs + side * np.sin(angle)


def _circle(radii: Array, labels: Array, angle: Array) -> tuple[Array, Array]:
    return radii[labels] * np.cos(angle), radii[labels] * np.sin(angle)


def _along(params: CurveParams, curve: Curve, length: float) -> Table:
    labels = params.labels()
    angle = _even_angles(labels, params.counts(), length)
    X = generator(params.seed, Stream.SAMPLES).standard_normal((params.n_samples, params.n_features))
    away = X[:, :2]
    away *= params.noise
    displacement = np.hypot(away[:, 0], away[:, 1])
    x, y = curve(labels, angle)
    away[:, 0] += x
    away[:, 1] += y
    return X, labels, {"angle": angle, "displacement": displacement}


def _even_angles(labels: Array, counts: Array, length: float) -> Array:
    """Spread each class evenly over its curve, ends included unless the curve is closed."""
    angle = np.empty(len(labels))
    for label, count in enumerate(counts):
        angle[labels == label] = np.linspace(0, length, count, endpoint=length < 2 * np.pi)
    return angle
