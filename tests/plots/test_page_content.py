"""The page of a report: its numbers, texts and size."""

import re
import zlib
from base64 import b64decode, b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from drawn_reports import drawn
from made_pages import OTHERS, with_others, with_views
from made_reports import estimate, with_metrics, with_residuals
from scipy.special import softmax

from mlx.plots.page import render_page
from mlx.plots.page.key_results import key_results
from mlx.plots.page.mistakes import MISTAKES_SHOWN
from mlx.plots.page.packing import pack
from mlx.plots.page.page_samples import PageSamples
from mlx.plots.page.points import choose_points
from mlx.plots.page.summary import paragraph
from mlx.plots.page.tables import metrics_table
from mlx.plots.reliability import plot_reliability
from mlx.plots.report.inputs import Provenance, RawSamples
from mlx.plots.report.recorded_samples import OtherPart
from mlx.plots.style import figure, render_png
from mlx.plots.text import fixed, significant
from mlx.results.metrics import Estimate
from mlx.stats.prediction_scores import prediction_scores
from mlx.stats.status import Reason


@pytest.mark.slow
def test_the_page_shows_the_numbers_of_its_tables(shown):
    inputs, _, page = shown
    text = " ".join(re.sub(r"<[^>]+>", " ", page.split("<main>")[1]).split())
    s = inputs.samples
    assert f"wrong on {(~s.correct).sum()} of {len(s)} test samples ({100 * (1 - s.correct.mean()):.1f} %" in text
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
    assert "explains 95.0 % of the target&#x27;s variance" in page


@pytest.mark.parametrize("known", [{}, {"confidence": 0.9}])
def test_a_table_of_metrics_shows_the_status_of_missing_numbers_with_or_without_intervals(known):
    metrics = {"val_loss": None, "val_loss_status": "infinite, validation samples have probability 0 for their class"}
    page = metrics_table("Training", metrics | known).replace("\N{NO-BREAK SPACE}", " ")
    assert metrics["val_loss_status"] in page
    assert (">90 % interval<" if known else ">status<") in page


