"""The whole report: its pictures and its page, odd data, and the same bytes again."""

import hashlib
import re
import subprocess
import sys
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_reports import correlations, estimate, with_evaluation, with_metrics, with_residuals, with_samples

from mlx.plots.page import render_page
from mlx.plots.page.key_results import key_results
from mlx.plots.page.points import choose_points
from mlx.plots.page.tables import frame_table
from mlx.plots.reliability import plot_reliability
from mlx.plots.report.figures import FIGURES, draw_report
from mlx.plots.report.inputs import Provenance, RawSamples
from mlx.plots.settings import ReportSettings
from mlx.plots.style import category_style, figure, render_png, style
from mlx.plots.text import DASH, MINUS, class_labels, fixed, p_text, readable, shorten, significant
from mlx.results.classification_residuals import Slice
from mlx.results.evaluation import PrecisionRecallCurves, RocCurves
from mlx.results.metrics import Estimate
from mlx.results.tests import Question, TestResult
from mlx.stats.interval import Interval
from mlx.stats.proportions import wilson_intervals
from mlx.stats.status import OK, Reason, no_interval

ODD_NAMES = (
    "<b>bold</b> & co",
    "猫",
    "犬",
    r"$\alpha_1$ $",
    "tab\tand\nline \x00",
    "x" * 300,
    "",
    "قطة",
    "\ud800",
)


def drawn(report):
    return {name: render_png(made, report.settings.dpi) for name, made in draw_report(report)}


@pytest.fixture(scope="module")
def shown(classification):
    """One classification, its pictures and its page."""
    inputs = classification()
    images = drawn(inputs)
    return inputs, images, render_page(inputs, images)


