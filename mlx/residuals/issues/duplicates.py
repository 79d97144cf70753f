"""Samples that repeat another: in their own part of the data (duplicates), or in one that the model saw (leaks)."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mlx.core.array_types import Array, Flags, Floats, Indices, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.geometry.dimension import EQUAL, MIN_SAMPLES, pareto_exponent
from mlx.residuals.issues.neighbors import distances_between, nearest
from mlx.residuals.issues.parts import ORDER, EqualSamples, Part, ReadInputs, stacked_layers
from mlx.results.issues import FoundIssues, Issue, IssueCount, IssueKind, IssueMethod
from mlx.stats.duplicates import find_duplicates
from mlx.stats.near_duplicates import NearThreshold, near_threshold
from mlx.stats.status import OK, Reason, Status

MOST_SAMPLES = 50_000
"""Most samples of all parts together among which near duplicates are looked for, which takes time in their square."""

CONFIRMED = 0.5
"""Share of the median nearest distance of the inputs below which those of a near duplicate confirm it."""

MOST_QUERIES = 500
"""Samples whose nearest inputs give that median."""

MOST_INPUTS = 1 << 26
"""Most numbers of all inputs among which the nearest are looked for; of more, of samples evenly spread."""


def duplicate_rows(
    parts: Sequence[Part], equal: EqualSamples | None, read_inputs: ReadInputs | None, map: OrderedMap = in_order
) -> tuple[FoundIssues, Indices]:
    """Return duplicates and leaks, and which test samples (m,), rows in the raw data, leak from another part for sure.

    Equal samples are those of `equal`; where it is None, those of equal representation and output. A near duplicate
    that is known to be far apart in the inputs is left out.
    """
    method = IssueMethod.EQUAL_OUTPUTS if equal is None else IssueMethod.EQUAL_INPUTS
    known = _equal_outputs(parts) if equal is None else equal
    exact = tuple(_exact_rows(known, method))
    near, counts, confirmed = _near_rows(parts, known, read_inputs, {(row.kind, row.index) for row in exact}, map)
    sizes = {split: len(rows) for split, rows in known.rows.items()}
    issues = (*exact, *near)
    certain = [*exact, *(near if confirmed else ())]
    leaked = {row.index for row in certain if row.kind is IssueKind.LEAK and row.split == "test"}
    found = FoundIssues(issues, (*_counts(exact, method, sizes, expected=0.0), *counts))
    return found, np.array(sorted(leaked), np.int64)


def _equal_outputs(parts: Sequence[Part]) -> EqualSamples:
    """Take samples of the same representation and output for equal."""
    ordered = _ordered(parts)
    first = find_duplicates(
        stacked_layers(ordered), np.concatenate([np.asarray(part.outputs) for part in ordered])
    ).first
    index = np.concatenate([part.index for part in ordered])
    group = np.arange(int(index.max()) + 1)
    group[index] = index[first]
    return EqualSamples(group, {part.split: part.index for part in ordered})


def _ordered(parts: Sequence[Part]) -> list[Part]:
    return sorted(parts, key=lambda part: ORDER.index(part.split))


def _exact_rows(equal: EqualSamples, method: IssueMethod) -> Iterator[Issue]:
    """Yield each sample that equals one of an earlier part (leak), or one before it in its own part (duplicate)."""
    first_of_all: dict[int, tuple[str, int]] = {}
    for split in (name for name in ORDER if name in equal.rows):
        first_here: dict[int, int] = {}
        rows = np.sort(equal.rows[split])
        for row, group in zip(rows.tolist(), equal.group[rows].tolist(), strict=True):
            earlier, place = first_here.setdefault(group, row), first_of_all.setdefault(group, (split, row))
            if earlier != row:
                yield _issue(IssueKind.DUPLICATE, split, row, earlier, method, f"equals sample {earlier} of {split}")
            if place[0] != split:
                yield _issue(IssueKind.LEAK, split, row, place[1], method, f"equals sample {place[1]} of {place[0]}")


def _issue(
    kind: IssueKind, split: str, row: int, other: int, method: IssueMethod, why: str, score: float = 0.0,
    threshold: float = 0.0,
) -> Issue:  # fmt: skip
    return Issue(
        kind=kind, split=split, index=row, related_index=other, score=score, threshold=threshold, method=method, why=why
    )


def _counts(
    issues: Sequence[Issue],
    method: IssueMethod,
    sizes: Mapping[str, int],
    *,
    expected: float = float("nan"),
    threshold: float = 0.0,
    status: Status = OK,
) -> Iterator[IssueCount]:
    """Yield the counts of duplicates and leaks, a row for each part; nothing leaks into the first part."""
    for split, n in sizes.items():
        for kind in (IssueKind.DUPLICATE, IssueKind.LEAK):
            if kind is IssueKind.LEAK and split == "train":
                continue
            found = sum(issue.kind is kind and issue.split == split for issue in issues)
            yield IssueCount(kind=kind, split=split, method=method, n=n, n_issues=found, expected=expected,
                             threshold=threshold, status=status)  # fmt: skip


@dataclass(frozen=True)
class _Distinct:
    """The recorded samples, the first of equal ones alone: part, row in the raw data, place in its part."""

    splits: Array
    index: Indices
    matrix: Any

    @classmethod
    def of(cls, parts: Sequence[Part], equal: EqualSamples) -> "_Distinct":
        ordered = _ordered(parts)
        index = np.concatenate([part.index for part in ordered])
        splits = np.repeat([part.split for part in ordered], [len(part.index) for part in ordered])
        kept = np.sort(np.unique(equal.group[index], return_index=True)[1])
        return cls(splits[kept], index[kept], stacked_layers(ordered)[kept])


def _near_rows(
    parts: Sequence[Part],
    equal: EqualSamples,
    read_inputs: ReadInputs | None,
    known: set[tuple[IssueKind, int]],
    map: OrderedMap,
) -> tuple[tuple[Issue, ...], tuple[IssueCount, ...], bool]:
    """Return near duplicates that are not `known` with their counts, and whether the inputs confirm them."""
    sizes = {part.split: len(part.index) for part in _ordered(parts)}
    if sum(sizes.values()) > MOST_SAMPLES:
        return (), _missing(sizes, Reason.TOO_MANY_SAMPLES(MOST_SAMPLES)), False
    samples = _Distinct.of(parts, equal)
    if len(samples.index) < MIN_SAMPLES:
        return (), _missing(sizes, Reason.TOO_FEW_POSITIONS(MIN_SAMPLES)), False
    distances, others = nearest(samples.matrix, samples.matrix, 2, same=True, map=map)
    threshold = _threshold(distances)
    if threshold is None:
        return (), _missing(sizes, Reason.EQUALLY_FAR()), False
    pairs, apart = _pairs(distances, others, threshold.distance)
    status, said = Reason.NOT_CONFIRMED(), ", not confirmed in the inputs"
    if read_inputs is not None:
        confirmed = _confirmed(samples, pairs, read_inputs)
        pairs, apart, status, said = pairs[confirmed], apart[confirmed], OK, ", confirmed in the inputs"
    issues = tuple(_near_issues(samples, pairs, apart, threshold, said, known))
    # The number of false ones is one of all parts together.
    counts = _counts(issues, IssueMethod.NEAR, sizes, threshold=threshold.distance, status=status)
    shares = {split: size / sum(sizes.values()) for split, size in sizes.items()}
    counted = tuple(replace(one, expected=threshold.expected_false * shares[one.split]) for one in counts)
    return issues, counted, read_inputs is not None


def _missing(sizes: Mapping[str, int], why: Status) -> tuple[IssueCount, ...]:
    rows = _counts((), IssueMethod.NEAR, dict.fromkeys(sizes, 0), threshold=float("nan"), status=why)
    return tuple(rows)


def _threshold(distances: Floats) -> NearThreshold | None:
    """Return below which distance samples are near, by their two nearest distances (n, 2); None if equally far."""
    known = distances[:, 0] > 0
    if not known.any():
        return None
    log_ratios = np.log(distances[known, 1] / distances[known, 0])
    if np.median(log_ratios) <= EQUAL:
        return None
    dimension, _ = pareto_exponent(log_ratios)
    return near_threshold(len(distances), float(np.median(distances[:, 0])), dimension)


def _pairs(distances: Floats, others: Integers, threshold: float) -> tuple[Integers, Floats]:
    """Return the pairs (m, 2) below the threshold, each once with the earlier sample first, and their distances."""
    row, column = np.nonzero(distances < threshold)
    ends = np.sort(np.stack([row, others[row, column]], axis=1), axis=1)
    pairs, first = np.unique(ends, axis=0, return_index=True)
    return pairs, distances[row, column][first]


def _confirmed(samples: _Distinct, pairs: Integers, read_inputs: ReadInputs) -> Flags:
    """Whether the inputs of each pair are near, too (m,): beside the median nearest distance of the inputs."""
    if not len(pairs):
        return np.zeros(0, bool)
    first, second = (np.asarray(read_inputs(samples.index[end]), np.float64) for end in pairs.T)
    n = len(samples.index)
    most = min(n, max(2, MOST_INPUTS // first[0].size))
    inputs = np.asarray(read_inputs(samples.index[_evenly(n, most)]), np.float64).reshape(most, -1)
    distances, _ = nearest(inputs[_evenly(most, min(most, MOST_QUERIES))], inputs, 2)
    typical = float(np.median(distances[:, 1]))  # the nearest is the sample itself
    return np.asarray(distances_between(first, second) < CONFIRMED * typical)


def _evenly(n: int, chosen: int) -> Integers:
    return np.linspace(0, n - 1, chosen).astype(np.intp)


def _near_issues(
    samples: _Distinct, pairs: Integers, apart: Floats, threshold: NearThreshold, said: str,
    known: set[tuple[IssueKind, int]],
) -> Iterator[Issue]:  # fmt: skip
    """Yield one issue for each kind and later sample of a pair, that of its nearest, unless it is `known`."""
    seen = set(known)
    for place in np.argsort(apart, kind="stable").tolist():
        earlier, later = pairs[place].tolist()
        split, other = str(samples.splits[later]), str(samples.splits[earlier])
        kind = IssueKind.DUPLICATE if split == other else IssueKind.LEAK
        if (kind, later) in seen:
            continue
        seen.add((kind, later))
        row, first = int(samples.index[later]), int(samples.index[earlier])
        why = (
            f"nearly equals sample {first} of {other}: distance {apart[place]:.3g}, {threshold.factor:.2g} times the "
            f"median nearest distance is {threshold.distance:.3g}{said}"
        )
        yield _issue(kind, split, row, first, IssueMethod.NEAR, why, float(apart[place]), threshold.distance)
