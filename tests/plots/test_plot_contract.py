"""What every plot function promises, whatever it draws."""

import hashlib
import pickle
from dataclasses import replace
from functools import cache
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pytest
from embedded_fonts import embedded_once
from made_reports import with_samples
from matplotlib.axes import Axes
from matplotlib.text import Text

import mlx.plots
from mlx.plots.report.classification import FIGURES as CLASSIFICATION
from mlx.plots.sets import plot_set_coverage
from mlx.plots.style import COLUMN, NOTE, figure, render_pdf, render_png
from mlx.results.classification_residuals import CurvePoint, FactorEffect, Slice
from mlx.results.evaluation_tables import PrecisionRecallCurves
from mlx.results.failure_scores import FailureScore
from mlx.results.issues import IssueCount, IssueKind
from mlx.results.prediction_sets import Looked, SetCoverage, SetMethod
from mlx.results.probes import LayerReadout
from mlx.results.questions import Question, Scope
from mlx.results.regression_residuals import RegressionSlice
from mlx.results.tests import TestResult

LONG = "a rather long name, as columns of tables have, with a unit (cm/s) and " + "what_the_instrument_said" * 2
ODD = ("<b>bold</b> & co", "猫", "$\\alpha$ 100 $", LONG)
SHEETS = {"plot_sample_grid", "plot_sample_cards", "plot_residual_images"}
"""Images with a text each: they have no axes."""

WITHOUT_UNIT = {
    "plot_issue_counts",
    "plot_confusion",
    "plot_weak_slices",
    "plot_factor_effects",
    "plot_similarity_matrix",
    "plot_runs",
}
"""At least one axis of these is of names."""


def issue_counts():
    return [
        IssueCount(kind=kind, split=split, method="confidence", n=200, n_issues=found, expected=expected)
        for kind in IssueKind for split, found, expected in (("test", 12, 3.4), ("val", 2, 3.1), ("train", 0, 0.0))
    ]  # fmt: skip


ACCURACY = {"accuracy": 0.9, "accuracy_low": 0.8, "accuracy_high": 0.95}


@cache
def arguments(classification, regression, names=ODD):
    """A call of every plot function."""
    c, r = classification(240, names), regression()
    s, e = c.samples, r.samples
    rng = np.random.default_rng(0)
    points = rng.normal(size=(len(s), 2))
    images = rng.random((8, 12, 12, 1))
    tests = [
        TestResult(question=Question.SIMILARITY_ENTROPY, scope=scope, layer=layer, statistic="pearson", estimate=-0.4,
                   low=-0.6, high=high)
        for layer in names for scope, high in ((Scope.POOLED, -0.1), (Scope.WITHIN_CLASS, np.nan))
    ]  # fmt: skip
    matrix = np.corrcoef(rng.normal(size=(40, 6)))
    return {
        "plot_class_counts": ((s.y_true, names), {}),
        "plot_class_scatter": ((rng.normal(size=(len(s), 5)), s.y_true, names), {}),
        "plot_confusion": ((c.evaluation.confusion, names), {}),
        "plot_data_map": ((rng.random(90) / 2, rng.random(90), rng.random(90)), {}),
        "plot_entropy_histogram": ((s.entropy, s.correct), {"n_classes": len(names)}),
        "plot_factor_effects": ((factors(names),), {}),
        "plot_issue_counts": ((issue_counts(),), {}),
        "plot_failure_scores": ((failure_scores(),), {}),
        "plot_layers": ((tests,), {}),
        "plot_learning_curves": ((c.training.history,), {}),
        "plot_leverage": ((rng.beta(2, 30, 200), e.residual / e.residual.std()), {"mean_leverage": 0.06}),
        "plot_precision_recall": ((precision_recall(len(names)),), {"class_names": names}),
        "plot_probes": ((probes(names),), {}),
        "plot_reliability": ((c.evaluation.reliability,), {}),
        "plot_representation_map": ((points,), {"by": "class", "values": s.y_true, "class_names": names}),
        "plot_residual_histogram": ((e.residual,), {}),
        "plot_residual_images": ((images, images[::-1], [f"{k}\n→ {k}" for k in range(8)]), {}),
        "plot_residual_qq": ((e.residual,), {}),
        "plot_residuals_fitted": ((e.y_pred, e.residual), {}),
        "plot_risk_coverage": ((curves(), 200), {}),
        "plot_roc": ((c.evaluation.roc,), {"class_names": names}),
        "plot_runs": ((dict.fromkeys(names, ACCURACY), "accuracy"), {}),
        "plot_sample_cards": ((images, ["a\n→ b"] * 8), {"groups": ["one"] * 4 + ["two"] * 4}),
        "plot_sample_grid": ((images, np.arange(8) % len(names), names), {}),
        "plot_similarity_entropy": ((s.similarity, s.entropy, s.correct), {"statistics": "r = 0.10 [0.00, 0.20]"}),
        "plot_similarity_matrix": ((matrix, np.sort(np.arange(40) % len(names)), names), {}),
        "plot_target_histogram": ((e.y_true,), {}),
        "plot_temperature": ((c.residuals.temperature,), {"n_classes": 4}),
        "plot_weak_slices": ((slices(names),), {}),
    }  # fmt: skip


