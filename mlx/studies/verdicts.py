"""What the differences of a study say, in words."""

from mlx.results.study import CellDifference
from mlx.runs.verdicts import Evidence, Verdict, verdict_of
from mlx.studies.infer import StudyInference


def verdicts(inference: StudyInference, level: float) -> list[Verdict]:
    """Return a verdict for each pair of cells and metric, pairs with the baseline first."""
    rows = sorted(inference.differences, key=lambda row: not row.baseline)
    return [
        verdict_of(row.first, row.second, row.metric, _evidence(row, round(1 - level, 12)), baseline=row.baseline)
        for row in rows
    ]


def _evidence(row: CellDifference, alpha: float) -> Evidence:
    """Return what a verdict goes by: the tests with the baseline are a family of their own."""
    own = row.baseline and row.p_holm_baseline == row.p_holm_baseline
    return Evidence(
        difference=row.difference,
        low=row.low_holm,
        high=row.high_holm,
        confidence=row.confidence_holm,
        p=row.p_holm_baseline if own else row.p_holm,
        family=f" adjusted for all {'comparisons with the baseline' if own else 'pairs'}",
        alpha=alpha,
        question=row.question,
        status=row.status,
    )