@pytest.mark.slow
def test_a_classification_of_images_has_all_its_pictures(shown):
    assert list(shown[1]) == [
        "samples", "class_counts", "learning_curves", "confusion", "roc", "precision_recall", "reliability",
        "temperature", "entropy_histogram", "similarity_entropy", "similarity_entropy_by_class", "similarity_matrix",
        "uncertain_samples", "residual_images",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_table_has_no_cards(classification):
    assert "uncertain_samples" not in drawn(classification(images=False))


def test_a_regression_has_its_own_pictures(regression):
    names = ["samples", "learning_curves", "residuals_fitted", "residual_qq", "residual_histogram"]
    assert list(drawn(regression())) == names


@pytest.mark.slow
def test_figures_without_data_are_left_out(classification):
    report = replace(classification(), raw=None, training=None)
    nothing = (np.empty(0),) * 5
    report = with_evaluation(report, roc=RocCurves(*nothing), precision_recall=PrecisionRecallCurves(*nothing))
    assert list(drawn(report)) == [
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


@pytest.mark.slow
@pytest.mark.parametrize("quirk", [{"entropy": 0.0}, {"similarity": np.nan}, {"similarity": 1.0}, {"entropy": np.nan}])
def test_samples_without_spread_or_without_values_are_drawn(classification, quirk):
    inputs = classification(60, ("no", "yes"), images=False)
    inputs = with_samples(with_residuals(inputs, tests=tuple(correlations())), **quirk)
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
    images = drawn(replace(classification(), settings=ReportSettings()))
    assert max(map(len, images.values())) < 200_000


@pytest.mark.slow
def test_the_page_shows_the_numbers_of_its_tables(shown):
    inputs, _, page = shown
    text = re.sub(r"<[^>]+>", " ", page.split("<main>")[1]).replace("\N{NO-BREAK SPACE}", " ")
    s = inputs.samples
    assert f"{100 * s.correct.mean():.1f} %" in text
    assert f"{(~s.correct).sum()} of {len(s)} test samples are misclassified" in text
    r = inputs.correlation("pearson")
    assert f"r = {fixed(r.estimate)}" in text
    assert f"95 % interval {fixed(r.low)} to {fixed(r.high)}" in text
    assert significant(inputs.evaluation.metrics.log_loss.value) in text
    for one in inputs.classes:
        assert re.search(rf"{one.name}.*{re.escape(significant(one.pearson))}", text, re.DOTALL)
    counts, names = inputs.evaluation.confusion, inputs.class_names
    i, j = np.unravel_index(np.argmax(counts * (1 - np.eye(5))), (5, 5))
    assert re.search(rf"{names[i]}\s+{names[j]}\s+{counts[i, j]}\s", text)


def test_the_page_of_a_regression_shows_its_errors(regression):
    inputs = with_metrics(regression(), rmse=estimate(6.1234, 5.5, 6.9), r2=estimate(0.95, 0.94, 0.96))
    page = render_page(inputs, drawn(inputs)).replace("\N{NO-BREAK SPACE}", " ")
    assert "6.12" in page
    assert "95.0 % of the target&#x27;s variance is explained." in page


@pytest.mark.slow
def test_the_page_shows_names_as_text_and_asks_the_network_for_nothing(classification):
    inputs = classification(names=("<script>alert(1)</script>", 'a" onload="x', "& co"))
    about = Provenance(name="<i>name</i> $name ${level}", description="</style><img src=x>")
    inputs = replace(inputs, provenance=about)
    page = render_page(inputs, drawn(inputs))
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    allowed = re.search(r"script-src ([^\"]*)", page)[1].split()
    assert allowed == [f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert "<script>alert" not in page
    page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)  # the library names sites that it never asks
    assert "<img src=x" not in page
    assert 'onload="x' not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;i&gt;name&lt;/i&gt; $name ${level}" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#)|url\((?!data:)|@import|https?:""", page)


@pytest.mark.slow
def test_the_page_gives_every_picture_a_text_and_its_headings_in_order(shown):
    page = shown[2]
    assert page.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]{20,}"', page)) == 14
    levels = [int(level) for level in re.findall(r"<h(\d)", page)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert len(set(re.findall(r' id="([^"]+)"', page))) == len(re.findall(r' id="([^"]+)"', page))
    assert {link[1:] for link in re.findall(r'href="(#[^"]+)"', page)} <= set(re.findall(r' id="([^"]+)"', page))


@pytest.mark.slow
def test_a_page_stays_below_five_megabytes_whatever_it_holds_and_says_what_that_cost(classification):
    rng = np.random.default_rng(0)
    inputs = classification(12_000, [f"class {k}" for k in range(100)], images=False)
    noise = rng.integers(0, 256, (12_000, 40, 40, 3), np.uint8)  # nothing compresses it
    inputs = with_residuals(replace(inputs, raw=RawSamples(inputs=noise, targets=inputs.raw.targets)),
                            tests=inputs.residuals.tests * 3000)  # fmt: skip
    made = figure(5, 5)
    made.add_subplot().imshow(rng.random((1500, 1500, 3)))
    pictures = dict.fromkeys([f"picture {k}" for k in range(20)], render_png(made, 150))
    page = render_page(inputs, pictures)
    assert sum(map(len, pictures.values())) > 8_000_000
    assert 3_000_000 < len(page.encode()) <= 5_000_000
    assert "3000 of 12\N{NARROW NO-BREAK SPACE}000 test samples: wrong predictions first" in page
    assert "The figures are compressed here" in page
    assert "the first 500 of 6000 rows" in page


@pytest.mark.parametrize("wrong", [0, 100, 4000, 9000])
def test_a_thinned_page_keeps_wrong_predictions_and_an_even_part_of_the_others(wrong):
    correct = np.ones(10_000, bool)
    correct[np.random.default_rng(0).choice(10_000, wrong, replace=False)] = False
    rows = choose_points(pd.DataFrame({"correct": correct}), task="classification")
    assert np.array_equal(rows, np.unique(rows))
    assert len(rows) == (3000 if wrong < 9000 else 2500)
    assert (~correct[rows]).sum() == min(wrong, 1500)
    assert np.diff(rows).max() < 80


def test_the_page_says_the_levels_that_the_analyses_were_set_to(classification, regression):
    report = classification()
    report = with_metrics(report, confidence=0.8, accuracy=estimate(0.85, 0.8, 0.9, 0.8))
    tests = tuple(replace(test, confidence=0.9) for test in report.residuals.tests)
    report = with_residuals(report, headline={"confidence": 0.9}, tests=tests)
    said = {result.label: result.interval for result in key_results(report)}
    assert said["Accuracy"].startswith("80 % interval")
    assert said["Similarity and entropy"].startswith("90 % interval")
    page = render_page(report, {})
    evaluated = page[page.index("<caption>Evaluation") :]
    assert "80 % interval" in evaluated[: evaluated.index("</thead>")]
    drawn = plot_reliability(report.evaluation.reliability, level=0.8).get_legend_handles_labels()[1]
    assert {"accuracy, 80 % interval", "80 % if calibrated"} <= set(drawn)
    other = with_metrics(regression(), confidence=0.99, rmse=estimate(2.0, 1.5, 3.0, 0.99))
    assert key_results(other)[1].interval.startswith("99 % interval")


@pytest.mark.parametrize("level", [0.8, 0.95, 0.99])
def test_bins_have_wilson_intervals_of_the_level(level):
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    low, high = wilson_intervals(np.array([0.3, 1.0]), np.array([10.0, 7.0]), level)
    expected = [proportion.proportion_confint(k, n, 1 - level, method="wilson") for k, n in ((3, 10), (7, 7))]
    np.testing.assert_allclose(np.stack([low, high], axis=1), expected, atol=1e-12)


def test_a_metric_without_a_number_or_an_interval_stands_beside_its_reason(classification):
    infinite = Reason.PROBABILITY_ZERO("3 samples have", "their")
    page = render_page(with_metrics(classification(), log_loss=Estimate.missing(infinite)), {})
    assert "infinite, 3 samples have probability 0 for their class" in page
    assert "log loss status" not in page


def said_of_the_correlation(report, **known):
    report = with_residuals(report, tests=tuple(correlations(**known)))
    return next(result for result in key_results(report) if result.label == "Similarity and entropy")


@pytest.mark.parametrize(("r", "p"), [(-0.7, 0.001), (0.7, 0.001), (1.0, 0.001), (-0.7, 0.3)])
def test_a_correlation_without_an_interval_claims_nothing_and_says_why(classification, r, p):
    found = said_of_the_correlation(classification(), estimate=r, p=p, status=no_interval(Reason.TOO_FEW(30)))
    assert (found.value, found.interval) == ("not known", "no interval (n < 30)")
    nothing = "; without an interval, it says nothing about other samples."
    assert found.sentence == f"In these samples similarity and entropy have r = {fixed(r)}" + nothing


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.2, 0.6, "Samples similar to those predicted alike tend to be uncertain (permutation"),
        (-0.6, -0.2, "Samples dissimilar to those predicted alike tend to be uncertain (permutation"),
        (-0.6, 0.2, "These samples do not show that uncertainty depends on the similarity to samples predicted alike"),
    ],
)
def test_a_correlation_says_what_its_interval_shows(classification, low, high, says):
    found = said_of_the_correlation(classification(), estimate=(low + high) / 2, low=low, high=high, p=0.1)
    assert found.sentence.startswith(says)


