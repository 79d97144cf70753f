"""Everything about one layer: its similarities, a column each, and its rows in the tables."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlx.core.array_types import Floats, Integers
from mlx.residuals.association.correlations import associate
from mlx.residuals.association.layer import Layer
from mlx.residuals.errors.failures import curve_records, detection_rows, entropy_score, layer_scores, partial_rows
from mlx.residuals.geometry.layer_geometry import geometry_rows
from mlx.residuals.layers.records import adjust, association_rows, class_rows, pair_rows, ranked_pair_row
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS, PairStatistic
from mlx.residuals.pairs.mantel import MantelTest, mantel, mantel_by_class
from mlx.residuals.pairs.pair_correlations import pair_correlations
from mlx.residuals.pairs.pair_spearman import pair_spearman
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.class_similarity import SimilarityFamily, similarity_family
from mlx.residuals.similarity.classmates import Classmates, find_classmates
from mlx.residuals.similarity.directions import Directions
from mlx.residuals.similarity.lift import lift
from mlx.residuals.similarity.overview import similarity_overview
from mlx.residuals.tables import Record

SIMILARITIES = {
    "similarity": "predicted",
    "similarity_true": "true",
    "similarity_all": "overall",
    "similarity_centroid": "centroid",
    "margin": "margin",
    "silhouette": "silhouette",
}
"""Columns of the table of samples, and the measures of `SimilarityFamily` in them."""

MISSING = {
    "similarity_all": "the only sample",
    "similarity_neighbours": "neighbours not searched (too few or too many samples)",
    "silhouette": "no other predicted class",
    "similarity": "alone in its predicted class",
    "similarity_centroid": "the others of its class cancel out",
    "similarity_true": "alone in its true class",
}
"""Why a similarity is missing, the widest reason first."""

AFFORDABLE = 2e8
"""Samples times features (or samples, where fewer) times permutations up to which all pair statistics are tested,
in a second or two; beyond, the mean entropy alone."""


MAX_RANKED = 20_000
"""Samples whose pairs are ranked: two hundred million pairs, for which two passes take less than a minute."""


@dataclass(frozen=True)
class LayerAnalysis:
    """What one layer adds to the tables.

    Attributes
    ----------
    columns
        (n_samples,) each, by name: similarities, and the ``status`` that says which are missing and why.
    family
        The similarities again, as the later analyzes take them.
    classmates
        Neighbors, and similarities within the classes.
    classes, tests, curves
        Records of the tables of classes, tests and risk–coverage curves.
    matrices
        By file name, similarities within the classes, and between samples of all classes, of which the column
        ``overview`` says which they are.
    """

    columns: dict[str, npt.NDArray[np.generic]]
    family: SimilarityFamily
    classmates: Classmates
    classes: list[Record]
    tests: list[Record]
    curves: list[Record]
    matrices: dict[str, Floats]


def analyze_layer(
    name: str,
    units: Directions,
    entropy: Floats,
    y_true: Integers,
    y_pred: Integers,
    *,
    class_names: Sequence[str],
    settings: ResidualsSettings,
) -> LayerAnalysis:
    """Analyze how similarity in one layer and the entropy of predictions go together.

    Parameters
    ----------
    name, units
        The layer and its n_samples directions.
    entropy, y_true, y_pred
        (n_samples,).
    class_names
        n_classes names.
    settings
        Seed, resamples and confidence.
    """
    lifted = lift(units)
    family = similarity_family(lifted, y_pred, y_true, len(class_names))
    classmates = find_classmates(name, lifted, y_pred, class_names, settings)
    layer = Layer(units, family.predicted, entropy, y_pred)
    tests = correlation_rows(name, layer, class_names, settings)
    classes = class_rows(name, layer, y_true, class_names, [t for t in tests if t["name"] == tests[0]["name"]])
    error, scores = y_true != y_pred, layer_scores(units, family, y_pred)
    tests += detection_rows(name, error, scores, [entropy_score(entropy)], settings)
    tests += partial_rows(name, family.predicted, entropy, ~error, settings)
    tests += geometry_rows(name, units.representation, family.silhouette, y_true, y_pred, seed=settings.seed)
    rows, overview = similarity_overview(lifted, y_pred, entropy, max_samples=settings.matrix_size)
    matrices = classmates.matrices | {f"{name}.overview.npy": overview}
    columns = _columns(units, family, classmates)
    columns["overview"] = np.full(len(error), -1)
    columns["overview"][rows] = np.arange(rows.size)
    return LayerAnalysis(columns, family, classmates, classes, tests, curve_records(name, error, scores), matrices)


def correlation_rows(name: str, layer: Layer, class_names: Sequence[str], settings: ResidualsSettings) -> list[Record]:
    """Similarity against entropy, over samples and over pairs: the records of the test table."""
    n_classes = len(class_names)
    tests = association_rows(name, associate(layer, n_classes, settings), class_names, settings)
    pairs = pair_correlations(layer.units, layer.entropy, layer.y_pred, n_classes)
    tests += pair_rows(name, pairs, _mantel_tests(layer, n_classes, settings), class_names, settings)
    tests += [ranked_pair_row(name, pair_spearman(layer.units, layer.entropy, max_samples=MAX_RANKED))]
    adjust(tests)
    return tests


def _mantel_tests(layer: Layer, n_classes: int, settings: ResidualsSettings) -> list[MantelTest]:
    units = layer.units
    statistics: tuple[PairStatistic, ...] = ("mean_entropy",)
    n_samples = len(units.norms)
    if n_samples * min(n_samples, units.n_features) * settings.n_permutations <= AFFORDABLE:
        statistics = PAIR_STATISTICS
    of_all = mantel(
        units, layer.entropy, statistics=statistics, n_permutations=settings.n_permutations, seed=settings.seed
    )
    return of_all + mantel_by_class(
        units,
        layer.entropy,
        layer.y_pred,
        n_classes,
        statistics=statistics,
        n_permutations=settings.n_permutations,
        seed=settings.seed,
    )


def _columns(units: Directions, family: SimilarityFamily, classmates: Classmates) -> dict[str, npt.NDArray[np.generic]]:
    columns: dict[str, npt.NDArray[np.generic]] = {
        column: getattr(family, measure) for column, measure in SIMILARITIES.items()
    }
    columns["similarity_neighbours"] = classmates.neighbors
    status = np.full(len(units.norms), "ok", dtype=object)
    for column, reason in reversed(MISSING.items()):
        status[np.isnan(columns[column])] = reason
    status[units.norms == 0] = "zero representation"
    columns |= {"nearest_similarity": classmates.nearest_similarity, "block": classmates.block}
    return columns | {"status": status}
