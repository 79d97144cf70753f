"""The analysis of one layer: similarities of its samples, tests, and rows of the tables."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, beside, in_order
from mlx.residuals.association.correlations import associate
from mlx.residuals.association.layer import Layer
from mlx.residuals.errors.error_detection import ErrorScore
from mlx.residuals.errors.failures import detection_tests, entropy_score, layer_scores, partial_tests, risk_curves
from mlx.residuals.geometry.layer_geometry import geometry_of
from mlx.residuals.geometry.projection import load, projections
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS
from mlx.residuals.pairs.mantel import Permutations, mantel, mantel_by_class, with_p_values
from mlx.residuals.pairs.pair_correlations import ScopeMoments, pair_correlations, scope_moments
from mlx.residuals.pairs.pair_spearman import pair_spearman, ranked_pairs
from mlx.residuals.predictions import Predictions
from mlx.residuals.settings import Projection, ResidualsSettings
from mlx.residuals.similarity.class_similarity import SimilarityFamily, similarity_family
from mlx.residuals.similarity.classmates import Classmates, find_classmates
from mlx.residuals.similarity.directions import Directions
from mlx.residuals.similarity.lift import lift
from mlx.residuals.similarity.overview import similarity_overview
from mlx.results.classification_residuals import CurvePoint, MatrixSummary
from mlx.results.questions import Statistic
from mlx.results.sample_scores import LayerSamples
from mlx.results.tests import TestResult
from mlx.stats.permutation import permutations_for
from mlx.stats.status import OK, Reason

MISSING = {
    "similarity_all": Reason.ONLY_SAMPLE(),
    "similarity_neighbours": Reason.NEIGHBORS_NOT_SEARCHED(),
    "silhouette": Reason.NO_OTHER_CLASS(),
    "similarity": Reason.ALONE_IN_PREDICTED_CLASS(),
    "similarity_centroid": Reason.OTHERS_CANCEL(),
    "similarity_true": Reason.ALONE_IN_TRUE_CLASS(),
}
"""Why a similarity is missing, the widest reason first."""

MISSING_BY_GROUP = {
    "similarity_all": Reason.ONLY_GROUP(),
    "similarity": Reason.ALONE_IN_PREDICTED_CLASS_AS_GROUP(),
    "similarity_true": Reason.ALONE_IN_TRUE_CLASS_AS_GROUP(),
}
"""The same where no sample is compared with those of its own group."""

AFFORDABLE = 2e8
"""Samples times features (or samples, where fewer) times permutations that their family needs up to which all pair
statistics of a scope are tested, in a second or two; beyond, the mean entropy alone."""


MAX_RANKED = 20_000
"""Samples whose pairs are ranked: two hundred million pairs, for which two passes take less than a minute."""


@dataclass(frozen=True, kw_only=True)
class LayerResiduals:
    """What the analysis of one layer found.

    Attributes
    ----------
    layer
        Its directions, similarities and entropies.
    samples
        Where each sample stands in it.
    tests
        Not adjusted yet: those of all layers are adjusted together.
    risk_coverage, similarity
        Rows of the tables.
    matrices
        By file name, similarities within the classes, and between samples of all classes (``overview``).
    scores
        Low similarity and low margin as scores of errors.
    """

    layer: Layer
    samples: LayerSamples
    tests: tuple[TestResult, ...]
    risk_coverage: tuple[CurvePoint, ...]
    similarity: tuple[MatrixSummary, ...]
    matrices: Mapping[str, Floats]
    scores: Sequence[ErrorScore]


def analyze_layer(
    name: str,
    units: Directions,
    predictions: Predictions,
    entropy: Floats,
    *,
    kinds: Collection[Projection],
    settings: ResidualsSettings,
    n_layers: int = 1,
    map: OrderedMap = in_order,
) -> LayerResiduals:
    """Analyze how similarity in one layer and the entropy of predictions go together.

    Parameters
    ----------
    name, units
        The layer and its n_samples directions.
    predictions, entropy
        Of the same samples; entropy (n_samples,) in nats.
    kinds
        Projections by which the samples are placed in a plane.
    settings
        Seed, resamples and confidence.
    n_layers
        Layers whose tests are adjusted together.
    map
        How independent tasks are run.
    """
    y_true, y_pred, names = predictions.y_true, predictions.y_pred, predictions.class_names
    load(kinds)
    with beside(map, partial(projections, name, units.representation, kinds, seed=settings.seed)) as placed:
        lifted = lift(units, map=map)
        family = similarity_family(lifted, y_pred, y_true, len(names), groups=predictions.groups, map=map)
        classmates = find_classmates(name, lifted, y_pred, names, settings, map=map)
        layer = Layer(units, family.predicted, entropy, y_pred, name, predictions.groups)
        scores = layer_scores(layer, family.margin, map=map)
        overview, overview_matrix = similarity_overview(lifted, y_pred, entropy, max_samples=settings.matrix_size)
        tests = correlation_tests(layer, len(names), settings, n_layers=n_layers, map=map)
        tests = [test if test.label is None else replace(test, class_name=names[test.label]) for test in tests]
        tests += detection_tests(predictions, scores, [entropy_score(entropy)], settings)
        tests += partial_tests(layer, ~predictions.error, settings, n_layers=n_layers, map=map)
        tests += geometry_of(name, units.representation, family.silhouette, y_true, y_pred, seed=settings.seed)
        places, shares = placed()
    return LayerResiduals(
        layer=layer,
        samples=_samples(units, family, classmates, predictions, overview, places),
        tests=(*tests, *shares),
        risk_coverage=risk_curves(predictions.error, scores),
        similarity=classmates.summaries,
        matrices=classmates.matrices | {f"{name}.overview.npy": overview_matrix},
        scores=scores,
    )


def correlation_tests(
    layer: Layer, n_classes: int, settings: ResidualsSettings, *, n_layers: int = 1, map: OrderedMap = in_order
) -> list[TestResult]:
    """Similarity against entropy, over samples and over pairs; the tests of ``n_layers`` layers form families."""
    asked = (layer.units, layer.entropy, layer.y_pred, n_classes)
    moments = scope_moments(*asked, map=map)
    pairs = pair_correlations(*asked, moments=moments)
    if layer.groups is None:
        pairs = with_p_values(pairs, _mantel_tests(layer, n_classes, moments, settings, n_layers, map))
    else:
        pairs = [_not_by_group(one) for one in pairs]
    ranked = ranked_pairs(
        pair_spearman(layer.units, layer.entropy, max_samples=MAX_RANKED, moments=moments.everything, map=map)
    )
    return [
        *associate(layer, n_classes, settings, n_layers=n_layers, map=map),
        *(replace(one, layer=layer.name, seed=settings.seed) for one in pairs),
        replace(ranked, layer=layer.name),
    ]


def _not_by_group(test: TestResult) -> TestResult:
    """Return a correlation over pairs as a description: neither its p-value nor its worth is known by group."""
    status = Reason.NO_P(Reason.NOT_BY_GROUP()) if test.status.is_ok else test.status
    return replace(test, effective_pairs=float("nan"), status=status)


def _mantel_tests(
    layer: Layer,
    n_classes: int,
    moments: ScopeMoments,
    settings: ResidualsSettings,
    n_layers: int,
    map: OrderedMap,
) -> list[TestResult]:
    units, entropy, y_pred, seed = layer.units, layer.entropy, layer.y_pred, settings.seed
    of_scope, of_class = (_permutations(units, settings, scopes * n_layers) for scopes in (1, n_classes))
    return [
        *mantel(units, entropy, permutations=of_scope, seed=seed, moments=moments.everything, map=map),
        *mantel_by_class(
            units,
            entropy,
            y_pred,
            n_classes,
            permutations=of_scope,
            of_class=of_class,
            seed=seed,
            moments=moments.classes,
            map=map,
        ),
    ]


def _permutations(units: Directions, settings: ResidualsSettings, n_targets: int) -> Permutations:
    """Return which pair statistics are tested, each of so many targets, and by how many permutations at most.

    The mean entropy may take as many as every other test; the others, which cost more, what their family needs.
    """
    needed = permutations_for(len(PAIR_STATISTICS) * n_targets, least=0)
    n_samples = len(units.norms)
    if n_samples * min(n_samples, units.n_features) * needed > AFFORDABLE:
        return {Statistic.MEAN_ENTROPY: permutations_for(n_targets, least=settings.n_permutations)}
    return dict.fromkeys(PAIR_STATISTICS, needed) | {Statistic.MEAN_ENTROPY: max(needed, settings.n_permutations)}


def _samples(
    units: Directions,
    family: SimilarityFamily,
    classmates: Classmates,
    predictions: Predictions,
    overview: Integers,
    places: dict[str, Floats],
) -> LayerSamples:
    index = predictions.index
    place = np.full(index.size, -1)
    place[overview] = np.arange(overview.size)
    nearest = classmates.nearest
    found = LayerSamples(
        similarity=family.predicted,
        similarity_true=family.true,
        similarity_all=family.overall,
        similarity_centroid=family.centroid,
        margin=family.margin,
        silhouette=family.silhouette,
        similarity_neighbours=classmates.neighbors,
        nearest_similarity=classmates.nearest_similarity,
        block=classmates.block,
        status=np.full(index.size, str(OK), dtype=object),
        overview=place,
        nearest=np.where(nearest < 0, -1, index[nearest]),
        **places,
    )
    missing = MISSING | ({} if predictions.groups is None else MISSING_BY_GROUP)
    for column, reason in reversed(missing.items()):
        found.status[np.isnan(getattr(found, column))] = str(reason)
    found.status[units.norms == 0] = str(Reason.ZERO_REPRESENTATION())
    return found