def probes(names):
    known = {"n_features": 8, "model_accuracy": 0.9, "probe_low": 0.6, "probe_high": 0.95}
    return [LayerReadout(layer=name, probe_accuracy=0.7 + k / 20, **known) for k, name in enumerate(names)]


def failure_scores():
    names = ("max_probability", "entropy", "relative_mahalanobis", "class_mean_similarity", "combination")
    return [
        FailureScore(score=name, layer="layer" * (k > 1), fitted_on="none", auroc=0.8 - k / 30, auroc_low=0.7 - k / 30,
                     auroc_high=0.9 - k / 30, p_holm=0.04 * k)
        for k, name in enumerate(names)
    ]  # fmt: skip


def factors(names):
    known = {"kind": "numeric", "target": "error", "n": 100}
    effects = [
        FactorEffect(factor=name, statistic="auroc", estimate=0.4 + 0.1 * k, low=0.3 + 0.1 * k, high=0.5 + 0.1 * k,
                     p_holm=0.04 * k, **known)
        for k, name in enumerate(names)
    ]  # fmt: skip
    return [*effects, FactorEffect(factor=names[0], statistic="error_rate", bin="low", estimate=0.3, **known)]


def slices(names):
    bad = {"n": 12, "n_errors": 6, "error_rate": 0.5, "low": 0.25, "high": 0.75, "p_holm": 0.01, "rest_error_rate": 0.1}
    good = {"n": 9, "n_errors": 0, "error_rate": 0.0, "low": 0.0, "high": 0.3, "p_holm": 1.0, "rest_error_rate": 0.15}
    descriptions = (" and ".join(f"{name} ≤ 0.5" for name in names[-3:]), f"{names[0]} > 0.1")
    return [
        Slice(description=description, error_rate_found=0.6, **known)
        for description, known in zip(descriptions, (bad, good), strict=True)
    ]


def curves():
    scores = (("entropy", 0.1), ("low $", 0.2))
    return [CurvePoint(name, "", c, slope * c, 0.0) for name, slope in scores for c in np.linspace(0.05, 1, 20)]


def precision_recall(n):
    label, recall = np.arange(n).repeat(11), np.tile(np.linspace(0, 1, 11), n)
    missing = np.full(len(label), np.nan)
    return PrecisionRecallCurves(label, missing, recall, 1 - recall**2 / (label + 2), missing)


def test_every_plot_function_is_held_to_the_contract(classification, regression):
    assert set(arguments(classification, regression)) == set(mlx.plots.__all__)


@pytest.fixture
def drawn_texts(monkeypatch):
    """Return what gives the texts that are drawn in a figure, with their boxes in pixels at 100 dpi."""
    drawn = []
    original = Text.draw

    def draw(self, renderer):
        if self.get_visible() and self.get_text().strip():
            drawn.append(self)
        original(self, renderer)

    def record(made):
        drawn.clear()
        render_png(made, 100)
        return [(text, text.get_window_extent()) for text in dict.fromkeys(drawn)]

    monkeypatch.setattr(Text, "draw", draw)
    return record


@pytest.mark.parametrize("name", mlx.plots.__all__)
def test_a_plot_is_axes_of_one_column_with_legible_labels_that_do_not_overlap(
    name, classification, regression, drawn_texts
):
    args, options = arguments(classification, regression)[name]
    ax = getattr(mlx.plots, name)(*args, **options)
    assert isinstance(ax, Axes)
    made = ax.figure
    assert made.get_figwidth() == COLUMN
    if name not in SHEETS:
        assert ax.get_xlabel()
        assert name in WITHOUT_UNIT or "(" in ax.get_xlabel() or "cosine similarity" in ax.get_xlabel()
    hold_apart(drawn_texts(made), made)


