"""Which predictions are wrong: scores that rank them, and their association with the factors of the samples."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlx.core.array_types import Flags, Floats
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.association.layer import Layer
from mlx.residuals.association.partial import correlations_given_correctness
from mlx.residuals.errors.class_mean_dependence import dependence_of_margin, dependence_of_similarity
from mlx.residuals.errors.error_detection import ErrorScore, combined_detection, detect_errors
from mlx.residuals.errors.factor_bins import factor_bins, looks_of
from mlx.residuals.errors.factor_values import read_factors
from mlx.residuals.errors.factors import Target, associate_factors
from mlx.residuals.errors.risk_coverage import risk_coverage, thin
from mlx.residuals.errors.slices import weak_slices
from mlx.residuals.predictions import Predictions
from mlx.residuals.settings import ResidualsSettings
from mlx.results.classification_residuals import CurvePoint, FactorEffect, Slice
from mlx.results.prediction_sets import Looks
from mlx.results.questions import FactorTarget, Score
from mlx.results.tests import TestResult, adjusted
from mlx.stats.correlation import SIMILARITY_TOLERANCE, merge_entropies, merge_ties

CURVE_POINTS = 200
"""Points of a curve of risk against coverage in its table."""


def entropy_score(entropy: Floats) -> ErrorScore:
    """Entropy as a score of errors."""
    return ErrorScore(Score.ENTROPY, merge_entropies(entropy))


def layer_scores(layer: Layer, margin: Floats, *, map: OrderedMap = in_order) -> list[ErrorScore]:
    """Low similarity and, of at least two predicted classes, low margin (n_samples,) as scores of errors.

    Their dependence through class means is computed in tasks of ``map``: they are not for tasks of the same map.
    """
    similarity = merge_ties(layer.similarity, SIMILARITY_TOLERANCE)
    shared = dependence_of_similarity(layer.units, layer.y_pred, similarity, sign=-1.0, map=map)
    scores = [ErrorScore(Score.LOW_SIMILARITY, -similarity, shared, layer.name)]
    if not np.isnan(margin).all():
        shared = dependence_of_margin(layer.units, layer.y_pred, similarity, sign=-1.0, map=map)
        scores.append(ErrorScore(Score.LOW_MARGIN, merge_ties(-margin, SIMILARITY_TOLERANCE), shared, layer.name))
    return scores


def detection_tests(
    predictions: Predictions,
    scores: Sequence[ErrorScore],
    beside: Sequence[ErrorScore],
    settings: ResidualsSettings,
) -> list[TestResult]:
    """How well each score ranks errors, and all of them with those ``beside``, whose own results are elsewhere."""
    error, validation, groups = predictions.error, predictions.validation, predictions.groups
    found = [
        test
        for score in scores
        for test in detect_errors(error, score, settings=settings, validation=validation, groups=groups)
    ]
    if beside:
        found.append(
            combined_detection(error, [*beside, *scores], layer=scores[0].layer, settings=settings, groups=groups)
        )
    return adjusted(found)


def partial_tests(
    layer: Layer, correct: Flags, settings: ResidualsSettings, *, n_layers: int = 1, map: OrderedMap = in_order
) -> list[TestResult]:
    """Correlate similarity and entropy once what they share with being wrong is taken out.

    The tests of ``n_layers`` layers are adjusted together.
    """
    similarity = merge_ties(layer.similarity, SIMILARITY_TOLERANCE)
    entropy = merge_entropies(layer.entropy)
    return correlations_given_correctness(
        similarity,
        entropy,
        correct,
        layer=layer.name,
        settings=settings,
        n_layers=n_layers,
        groups=layer.groups,
        map=map,
    )


def risk_curves(error: Flags, scores: Sequence[ErrorScore]) -> tuple[CurvePoint, ...]:
    """Return points of the risk–coverage curve of every score."""
    points = []
    for score in scores:
        values = score.values  # noqa: PD011  # of no data frame
        known = ~np.isnan(values)
        if known.any():
            curve = thin(risk_coverage(error[known], values[known]), CURVE_POINTS)
            columns = zip(curve.coverage.tolist(), curve.risk.tolist(), curve.threshold.tolist(), strict=True)
            points += [CurvePoint(Score(score.score), score.layer, *point) for point in columns]
    return tuple(points)


@dataclass(frozen=True)
class FactorAnalysis:
    """Association of the factors with errors, entropy and similarity, the weakest slices, and the samples in each."""

    factors: tuple[FactorEffect, ...] = ()
    slices: tuple[Slice, ...] = ()
    tests: tuple[TestResult, ...] = ()
    looks: tuple[Looks, ...] = ()


def analyze_factors(
    table: pd.DataFrame,
    layer: Layer,
    predictions: Predictions,
    *,
    settings: ResidualsSettings,
    map: OrderedMap = in_order,
) -> FactorAnalysis:
    """Relate every factor to error, entropy and similarity, bin by bin, and look for weak slices.

    Parameters
    ----------
    table
        A column a factor, n_samples rows.
    layer
        Whose similarity and entropy are related to the factors.
    predictions
        Which of them are wrong.
    settings
        Seed, permutations and confidence.
    map
        How the factors are tested.
    """
    error, validation, groups = predictions.error, predictions.validation, predictions.groups
    factors = read_factors(table)
    targets = [
        Target(FactorTarget.ERROR, error),
        Target(FactorTarget.ENTROPY, merge_entropies(layer.entropy)),
        Target(
            FactorTarget.SIMILARITY,
            merge_ties(layer.similarity, SIMILARITY_TOLERANCE),
            dependence_of_similarity(layer.units, layer.y_pred, layer.similarity, sign=1.0),
        ),
    ]
    found = associate_factors(factors, targets, settings=settings, validation=validation, groups=groups, map=map)
    effects = [one.effect() for one in found]
    for factor in factors:
        effects += factor_bins(
            factor, error, layer.entropy, layer.similarity, confidence=settings.confidence, groups=groups
        )
    weak = weak_slices(factors, error, seed=settings.seed, confidence=settings.confidence, groups=groups)
    tests = [one.test for one in found] + weak.tests(settings)
    looks = looks_of(factors, [one.description for one in weak.slices], weak.members)
    return FactorAnalysis(tuple(effects), weak.slices, tuple(tests), looks)
