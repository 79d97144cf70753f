"""Similarity against entropy in one layer: estimate, interval and p-value, pooled, within class, by class."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.association.by_group import associate_by_group
from mlx.residuals.association.class_permutation import class_p_values
from mlx.residuals.association.delete_one import is_small_enough, pooled_pearson
from mlx.residuals.association.layer import (
    Layer,
    effective_entropies,
    least_class_size,
    why_no_correlation,
    why_no_spread,
)
from mlx.residuals.association.permutation import (
    Group,
    correlations,
    group_of,
    p_method,
    pooled_p_values,
)
from mlx.residuals.association.resampling import (
    LARGEST_BOOTSTRAP,
    NOTHING,
    Both,
    bootstrap_chunks,
    grouped_jackknife,
    joined_replicates,
    node_bootstrap,
)
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.questions import CORRELATIONS, Question, Scope
from mlx.results.tests import TestResult
from mlx.stats.correlation_intervals import MIN_CLASS_SIZE, jackknife_interval
from mlx.stats.permutation import PermutationTest, permutations_for
from mlx.stats.status import Reason, Status, no_interval
from mlx.stats.studentized import MANY_SAMPLES

P_METHODS = {
    Scope.POOLED: "studentized, permutation of entropy",
    Scope.WITHIN_CLASS: "studentized, permutation of entropy within predicted class",
    Scope.CLASS: "studentized, permutation of entropy",
}


def associate(
    layer: Layer, n_classes: int, settings: ResidualsSettings, *, n_layers: int = 1, map: OrderedMap = in_order
) -> list[TestResult]:
    """Correlate similarity with entropy: over all samples, within predicted class, and in every class.

    Over all asks whether unsure samples have dissimilar classmates, and mixes in differences between classes.
    Within class centers (or ranks and centers) both sides by class, and permutes entropies within class. An
    estimate below 0 says that samples far from their classmates are those the model is unsure of.

    Of ``n_layers`` layers, the tests are adjusted together: the more there are, the more permutations each may take.
    """
    members = [layer.members(label) for label in range(n_classes)]
    classes = {label: rows for label, rows in enumerate(members) if rows.size > 1 and layer.has_similarity(rows)}
    rows = np.concatenate([*classes.values(), np.empty(0, dtype=np.intp)])
    of_class = [_asked(layer, Scope.CLASS, own.size, settings, label) for label, own in enumerate(members)]
    overall = [_asked(layer, scope, rows.size, settings) for scope in (Scope.POOLED, Scope.WITHIN_CLASS)]
    statuses = [_class_status(layer, label, own) for label, own in enumerate(members)]
    if not (why := why_no_correlation(layer, rows)).is_ok:
        groups = [(asked, why) for asked in overall] + list(zip(of_class, statuses, strict=True))
        return [replace(test, status=status) for asked, status in groups for test in asked]
    tested = {label: asked for label, asked in enumerate(of_class) if statuses[label].is_ok}
    if layer.groups is None:
        found = _associated(layer, classes, (overall[0], overall[1], tested), settings, n_layers, map)
    else:
        found = associate_by_group(
            layer, layer.groups, classes, (overall[0], overall[1], tested), settings, n_layers, map
        )
    pooled, within, by_class = found
    if not (why := why_no_spread(layer, list(classes.values()))).is_ok:
        within = [replace(test, status=why) for test in overall[1]]
    each = [
        by_class[label] if status.is_ok else [replace(test, status=status) for test in asked]
        for label, (asked, status) in enumerate(zip(of_class, statuses, strict=True))
    ]
    return [*pooled, *within, *(test for tests in each for test in tests)]


def _associated(
    layer: Layer,
    classes: dict[int, Integers],
    asked: tuple[list[TestResult], list[TestResult], dict[int, list[TestResult]]],
    settings: ResidualsSettings,
    n_layers: int,
    map: OrderedMap,
) -> tuple[list[TestResult], list[TestResult], dict[int, list[TestResult]]]:
    """Return the tests over all samples, within class, and of the classes asked for."""
    rows = np.concatenate(list(classes.values()))
    resampled = _resample(layer, classes, settings, map)
    tested = {label: label in asked[2] for label in classes}
    permuted = _permute(layer, rows, classes, tested, settings, n_layers, map)
    size, level = sum(own.size**2 for own in classes.values()) / rows.size, settings.confidence
    return (
        _results(asked[0], permuted[0], resampled[0], size, level),
        _results(asked[1], permuted[1], resampled[1], size, level),
        {
            label: _results(tests, permuted[2][label], resampled[2][label], tests[0].n, level)
            for label, tests in asked[2].items()
        },
    )


@dataclass(frozen=True)
class _Permuted:
    """Groups that are permuted each by itself, the tests of both their correlations, and `effective_entropies`."""

    groups: list[Group]
    tests: Sequence[PermutationTest]
    effective: float


def _permute(
    layer: Layer,
    rows: Integers,
    classes: dict[int, Integers],
    tested: dict[int, bool],
    settings: ResidualsSettings,
    n_layers: int,
    map: OrderedMap,
) -> tuple[_Permuted, _Permuted, dict[int, _Permuted]]:
    """Test over all samples, within class, and in the classes ``tested``."""
    whole, groups = group_of(layer, rows), {label: group_of(layer, own) for label, own in classes.items()}
    n_correlations, least, many = len(CORRELATIONS) * n_layers, settings.n_permutations, rows.size > MANY_SAMPLES
    limit = permutations_for(2 * n_correlations, least=least)
    pooled = pooled_p_values(whole, limit, settings.seed, many=many, map=map)
    within, by_class = class_p_values(
        groups,
        tested,
        (limit, permutations_for(sum(tested.values()) * n_correlations, least=least)),
        settings.seed,
        many=many,
        map=map,
    )
    carried = {label: effective_entropies(layer, [own]) for label, own in classes.items()}
    each = {label: _Permuted([group], by_class[label], carried[label]) for label, group in groups.items()}
    of_all, of_within = effective_entropies(layer, [rows]), effective_entropies(layer, list(classes.values()))
    return _Permuted([whole], pooled, of_all), _Permuted(list(groups.values()), within, of_within), each


@dataclass(frozen=True)
class _Resampled:
    """Pearson's and Spearman's correlation without some of the samples, and of samples drawn again."""

    without: tuple[Floats, Floats]
    drawn: tuple[Floats, Floats]


def _resample(
    layer: Layer, classes: dict[int, Integers], settings: ResidualsSettings, map: OrderedMap
) -> tuple[_Resampled, _Resampled, dict[int, _Resampled]]:
    """Over all classes, within class, and in every class that may have an interval."""
    parts, fewest = list(classes.values()), min(MIN_CLASS_SIZE.values())
    alone = {label: rows for label, rows in classes.items() if rows.size >= fewest}
    (pooled, within), *each = _reweighted(layer, settings, [(0, parts), *((1 + c, [alone[c]]) for c in alone)], map)
    of_class = dict(zip(alone, (found for found, _ in each), strict=True))
    deletions: list[Floats | None] = [None] * len(parts)
    if closed := is_small_enough(layer.units, parts):
        of_all, of_within, deletions = pooled_pearson(layer.units, parts, layer.entropy, layer.similarity, map=map)
        pooled = replace(pooled, without=(of_all[None], pooled.without[1]))
        within = replace(within, without=(of_within[None], within.without[1]))
    by_class = {}
    for label, deletion in zip(classes, deletions, strict=True):
        found = of_class.get(label, _Resampled((NOTHING, NOTHING), (NOTHING, NOTHING)))
        if closed and label in of_class:
            assert deletion is not None, "more than two samples"
            found = replace(found, without=(deletion[None], found.without[1]))
        by_class[label] = found
    return pooled, within, by_class


def _reweighted(
    layer: Layer, settings: ResidualsSettings, sets: Sequence[tuple[int, list[Integers]]], map: OrderedMap
) -> list[tuple[_Resampled, _Resampled]]:
    """Resample sets of classes, given with labels of random streams: for each, over all its classes and within class.

    The replicates of a bootstrap are drawn in chunks, each from its own stream.
    """
    sizes = [sum(rows.size for rows in parts) for _, parts in sets]
    chunks = [bootstrap_chunks(settings.n_bootstrap, n) if n <= LARGEST_BOOTSTRAP else [] for n in sizes]
    tasks = [(*one, chunk) for one, own in zip(sets, chunks, strict=True) for chunk in (None, *enumerate(own))]
    made = map(_Reweight(layer, settings), tasks)
    found = []
    for own in chunks:
        without, *drawn = (next(made) for _ in range(1 + len(own)))
        each = [joined_replicates([part[scope] for part in drawn]) for scope in (0, 1)]
        found.append((_Resampled(without[0], each[0]), _Resampled(without[1], each[1])))
    return found


@dataclass(frozen=True)
class _Reweight:
    """Leaves out tenths of some classes, or draws one chunk of bootstrap replicates of them, by number and size."""

    doing: ClassVar[str] = "resampling"
    layer: Layer
    settings: ResidualsSettings

    def __call__(self, task: tuple[int, list[Integers], tuple[int, int] | None]) -> tuple[Both, Both]:
        label, parts, chunk = task
        units, entropy, seed = self.layer.units, self.layer.entropy[np.concatenate(parts)], self.settings.seed
        if chunk is None:
            return grouped_jackknife(units, parts, entropy, stream(seed, Stream.JACKKNIFE, label))
        number, size = chunk
        return node_bootstrap(units, parts, entropy, size, stream(seed, Stream.BOOTSTRAP, label, number))


def _asked(
    layer: Layer, scope: Scope, n: int, settings: ResidualsSettings, label: int | None = None
) -> list[TestResult]:
    """Return the tests of one scope before they are made, one a statistic."""
    return [
        TestResult(
            question=Question.SIMILARITY_ENTROPY,
            scope=scope,
            label=label,
            layer=layer.name,
            statistic=statistic,
            n=n,
            seed=settings.seed,
        )
        for statistic in CORRELATIONS
    ]


def _results(
    asked: list[TestResult], permuted: _Permuted, resampled: _Resampled, class_size: float, level: float
) -> list[TestResult]:
    results = []
    columns = (*correlations(permuted.groups), permuted.tests, resampled.without, resampled.drawn)
    for one, estimate, square, test, without, drawn in zip(asked, *columns, strict=True):
        if np.isnan(estimate):
            side = "entropies" if square > 0 else "similarities"
            results.append(replace(one, status=Reason.SIDE_TIED(side)))
            continue
        found = replace(one, estimate=float(estimate))
        fewest = least_class_size(one)
        if class_size < fewest:
            small = Reason.TOO_FEW if one.scope is Scope.CLASS else Reason.CLASSES_TOO_SMALL
            found = replace(found, status=no_interval(small(fewest)))
        else:
            interval = jackknife_interval(
                one.statistic, float(estimate), without, drawn, one.n, level, effective=permuted.effective
            )
            found = found.with_interval(interval)
        results.append(found.with_p(test.p, p_method(test, P_METHODS[one.scope]), test.n_permutations))
    return results


def _class_status(layer: Layer, label: int, rows: Integers) -> Status:
    return why_no_correlation(layer, rows) if (layer.y_pred == label).any() else Reason.NEVER_PREDICTED()
