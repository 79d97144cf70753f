"""Figures of a report on a classification: each is drawn from the report, or None without the data for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.plots.comparison import plot_layers
from mlx.plots.confusion import COUNT_UP_TO, plot_confused_pairs, plot_confusion
from mlx.plots.coverage import plot_risk_coverage
from mlx.plots.curves import plot_precision_recall, plot_roc
from mlx.plots.data_map import plot_data_map
from mlx.plots.embedding import plot_representation_map
from mlx.plots.entropy import plot_entropy_histogram
from mlx.plots.factors import effects_on, plot_factor_effects, plot_weak_slices
from mlx.plots.failure_scores import plot_failure_scores
from mlx.plots.images import RESIDUALS_SHOWN, plot_residual_images, plot_sample_cards
from mlx.plots.matrix import THUMBNAILS_UP_TO, plot_similarity_matrix
from mlx.plots.panels import similarity_entropy_panels
from mlx.plots.probes import plot_probes
from mlx.plots.recalibration import plot_recalibration
from mlx.plots.reliability import plot_reliability, plot_temperature
from mlx.plots.report.inputs import ClassificationReport
from mlx.plots.report.samples import CONFIDENTLY_WRONG, choose_cards, mean_image
from mlx.plots.report.shared import issue_counts, issue_images, learning_curves, samples, set_coverage
from mlx.plots.similarity import plot_similarity_entropy, statistics_text
from mlx.plots.style import PAGE, figure, styled
from mlx.plots.table import plot_class_counts
from mlx.plots.text import PValue, class_labels, fixed, fixed_or_below, with_interval
from mlx.results.questions import FactorTarget, Question, Score, Statistic
from mlx.results.tests import first_test

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def _class_counts(report: ClassificationReport) -> Axes | None:
    return None if report.raw is None else plot_class_counts(report.raw.targets, report.class_names)


def _data_map(report: ClassificationReport) -> Axes | None:
    dynamics = None if report.training is None else report.training.dynamics
    if dynamics is None or not len(dynamics):
        return None
    columns = (dynamics[name] for name in ("variability", "confidence", "correctness"))
    return plot_data_map(*columns, max_points=report.settings.max_points)


def _confusion(report: ClassificationReport) -> Axes:
    return plot_confusion(report.evaluation.confusion, report.class_names)


def _confused_pairs(report: ClassificationReport) -> Axes | None:
    """List the most frequent confusions of classes that are too many for numbers in a matrix."""
    counts = report.evaluation.confusion
    many = len(counts) > COUNT_UP_TO and counts.trace() < counts.sum()
    return plot_confused_pairs(counts, report.class_names) if many else None


def _roc(report: ClassificationReport) -> Axes | None:
    curves = report.evaluation.roc
    return plot_roc(curves, class_names=report.class_names) if curves.label.size else None


def _precision_recall(report: ClassificationReport) -> Axes | None:
    curves = report.evaluation.precision_recall
    return plot_precision_recall(curves, class_names=report.class_names) if curves.label.size else None


def _reliability(report: ClassificationReport) -> Axes:
    return plot_reliability(report.evaluation.reliability, level=report.evaluation.metrics.confidence)


def _recalibration(report: ClassificationReport) -> Figure | None:
    found = report.evaluation.recalibration
    return None if found is None else plot_recalibration(found, level=report.evaluation.metrics.confidence)


def _temperature(report: ClassificationReport) -> Axes:
    return plot_temperature(report.residuals.temperature, n_classes=len(report.class_names))


def _entropy_histogram(report: ClassificationReport) -> Axes:
    s = report.samples
    return plot_entropy_histogram(s["entropy"], s["correct"], n_classes=len(report.class_names))


def _risk_coverage(report: ClassificationReport) -> Axes | None:
    """Draw the curves of entropy and of the first layer's scores."""
    points = [point for point in report.residuals.risk_coverage if point.layer in {"", report.layer}]
    areas: dict[str, str] = {
        score: _area(test.estimate, test.low, test.high)
        for score in Score
        if (test := first_test(report.residuals.tests, Question.of_score(score), Statistic.AURC))
    }
    level = report.residuals_metrics["confidence"]
    return plot_risk_coverage(points, len(report.samples), areas=areas, level=level) if points else None


def _area(value: float, low: float, high: float) -> str:
    return f"{fixed_or_below(value, 3)}{with_interval(value, low, high, 3).removeprefix(fixed(value, 3))}"


def _similarity_entropy(report: ClassificationReport) -> Axes:
    s, pearson, spearman = report.samples, report.correlation(Statistic.PEARSON), report.correlation(Statistic.SPEARMAN)
    p = PValue(pearson.p, pearson.p_at_floor)
    text = statistics_text(pearson.estimate, pearson.low, pearson.high, p=p, spearman=spearman.estimate,
                           n=int(s["similarity"].notna().sum()))  # fmt: skip
    return plot_similarity_entropy(
        s["similarity"], s["entropy"], s["correct"], statistics=text, max_points=report.settings.max_points
    )


def _similarity_entropy_by_class(report: ClassificationReport) -> Figure:
    return similarity_entropy_panels(report.samples, report.classes, max_points=report.settings.max_points)


def _layers(report: ClassificationReport) -> Axes | None:
    """Compare layers, where there are several."""
    return plot_layers(report.residuals.tests) if len(report.residuals.layers) > 1 else None


def _failure_scores(report: ClassificationReport) -> Axes | None:
    """Draw the scores of the outputs and of the first layer."""
    rows = [row for row in report.residuals.scores if row.layer in {"", report.layer} and np.isfinite(row.auroc)]
    return plot_failure_scores(rows) if rows else None


