"""Similarity against entropy in one layer: estimate, interval and p-value, pooled, within class, by class."""

from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.residuals.association.delete_one import LeaveOneOutSums, class_pearson, is_small_enough, pooled_pearson
from mlx.residuals.association.layer import Layer, why_no_correlation, why_no_spread
from mlx.residuals.association.permuted_group import PermutedProducts, add_groups, permute
from mlx.residuals.association.resampling import grouped_jackknife, node_bootstrap
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.results.tests import CORRELATIONS, Question, Scope, TestResult
from mlx.stats.correlation_intervals import MIN_CLASS_SIZE, jackknife_interval
from mlx.stats.permutation import permutation_p_value
from mlx.stats.status import Reason, Status, no_interval

P_METHODS = {
    Scope.POOLED: "permutation of entropy",
    Scope.WITHIN_CLASS: "permutation of entropy within predicted class",
    Scope.CLASS: "permutation of entropy",
}


def associate(layer: Layer, n_classes: int, settings: ResidualsSettings) -> list[TestResult]:
    """Correlate similarity with entropy: over all samples, within predicted class, and in every class.

    Over all asks whether unsure samples have dissimilar classmates, and mixes in differences between classes.
    Within class centers (or ranks and centers) both sides by class, and permutes entropies within class. An
    estimate below 0 says that samples far from their classmates are those the model is unsure of.
    """
    members = [layer.members(label) for label in range(n_classes)]
    classes = {label: rows for label, rows in enumerate(members) if rows.size > 1}
    rows = np.concatenate([*classes.values(), np.empty(0, dtype=np.intp)])
    of_class = [_asked(layer, Scope.CLASS, own.size, settings, label) for label, own in enumerate(members)]
    overall = [_asked(layer, scope, rows.size, settings) for scope in (Scope.POOLED, Scope.WITHIN_CLASS)]
    statuses = [_class_status(layer, label, own) for label, own in enumerate(members)]
    if not (why := why_no_correlation(layer, rows)).is_ok:
        groups = [(asked, why) for asked in overall] + list(zip(of_class, statuses, strict=True))
        return [replace(test, status=status) for asked, status in groups for test in asked]
    pooled, within, by_class = _resample(layer, classes, settings)
    permuted = {
        label: permute(layer, own, settings.n_permutations, stream(settings.seed, Stream.CLASS_PERMUTATION, label))
        for label, own in classes.items()
    }
    size = sum(own.size**2 for own in classes.values()) / rows.size
    generator = stream(settings.seed, Stream.POOLED_PERMUTATION)
    found = _results(overall[0], permute(layer, rows, settings.n_permutations, generator), pooled, size, settings)
    if not (why := why_no_spread(layer, list(classes.values()))).is_ok:
        found += [replace(test, status=why) for test in overall[1]]
    else:
        found += _results(overall[1], add_groups(list(permuted.values())), within, size, settings)
    for label, (asked, status) in enumerate(zip(of_class, statuses, strict=True)):
        if status.is_ok:
            found += _results(asked, permuted[label], by_class[label], members[label].size, settings)
        else:
            found += [replace(test, status=status) for test in asked]
    return found


LARGEST_BOOTSTRAP = 2000
"""Samples up to which intervals are extended to a node bootstrap's; beyond, it agrees with the jackknife."""


@dataclass(frozen=True)
class _Resampled:
    """Pearson's and Spearman's correlation without some of the samples, and of samples drawn again."""

    without: tuple[Floats, Floats]
    drawn: tuple[Floats, Floats]


NOTHING = np.empty((0, 0))
"""For classes that are too small for an interval, and samples too many for a bootstrap."""


def _resample(
    layer: Layer, classes: dict[int, Integers], settings: ResidualsSettings
) -> tuple[_Resampled, _Resampled, dict[int, _Resampled]]:
    """Over all classes, within class, and in every class that may have an interval."""
    parts = list(classes.values())
    pooled, within = _reweighted(layer, parts, 0, settings)
    deletions: list[LeaveOneOutSums | None] = [None] * len(parts)
    if closed := is_small_enough(layer.units, parts):
        of_all, of_within, deletions = pooled_pearson(layer.units, parts, layer.entropy, layer.similarity)
        pooled = replace(pooled, without=(of_all[None], pooled.without[1]))
        within = replace(within, without=(of_within[None], within.without[1]))
    by_class = {}
    for (label, rows), deletion in zip(classes.items(), deletions, strict=True):
        found = _Resampled((NOTHING, NOTHING), (NOTHING, NOTHING))
        if rows.size >= min(MIN_CLASS_SIZE["class"].values()):
            found, _ = _reweighted(layer, [rows], 1 + label, settings)
            if closed:
                assert deletion is not None, "more than two samples"
                found = replace(found, without=(class_pearson(deletion)[None], found.without[1]))
        by_class[label] = found
    return pooled, within, by_class


def _reweighted(
    layer: Layer, parts: list[Integers], label: int, settings: ResidualsSettings
) -> tuple[_Resampled, _Resampled]:
    entropy = layer.entropy[np.concatenate(parts)]
    generator = stream(settings.seed, Stream.JACKKNIFE, label)
    without = grouped_jackknife(layer.units, parts, entropy, generator)
    drawn = ((NOTHING, NOTHING), (NOTHING, NOTHING))
    if entropy.size <= LARGEST_BOOTSTRAP:
        generator = stream(settings.seed, Stream.BOOTSTRAP, label)
        drawn = node_bootstrap(layer.units, parts, entropy, settings.n_bootstrap, generator)
    return _Resampled(without[0], drawn[0]), _Resampled(without[1], drawn[1])


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
            n_permutations=settings.n_permutations,
            seed=settings.seed,
        )
        for statistic in CORRELATIONS
    ]


def _results(
    asked: list[TestResult],
    products: PermutedProducts,
    resampled: _Resampled,
    class_size: float,
    settings: ResidualsSettings,
) -> list[TestResult]:
    results = []
    columns = (*products.correlations, products.xx, resampled.without, resampled.drawn)
    for test, estimate, permuted, square, without, drawn in zip(asked, *columns, strict=True):
        if np.isnan(estimate):
            side = "entropies" if square > 0 else "similarities"
            results.append(replace(test, status=Reason.SIDE_TIED(side)))
            continue
        fewest = MIN_CLASS_SIZE[test.scope][test.statistic]
        if class_size < fewest:
            small = Reason.TOO_FEW if test.scope is Scope.CLASS else Reason.CLASSES_TOO_SMALL
            found = replace(test, status=no_interval(small(fewest)))
        else:
            interval = jackknife_interval(test.statistic, float(estimate), without, drawn, test.n, settings.confidence)
            found = test.with_interval(interval)
        p = permutation_p_value(float(estimate), permuted)
        results.append(replace(found, estimate=float(estimate)).with_p(p, P_METHODS[test.scope], test.n_permutations))
    return results


def _class_status(layer: Layer, label: int, rows: Integers) -> Status:
    return why_no_correlation(layer, rows) if (layer.y_pred == label).any() else Reason.NEVER_PREDICTED()
