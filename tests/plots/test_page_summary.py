"""The paragraph at the top of the page and what to do next: each sentence is derived again from the tables."""

import re
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from made_reports import LAYER, estimate, with_evaluation, with_metrics, with_residuals, with_samples
from scipy.stats import poisson

from mlx.plots.page import next_steps as rules
from mlx.plots.page import summary
from mlx.plots.page.first_view import first_view
from mlx.results.classification_residuals import FactorEffect, Slice
from mlx.results.issues import Issue, IssueCount, IssueKind, IssueMethod
from mlx.results.prediction_sets import Looked, SetCoverage, SetMethod
from mlx.results.questions import Question, Statistic
from mlx.results.recalibration import RecalibratedMetric, RecalibrationEffect
from mlx.results.tests import TestResult
from mlx.stats.calibrators import Calibrator
from mlx.stats.status import OK, Reason, no_interval


def plain(text: str) -> str:
    """The text with ordinary spaces, of which numbers have others."""
    return text.replace("\xa0", " ")


def paragraph(report) -> str:
    return plain(summary.paragraph(report))


def next_steps(report) -> list[rules.NextStep]:
    return [replace(step, text=plain(step.text)) for step in rules.next_steps(report)]


def detection(value, low, high, status=None):
    known = {"question": Question.ERROR_BY_ENTROPY, "statistic": Statistic.AUROC, "layer": LAYER, "confidence": 0.95}
    return TestResult(**known, estimate=value, low=low, high=high, **({} if status is None else {"status": status}))


def remedies_of(report) -> str:
    found = list(dict.fromkeys(step.remedy for step in next_steps(report)))[:3]
    return f"What may help: {found[0]}" if found else "Nothing that was tested points to what would help."


@pytest.mark.parametrize("seed", range(50))
def test_the_paragraph_claims_what_intervals_and_counts_say(classification, seed: int) -> None:
    rng = np.random.default_rng(seed)
    report = classification(int(rng.integers(30, 200)), seed=seed, images=False)
    value = rng.uniform(0.2, 0.95)
    half = rng.uniform(0.02, 0.4)
    low, high = (value - half, min(1.0, value + half)) if seed % 4 else (np.nan, np.nan)
    ece_p = float(rng.choice([0.01, 0.3, np.nan]))
    needed = int(rng.integers(1, 60)) if np.isnan(low) else 0
    why = no_interval(Reason.FEW_ERRORS(needed)) if needed else OK
    report = with_random_findings(report, rng, detection(value, low, high, why))
    report = with_metrics(report, ece_p=ece_p, accuracy=estimate(0.8, 0.7, float(rng.choice([0.1, 0.9]))))
    text = paragraph(report)
    assert [step.remedy for step in next_steps(report)] == derived_remedies(report, needed)
    wrong, n = int((~report.samples["correct"]).sum()), len(report.samples)
    assert (f"wrong on {wrong} of {n} test samples" in text) == (wrong > 0)
    least = 100 * (1 - report.evaluation.metrics.accuracy.interval.high)
    assert f"with 95 % confidence, between {least:.1f} % and 30.0 %" in text or not wrong
    assert ("It tends to be unsure" in text) == (low > 0.5)
    assert ("It is surer when it is wrong" in text) == (high < 0.5)
    assert ("too few mistakes or too few right" in text) == (np.isnan(low) and 0 < wrong < n)
    assert ("Its confidence is off" in text) == (ece_p <= 0.05)
    assert ("agrees with its accuracy" in text) == (ece_p > 0.05)
    counts = report.evaluation.confusion - np.diag(np.diag(report.evaluation.confusion))
    first = int(counts.max())
    assert ("Most often it takes" in text) == (first >= 2 and (counts == first).sum() <= 3)
    assert remedies_of(report) in text
    if named := re.search(r"it takes (.+?) \((\d+) of (\d+) mistakes( each)?\)", text):
        names = report.class_names
        pairs = {(names[a], names[p]) for a, p in np.argwhere(counts == first)}
        assert set(re.findall(r"(\w+) for (\w+)", named[1])) == pairs
        assert (named[2], named[3], bool(named[4])) == (str(first), str(counts.sum()), len(pairs) > 1)


