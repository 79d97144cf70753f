"""All issues of the recorded samples, and what is left of the accuracy without leaked test samples."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Indices
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.issues.duplicates import duplicate_rows
from mlx.residuals.issues.labels import calibrator_of, label_rows, training_label_rows
from mlx.residuals.issues.outliers import mistake_rows, outlier_rows
from mlx.residuals.issues.parts import EqualSamples, Part, ReadInputs, TrainingEvidence
from mlx.results.classification_residuals import Headline
from mlx.results.issues import FoundIssues, Issue, IssueCount, IssueKind
from mlx.results.regression_summary import ISSUES_OF_REGRESSION
from mlx.stats.proportions import wilson_interval
from mlx.stats.status import Reason

SPLITS = ("test", "val", "train")


@dataclass(frozen=True)
class Issues:
    """What was found.

    Attributes
    ----------
    found
        The rows of ``issues.csv`` and ``issue_counts.csv``.
    headline
        JSON scalars: how many issues of each kind, and the accuracy without leaked test samples.
    """

    found: FoundIssues
    headline: Headline


def find_issues(
    parts: Sequence[Part],
    class_names: Sequence[str],
    *,
    seed: int,
    confidence: float,
    equal: EqualSamples | None = None,
    evidence: TrainingEvidence | None = None,
    read_inputs: ReadInputs | None = None,
    map: OrderedMap = in_order,
) -> Issues:
    """Find samples to look at in every part of the data.

    Parameters
    ----------
    parts
        The test part, and others that are recorded.
    class_names
        n_classes names; none of a regression, whose labels and mistakes are not looked at.
    seed
        Of the draws of flawless labels.
    confidence
        Level of the interval of the accuracy.
    equal
        Which raw samples are equal; by default those of equal representation and output.
    evidence
        What the training recorded of its own samples.
    read_inputs
        Returns the inputs of raw rows, by which near duplicates are confirmed.
    map
        How blocks of samples are searched for neighbors.
    """
    found, leaked = duplicate_rows(parts, equal, read_inputs, map)
    every = [found, *outlier_rows(parts, map)]
    test = next(part for part in parts if part.split == "test")
    headline: Headline = {"n_leaked": len(leaked)}
    if class_names:
        validation = next((part for part in parts if part.split == "val"), None)
        calibrator = calibrator_of(validation)
        every += [label_rows(part, class_names, calibrator, seed) for part in parts if part.split != "train"]
        if evidence is not None:
            every.append(training_label_rows(evidence, class_names, seed))
        every += mistake_rows(parts, class_names, calibrator)
        headline |= _accuracy_without(test, leaked, confidence)
    whole = _sorted(every)
    kinds = IssueKind if class_names else ISSUES_OF_REGRESSION
    return Issues(whole, headline | {f"n_issues_{_key(kind)}": _flagged(whole.issues, kind) for kind in kinds})


def _key(kind: IssueKind) -> str:
    return kind.value.replace(" ", "_")


def _flagged(issues: Iterable[Issue], kind: IssueKind) -> int:
    """Count the test samples with an issue."""
    return sum(issue.kind is kind and issue.split == "test" for issue in issues)


def _accuracy_without(test: Part, leaked: Indices, confidence: float) -> Headline:
    kept = ~np.isin(test.index, leaked)
    if not (n := int(kept.sum())):
        return {"accuracy_without_leaks": None, "accuracy_without_leaks_status": str(Reason.ALL_LEAKED())}
    right = int((test.y_pred == test.y_true)[kept].sum())
    interval = wilson_interval(right, n, confidence)
    return {
        "accuracy_without_leaks": right / n,
        "accuracy_without_leaks_low": interval.low,
        "accuracy_without_leaks_high": interval.high,
    }


def _sorted(every: Iterable[FoundIssues]) -> FoundIssues:
    """Put the rows of all kinds together, by kind and part, each in the order in which it was found."""

    def place(row: Issue | IssueCount) -> tuple[int, int]:
        return list(IssueKind).index(row.kind), SPLITS.index(row.split)

    listed = list(every)
    issues = sorted((row for one in listed for row in one.issues), key=place)
    counts = sorted((row for one in listed for row in one.issue_counts), key=place)
    return FoundIssues(tuple(issues), tuple(counts))
