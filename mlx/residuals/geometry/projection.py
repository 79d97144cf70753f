"""Where samples lie in a plane, for pictures: coordinates that describe a layer and test nothing."""

import importlib
from collections.abc import Callable, Collection
from dataclasses import replace

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.extras import require
from mlx.core.scale import unit_sized
from mlx.residuals.geometry.components import principal_components
from mlx.residuals.geometry.layer_geometry import filled
from mlx.residuals.settings import Projection
from mlx.residuals.similarity.directions import Representation
from mlx.results.questions import Question, Statistic
from mlx.results.tests import TestResult

MAX_EMBEDDED = 2000
"""Samples that t-SNE and UMAP place, evenly spread over all: a picture shows no more, and time grows fast."""

ITERATIONS = 500
"""Of t-SNE, half with exaggerated forces: the picture hardly changes in as many more, which take as long."""

MIN_EMBEDDED = 8
"""Fewer samples have no neighborhoods that could be kept."""


def projections(
    layer: str, representation: Representation, kinds: Collection[Projection], *, seed: int
) -> tuple[dict[str, Floats], list[TestResult]]:
    """Place the samples of one layer in planes.

    Parameters
    ----------
    layer, representation
        The layer, (n_samples, n_features), finite.
    kinds
        ``pca``: the first two principal components; ``tsne`` (van der Maaten & Hinton 2008) and ``umap``
        (McInnes, Healy & Melville 2018) keep neighborhoods, neither distances nor sizes.
    seed
        Of ``tsne`` and ``umap``.

    Returns
    -------
    columns
        ``<kind>_1`` and ``<kind>_2``, (n_samples,) each; NaN for a sample that is not placed.
    shares
        The share of variance of each principal component.

    Raises
    ------
    MissingPackageError
        ``umap`` is requested and umap-learn is not installed.
    """
    load(kinds)
    dense = filled(representation)
    n = representation.shape[0]
    columns = {f"{kind}_{axis}": np.full(n, np.nan) for kind in kinds for axis in (1, 2)}
    shares: list[TestResult] = []
    if dense is None:
        return columns, shares
    if "pca" in kinds:
        found = principal_components(dense)
        columns["pca_1"], columns["pca_2"] = found.coordinates.T
        question, statistic = Question.PRINCIPAL_COMPONENT, Statistic.VARIANCE_SHARE
        for axis, share in enumerate(found.variance_ratio, 1):
            asked = TestResult(question=question, subject=str(axis), layer=layer, statistic=statistic, n=n)
            shares.append(replace(asked, estimate=float(share), status=found.status))
    rows = np.unique(np.linspace(0, n - 1, min(n, MAX_EMBEDDED)).astype(np.intp))
    for kind, embed in EMBEDDINGS.items():
        if kind in kinds and n >= MIN_EMBEDDED:
            columns[f"{kind}_1"][rows], columns[f"{kind}_2"][rows] = embed(_few_columns(dense, rows), seed).T
    return columns, shares


def load(kinds: Collection[Projection]) -> None:
    """Import what places samples by some `kinds`, which takes a second.

    Raises
    ------
    MissingPackageError
        ``umap`` is asked for and umap-learn is not installed.
    """
    if "tsne" in kinds:
        importlib.import_module("sklearn.manifold")
    if "umap" in kinds:
        require("umap", "residuals.projections: umap")
        importlib.import_module("umap")


def _few_columns(dense: Scores, rows: Integers) -> Floats:
    """Reduce the rows to at most 50 principal components, as van der Maaten & Hinton do, each layer on one scale."""
    chosen = np.asarray(dense[rows], dtype=np.float64)
    reduced = principal_components(chosen, n_components=max(2, min(50, *chosen.shape))).coordinates
    reduced = unit_sized(reduced)
    size = np.sqrt(np.einsum("ij,ij->", reduced, reduced) / len(rows))
    return np.asarray(reduced / (size or 1.0), dtype=np.float64)


def _tsne(points: Floats, seed: int) -> Floats:
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    if not points.any():
        return np.zeros((len(points), 2))
    perplexity = min(30.0, (len(points) - 1) / 3)
    # More threads add up forces in another order, and a layout amplifies the last digit into another picture.
    with threadpool_limits(limits=1):
        model = TSNE(perplexity=perplexity, init="pca", random_state=seed, max_iter=ITERATIONS)
        found = model.fit_transform(points)
    return np.asarray(found, dtype=np.float64)


def _umap(points: Floats, seed: int) -> Floats:
    from umap import UMAP

    neighbors = min(15, len(points) - 1)
    found = UMAP(n_neighbors=neighbors, random_state=seed, n_jobs=1).fit_transform(points)
    return np.asarray(found, dtype=np.float64)


EMBEDDINGS: dict[str, Callable[[Floats, int], Floats]] = {"tsne": _tsne, "umap": _umap}
