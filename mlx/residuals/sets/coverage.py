"""Coverage of prediction sets: of all test samples against its distribution, and of groups adjusted for all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.residuals.errors.error_rate import error_rate_interval
from mlx.results.prediction_sets import Looked, Looks, SetCoverage, worst_covered
from mlx.stats.conformal import CoverageBand, Threshold, coverage_band, summed_coverage, undercoverage_p_value
from mlx.stats.groups import Groups
from mlx.stats.multiple_testing import holm
from mlx.stats.status import OK, Reason, Status


@dataclass(frozen=True)
class Sets:
    """The sets, or intervals, of n test samples for one alpha.

    Attributes
    ----------
    alpha
        Share of new samples that they are made to miss.
    covered
        (n,), whether each holds the truth.
    sizes
        (n,), number of classes, or width.
    thresholds
        One; or one for each class, where these have their own.
    labels
        (n,), true classes, needed with thresholds of classes.
    """

    alpha: float
    covered: Flags
    sizes: Floats
    thresholds: tuple[Threshold, ...]
    labels: Integers | None = None

    @property
    def has_own(self) -> bool:
        """Whether classes have thresholds of their own."""
        return self.labels is not None

    def bound(self, kind: Looked, label: int | None) -> Threshold | None:
        """Return the threshold that the coverage of a group follows from; None where it follows from several."""
        if not self.has_own:
            return self.thresholds[0]
        return self.thresholds[label] if kind is Looked.CLASS and label is not None else None


def covered_groups(
    sets: Sets,
    looks: Sequence[Looks],
    row: SetCoverage,
    *,
    level: float,
    groups: Groups | None,
    chosen_by_validation: bool | None,
) -> tuple[SetCoverage, ...]:
    """Return the coverage of all test samples, then of each group that is looked at.

    Parameters
    ----------
    sets
        Of the n test samples.
    looks
        The groups; the classes first, in the order of their labels.
    row
        What all rows share.
    level
        Of the interval of all samples. Those of m groups have the level 1 − (1 − level)/m.
    groups
        Which samples belong together; None where each is its own.
    chosen_by_validation
        Whether validation samples chose the epoch whose weights the model has.
    """
    whole = np.arange(sets.covered.size)
    first = _covered(sets, (Looked.ALL, "", "", whole), None, row, level, groups)
    if chosen_by_validation and first.status.is_ok:
        first = replace(first, status=Reason.EPOCH_CHOSEN())
    filled = sum(rows.size > 0 for *_, rows in looks)
    narrow = 1 - (1 - level) / max(filled, 1)
    found = [_covered(sets, look, place, row, narrow, groups) for place, look in enumerate(looks)]
    adjusted = holm(np.array([one.p for one in found]))
    return (first, *(replace(one, p_holm=float(p)) for one, p in zip(found, adjusted, strict=True)))


def _covered(
    sets: Sets, look: Looks, label: int | None, shared: SetCoverage, level: float, groups: Groups | None
) -> SetCoverage:
    kind, subject, part, rows = look
    bound = sets.bound(kind, label)
    n_calibration = sum(one.n_calibration for one in sets.thresholds) if bound is None else bound.n_calibration
    row = replace(shared, kind=kind, subject=subject, bin=part, n=int(rows.size), n_calibration=n_calibration)
    if bound is not None:
        row = replace(row, threshold=bound.value)
    if not (why := _why_none(sets, kind, bound, rows)).is_ok:
        return replace(row, threshold=float("nan"), status=why)
    covered, sizes = sets.covered[rows], sets.sizes[rows]
    n_covered = int(covered.sum())
    interval = error_rate_interval(covered, None if groups is None else groups.take(rows), level)
    row = replace(
        row,
        n_covered=n_covered,
        coverage=n_covered / rows.size,
        low=interval.low,
        high=interval.high,
        size_mean=float(sizes.mean()),
        n_empty=int((sizes == 0).sum()),
        status=interval.status,
    )
    if groups is not None:
        return replace(row, status=Reason.NO_P(Reason.NOT_BY_GROUP()) if row.status.is_ok else row.status)
    band, p = _chance(sets, bound, rows, n_covered)
    row = replace(row, expected=band.mean, band_low=band.low, band_high=band.high)
    return row if kind is Looked.ALL else replace(row, p=p)


def _why_none(sets: Sets, kind: Looked, bound: Threshold | None, rows: Integers) -> Status:
    if bound is not None and not bound.status.is_ok:
        return bound.status
    if bound is None and all(not one.status.is_ok for one in sets.thresholds):
        return sets.thresholds[0].status
    if rows.size:
        return OK
    return {Looked.CLASS: Reason.NOT_TESTED(), Looked.PREDICTED: Reason.NEVER_PREDICTED()}.get(
        kind, Reason.EMPTY_SLICE()
    )


def _chance(sets: Sets, bound: Threshold | None, rows: Integers, n_covered: int) -> tuple[CoverageBand, float]:
    """Return the band of the covered samples of a group, and the probability of so few."""
    if bound is not None:
        band = coverage_band(bound.n_calibration, int(rows.size), sets.alpha)
        return band, undercoverage_p_value(n_covered, int(rows.size), bound.n_calibration, sets.alpha)
    assert sets.labels is not None, "thresholds of classes"
    present, counts = np.unique(sets.labels[rows], return_counts=True)
    law = summed_coverage([(sets.thresholds[k], int(n)) for k, n in zip(present, counts, strict=True)], sets.alpha)
    return law.band(), law.p_value(n_covered)


def _why_no_worst(rows: Sequence[SetCoverage]) -> Status:
    """Say why no group is named: none is covered worse, or none was tested, for the reason of the first of them."""
    reasons = [row.status for row in (*rows[1:], rows[0]) if not row.status.is_ok]
    tested = rows[0].n_covered is not None and (len(rows) == 1 or not all(np.isnan(row.p) for row in rows))
    return Reason.NONE_COVERED_WORSE() if tested or not reasons else reasons[0]


def headline_of_sets(rows: Sequence[SetCoverage], level: float) -> dict[str, float | int | str | None]:
    """Return the scalars of the first sets: coverage, size, and the group that is covered worst; none without sets."""
    if not rows:
        return {}
    first = rows[0]
    numbers = {"": first.coverage, "_low": first.low, "_high": first.high, "_expected": first.expected}
    found: dict[str, float | int | str | None] = {
        f"set_coverage{end}": None if np.isnan(value) else value for end, value in numbers.items()
    }
    found["set_size_mean"] = None if np.isnan(first.size_mean) else first.size_mean
    if not first.status.is_ok:
        found["set_coverage_status"] = str(first.status)
    if found["set_size_mean"] is None:
        found["set_size_mean_status"] = str(first.status)
    of_first = tuple(row for row in rows if (row.alpha, row.method) == (first.alpha, first.method))
    worst = worst_covered(of_first, level)
    found["worst_covered"] = None if worst is None else worst.named
    if worst is None:
        return found | {"worst_covered_status": str(_why_no_worst(of_first))}
    return found | {"worst_covered_coverage": worst.coverage, "worst_covered_p_holm": worst.p_holm}