def hold_apart(texts, made):
    """Check that the texts of a figure are legible, inside the figure, and not over each other."""
    assert min(text.get_fontsize() for text, _ in texts) >= NOTE
    width, height = 100 * made.get_size_inches()
    for text, box in texts:
        assert box.x0 >= -2, text
        assert box.y0 >= -2, text
        assert box.x1 <= width + 2, text
        assert box.y1 <= height + 2, text
    for (one, a), (other, b) in combinations(texts, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert across < 2 or up < 3, (one, other)


def extreme(classification):
    """Figures of data that no test has else: names alike but for a word, large and small numbers, constants."""
    report = classification(120, FAR)
    n, rng = len(report.samples), np.random.default_rng(0)
    s, noise = report.samples, rng.standard_t(3, 200)
    alike = np.ones(n) - 1e-13 * rng.random(n)
    leverage, residual = np.r_[rng.beta(2, 90, 200), 0.50, 0.51, 0.45], np.r_[noise, 0.1, 0.12, 0.11]
    constant = with_samples(report, similarity=1.0)
    plane = dict(zip(("tsne_1", "tsne_2"), 7.9 * np.sin(np.add.outer([0, 1], np.arange(n))), strict=True))
    effects = [replace(one, target="abs_residual", statistic="spearman") for one in factors(FAR)[:3]]
    plots = mlx.plots
    yield plots.plot_confusion(report.evaluation.confusion, FAR)
    yield plots.plot_factor_effects(effects, target="abs_residual")
    yield plots.plot_leverage(leverage, residual, mean_leverage=0.06)
    yield plots.plot_similarity_entropy(alike, s.entropy, s.correct)
    yield plots.plot_weak_slices([
        RegressionSlice(description=f"{name} > 0.5", abs_residual_mean=3e12, low=1e12, high=5e12, n=12,
                        rest_abs_residual_mean=1e12, abs_residual_mean_found=3e12) for name in FAR
    ])  # fmt: skip
    yield plot_set_coverage(coverages())
    yield CLASSIFICATION["similarity_entropy_by_class"](constant)
    wide = [f"{'W' * 40} {letter * 20}" for letter in "MNOPQRSTUVXYZW"]
    yield plots.plot_class_scatter(rng.normal(size=(n, 5)), np.arange(n) % 2, wide[:2])
    yield plots.plot_confusion(classification(80, ["W" * 60, "M" * 60]).evaluation.confusion, ["W" * 60, "M" * 60])
    yield CLASSIFICATION["similarity_entropy_by_class"](classification(n, wide, images=False))
    yield CLASSIFICATION["map_tsne"](with_samples(report, **plane))


FAR = tuple(
    f"the_measured_concentration_of_dissolved_oxygen_at_the_{at}_of_the_river" for at in ("spring", "dam", "mouth")
)


def coverages():
    known = {"alpha": 0.1, "method": SetMethod.LAC, "n": 50, "n_calibration": 100, "coverage": 0.8}
    bins = [f"a category with the number {k} in a list of many" for k in range(3)]
    return [
        SetCoverage(**known, kind=Looked.ALL),
        *(SetCoverage(**known, kind=Looked.CLASS, subject=name) for name in FAR),
        *(SetCoverage(**known, kind=Looked.FACTOR, subject=name, bin=one) for name in FAR for one in bins),
        SetCoverage(**known, p_holm=0.01, kind=Looked.SLICE, subject=" AND ".join(FAR).upper()),
    ]


def test_texts_of_extreme_data_do_not_overlap(classification, drawn_texts):
    for drawn in extreme(classification):
        made = getattr(drawn, "figure", drawn)
        hold_apart(drawn_texts(made), made)


def test_groups_in_the_figure_of_prediction_sets_are_told_apart():
    labels = [label.get_text() for label in plot_set_coverage(coverages()).get_yticklabels()]
    assert len(set(labels)) == len(labels)
    assert "the_measur…dam…river (50)" in labels
    known = {"alpha": 0.1, "method": SetMethod.LAC, "n": 5, "n_calibration": 9}
    rows = ((Looked.ALL, "", 0.9), (Looked.CLASS, "a", np.nan), (Looked.CLASS, "\ud800", 0.9))
    classes = [SetCoverage(**known, kind=kind, subject=name, coverage=coverage) for kind, name, coverage in rows]
    assert "#1 □ (5)" in [label.get_text() for label in plot_set_coverage(classes).get_yticklabels()]


@pytest.mark.slow
@pytest.mark.parametrize("name", mlx.plots.__all__)
def test_a_plot_drawn_again_has_the_same_bytes_and_takes_the_axes_it_is_given(name, classification, regression):
    args, options = arguments(classification, regression)[name]
    before = dict(mpl.rcParams)
    found = []
    with embedded_once():  # whose bytes another test compares
        for _ in range(2):
            ax = figure(5, 4).add_subplot()
            assert getattr(mlx.plots, name)(*args, ax=ax, **options) is ax
            files = render_png(ax.figure, 60), render_pdf(ax.figure)
            found.append([hashlib.sha256(content).hexdigest() for content in files])
    assert found[0] == found[1]
    assert dict(mpl.rcParams) == before


@pytest.mark.slow
@pytest.mark.parametrize("n", [2, 100])
def test_any_number_of_classes_is_drawn(n, classification, regression, drawn_texts):
    names = tuple(f"class {k}" for k in range(n))
    drawn_above = {name: pickle.dumps(given) for name, given in arguments(classification, regression).items()}
    for name, (args, options) in arguments(classification, regression, names).items():
        if name not in {"plot_layers", "plot_runs"} and pickle.dumps((args, options)) != drawn_above[name]:
            made = getattr(mlx.plots, name)(*args, **options).figure
            assert min(text.get_fontsize() for text, _ in drawn_texts(made)) >= NOTE, name
