"""The residuals analysis of a classifier: a row a sample, a row a class, a row a test, and the headline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import check_labels, check_matrix
from mlx.core.errors import DataError
from mlx.residuals.errors.failures import FactorAnalysis, analyze_factors, curve_records, detection_rows, entropy_score
from mlx.residuals.errors.temperature import temperature_records
from mlx.residuals.geometry.layer_geometry import alignment_rows
from mlx.residuals.geometry.projection import projections
from mlx.residuals.layers.headline import Headline, headline_of
from mlx.residuals.layers.layer_analysis import LayerAnalysis, analyze_layer
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.directions import Directions, Representation, directions_of
from mlx.residuals.streams import Stream, stream
from mlx.residuals.tables import (
    Record,
    build_class_table,
    build_curve_table,
    build_factor_table,
    build_matrix_table,
    build_slice_table,
    build_temperature_table,
    build_test_table,
)
from mlx.stats.prediction_scores import PredictionScores, prediction_scores
from mlx.stats.quantile_residuals import quantile_residuals


@dataclass(frozen=True)
class ClassificationResiduals:
    """The residuals analysis of a classifier.

    Attributes
    ----------
    samples
        One row a test sample. The similarity columns of the first layer bear no suffix, those of every
        further one ``.<layer>``. A similarity is NaN where the ``status`` column of its layer says why.
    classes
        One row a class and layer, always all classes (`mlx.residuals.CLASS_COLUMNS`).
    tests
        One row a test made or not makeable (`mlx.residuals.TEST_COLUMNS`).
    factors, slices
        What the samples' factors have to do with errors, and the weakest slices (`FACTOR_COLUMNS`,
        `SLICE_COLUMNS`); empty where no factors are known.
    risk_coverage
        Points of the risk–coverage curves (`CURVE_COLUMNS`).
    temperature
        Entropies as a temperature would make them (`TEMPERATURE_COLUMNS`).
    similarity, matrices
        Which matrix of similarities a class has (`MATRIX_COLUMNS`), and the matrices by their file names.
    headline
        JSON scalars of the first layer; None where undefined.
    """

    samples: pd.DataFrame
    classes: pd.DataFrame
    tests: pd.DataFrame
    factors: pd.DataFrame
    slices: pd.DataFrame
    risk_coverage: pd.DataFrame
    temperature: pd.DataFrame
    similarity: pd.DataFrame
    matrices: dict[str, Floats]
    headline: Headline


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
        What is known of each sample, a column a factor, n_samples rows; columns ``factor.<name>`` of the samples.

    Raises
    ------
    DataError
        If there is no sample or no layer, a shape is wrong, or for the first row that can't be used.
    """
    shape = (len(probabilities), len(class_names))
    if shape[0] == 0 or not representations:
        raise DataError("residuals: expected at least one sample and one layer of representations")
    true, pred = check_labels("y_true", y_true, *shape), check_labels("y_pred", y_pred, *shape)
    check_matrix("probabilities", probabilities, shape)
    if logits is not None:
        check_matrix("logits", logits, shape)
    scores = prediction_scores(probabilities, logits, true, pred)
    columns = _sample_columns(np.asarray(index), true, pred, scores)
    generator = stream(settings.seed, Stream.QUANTILE)
    columns["residual_quantile"] = quantile_residuals(probabilities, logits, true, generator=generator)
    error, of_entropy = true != pred, [entropy_score(scores.entropy)]
    tests, classes = detection_rows("", error, of_entropy, [], settings), list[Record]()
    curves = curve_records("", error, of_entropy)
    temperatures = temperature_records(probabilities, logits, true, pred)
    analyzes: list[tuple[Directions, LayerAnalysis]] = []
    for name, representation in representations.items():
        units = directions_of(name, representation, shape[0])
        found = analyze_layer(name, units, scores.entropy, true, pred, class_names=class_names, settings=settings)
        suffix = f".{name}" if analyzes else ""
        kinds = [kind for kind in settings.projections if kind == "pca" or not analyzes]
        places, shares = projections(name, representation, kinds, seed=settings.seed)
        found.columns.update(places)
        columns |= {column + suffix: values for column, values in found.columns.items()}
        nearest = found.classmates.nearest
        columns["nearest" + suffix] = np.where(nearest < 0, -1, columns["index"][nearest])
        classes, tests, curves = classes + found.classes, tests + found.tests + shares, curves + found.curves
        analyzes.append((units, found))
    tests += alignment_rows(representations)
    units, first = analyzes[0]
    known = FactorAnalysis([], [], [])
    if factors is not None and len(factors.columns):
        known = analyze_factors(
            factors, error, scores.entropy, first.family.predicted, units=units, y_pred=pred, settings=settings
        )
        columns |= {f"factor.{name}": factors[name].to_numpy() for name in factors}
    tests += known.tests
    return ClassificationResiduals(
        samples=pd.DataFrame(columns),
        classes=build_class_table(classes),
        tests=build_test_table(tests),
        factors=build_factor_table(known.factors),
        slices=build_slice_table(known.slices),
        risk_coverage=build_curve_table(curves),
        temperature=build_temperature_table(temperatures),
        similarity=build_matrix_table([record for _, found in analyzes for record in found.classmates.records]),
        matrices={file: values for _, found in analyzes for file, values in found.matrices.items()},
        headline=headline_of(tests, int((units.norms == 0).sum()), settings.confidence),
    )


def _sample_columns(
    index: npt.NDArray[np.generic], true: Integers, pred: Integers, scores: PredictionScores
) -> dict[str, npt.NDArray[np.generic]]:
    if index.shape != true.shape:
        raise DataError(f"index: expected shape {true.shape}, found {index.shape}")
    columns = {"index": index, "y_true": true, "y_pred": pred, "correct": true == pred}
    return columns | {RENAMED.get(field.name, field.name): getattr(scores, field.name) for field in fields(scores)}


RENAMED = {"raw": "residual_raw", "pearson": "residual_pearson", "deviance": "residual_deviance"}
"""Columns of samples whose short names would be taken for something else in a table."""