@pytest.mark.parametrize(
    ("r2", "low", "high", "value", "says"),
    [
        (0.9, 0.8, 0.95, "0.900", "90.0 % of the target's variance is explained."),
        (0.1, -0.2, 0.3, "0.100", "These samples do not show that it beats predicting the mean."),
        (-0.1, -0.3, 0.2, "-0.100", "These samples do not show that it beats predicting the mean."),
        (-0.5, -0.9, -0.2, "-0.500", "Worse than predicting the mean."),
        (
            1.0,
            None,
            None,
            "not known",
            "These samples have R² = 1.00; without an interval, it says nothing about other samples.",
        ),
        (
            -3.0,
            None,
            None,
            "not known",
            "These samples have R² = -3.00; without an interval, it says nothing about other samples.",
        ),
    ],
)
def test_the_share_of_variance_is_a_finding_only_with_an_interval(regression, r2, low, high, value, says):
    missing = Interval.missing(Reason.TOO_FEW(30))
    metric = estimate(r2, low, high) if low is not None else Estimate(r2, missing)
    found = key_results(with_metrics(regression(), r2=metric))[0]
    texts = (found.value, found.sentence)
    texts = tuple(text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-") for text in texts)
    assert texts == (value, says)


@pytest.mark.parametrize(
    ("estimate", "low", "high", "label", "says"),
    [
        (
            0.91,
            0.88,
            0.94,
            "Entropy detects mistakes",
            "wrong predictions with AUROC 0.91 [0.88, 0.94]; chance is 0.5",
        ),
        (0.58, 0.47, 0.69, "Entropy and mistakes", "does not show that it beats chance"),
        (
            1.00,
            np.nan,
            np.nan,
            "Entropy and mistakes",
            "AUROC 1.00; without an interval, it says nothing",
        ),
        (
            0.50,
            np.nan,
            np.nan,
            "Entropy and mistakes",
            "AUROC 0.50; without an interval, it says nothing",
        ),
    ],
)
def test_a_score_detects_mistakes_only_if_it_is_shown_to_beat_chance(classification, estimate, low, high, label, says):
    status = OK if np.isfinite(low) else no_interval(Reason.FEW_ERRORS(10))
    test = TestResult(question=Question.ERROR_BY_ENTROPY, statistic="auroc", estimate=estimate, low=low, high=high,
                      confidence=0.95, status=status)  # fmt: skip
    report = classification()
    found = key_results(with_residuals(report, tests=(*report.residuals.tests, test)))[1]
    assert found.label == label
    assert found.value == (f"AUROC {estimate:.2f}" if np.isfinite(low) else "not known")
    assert found.interval.startswith("95 % interval" if np.isfinite(low) else "no interval (fewer than 10 errors)")
    assert says in found.sentence


def test_the_key_result_is_the_first_slice_that_is_confirmed(classification):
    def told(p_holm):
        known = {"low": 0.0, "high": 0.9, "error_rate_found": 0.5}
        slices = (
            Slice(
                description="a ≤ 0.474123", n=10, n_errors=1, error_rate=0.1, rest_error_rate=0.133, p_holm=1.0, **known
            ),
            Slice(
                description="b > -0.47",
                n=11,
                n_errors=6,
                error_rate=0.545,
                rest_error_rate=0.079,
                p_holm=p_holm,
                **known,
            ),
        )
        return key_results(with_residuals(classification(), slices=slices))[-1]

    assert told(0.00076).value.startswith("54.5")
    assert told(0.00076).sentence.startswith(f"Error rate where b > {MINUS}0.47, 11 samples")
    assert told(0.2).value == "none confirmed"
    assert "a ≤ 0.474, has an error rate" in told(0.2).sentence


def test_columns_of_a_table_are_numbers_only_if_nothing_else_is_in_them():
    frame = pd.DataFrame({"bin": [0, 1], "layer": [np.nan, "conv"], "n": [3, np.nan], "status": ["ok", "ok"]})
    table = frame_table("Bins", frame)
    assert re.findall(r'<th scope="col"([^>]*)>(\w+)', table) == [("", "bin"), ("", "layer"), (' class="n"', "n")]


def test_class_labels_are_distinct_legible_and_no_formula():
    labels = class_labels(ODD_NAMES)
    assert len(set(labels)) == len(labels)
    assert labels[1] == "#1 □"
    assert labels[3] == r"\$\alpha_1\$ \$"
    assert labels[6] == "#6"
    assert all(len(label.replace("\\$", "$")) <= 18 for label in labels)
    with style():
        made = figure()
        made.add_subplot().set_title("\n".join(labels))
        render_png(made, 50)


def test_a_long_name_keeps_both_its_ends():
    assert shorten("a rather long class name", 12) == "a rather…ame"
    assert class_labels(["x" * 30, "x" * 31]) == [
        "#0 " + "x" * 9 + "…" + "x" * 5,
        "#1 " + "x" * 9 + "…" + "x" * 5,
    ]


def test_a_number_stays_behind_a_name_that_runs_from_right_to_left():
    assert class_labels(["قطة", "cat"]) == ["\N{LEFT-TO-RIGHT MARK}قطة\N{LEFT-TO-RIGHT MARK}", "cat"]


def test_numbers_are_written_for_reading():
    assert readable("a ≤ -12.5312 and b > 1234.56 and c = -3 and d-1 > 0.50") == (
        f"a ≤ {MINUS}12.5 and b > 1235 and c = {MINUS}3 and d-1 > 0.5"
    )
    assert [fixed(v) for v in (-0.004, -1.5, float("nan"), None)] == ["0.00", f"{MINUS}1.50", DASH, DASH]
    assert [significant(v) for v in (0, 1234.5, 0.012345, 1e-9, -2e9)] == [
        "0",
        "1234",
        "0.0123",
        f"1.00e{MINUS}09",
        f"{MINUS}2.00e+09",
    ]
    assert [p_text(v) for v in (0.001, 0.5, float("nan"))] == ["p = 0.001", "p = 0.5", "p unknown"]


def test_a_hundred_categories_look_different():
    assert len({(look.color, look.marker) for look in map(category_style, range(100))}) == 100


def test_a_similarity_matrix_without_samples_is_not_drawn(classification):
    made = classification()
    report = with_residuals(made, matrices={f"{made.layer}.overview.npy": np.empty((0, 0))})
    assert FIGURES["classification"]["similarity_matrix"](with_samples(report, overview=-1)) is None


@pytest.mark.parametrize("key", ["dpi", "images_per_class", "samples_shown", "max_points"])
def test_every_setting_has_a_range(key):
    with pytest.raises(ValueError, match=key):
        ReportSettings(**{key: 0})