def _probes(report: ClassificationReport) -> Axes | None:
    """Draw the linear probes, where training samples are recorded."""
    known = any(np.isfinite(one.probe_accuracy) for one in report.residuals.probes)
    return plot_probes(report.residuals.probes) if known else None


def _similarity_matrix(report: ClassificationReport) -> Axes | None:
    s, overview = report.samples, report.residuals.matrices[f"{report.layer}.overview.npy"]
    shown = s[s["overview"] >= 0].sort_values("overview")
    if not len(shown):  # no sample has a direction
        return None
    images = None
    if report.images is not None and len(shown) <= THUMBNAILS_UP_TO:
        images = report.images[report.image_rows(shown)]
    return plot_similarity_matrix(overview, shown["y_pred"], report.class_names, images=images)


@styled
def _representation_map(report: ClassificationReport, kind: str, title: str) -> Figure | None:
    """Draw three maps side by side: by class, by correctness, by entropy."""
    s = report.samples
    axes = [f"{kind}_1", f"{kind}_2"]
    if not {*axes} <= set(s) or not np.isfinite(s[axes[0]]).any():
        return None
    names = _component_names(report) if kind == "pca" else [f"{title} {k} (no unit)" for k in (1, 2)]
    made = figure(PAGE, 2.9)
    options: dict[str, Any] = {"axis_names": names, "max_points": report.settings.max_points}
    shown = {"class": "y_true", "correct": "correct", "entropy": "entropy"}
    for ax, (by, column) in zip(made.subplots(1, 3), shown.items(), strict=True):
        plot_representation_map(s[axes], by=by, values=s[column], class_names=report.class_names, ax=ax, **options)
        if by != "class":
            ax.set_ylabel("")
    return made


def _component_names(report: ClassificationReport) -> list[str]:
    found = [
        t for t in report.residuals.tests if t.question is Question.PRINCIPAL_COMPONENT and t.layer == report.layer
    ]
    shares = {test.subject: f"{fixed(100 * test.estimate, 0)} % of variance" for test in found}
    return [f"PC {k} ({shares.get(str(k), 'units of the layer')})" for k in (1, 2)]


def _factor_effects(report: ClassificationReport, target: str) -> Axes | None:
    effects = [replace(effect, factor=report.plain(effect.factor)) for effect in report.residuals.factors]
    return plot_factor_effects(effects, target=target) if effects_on(target, effects) else None


def _weak_slices(report: ClassificationReport) -> Axes | None:
    slices = [replace(one, description=report.plain(one.description)) for one in report.residuals.slices]
    return plot_weak_slices(slices) if slices else None


def _uncertain_samples(report: ClassificationReport) -> Axes | None:
    if report.images is None:
        return None
    groups, rows = choose_cards(report.samples, report.settings)
    shown = report.samples.iloc[rows]
    names = class_labels(report.class_names, width=12)
    titles = [
        f"{names[int(t)]}\n→ {names[int(p)]}\n{fixed_or_below(h)} nats"
        for t, p, h in zip(shown["y_true"], shown["y_pred"], shown["entropy"], strict=True)
    ]
    images = report.images[report.image_rows(shown)]
    return plot_sample_cards(images, titles, groups=groups, wrong=~shown["correct"].to_numpy(bool))


def _residual_images(report: ClassificationReport) -> Axes | None:
    """Draw what is left of the most confidently wrong images without the class that they were taken for."""
    if report.raw is None or report.images is None:
        return None
    groups, rows = choose_cards(report.samples, report.settings)
    shown = report.samples.iloc[[row for group, row in zip(groups, rows, strict=True) if group == CONFIDENTLY_WRONG]]
    if not len(shown := shown[:RESIDUALS_SHOWN]):
        return None
    names = class_labels(report.class_names, width=8)
    titles = [f"{names[t]}\n→ {names[p]}" for t, p in zip(shown["y_true"], shown["y_pred"], strict=True)]
    means = [mean_image(report.images, report.raw.targets, label) for label in shown["y_pred"]]
    return plot_residual_images(report.images[report.image_rows(shown)], np.stack(means), titles)


FIGURES: Mapping[str, Callable[[ClassificationReport], Axes | Figure | None]] = {
    "samples": samples,
    "class_counts": _class_counts,
    "learning_curves": learning_curves,
    "data_map": _data_map,
    "confusion": _confusion,
    "confused_pairs": _confused_pairs,
    "roc": _roc,
    "precision_recall": _precision_recall,
    "reliability": _reliability,
    "recalibration": _recalibration,
    "prediction_sets": set_coverage,
    "temperature": _temperature,
    "entropy_histogram": _entropy_histogram,
    "risk_coverage": _risk_coverage,
    "similarity_entropy": _similarity_entropy,
    "similarity_entropy_by_class": _similarity_entropy_by_class,
    "layers": _layers,
    "failure_scores": _failure_scores,
    "probes": _probes,
    "similarity_matrix": _similarity_matrix,
    "map_pca": partial(_representation_map, kind="pca", title="PC"),
    "map_tsne": partial(_representation_map, kind="tsne", title="t-SNE"),
    "map_umap": partial(_representation_map, kind="umap", title="UMAP"),
    "factor_effects": partial(_factor_effects, target=FactorTarget.ERROR),
    "factor_effects_entropy": partial(_factor_effects, target=FactorTarget.ENTROPY),
    "weak_slices": _weak_slices,
    "uncertain_samples": _uncertain_samples,
    "residual_images": _residual_images,
    "issue_counts": issue_counts,
    "issue_images": issue_images,
}
