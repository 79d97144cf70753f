"""Samples far from all training samples, and mistakes that the model is sure of."""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.issues.neighbors import nearest
from mlx.residuals.issues.parts import Part, stacked_layers
from mlx.results.issues import FoundIssues, Issue, IssueCount, IssueKind, IssueMethod
from mlx.stats.calibrators import FittedCalibrator
from mlx.stats.status import OK, Reason, Status

TRAINING_QUANTILE = 0.99
"""Share of the training samples that are no farther from their neighbors than an outlier is."""

MOST_NEIGHBORS, SAMPLES_PER_NEIGHBOR = 50, 20
"""The distance is that to the k-th nearest training sample, k = min(50, n / 20)."""

LEAST_SURE = 0.5
"""Share of the right predictions on validation that a confident mistake is at least as sure as."""


def outlier_rows(parts: Sequence[Part], map: OrderedMap = in_order) -> Iterator[FoundIssues]:
    """Yield the outliers of each part but training: farther than the quantile of the training samples' distances."""
    others = [part for part in parts if part.split != "train"]
    train = next((part for part in parts if part.split == "train"), None)
    n = 0 if train is None else len(train.index)
    k = min(MOST_NEIGHBORS, n // SAMPLES_PER_NEIGHBOR)
    if train is None or k < 1:
        why = Reason.NOT_RECORDED("training") if train is None else Reason.TOO_FEW_SAMPLES(SAMPLES_PER_NEIGHBOR)
        for part in others:
            yield FoundIssues((), (_outliers_of(part, status=why),))
        return
    matrix = stacked_layers([train, *others])
    own = nearest(matrix[:n], matrix[:n], k, same=True, map=map)[0][:, -1]
    threshold = float(np.quantile(own, TRAINING_QUANTILE))
    first = n
    for part in others:
        rows = slice(first, first := first + len(part.index))
        distances = nearest(matrix[rows], matrix[:n], k, map=map)[0][:, -1]
        yield _beyond(part, distances, threshold, k)


def _beyond(part: Part, distances: Floats, threshold: float, k: int) -> FoundIssues:
    far = np.flatnonzero(distances > threshold)
    issues = tuple(
        Issue(
            kind=IssueKind.OUTLIER,
            split=part.split,
            index=int(part.index[row]),
            score=float(distances[row]),
            threshold=threshold,
            method=IssueMethod.NEIGHBOR_DISTANCE,
            why=(
                f"farther from training neighbor {k} than {TRAINING_QUANTILE:.0%} of training samples: "
                f"{distances[row]:.4g} > {threshold:.4g}"
            ),
        )
        for row in far[np.argsort(-distances[far], kind="stable")].tolist()
    )
    return FoundIssues(issues, (_outliers_of(part, len(issues), threshold),))


def _outliers_of(part: Part, found: int = 0, threshold: float = float("nan"), status: Status = OK) -> IssueCount:
    known = not np.isnan(threshold)
    return IssueCount(
        kind=IssueKind.OUTLIER,
        split=part.split,
        method=IssueMethod.NEIGHBOR_DISTANCE,
        n=len(part.index) if known else 0,
        n_issues=found,
        expected=(1 - TRAINING_QUANTILE) * len(part.index) if known else float("nan"),
        threshold=threshold,
        status=status,
    )


def mistake_rows(
    parts: Iterable[Part], names: Sequence[str], calibrator: FittedCalibrator | None
) -> Iterator[FoundIssues]:
    """Yield the confident mistakes of each part but training: as sure as half of the right ones on validation.

    The flawless count is the sum of 1 − p over the samples as sure as that, p being the recalibrated probability of
    the predicted class.
    """
    looked_at = [part for part in parts if part.split != "train"]
    reference = next((part for part in looked_at if part.split == "val"), None)
    threshold = None if reference is None else _median_of_right(reference)
    for part in looked_at:
        assert part.probabilities is not None, "a classification"
        if threshold is None:
            why = Reason.NOT_RECORDED("validation") if reference is None else Reason.NONE_RIGHT()
            yield FoundIssues((), (_mistakes_of(part, status=why),))
            continue
        confidence = np.asarray(part.probabilities, np.float64).max(axis=1)
        sure = confidence >= threshold
        wrong = np.flatnonzero(sure & (part.y_pred != part.y_true))
        issues = tuple(
            _mistake(part, row, float(confidence[row]), threshold, names)
            for row in wrong[np.argsort(-confidence[wrong], kind="stable")].tolist()
        )
        p_predicted = part.recalibrated(calibrator)[np.arange(len(sure)), part.y_pred]
        expected = float((1 - p_predicted)[sure].sum())
        yield FoundIssues(issues, (_mistakes_of(part, len(issues), expected, threshold),))


def _median_of_right(part: Part) -> float | None:
    confidence = np.asarray(part.probabilities, np.float64).max(axis=1)
    right = confidence[part.y_pred == part.y_true]
    return float(np.quantile(right, LEAST_SURE)) if right.size else None


def _mistake(part: Part, row: int, confidence: float, threshold: float, names: Sequence[str]) -> Issue:
    given, predicted = int(part.y_true[row]), int(part.y_pred[row])
    return Issue(
        kind=IssueKind.CONFIDENTLY_WRONG,
        split=part.split,
        index=int(part.index[row]),
        score=confidence,
        threshold=threshold,
        suggested_label=predicted,
        method=IssueMethod.CONFIDENCE,
        why=(
            f"labeled {names[given]}, predicted {names[predicted]} with confidence {confidence:.3f}, the median of "
            f"right predictions on validation being {threshold:.3f}"
        ),
    )


def _mistakes_of(
    part: Part,
    found: int = 0,
    expected: float = float("nan"),
    threshold: float = float("nan"),
    status: Status = OK,
) -> IssueCount:
    return IssueCount(
        kind=IssueKind.CONFIDENTLY_WRONG,
        split=part.split,
        method=IssueMethod.CONFIDENCE,
        n=0 if np.isnan(threshold) else len(part.index),
        n_issues=found,
        expected=expected,
        threshold=threshold,
        status=status,
    )
