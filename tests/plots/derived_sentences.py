"""Random findings of a report, and the sentences that the page has to make of them, derived from the tables alone."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
from made_reports import with_evaluation, with_residuals, with_samples
from scipy.stats import fisher_exact, poisson

from mlx.plots.page import next_steps as rules
from mlx.plots.page import summary
from mlx.results.classification_residuals import FactorEffect, Slice
from mlx.results.issues import Issue, IssueCount, IssueKind, IssueMethod
from mlx.results.prediction_sets import Looked, SetCoverage, SetMethod
from mlx.results.questions import Statistic
from mlx.results.recalibration import RecalibratedMetric, RecalibrationEffect
from mlx.stats.calibrators import Calibrator


def plain(text: str) -> str:
    """The text with ordinary spaces and minus signs, of which numbers have others."""
    return text.replace("\xa0", " ").replace("\N{MINUS SIGN}", "-")


def paragraph(report) -> str:
    return plain(summary.paragraph(report))


def next_steps(report) -> list[rules.NextStep]:
    return [replace(step, text=plain(step.text)) for step in rules.next_steps(report)]


def share(value: float) -> str:
    return f"{100 * value:.0f} %" if value in (0, 1) else f"{100 * value:.1f} %"


def of(count: int, n: int) -> str:
    return f"{count} of {n} ({share(count / n)})"


def with_weak_classes(report, rng):
    """Predict some samples of up to four classes as the next class."""
    samples, n_classes = report.samples, len(report.class_names)
    true, predicted = samples["y_true"].to_numpy(), samples["y_pred"].to_numpy().copy()
    for k in range(rng.integers(0, 5)):
        flipped = (true == k) & (rng.random(len(true)) < rng.choice([0.2, 0.9]))
        predicted[flipped] = (k + 1) % n_classes
    counts = np.zeros((n_classes, n_classes), int)
    np.add.at(counts, (true, predicted), 1)
    return with_evaluation(with_samples(report, y_pred=predicted, correct=predicted == true), confusion=counts)


def weak(report) -> list[tuple[str, int, int]]:
    """Name, errors and samples of the classes that fail more often by Fisher's mid-p after Holm's adjustment."""
    counts, found = report.evaluation.confusion, []
    n, wrong = counts.sum(), counts.sum() - np.trace(counts)
    for k, row in enumerate(counts):
        errors = row.sum() - row[k]
        table = [[errors, row.sum() - errors], [wrong - errors, n - row.sum() - wrong + errors]]
        tables = [np.add(table, step) for step in (0, [[1, -1], [-1, 1]])]
        exact, beyond = (fisher_exact(one, "greater").pvalue if one.min() >= 0 else 0.0 for one in tables)
        found.append(((exact + beyond) / 2, report.class_names[k], int(errors), int(row.sum())))
    found.sort()
    kept = []
    for place, (p, *one) in enumerate(found):
        if p * (len(found) - place) > 0.05:
            break
        kept.append(tuple(one))
    return sorted(kept, key=lambda one: (-one[1] / one[2], -one[1]))


def joined(texts: list[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"


def derived_classes(report) -> str:
    found, n, wrong = weak(report), len(report.samples), int((~report.samples["correct"]).sum())
    if not found:
        return ""
    shares = joined([f"“{name}” ({errors} of {size}, {share(errors / size)})" for name, errors, size in found[:3]])
    if len(found) > 3:
        return f"{len(found)} classes fail more often than the others, among them {shares}."
    if len(found) > 1:
        return f"Classes {shares} fail more often than the others."
    ((name, errors, size),) = found
    rest = f"against {wrong - errors} of {n - size}, {share((wrong - errors) / (n - size))}, of the others"
    return (
        f"Class “{name}” fails more often than the others: {errors} of {size} samples ({share(errors / size)}, {rest})."
    )


def with_random_findings(report, rng, test):
    """Add a test of entropy, and at random an issue, a calibrator, a factor, a slice and a group of any clearness."""

    def number(*values: float) -> float:
        return float(rng.choice(values))

    p = [number(0.001, 0.04, 0.2, np.nan) for _ in range(3)]
    known = {"factor": "noise", "kind": "numeric", "target": "error", "statistic": Statistic.SPEARMAN, "n": 300}
    part = FactorEffect(**known | {"n": 10}, bin="0.4 to 0.5", lower=0.4, upper=0.5, estimate=0.8,
                        low=number(0.0, 0.9), high=0.95)  # fmt: skip
    rest, description = number(0.1, 0.9), str(rng.choice(["noise > 0.4", "noise > 0.4 and size > 0.2"]))
    found = Slice(description=description, n=20, n_errors=10, error_rate=0.5, error_rate_found=0.6, n_rest=30,
                  rest_error_rate=rest, p_holm=p[1])  # fmt: skip
    kind, subject = (Looked.CLASS, "cross") if rng.random() < 0.5 else (Looked.FACTOR, "noise")
    group = SetCoverage(alpha=0.1, method=SetMethod.LAC, n=50, n_calibration=100, expected=0.9, kind=kind,
                        subject=subject, coverage=0.7, p_holm=p[2])  # fmt: skip
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
    factors = {name: np.linspace(0.25, 1, len(report.samples)) for name in ("noise", "size")}
    report = with_residuals(
        report, tests=(*report.residuals.tests, test), factors=(FactorEffect(**known, p_holm=p[0]), part),
        slices=(found,), prediction_sets=(group,), issues=(*report.residuals.issues, leak), sample_factors=factors,
    )  # fmt: skip
    return with_evaluation(report, recalibration=SimpleNamespace(effects=(effect,)))


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


def derived_steps(report, needed: int) -> list[tuple[str, str]]:
    """What to do and what may help by the tables alone, in the order of the rules, at most five."""
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
    rest = of(round(30 * found.rest_error_rate), 30)
    scale = "(0.25 to 1 in the test samples)"
    where = f"noise > 0.4 {scale}" + f" and size > 0.2 {scale}" * (" and " in found.description)
    s, of_class, more = "" if count.n_issues == 1 else "s", group.kind == "class", -(-n * needed // max(wrong, 1)) - n
    by_group = {
        "factor": f"where {group.subject} is {group.bin}", "slice": f"where {group.subject}",
    }.get(group.kind, f"predicted as “{group.subject}”")  # fmt: skip
    a_few = f"about {more} more test sample{'s' * (more > 1)}"
    failing = weak(report)
    rules = [
        (report.evaluation.metrics.accuracy.interval.high < expected_right,
         "Check that labels and probabilities have the classes in one order: the model is right on 80.0 % of the "
         f"samples, its own predictions in random order would be on {share(expected_right)}",
         "checking the order of the classes"),
        (exact, "Divide the data anew: 1 test sample repeats samples of another part",
         "a split without repeated samples"),
        (many, f"Check the label{s} of {count.n_issues} test sample{s} that look{'' if s else 's'} mislabeled; "
         f"flawless data would have {count.expected:.1f}", f"checking {count.n_issues} label{s}"),
        (effect.chosen and effect.high < 0, "Recalibrate by temperature (T = 1.40): the log loss changes from 0.500 by "
         "-0.100 (95 % interval -0.200 to -0.010)", "recalibrating by temperature (T = 1.40)"),
        (failing, *derived_classes_step(failing, n, wrong)),
        (by_factor, f"Add samples where noise is 0.4 to 0.5 {scale}: 8 of 10 (80.0 %) are wrong, against "
         f"{of(wrong - 8, n - 10)} of the other samples", "more data where noise is 0.4 to 0.5"),
        (confirmed and not (by_factor and " and " not in found.description),
         f"Add samples where {where}: found on one half of the test samples, checked on the other: 10 of 20 "
         f"(50.0 %) are wrong, against {rest} outside these conditions",
         "more data under the conditions that fail most (below)"),
        (group.p_holm <= 0.05, ("Calibrate prediction sets by class" if of_class else
         f"Report the prediction sets of samples {by_group} apart") + ": they hold the truth in 70.0 % of 50 samples"
         f"{f' of class “{group.subject}”' * of_class}, where 90.0 % are to be expected",
         "prediction sets calibrated by class" if of_class else "prediction sets reported by group"),
        (needed > wrong > 0, f"Collect {a_few}: there are too few mistakes to say whether the model knows them", a_few),
    ]  # fmt: skip
    return [(text, remedy) for holds, text, remedy in rules if holds][:5]


def derived_classes_step(failing, n: int, wrong: int) -> tuple[str, str]:
    names = joined([f"“{name}”" for name, *_ in failing[:3]]) if failing else ""
    if len(failing) == 1:
        ((name, errors, size),) = failing
        rest = f"{of(wrong - errors, n - size)} of the other classes"
        return (
            f"Add samples of class “{name}”: {of(errors, size)} are wrong, against {rest}",
            f"more data of class “{name}”",
        )
    shares = joined(
        [f"“{name}” ({errors} of {size}, {share(errors / size)})" for name, errors, size in failing[:3]] or [""]
    )
    more = f" and {len(failing) - 3} more" * (len(failing) > 3)
    text = f"Add samples of the classes that fail more often than the others: {shares}{more}"
    return text, f"more data of classes {names}"