def with_random_findings(report, rng, test):
    """Add a test of entropy, and at random an issue, a calibrator, a factor, a slice and a group of any clearness."""

    def number(*values: float) -> float:
        return float(rng.choice(values))

    p = [number(0.001, 0.04, 0.2, np.nan) for _ in range(3)]
    known = {"factor": "noise", "kind": "numeric", "target": "error", "statistic": Statistic.SPEARMAN, "n": 300}
    part = FactorEffect(**known | {"n": 10}, bin="0.4 to 0.5", estimate=0.8, low=number(0.0, 0.9), high=0.95)
    rest, description = number(0.1, 0.9), str(rng.choice(["noise > 0.4", "noise > 0.4 and size > 0.2"]))
    found = Slice(description=description, n=20, n_errors=10, error_rate=0.5, error_rate_found=0.6,
                  rest_error_rate=rest, p_holm=p[1])  # fmt: skip
    group = SetCoverage(alpha=0.1, method=SetMethod.LAC, n=50, n_calibration=100, expected=0.9, kind=Looked.CLASS,
                        subject="cross", coverage=0.7, p_holm=p[2])  # fmt: skip
    method = IssueMethod.NEAR if rng.random() < 0.5 else IssueMethod.EQUAL_INPUTS
    leak = Issue(
        kind=IssueKind.LEAK, split=str(rng.choice(["test", "val"])), index=7, score=0.0, method=method, why="x"
    )
    effect = RecalibrationEffect(
        calibrator=Calibrator.TEMPERATURE, chosen=bool(rng.random() < 0.7), metric=RecalibratedMetric.LOG_LOSS,
        before=0.5, after=0.4, difference=-0.1, low=-0.2, high=number(-0.01, 0.01, np.nan), temperature=1.4,
        n_validation=100, n=300,
    )  # fmt: skip
    report = labels(report, int(rng.integers(0, 9)), number(0.0, 0.4, 4.0, np.nan))
    noise = {name: np.zeros(len(report.samples)) for name in ("noise", "size")}
    report = with_residuals(
        report, tests=(*report.residuals.tests, test), factors=(FactorEffect(**known, p_holm=p[0]), part),
        slices=(found,), prediction_sets=(group,), issues=(*report.residuals.issues, leak), sample_factors=noise,
    )  # fmt: skip
    return with_evaluation(report, recalibration=SimpleNamespace(effects=(effect,)))


def derived_remedies(report, needed: int) -> list[str]:
    """What may help by the tables alone, as methods.md states the rule: in its order, at most five."""
    results, wrong, n = report.residuals, int((~report.samples["correct"]).sum()), len(report.samples)
    counts, (count,), (whole, part) = report.evaluation.confusion, results.issue_counts, results.factors
    (found,), (group,), (effect,) = results.slices, results.prediction_sets, report.evaluation.recalibration.effects
    expected_right = sum(counts[k].sum() * counts[:, k].sum() for k in range(len(counts))) / n**2
    exact = [
        one for one in results.issues if one.kind == "leak" and one.split == "test" and one.method != IssueMethod.NEAR
    ]
    many = count.n_issues > 0 and poisson.sf(count.n_issues - 1, count.expected) <= 0.05
    by_factor = whole.p_holm <= 0.05 and part.low > wrong / n
    confirmed = found.p_holm <= 0.05 and found.error_rate > found.rest_error_rate
    more = -(-n * needed // max(wrong, 1)) - n
    rules = [
        (report.evaluation.metrics.accuracy.interval.high < expected_right, "checking the order of the classes"),
        (exact, "a split without repeated samples"),
        (many, f"checking {count.n_issues} label{'s' * (count.n_issues > 1)}"),
        (effect.chosen and effect.high < 0, "recalibrating by temperature (T = 1.40)"),
        (by_factor, "more data where noise is 0.4 to 0.5"),
        (
            confirmed and not (by_factor and " and " not in found.description),
            "more data like those of the weakest slice",
        ),
        (group.p_holm <= 0.05, "prediction sets calibrated by class"),
        (needed > wrong > 0, f"about {more} more test sample{'s' * (more > 1)}"),
    ]
    return [remedy for holds, remedy in rules if holds][:5]


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
    assert text.startswith(
        "It is right less often than its own predictions in random order would be (0 %, where these have 20.0 %)"
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "says"),
    [
        (0.9, 0.8, 0.95, "It explains 90.0 % of the target's variance (R² 0.90 [0.80, 0.95])."),
        (0.1, -0.2, 0.3, "These samples do not show that it is better than predicting the mean"),
        (-0.5, -0.9, -0.2, "It is worse than predicting the mean"),
        (1.0, np.nan, np.nan, "(RMSE 2.00 [1.50, 3.00])."),
    ],
)
def test_a_regression_says_what_its_intervals_show(regression, value, low, high, says):
    report = with_metrics(regression(), rmse=estimate(2.0, 1.5, 3.0), r2=estimate(value, low, high))
    assert says in paragraph(report).replace("\N{MINUS SIGN}", "-")


