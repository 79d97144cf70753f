"""Labels that are likely wrong: by confident learning, or by the area under the margin of the training."""

from collections.abc import Sequence

import numpy as np

from mlx.core.array_types import Array, Floats, Integers, Scores
from mlx.residuals.issues.parts import Part, TrainingEvidence
from mlx.results.issues import FoundIssues, Issue, IssueCount, IssueKind, IssueMethod
from mlx.stats.calibrator_choice import choose_calibrator, fit_calibrators
from mlx.stats.calibrators import Calibrator, FittedCalibrator, fit_calibrator
from mlx.stats.label_issues import flawless_count, label_issues
from mlx.stats.status import Reason, Status
from mlx.stats.validation_outputs import ValidationOutputs

MOST_RANKED = 100
SHARE_RANKED = 0.01
"""Training samples that are listed by the area under the margin, which has no threshold: at most so many."""


def label_rows(part: Part, names: Sequence[str], calibrator: FittedCalibrator | None, seed: int) -> FoundIssues:
    """Return the label issues of a part whose samples did not train the model.

    The flawless count is that of recalibrated probabilities; with None, of the probabilities as recorded.
    """
    assert part.probabilities is not None, "a classification"
    status = Reason.NOT_RECALIBRATED() if calibrator is None else calibrator.status
    found, calibrated = (part.split, part.index, part.y_true, part.probabilities), part.recalibrated(calibrator)
    return _confident_learning(*found, names, calibrated=calibrated, seed=seed, status=status)


def training_label_rows(evidence: TrainingEvidence, names: Sequence[str], seed: int) -> FoundIssues:
    """Return the label issues of the training part: by confident learning where there are outputs of cross-fitting.

    Otherwise the samples with the least area under the margin, which are ranked and not flagged.
    """
    if evidence.probabilities is not None:
        assert evidence.index is not None
        assert evidence.y_true is not None
        p, z, y = evidence.probabilities, evidence.logits, evidence.y_true
        whole = Part("train", evidence.index, y, y, None, p, z)
        fitted = fit_calibrator(Calibrator.TEMPERATURE, p, z, y)
        calibrated = whole.recalibrated(fitted)
        return _confident_learning(
            "train", evidence.index, y, p, names, calibrated=calibrated, seed=seed, status=fitted.status
        )
    margins = evidence.area_under_margin
    if not margins.size:
        return _none("train", IssueMethod.AREA_UNDER_MARGIN, Reason.NO_TRAINING_EVIDENCE())
    ranked = np.argsort(margins, kind="stable")[: min(MOST_RANKED, int(np.ceil(SHARE_RANKED * margins.size)))]
    rows = tuple(
        Issue(
            kind=IssueKind.LABEL,
            split="train",
            index=int(evidence.margin_index[row]),
            score=float(margins[row]),
            method=IssueMethod.AREA_UNDER_MARGIN,
            why=f"rank {rank} of {margins.size} by area under the margin, {margins[row]:.3g}; ranked, not flagged",
        )
        for rank, row in enumerate(ranked.tolist(), 1)
    )
    return FoundIssues(
        rows, (_count("train", IssueMethod.AREA_UNDER_MARGIN, margins.size, len(rows), status=Reason.RANKED_ONLY()),)
    )


def calibrator_of(validation: Part | None) -> FittedCalibrator | None:
    """Return the calibrator that the half of validation which fits and selects chooses; None without validation."""
    if validation is None or validation.probabilities is None:
        return None
    outputs = ValidationOutputs(
        validation.probabilities, validation.logits, validation.y_true, validation.index, groups=validation.groups
    )
    return choose_calibrator(fit_calibrators(outputs.fitting(), Calibrator)).fitted


def _confident_learning(
    split: str,
    index: Array,
    labels: Integers,
    probabilities: Scores,
    names: Sequence[str],
    *,
    calibrated: Floats,
    seed: int,
    status: Status,
) -> FoundIssues:
    p = np.asarray(probabilities, np.float64)
    found = label_issues(p, labels)
    flagged = np.flatnonzero(found.flagged)
    given, suggested = labels[flagged], found.suggested[flagged]
    gap = p[flagged, suggested] - p[flagged, given]
    rows = tuple(
        Issue(
            kind=IssueKind.LABEL,
            split=split,
            index=int(index[row]),
            score=float(p[row, k]),
            threshold=float(found.thresholds[k]),
            suggested_label=int(k),
            method=IssueMethod.CONFIDENT_LEARNING,
            why=(
                f"labeled {names[y]} (p {p[row, y]:.3f}), predicted {names[k]} (p {p[row, k]:.3f}, mean of that label "
                f"{found.thresholds[k]:.3f})"
            ),
        )
        for row, y, k in (
            (int(flagged[i]), int(given[i]), int(suggested[i])) for i in np.argsort(-gap, kind="stable").tolist()
        )
    )
    expected = flawless_count(calibrated, seed=seed)
    count = _count(split, IssueMethod.CONFIDENT_LEARNING, len(p), len(rows), expected=expected, status=status)
    return FoundIssues(rows, (count,))


def _none(split: str, method: IssueMethod, why: Status) -> FoundIssues:
    return FoundIssues((), (_count(split, method, 0, 0, status=why),))


def _count(
    split: str, method: IssueMethod, n: int, found: int, *, expected: float = float("nan"), status: Status
) -> IssueCount:
    return IssueCount(
        kind=IssueKind.LABEL, split=split, method=method, n=n, n_issues=found, expected=expected, status=status
    )
