"""The paragraph at the top of the page and what to do next: each sentence is derived again from the tables."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from derived_sentences import (
    derived_classes,
    derived_steps,
    labels,
    next_steps,
    of,
    paragraph,
    plain,
    share,
    weak,
    with_random_findings,
    with_weak_classes,
)
from made_reports import LAYER, estimate, with_evaluation, with_metrics, with_residuals, with_samples

from mlx.plots.page import next_steps as rules
from mlx.plots.page.first_view import first_view
from mlx.plots.page.in_words import slice_in_words
from mlx.plots.page.weak_classes import weak_classes
from mlx.results.classification_residuals import FactorEffect, Slice
from mlx.results.issues import Issue, IssueKind, IssueMethod
from mlx.results.prediction_sets import Looked, SetCoverage, SetMethod
from mlx.results.questions import Question, Statistic
from mlx.results.recalibration import RecalibratedMetric, RecalibrationEffect
from mlx.results.regression_residuals import RegressionSlice
from mlx.results.tests import TestResult
from mlx.stats.calibrators import Calibrator
from mlx.stats.status import OK, Reason, no_interval


def detection(value, low, high, status=None):
    known = {"question": Question.ERROR_BY_ENTROPY, "statistic": Statistic.AUROC, "layer": LAYER, "confidence": 0.95}
    return TestResult(**known, estimate=value, low=low, high=high, **({} if status is None else {"status": status}))


def remedies_of(report) -> str:
    found = list(dict.fromkeys(step.remedy for step in next_steps(report)))[:3]
    return f"What may help: {found[0]}" if found else "Nothing that was tested points to what would help."


@pytest.mark.parametrize("seed", range(50))
def test_the_paragraph_and_each_step_claim_what_intervals_tests_and_counts_say(classification, seed: int) -> None:
    rng = np.random.default_rng(seed)
    report = with_weak_classes(classification(int(rng.integers(30, 200)), seed=seed, images=False), rng)
    value = rng.uniform(0.2, 0.95)
    half = rng.uniform(0.02, 0.4)
    low, high = (max(0.0, value - half), min(1.0, value + half)) if seed % 4 else (np.nan, np.nan)
    ece_p = float(rng.choice([0.01, 0.3, np.nan]))
    needed = int(rng.integers(1, 60)) if np.isnan(low) else 0
    why = no_interval(Reason.FEW_ERRORS(needed)) if needed else OK
    report = with_random_findings(report, rng, detection(value, low, high, why))
    report = with_metrics(report, ece_p=ece_p, accuracy=estimate(0.8, 0.7, float(rng.choice([0.1, 0.9]))))
    text = paragraph(report)
    assert [(step.text, step.remedy) for step in next_steps(report)] == derived_steps(report, needed)
    wrong, n = int((~report.samples["correct"]).sum()), len(report.samples)
    least = 100 * (1 - report.evaluation.metrics.accuracy.interval.high)
    counted = f"wrong on {wrong} of {n} test samples ({share(wrong / n)}, 95 % interval {least:.1f} % to 30.0 %)."
    assert (counted in text) == (wrong > 0)
    assert derived_classes(report) in text
    assert ("more often than the other" in text.partition("What may help")[0]) == bool(derived_classes(report))
    assert ("It tends to be unsure" in text) == (low > 0.5)
    assert ("It is less unsure when it is wrong" in text) == (high < 0.5)
    assert ("too few mistakes or too few right" in text) == (np.isnan(low) and 0 < wrong < n)
    assert np.isnan(low) or f"entropy {value:.2f}, 95 % interval {low:.2f} to {high:.2f}" in text
    assert ("Its confidence is off" in text) == (ece_p <= 0.05)
    assert ("agrees with its accuracy" in text) == (ece_p > 0.05)
    assert text.count("confidence") == (2 if ece_p == ece_p else 0), "the word is of the model alone"
    assert remedies_of(report) in text
    counts = report.evaluation.confusion - np.diag(np.diag(report.evaluation.confusion))
    first = int(counts.max())
    assert ("The most frequent mistake" in text) == (first >= 2 and (counts == first).sum() <= 3)
    if named := re.search(r"The most frequent mistakes? (?:is|are) (.+?) \((\d+) of (\d+) mistakes( each)?\)", text):
        names = report.class_names
        pairs = {(names[a], names[p]) for a, p in np.argwhere(counts == first)}
        assert set(re.findall(r"true “(\w+)” predicted as “(\w+)”", named[1])) == pairs
        assert (named[2], named[3], bool(named[4])) == (str(first), str(counts.sum()), len(pairs) > 1)


def test_every_prediction_right_or_wrong_says_nothing_of_doubt_and_below_chance_asks_for_the_order(classification):
    report = classification(60, perfect=True, images=False)
    assert "It is never wrong here, so these samples cannot say" in paragraph(report)
    report = classification(60, images=False)
    wrong = with_samples(report, correct=np.zeros(60, bool))
    assert "It is never right here, so these samples cannot say" in paragraph(wrong)
    shifted = with_evaluation(
        with_metrics(report, accuracy=estimate(0.0, 0.0, 0.06)), confusion=12 * np.roll(np.eye(5, dtype=int), 1, 1)
    )
    text = next_steps(shifted)[0].text
    assert text.endswith("right on 0 % of the samples, its own predictions in random order would be on 20.0 %")


@pytest.mark.parametrize(
    ("value", "low", "high", "says"),
    [
        (0.9, 0.8, 0.95, "It explains 90.0 % of the target's variance (R² 0.90, 95 % interval 0.80 to 0.95)."),
        (0.1, -0.2, 0.3, "These samples do not show that it is better than predicting the mean"),
        (-0.5, -0.9, -0.2, "It is worse than predicting the mean"),
        (1.0, np.nan, np.nan, "; RMSE 2.00, 95 % interval 1.50 to 3.00)."),
    ],
)
def test_a_regression_says_what_its_intervals_show(regression, value, low, high, says):
    report = with_metrics(regression(), rmse=estimate(2.0, 1.5, 3.0), r2=estimate(value, low, high))
    assert says in paragraph(report).replace("\N{MINUS SIGN}", "-")


def test_labels_are_named_where_there_are_more_than_of_flawless_data(classification) -> None:
    (step,) = next_steps(labels(classification(), 9, 1.2))
    assert step.text == "Check the labels of 9 test samples that look mislabeled; flawless data would have 1.2"
    assert step.samples == tuple(range(9))
    for n, expected in ((9, 8.0), (1, 0.5), (0, 0.0), (9, np.nan)):
        assert not next_steps(labels(classification(), n, expected))


@pytest.mark.parametrize(("method", "said"), [(IssueMethod.EQUAL_INPUTS, True), (IssueMethod.NEAR, False)])
def test_exact_leaks_are_a_fact_and_near_ones_are_not_claimed(classification, method, said: bool) -> None:
    leak = Issue(kind=IssueKind.LEAK, split="test", index=7, related_index=3, score=0.0, method=method, why="x")
    of_val = Issue(kind=IssueKind.LEAK, split="val", index=8, related_index=3, score=0.0, method=method, why="x")
    steps = next_steps(with_residuals(classification(), issues=(leak, of_val)))
    assert [step.text for step in steps] == [
        "Divide the data anew: 1 test sample repeats samples of another part"
    ] * said
    assert [step.samples for step in steps] == [(7,)] * said


@pytest.mark.parametrize(("chosen", "high", "said"), [(True, -0.01, True), (True, 0.01, False), (False, -0.01, False)])
def test_recalibration_is_proposed_where_its_interval_is_below_0(classification, chosen, high, said) -> None:
    effect = RecalibrationEffect(
        calibrator=Calibrator.TEMPERATURE, chosen=chosen, metric=RecalibratedMetric.LOG_LOSS, before=0.5, after=0.4,
        difference=-0.1, low=-0.2, high=high, temperature=1.4, n_validation=100, n=300,
    )  # fmt: skip
    report = with_evaluation(classification(), recalibration=SimpleNamespace(effects=(effect,)))
    texts = [step.text for step in next_steps(report)]
    assert bool(texts) == said
    assert not said or texts[0].startswith("Recalibrate by temperature (T = 1.40): the log loss changes from 0.500 by ")


@pytest.mark.parametrize(("p", "low", "said"), [(0.01, 0.6, True), (0.2, 0.6, False), (0.01, 0.0, False)])
def test_a_factor_is_named_where_its_test_and_the_interval_of_its_part_hold(classification, p, low, said) -> None:
    known = {"factor": "noise", "kind": "numeric", "target": "error", "statistic": Statistic.SPEARMAN, "n": 300}
    whole = FactorEffect(**known, p_holm=p)
    part = FactorEffect(**known | {"n": 10}, bin="0.4 to 0.5", estimate=0.8, low=low, high=0.9)
    report = with_residuals(classification(), factors=(whole, part))
    steps, wrong, n = next_steps(report), int((~report.samples["correct"]).sum()), len(report.samples)
    assert bool(steps) == said
    others = f"{of(wrong - 8, n - 10)} of the other samples"
    expected = f"Add samples where noise is 0.4 to 0.5: 8 of 10 (80.0 %) are wrong, against {others}"
    assert [step.text.replace("\u00a0", " ") for step in steps] == [expected] * said


@pytest.mark.parametrize(("p", "rest", "said"), [(0.01, 0.1, True), (0.2, 0.1, False), (0.01, 0.9, False)])
def test_a_slice_is_named_where_the_other_half_confirms_it(classification, p, rest, said) -> None:
    one = Slice(description="noise > 0.4", n=20, n_errors=10, error_rate=0.5, low=0.3, high=0.7, rest_error_rate=rest,
                p=p, p_holm=p, error_rate_found=0.6)  # fmt: skip
    assert bool(next_steps(with_residuals(classification(), slices=(one,)))) == said


@pytest.mark.parametrize(("p", "said"), [(0.01, True), (0.2, False), (np.nan, False)])
def test_a_group_is_named_that_sets_cover_too_rarely(classification, p, said) -> None:
    known = {"alpha": 0.1, "method": SetMethod.LAC, "n": 50, "n_calibration": 100, "expected": 0.9}
    groups = (
        SetCoverage(**known, kind=Looked.ALL, coverage=0.8, p_holm=0.001),
        SetCoverage(**known, kind=Looked.CLASS, subject="cross", coverage=0.7, p_holm=p),
    )
    steps = next_steps(with_residuals(classification(), prediction_sets=groups))
    assert bool(steps) == said
    assert not said or "70.0 % of 50 samples of class “cross”, where 90.0 % are to be expected" in steps[0].text


def test_too_few_mistakes_say_how_many_samples_would_do(classification) -> None:
    report = classification()
    wrong = int((~report.samples["correct"]).sum())
    status = no_interval(Reason.FEW_EXPECTED_ERRORS(2 * wrong))
    report = with_residuals(report, tests=(detection(0.7, np.nan, np.nan, status),))
    (step,) = next_steps(report)
    assert (
        step.text
        == "Collect about 300 more test samples: there are too few mistakes to say whether the model knows them"
    )


def test_at_most_five_steps_are_shown_and_names_are_text(classification, regression) -> None:
    report = labels(classification(names=("<b>", "two", "three", "four", "five")), 9, 1.2)
    groups = tuple(
        SetCoverage(alpha=0.1, method=SetMethod.LAC, n=50, n_calibration=100, expected=0.9, kind=Looked.CLASS,
                    subject="<i>", coverage=0.7, p_holm=0.01) for _ in range(3)
    )  # fmt: skip
    html = first_view(with_residuals(report, prediction_sets=groups))
    assert "<b>" not in html.replace("→ <b>", "")
    assert "<i>" not in html
    assert 'data-samples="0,1,2,3,4,5,6,7,8"' in html
    assert html.count("<img ") == 6
    assert len(next_steps(report)) <= rules.MOST_STEPS
    assert "off by" in paragraph(regression())
    of_values = first_view(regression())
    assert "<ol" not in of_values
    assert of_values.count("off by") == 7, "the paragraph and six largest errors"
    assert "checking 9 labels; or prediction sets calibrated by class." in paragraph(
        with_residuals(report, prediction_sets=groups)
    )
    assert "right on all" in paragraph(classification(perfect=True))


def test_counts_beside_the_answer_are_those_of_the_matrix_or_of_the_most_frequent_confusions(classification) -> None:
    link = r'data-cell="(\d+),(\d+)" data-count="(\d+)"'
    for n_classes in (1, 2, 10, 12, 1000):
        report = classification(60, [f"class {k}" for k in range(n_classes)], images=False)
        counts = report.evaluation.confusion
        listed = [tuple(map(int, found)) for found in re.findall(link, first_view(report))]
        assert all(counts[actual, predicted] == n for actual, predicted, n in listed)
        if n_classes <= 10:
            assert len(listed) == (counts > 0).sum()
        else:
            off = np.sort((counts - np.diag(np.diag(counts))).ravel())[::-1]
            assert [n for *_, n in listed] == off[:8][off[:8] > 0].tolist()


def test_beside_the_most_confident_mistakes_stands_how_confident_mistakes_are(classification) -> None:
    many, few = (with_samples(classification(60, images=False), correct=np.arange(60) >= n) for n in (9, 6))
    typical = np.median(many.samples["confidence"][:9])
    assert f"median confidence of all mistakes: {100 * typical:.1f} %" in plain(first_view(many))
    assert "The mistakes, highest confidence first" in first_view(few)
    assert "median confidence" not in first_view(few)


def test_classes_are_compared_by_group_where_samples_come_in_groups(classification) -> None:
    report = with_weak_classes(classification(200, seed=4, images=False), np.random.default_rng(4))
    names = {report.class_names[one.label] for one in weak_classes(report, 0.05)}
    assert names == {name for name, *_ in weak(report)} != set()
    for labels_of, claimed in (
        (np.arange(200), True),
        (report.samples["y_true"], False),
        (np.arange(200) // 10, False),
    ):
        factors = {"subject": np.asarray(labels_of)}
        grouped = with_residuals(with_metrics(report, groups="subject"), sample_factors=factors)
        assert bool(weak_classes(grouped, 0.05)) == claimed
    assert not weak_classes(with_metrics(report, groups="duplicates"), 0.05), "their groups are in no table"


def test_conditions_name_direction_and_scale(classification) -> None:
    values = np.linspace(18, 80, 300)
    report = with_residuals(classification(), sample_factors={"center_y": values, "age": values, "a": values > 40})
    drawn = replace(report, provenance=replace(report.provenance, configuration={"dataset": {"name": "shapes"}}))
    said = slice_in_words(drawn, "center_y > 0.25 and center_y ≤ 0.5812345 and not a")
    assert said == "distance from the top > 0.25 (share of the height), distance from the top ≤ 0.581 and not a"
    assert slice_in_words(report, "(age ≤ 40.0 or missing)") == "(age ≤ 40 or missing) (18 to 80 in the test samples)"
    assert slice_in_words(report, "of others > 3") == "of others > 3"


def test_a_regression_names_where_its_errors_are_large(regression) -> None:
    known = {"factor": "age", "kind": "numeric", "target": "abs_residual", "n": 200}
    size = np.abs(regression().samples["residual"])
    overall = float(size.mean())
    for p, low, claimed in ((0.01, overall + 0.1, True), (0.2, overall + 0.1, False), (0.01, overall - 0.1, False)):
        part = FactorEffect(**known | {"n": 50}, statistic=Statistic.MEAN, bin="40 to 50", lower=40.0, upper=50.0,
                            estimate=overall + 1, low=low)  # fmt: skip
        one = RegressionSlice(description="age > 40", n=30, abs_residual_mean=5.0, abs_residual_mean_found=6.0,
                              n_rest=70, rest_abs_residual_mean=2.0, p_holm=p)  # fmt: skip
        report = with_residuals(
            regression(), factors=(FactorEffect(**known, statistic=Statistic.SPEARMAN, p_holm=p), part), slices=(one,),
            sample_factors={"age": np.linspace(20, 60, 200)},
        )  # fmt: skip
        texts = [step.text for step in next_steps(report)]
        rest = (overall * 200 - (overall + 1) * 50) / 150
        means = f"{overall + 1:.2f} over 50 samples, {rest:.2f} over the other 150"
        by_factor = (
            f"Add samples where age is 40 to 50 (20 to 60 in the test samples): the mean absolute error is {means}"
        )
        assert (by_factor in texts) == claimed
        by_slice = "the mean absolute error is 5.00 over 30 samples, 2.00 over the other 70"
        assert any(text.endswith(by_slice) for text in texts) == (p <= 0.05 and not claimed)
