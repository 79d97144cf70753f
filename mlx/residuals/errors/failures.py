"""Which predictions are wrong: what tells them, and what the samples' factors have to do with it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pandas as pd

from mlx.core.array_types import Flags, Floats, Integers
from mlx.residuals.association.partial import partial_correlations
from mlx.residuals.errors.class_mean_dependence import dependence_of_margin, dependence_of_similarity
from mlx.residuals.errors.error_detection import ErrorScore, combined_detection, detect_errors
from mlx.residuals.errors.factor_bins import FactorBin, factor_bins
from mlx.residuals.errors.factors import FactorFinding, associate_factors, read_factors, targets_of
from mlx.residuals.errors.risk_coverage import risk_coverage, thin
from mlx.residuals.errors.slices import WeakSlices, weak_slices
from mlx.residuals.layers.records import adjust, finding_row, test_row
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.similarity.class_similarity import SimilarityFamily
from mlx.residuals.similarity.directions import Directions
from mlx.residuals.tables import Record
from mlx.stats.correlation import SIMILARITY_TOLERANCE, merge_entropies, merge_ties

CURVE_POINTS = 200
"""Points of a curve of risk against coverage in its table."""


def entropy_score(entropy: Floats) -> ErrorScore:
    """Entropy as a score of errors."""
    return ErrorScore("entropy", merge_entropies(entropy))


def layer_scores(units: Directions, family: SimilarityFamily, y_pred: Integers) -> list[ErrorScore]:
    """Low similarity and, of at least two predicted classes, low margin as scores of errors."""
    similarity = merge_ties(family.predicted, SIMILARITY_TOLERANCE)
    scores = [ErrorScore("low similarity", -similarity, dependence_of_similarity(units, y_pred, similarity, sign=-1.0))]
    if not np.isnan(family.margin).all():
        shared = dependence_of_margin(units, y_pred, similarity, sign=-1.0)
        scores.append(ErrorScore("low margin", merge_ties(-family.margin, SIMILARITY_TOLERANCE), shared))
    return scores


def detection_rows(
    layer_name: str,
    error: Flags,
    scores: Sequence[ErrorScore],
    beside: Sequence[ErrorScore],
    settings: ResidualsSettings,
) -> list[Record]:
    """How well each score tells errors, and all of them with those ``beside``, which have rows of their own."""
    found = [finding for score in scores for finding in detect_errors(error, [score], settings=settings)]
    if beside:
        found.append(combined_detection(error, [*beside, *scores], settings=settings))
    family = "errors by entropy" if not layer_name else "errors by geometry"
    rows = [finding_row(one, family, "all samples", layer_name, settings) for one in found]
    adjust(rows)
    return rows


def partial_rows(
    layer_name: str, similarity: Floats, entropy: Floats, correct: Flags, settings: ResidualsSettings
) -> list[Record]:
    """Similarity and entropy once what they share with being wrong is taken out."""
    name = "similarity and entropy given correctness"
    similarity = merge_ties(similarity, SIMILARITY_TOLERANCE)
    entropy = merge_entropies(entropy)
    found = partial_correlations(name, similarity, entropy, correct, settings=settings)
    rows = [
        finding_row(one, f"{one.statistic} given correctness", "all samples", layer_name, settings) for one in found
    ]
    adjust(rows)
    return rows


def curve_records(layer_name: str, error: Flags, scores: Sequence[ErrorScore]) -> list[Record]:
    """Points of the risk–coverage curve of every score."""
    records = []
    for score in scores:
        values = score.values  # noqa: PD011  # of no data frame
        known = ~np.isnan(values)
        if not known.any():
            continue
        curve = thin(risk_coverage(error[known], values[known]), CURVE_POINTS)
        for coverage, risk, threshold in zip(curve.coverage, curve.risk, curve.threshold, strict=True):
            point = {"coverage": coverage, "risk": risk, "threshold": threshold}
            records.append({"score": score.name, "layer": layer_name} | point)
    return records


@dataclass(frozen=True)
class FactorAnalysis:
    """Records of the tables of factors, slices and tests."""

    factors: list[Record]
    slices: list[Record]
    tests: list[Record]


def analyze_factors(
    table: pd.DataFrame,
    error: Flags,
    entropy: Floats,
    similarity: Floats,
    *,
    units: Directions,
    y_pred: Integers,
    settings: ResidualsSettings,
) -> FactorAnalysis:
    """Relate every factor to error, entropy and similarity, bin by bin, and look for weak slices.

    Parameters
    ----------
    table
        A column a factor, n_samples rows.
    error, entropy, similarity, y_pred
        (n_samples,), similarity being that to the predicted class in the layer of ``units``.
    settings
        Seed, permutations and confidence.
    """
    factors = read_factors(table)
    shared = dependence_of_similarity(units, y_pred, similarity, sign=1.0)
    tied = {
        "entropy": merge_entropies(entropy),
        "similarity": merge_ties(similarity, SIMILARITY_TOLERANCE),
    }
    targets = targets_of(error, tied, shared)
    found = associate_factors(factors, targets, settings=settings)
    rows = [finding_row(one.finding, f"{one.target} by factor", "all samples", "", settings) for one in found]
    records = [_factor_record(one, row) for one, row in zip(found, rows, strict=True)]
    for factor in factors:
        parts = factor_bins(factor, error, entropy, similarity, confidence=settings.confidence)
        records += [_bin_record(factor.kind, part) for part in parts]
    weak = weak_slices(factors, error, seed=settings.seed, confidence=settings.confidence)
    return FactorAnalysis(records, [asdict(one) for one in weak.slices], rows + _slice_rows(weak, settings))


def _factor_record(one: FactorFinding, row: Record) -> Record:
    shared = ("statistic", "estimate", "low", "high", "method", "p", "p_method", "p_holm", "p_bh", "n", "status")
    record: Record = {"factor": one.factor, "kind": one.kind, "target": one.target, "n_missing": one.n_missing}
    return record | {column: row[column] for column in shared}


def _bin_record(kind: str, part: FactorBin) -> Record:
    record = asdict(part)
    record["estimate"] = record.pop("error_rate")
    return {"kind": kind, "target": "error", "statistic": "error_rate", "method": "Wilson", "status": "ok"} | record


def _slice_rows(weak: WeakSlices, settings: ResidualsSettings) -> list[Record]:
    if not weak.slices:
        return [test_row("weak slices", "error_rate", weak.status, scope="half of the samples", n=weak.n_measured)]
    return [
        test_row(
            f"slice: {one.description}",
            "error_rate",
            one.status,
            family="weak slices",
            scope="half of the samples",
            estimate=one.error_rate,
            low=one.low,
            high=one.high,
            confidence=settings.confidence,
            method="Wilson",
            p=one.p,
            p_method="Fisher's test against the rest, one-sided mid-p",
            p_holm=one.p_holm,
            n=one.n,
            seed=settings.seed,
        )
        for one in weak.slices
    ]