@pytest.mark.slow
def test_the_page_shows_names_as_text_and_asks_the_network_for_nothing(classification, shown):
    inputs = classification(names=("<script>alert(1)</script>", 'a" onload="x', "& co"))
    about = Provenance(name="<i>name</i> $name ${level}", description="</style><img src=x>")
    inputs = replace(inputs, provenance=about)
    page = render_page(inputs, shown[1])  # whose pictures are of another report: names do not stand in them as text
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    allowed = re.search(r"script-src ([^\"]*)", page)[1].split()
    assert allowed == [f"'sha256-{b64encode(sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert "<script>alert" not in page
    page = re.sub(r"<script>.*?</script>", "", page, flags=re.DOTALL)  # the library names sites that it never asks
    assert "<img src=x" not in page
    assert 'onload="x' not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "&lt;i&gt;name&lt;/i&gt; $name ${level}" in page
    assert not re.search(r"""(?:src|href)=["'](?!data:|#|\.\./)|url\((?!data:)|@import|https?:""", page)


class Nesting(HTMLParser):
    """Rejects a tag that ends another element than the innermost one."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "img", "br", "link", "input"}:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, self.getpos()


@pytest.mark.slow
def test_the_page_gives_every_picture_a_text_and_its_headings_in_order_and_ends_every_element(shown):
    page = shown[2]
    nesting = Nesting()
    nesting.feed(page)
    assert nesting.open == []
    assert page.count("<img ") == len(re.findall(r'<img [^>]*alt="[^"]{20,}"', page)) == 12 + MISTAKES_SHOWN
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
                            tests=inputs.residuals.tests * 1500)  # fmt: skip
    made = figure(5, 5)
    made.add_subplot().imshow(rng.random((1500, 1500, 3)))
    pictures = dict.fromkeys([f"picture {k}" for k in range(5)], render_png(made, 150))
    page = render_page(inputs, pictures)
    assert sum(map(len, pictures.values())) > 5_000_000
    assert 3_000_000 < len(page.encode()) <= 5_000_000
    assert "All 12\N{NARROW NO-BREAK SPACE}000 test samples." in page
    shown = re.compile(r"(\d+) of them have an image here: mistakes first")
    assert 300 < int(shown.search(page)[1]) < 12_000
    larger = render_page(replace(inputs, settings=inputs.settings.model_copy(update={"page_megabytes": 6})), {})
    assert int(shown.search(page)[1]) * 1.1 < int(shown.search(larger)[1])
    assert len(larger.encode()) <= 6_000_000
    assert "The figures have less detail here" in page
    assert "The first 500 of 6000 rows and what the columns mean" in page


@pytest.mark.parametrize("wrong", [0, 100, 4000, 9000])
def test_a_thinned_page_keeps_wrong_predictions_and_an_even_part_of_the_others(wrong):
    correct = np.ones(10_000, bool)
    correct[np.random.default_rng(0).choice(10_000, wrong, replace=False)] = False
    rows = choose_points(pd.DataFrame({"correct": correct}), task="classification", limit=3000)
    assert np.array_equal(rows, np.unique(rows))
    assert len(rows) == (3000 if wrong < 9000 else 2500)
    assert (~correct[rows]).sum() == min(wrong, 1500)
    assert np.diff(rows).max() < 80


@pytest.mark.parametrize("limit", [200, 100, 70, 30])
def test_a_page_has_all_test_samples_before_samples_of_other_parts_and_of_these_first_those_with_issues(shown, limit):
    every = PageSamples.of(with_others(with_views(shown[0])))
    n, others = every.n_test, sum(OTHERS.values())
    kept = every.limited(limit + n - 60, task="classification")
    again = kept.limited(limit + n - 90, task="classification")
    frame = kept.frame.set_index("index")
    assert len(frame) == min(limit + n - 60, n + others)
    assert (kept.n_test, sum(kept.sizes().values())) == (min(n, len(frame)), len(frame))
    if len(frame) > n:
        assert frame.index[:n].tolist() == list(range(n))
        assert {n + 1, n + 2, n + 3, n + 34, n + 35} <= set(frame.index), "issues, and what a leak repeats"
        assert set(again.frame["index"]) <= set(frame.index)
        assert frame.similarity.iloc[n:].isna().all()
        assert frame["factor.size"].tolist()[n:] == (frame.index[n:] % 7).tolist()


@pytest.mark.parametrize("logits", [True, False])
def test_scores_of_other_parts_are_those_that_test_samples_have(logits):
    rng = np.random.default_rng(0)
    z = rng.normal(size=(50, 4)) * 20
    p, y, rows = softmax(z, axis=1), rng.integers(0, 4, 50), np.array([3, 4, 40])
    part = OtherPart("val", np.arange(50), y, p.argmax(axis=1), p, z if logits else None)
    expected = prediction_scores(p, part.logits, y, part.y_pred)
    for name in ("confidence", "entropy", "surprise"):
        np.testing.assert_array_equal(part.columns(rows)[name], getattr(expected, name)[rows])


def test_the_page_says_the_levels_that_the_analyses_were_set_to(classification):
    report = classification()
    report = with_metrics(report, confidence=0.8, accuracy=estimate(0.85, 0.8, 0.9, 0.8))
    tests = tuple(replace(test, confidence=0.9) for test in report.residuals.tests)
    report = with_residuals(report, headline={"confidence": 0.9}, tests=tests)
    said = {result.label: result.interval for result in key_results(report)}
    assert "80 % interval 10.0 % to 20.0 %" in paragraph(report).replace("\N{NO-BREAK SPACE}", " ")
    assert said["Similarity and entropy within predicted classes"].startswith("90 % interval")
    page = render_page(report, {})
    evaluated = page[page.index("<caption>Evaluation") :]
    assert "80 % interval" in evaluated[: evaluated.index("</thead>")]
    drawn = plot_reliability(report.evaluation.reliability, level=0.8).get_legend_handles_labels()[1]
    assert {"accuracy, 80 % interval", "80 % if calibrated"} <= set(drawn)


def test_a_metric_without_a_number_or_an_interval_stands_beside_its_reason(classification):
    infinite = Reason.PROBABILITY_ZERO("3 samples have", "their")
    page = render_page(with_metrics(classification(), log_loss=Estimate.missing(infinite)), {})
    assert "infinite, 3 samples have probability 0 for their class" in page
    assert "log loss status" not in page


@pytest.mark.parametrize("unit", [5e-324, 1e-310, 1e-200, 1e-3, 1e200, 1.7e308])
def test_the_page_has_the_numbers_of_any_unit_to_single_precision(unit):
    values = np.r_[np.nan, -np.inf, np.linspace(0, 1, 1000) * unit]
    packed = pack(values)
    raw = np.frombuffer(zlib.decompress(b64decode(packed.data)), np.uint8)
    numbers = np.ascontiguousarray(raw.reshape(-1, len(values)).T).view(f"<{packed.type}")[:, 0].astype(np.float64)
    if packed.type[0] == "u":
        numbers[2:] = (numbers[2:] + packed.low) / 10.0**packed.digits
    assert np.abs(numbers[2:] - values[2:]).max() <= unit * 1e-4
