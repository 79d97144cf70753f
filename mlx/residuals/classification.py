"""The residuals analysis of a classifier, layer by layer, put together once."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy.typing as npt
import pandas as pd

from mlx.core.array_types import Flags, Floats, Scores
from mlx.core.errors import DataError
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.association.layer import Layer
from mlx.residuals.errors.factor_choice import chosen_columns
from mlx.residuals.errors.failures import FactorAnalysis, analyze_factors, detection_tests, entropy_score, risk_curves
from mlx.residuals.errors.temperature import temperature_curve
from mlx.residuals.geometry.layer_geometry import alignments
from mlx.residuals.layers.class_summaries import class_summaries
from mlx.residuals.layers.headline import headline_of, mark_duplicates
from mlx.residuals.layers.layer_analysis import LayerResiduals, analyze_layer
from mlx.residuals.layers.readout import layer_readouts
from mlx.residuals.parts import NOTHING_ELSE, OtherParts
from mlx.residuals.predictions import Predictions, check_predictions
from mlx.residuals.scores.analysis import TestLayer, failure_scores
from mlx.residuals.sets.classification import PredictionSets, prediction_sets
from mlx.residuals.sets.coverage import headline_of_sets
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.directions import Directions, Representation, directions_of
from mlx.results.classification_residuals import ClassificationResiduals
from mlx.results.failure_scores import FailureScore
from mlx.results.sample_scores import SampleScores
from mlx.results.tests import TestResult, adjusted, with_primary
from mlx.stats.duplicates import Duplicates, find_duplicates
from mlx.stats.gates import ValidationErrors
from mlx.stats.grouping import choose_groups
from mlx.stats.groups import Groups
from mlx.stats.validation_outputs import ValidationOutputs


def analyze_classification(
    representations: Mapping[str, Representation],
    *,
    logits: Scores | None,
    probabilities: Scores,
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    class_names: Sequence[str],
    index: npt.ArrayLike,
    settings: ResidualsSettings,
    factors: pd.DataFrame | None = None,
    validation: ValidationErrors | None = None,
    validation_outputs: ValidationOutputs | None = None,
    groups: npt.ArrayLike | None = None,
    others: OtherParts = NOTHING_ELSE,
    map: OrderedMap = in_order,
) -> ClassificationResiduals:
    """Analyze how the similarity of representations and the entropy of predictions go together.

    Parameters
    ----------
    representations
        Layer name → (n_samples, n_features); the first is the headline's. May be memory-mapped, or sparse.
    logits
        (n_samples, n_classes) before the softmax, or None; entropies are computed from them where given.
    probabilities
        (n_samples, n_classes), rows summing to 1 within 1e-3.
    y_true, y_pred
        (n_samples,), labels that index ``class_names``.
    class_names
        n_classes names.
    index
        (n_samples,), what identifies each sample, such as its row in the raw data.
    settings
        Seed, resamples and confidence.
    factors
        What is known of each sample, a column a factor, n_samples rows.
    validation
        How often the model is wrong on validation samples, if known: decides which intervals are given.
    validation_outputs
        What the model predicts for them, if known: one half of them calibrates the prediction sets.
    groups
        (n_samples,), labels of which samples belong together and are not independent; by default what
        ``settings.groups`` names. A sample without a label (None, NaN) is a group by itself.
    others
        What is recorded of training and validation samples, for the scores that are fitted on them.
    map
        How independent tasks are run; changes nothing in the result.

    Raises
    ------
    DataError
        If there is no sample or no layer, a shape is wrong, or for the first row that can't be used.
    SettingsError
        No factor has the name ``settings.groups``, or one of ``settings.factors``.
    """
    predictions = check_predictions(probabilities, logits, y_true, y_pred, class_names, index, validation)
    samples = predictions.scores(settings.seed)
    units = _directions(representations, len(samples.index), map)
    first = next(iter(units.values()))
    duplicates = find_duplicates(first.representation, probabilities if logits is None else logits)
    predictions = replace(predictions, groups=choose_groups(settings.groups, groups, factors, duplicates))
    layers = _layers(units, predictions, samples.entropy, settings, map)
    known, shown = _explained(factors, layers[0].layer, predictions, settings, map)
    entropy_tests = detection_tests(predictions, [entropy_score(samples.entropy)], [], settings)
    compared = [TestLayer(one.layer.name, representations[one.layer.name], one.scores) for one in layers]
    detected = [*entropy_tests, *(test for one in layers for test in one.tests)]
    failures = failure_scores(compared, detected, predictions, others, settings, map=map)
    further = (*failures.tests, *alignments(representations, map=map), *known.tests)
    found = _merged(predictions, samples, layers, entropy_tests, further, settings, duplicates, first.norms == 0, map)
    return replace(
        found,
        **_of_factors(known, shown, duplicates, predictions.groups),
        **_of_sets(_sets(predictions, validation_outputs, known, settings), found, settings),
        scores=_marked_scores(failures.rows, duplicates, predictions.groups),
        failure_scores=failures.values,
        probes=layer_readouts(representations, predictions, others, confidence=settings.confidence, map=map),
    )


def _directions(
    representations: Mapping[str, Representation], n_samples: int, map: OrderedMap
) -> dict[str, Directions]:
    if not representations:
        raise DataError("residuals: expected at least one layer of representations, found none")
    return {name: directions_of(name, layer, n_samples, map=map) for name, layer in representations.items()}


def _explained(
    factors: pd.DataFrame | None, layer: Layer, predictions: Predictions, settings: ResidualsSettings, map: OrderedMap
) -> tuple[FactorAnalysis, pd.DataFrame]:
    """Relate errors to the factors, if there are any; return also the factors that are shown."""
    explaining, shown = chosen_columns(factors, settings.factors, settings.groups)
    if not len(explaining.columns):
        return FactorAnalysis(), shown
    return analyze_factors(explaining, layer, predictions, settings=settings, map=map), shown


def _of_factors(
    known: FactorAnalysis, shown: pd.DataFrame, duplicates: Duplicates, groups: Groups | None
) -> dict[str, Any]:
    return {
        "sample_factors": {str(name): shown[name].to_numpy() for name in shown},
        "factors": mark_duplicates(known.factors, duplicates, groups),
        "slices": mark_duplicates(known.slices, duplicates, groups),
    }


def _sets(
    predictions: Predictions, validation: ValidationOutputs | None, known: FactorAnalysis, settings: ResidualsSettings
) -> PredictionSets:
    if validation is None or not settings.conformal.alpha:
        return PredictionSets()
    return prediction_sets(predictions, validation, known.looks, settings)


def _of_sets(sets: PredictionSets, found: ClassificationResiduals, settings: ResidualsSettings) -> dict[str, Any]:
    headline = found.headline | headline_of_sets(sets.coverage, settings.confidence)
    return {"prediction_sets": sets.coverage, "sample_sets": sets.samples, "headline": headline}


def _marked_scores(
    rows: Sequence[FailureScore], duplicates: Duplicates, groups: Groups | None
) -> tuple[FailureScore, ...]:
    statuses = duplicates.mark((row.status for row in rows), groups)
    return tuple(replace(row, status=status) for row, status in zip(rows, statuses, strict=True))


def _layers(
    units: Mapping[str, Directions],
    predictions: Predictions,
    entropy: Floats,
    settings: ResidualsSettings,
    map: OrderedMap,
) -> list[LayerResiduals]:
    """Analyze every layer; projections other than PCA, which take long, are of the first alone."""
    found, n = list[LayerResiduals](), len(units)
    for name, rows in units.items():
        kinds = [kind for kind in settings.projections if kind == "pca" or not found]
        found.append(
            analyze_layer(name, rows, predictions, entropy, kinds=kinds, settings=settings, n_layers=n, map=map)
        )
    return found


def _merged(
    predictions: Predictions,
    samples: SampleScores,
    layers: Sequence[LayerResiduals],
    entropy_tests: Sequence[TestResult],
    further: Sequence[TestResult],
    settings: ResidualsSettings,
    duplicates: Duplicates,
    dropped: Flags,
    map: OrderedMap,
) -> ClassificationResiduals:
    """Put the results of entropy and of every layer together, and then the tests of no single layer."""
    error, of_entropy = predictions.error, [entropy_score(samples.entropy)]
    adjusted_tests = adjusted([
        *entropy_tests,
        *with_primary([test for layer in layers for test in layer.tests]),
        *further,
    ])  # fmt: skip
    tests = mark_duplicates(adjusted_tests, duplicates, predictions.groups)
    return ClassificationResiduals(
        samples=samples,
        layers={one.layer.name: one.samples for one in layers},
        classes=tuple(row for one in layers for row in class_summaries(one.layer, predictions, tests)),
        tests=tests,
        risk_coverage=(*risk_curves(error, of_entropy), *(one for layer in layers for one in layer.risk_coverage)),
        temperature=temperature_curve(
            predictions.probabilities, predictions.logits, predictions.y_true, predictions.y_pred, map=map
        ),
        similarity=tuple(one for layer in layers for one in layer.similarity),
        matrices={file: matrix for layer in layers for file, matrix in layer.matrices.items()},
        headline=headline_of(
            tests,
            duplicates,
            predictions.groups,
            groups_name=settings.groups,
            n_dropped=int(dropped.sum()),
            confidence=settings.confidence,
        ),
    )