def labels(report, n_issues, expected):
    found = tuple(
        Issue(kind=IssueKind.LABEL, split="test", index=k, score=0.1, method=IssueMethod.CONFIDENT_LEARNING, why="x")
        for k in range(n_issues)
    )
    count = IssueCount(
        kind=IssueKind.LABEL, split="test", method=IssueMethod.CONFIDENT_LEARNING, n=300, n_issues=n_issues,
        expected=expected,
    )  # fmt: skip
    return with_residuals(report, issues=found, issue_counts=(count,))


def test_labels_are_named_where_there_are_more_than_of_flawless_data(classification) -> None:
    (step,) = next_steps(labels(classification(), 9, 1.2))
    assert step.text == "9 test samples look mislabeled, where flawless data would have 1.2: look at them"
    assert step.samples == tuple(range(9))
    for n, expected in ((9, 8.0), (1, 0.5), (0, 0.0), (9, np.nan)):
        assert not next_steps(labels(classification(), n, expected))


@pytest.mark.parametrize(("method", "said"), [(IssueMethod.EQUAL_INPUTS, True), (IssueMethod.NEAR, False)])
def test_exact_leaks_are_a_fact_and_near_ones_are_not_claimed(classification, method, said: bool) -> None:
    leak = Issue(kind=IssueKind.LEAK, split="test", index=7, related_index=3, score=0.0, method=method, why="x")
    of_val = Issue(kind=IssueKind.LEAK, split="val", index=8, related_index=3, score=0.0, method=method, why="x")
    steps = next_steps(with_residuals(classification(), issues=(leak, of_val)))
    assert [step.text for step in steps] == [
        "1 test sample repeats samples of another part: divide the data anew"
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
    assert not said or texts[0].startswith("Recalibrating by temperature (T = 1.40) changes the log loss by ")


@pytest.mark.parametrize(("p", "low", "said"), [(0.01, 0.6, True), (0.2, 0.6, False), (0.01, 0.0, False)])
def test_a_factor_is_named_where_its_test_and_the_interval_of_its_part_hold(classification, p, low, said) -> None:
    known = {"factor": "noise", "kind": "numeric", "target": "error", "statistic": Statistic.SPEARMAN, "n": 300}
    whole = FactorEffect(**known, p_holm=p)
    part = FactorEffect(**known | {"n": 10}, bin="0.4 to 0.5", estimate=0.8, low=low, high=0.9)
    report = with_residuals(classification(), factors=(whole, part))
    steps, wrong, n = next_steps(report), int((~report.samples["correct"]).sum()), len(report.samples)
    assert bool(steps) == said
    others = f"{100 * (wrong - 8) / (n - 10):.1f} % of the others"
    expected = f"Errors are more frequent where noise is 0.4 to 0.5 (80.0 % of 10 samples, {others}): add such data"
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
    assert not said or "70.0 % of 50 samples of class cross, where 90.0 % are to be expected" in steps[0].text


def test_too_few_mistakes_say_how_many_samples_would_do(classification) -> None:
    report = classification()
    wrong = int((~report.samples["correct"]).sum())
    status = no_interval(Reason.FEW_EXPECTED_ERRORS(2 * wrong))
    report = with_residuals(report, tests=(detection(0.7, np.nan, np.nan, status),))
    (step,) = next_steps(report)
    assert step.text == "Too few mistakes to say whether the model knows them: about 300 more test samples would do"


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
