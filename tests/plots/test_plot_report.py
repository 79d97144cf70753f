"""The figures of a report: which are drawn, odd data, and the same bytes again."""

import hashlib
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from drawn_reports import ODD_NAMES, drawn
from made_reports import correlations, with_evaluation, with_residuals, with_samples

from mlx.plots.page import render_page
from mlx.plots.report.figures import FIGURES, draw_report
from mlx.plots.settings import ReportSettings
from mlx.plots.style import figure, render_png
from mlx.results.evaluation_tables import PrecisionRecallCurves, RocCurves
from mlx.stats.proportions import wilson_intervals


@pytest.mark.slow
def test_a_classification_of_images_has_all_its_pictures(shown):
    assert list(shown[1]) == [
        "samples", "class_counts", "learning_curves", "confusion", "roc", "precision_recall", "reliability",
        "temperature", "entropy_histogram", "similarity_entropy", "similarity_entropy_by_class", "similarity_matrix",
        "uncertain_samples", "residual_images",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_table_has_no_cards(classification):
    assert FIGURES["classification"]["uncertain_samples"](classification(images=False)) is None


@pytest.mark.slow
def test_a_training_by_epochs_has_a_data_map_of_its_samples(classification):
    report, generator = classification(), np.random.default_rng(0)
    columns = {name: generator.random(50) for name in ("variability", "confidence", "correctness")}
    for dynamics, there in ((pd.DataFrame(columns), True), (pd.DataFrame(columns)[:0], False), (None, False)):
        training = replace(report.training, dynamics=dynamics)
        made = FIGURES["classification"]["data_map"](replace(report, training=training))
        assert (made is not None) is there


def test_a_regression_has_its_own_pictures(regression):
    names = ["samples", "learning_curves", "residuals_fitted", "residual_qq", "residual_histogram"]
    assert list(drawn(regression())) == names


@pytest.mark.slow
def test_figures_without_data_are_left_out(classification):
    report = replace(classification(), raw=None, training=None)
    nothing = (np.empty(0),) * 5
    report = with_evaluation(report, roc=RocCurves(*nothing), precision_recall=PrecisionRecallCurves(*nothing))
    assert [name for name, _ in draw_report(report)] == [
        "confusion", "reliability", "temperature", "entropy_histogram", "similarity_entropy",
        "similarity_entropy_by_class", "similarity_matrix",
    ]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda c: c(names=("no", "yes"), n=40),
        lambda c: c(names=[f"class {k}" for k in range(100)], n=300),
        lambda c: c(unpredicted=1),
        lambda c: c(perfect=True),
        lambda c: c(n=1),
        lambda c: c(n=200, names=ODD_NAMES[:-1]),
    ],
    ids=["two", "hundred", "never-predicted", "perfect", "one-sample", "odd-names"],
)
def test_odd_results_are_drawn_without_a_warning_and_written(classification, make):
    inputs = make(classification)
    page = render_page(inputs, drawn(inputs))
    assert page.encode("utf-8")


OF_LABELS = {"samples", "class_counts", "learning_curves", "confusion", "roc", "precision_recall", "reliability",
             "temperature"}  # fmt: skip
"""Figures that show neither similarity nor entropy of the samples."""


@pytest.mark.slow
@pytest.mark.parametrize("quirk", [{"entropy": 0.0}, {"similarity": np.nan}, {"similarity": 1.0}, {"entropy": np.nan}])
def test_samples_without_spread_or_without_values_are_drawn(classification, quirk, monkeypatch):
    inputs = classification(60, ("no", "yes"), images=False)
    inputs = with_samples(with_residuals(inputs, tests=tuple(correlations())), **quirk)
    figures = {name: draw for name, draw in FIGURES["classification"].items() if name not in OF_LABELS}
    monkeypatch.setitem(FIGURES, "classification", figures)
    images = drawn(inputs)
    assert "similarity_entropy_by_class" in images
    assert render_page(inputs, images)


@pytest.mark.slow
def test_a_picture_of_the_same_data_has_the_same_bytes_in_another_process(shown):
    script = (
        "import sys, hashlib; sys.path.insert(0, sys.argv[1]); import made_reports\n"
        "from mlx.plots.report.figures import FIGURES, draw_report; from mlx.plots.page import render_page\n"
        "from mlx.plots.style import render_png\n"
        "i = made_reports.make_classification()\n"
        "images = {n: render_png(f, 50) for n, f in draw_report(i)}\n"
        "print(hashlib.sha256(render_page(i, images).encode()).hexdigest())\n"
        "print('matplotlib.pyplot' in sys.modules)"
    )
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", script, str(Path(__file__).parent)]
    other = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout.split()
    assert other == [hashlib.sha256(shown[2].encode()).hexdigest(), "False"]


def test_a_png_is_of_the_asked_size_and_carries_no_date_or_version():
    made = figure(3.5, 2.0)
    made.add_subplot().plot([1, 2])
    png = render_png(made, 100)
    assert [int.from_bytes(png[k : k + 4], "big") for k in (16, 20)] == [350, 200]
    assert not re.search(rb"tEXt|iTXt|tIME|Software", png)


@pytest.mark.slow
def test_pictures_at_the_default_resolution_stay_small(classification):
    report = replace(classification(), settings=ReportSettings())
    assert max(map(len, drawn(report).values())) < 300_000


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_bins_have_wilson_intervals_of_the_level(level):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    low, high = wilson_intervals(np.array([0.3, 1.0]), np.array([10.0, 7.0]), level)
    expected = [proportion.proportion_confint(k, n, 1 - level, method="wilson") for k, n in ((3, 10), (7, 7))]
    np.testing.assert_allclose(np.stack([low, high], axis=1), expected, atol=1e-12)


def test_a_similarity_matrix_without_samples_is_not_drawn(classification):
    made = classification()
    report = with_residuals(made, matrices={f"{made.layer}.overview.npy": np.empty((0, 0))})
    assert FIGURES["classification"]["similarity_matrix"](with_samples(report, overview=-1)) is None


@pytest.mark.parametrize("key", ["dpi", "images_per_class", "samples_shown", "max_points"])
def test_every_setting_has_a_range(key):
    with pytest.raises(ValueError, match=key):
        ReportSettings(**{key: 0})
