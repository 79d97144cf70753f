"""Similarity against entropy in one layer: estimate, interval and p-value, pooled, within class, by class."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.residuals.association.delete_one import LeaveOneOutSums, class_pearson, is_small_enough, pooled_pearson
from mlx.residuals.association.layer import Layer, why_no_correlation, why_no_spread
from mlx.residuals.association.permuted_group import PermutedProducts, exchange, together
from mlx.residuals.association.resampling import grouped_jackknife, node_bootstrap
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.residuals.tables import STATISTICS
from mlx.stats.correlation_intervals import MIN_CLASS_SIZE, jackknife_interval
from mlx.stats.interval import Interval
from mlx.stats.permutation import permutation_p_value
from mlx.stats.status import Reason


@dataclass(frozen=True)
class Association:
    """One correlation of similarity with entropy; NaN where ``status`` says why it is missing.

    Attributes
    ----------
    scope
        ``"pooled"``, ``"within class"`` or ``"class"``.
    label
        The class of scope ``"class"``, otherwise None.
    statistic
        ``"pearson"`` or ``"spearman"``.
    estimate
        In [−1, 1]; negative: samples far from their classmates are those the model is unsure of.
    low, high
        Ends of the interval.
    p
        Two-sided permutation p-value.
    n
        Samples that entered.
    status
        ``"ok"``, or what is missing and why.
    interval_method
        How the interval was found; empty without one.
    """

    scope: str
    label: int | None
    statistic: str
    estimate: float
    low: float
    high: float
    p: float
    n: int
    status: str
    interval_method: str = ""

    @property
    def family(self) -> str:
        """Tests of one family are adjusted together, a layer at a time: all classes of one statistic."""
        return f"{self.statistic} {'per class' if self.scope == 'class' else self.scope}"


def associate(layer: Layer, n_classes: int, settings: ResidualsSettings) -> list[Association]:
    """Correlate similarity with entropy: over all samples, within predicted class, and in every class.

    Over all asks whether unsure samples have dissimilar classmates, and mixes in differences between classes.
    Within class centers (or ranks and centers) both sides by class, and permutes entropies within class.
    """
    members = [layer.members(label) for label in range(n_classes)]
    classes = {label: rows for label, rows in enumerate(members) if rows.size > 1}
    rows = np.concatenate([*classes.values(), np.empty(0, dtype=np.intp)])
    if why_undefined := why_no_correlation(layer, rows):
        overall = [_missing(scope, None, rows.size, why_undefined) for scope in ("pooled", "within class")]
        return _flat([*overall, *(_missing_class(layer, label, own) for label, own in enumerate(members))])
    pooled, within, by_class = _resample(layer, classes, settings)
    generator = stream(settings.seed, Stream.POOLED_PERMUTATION)
    exchanged = exchange(layer, rows, settings.n_permutations, generator)
    size = sum(own.size**2 for own in classes.values()) / rows.size
    results = [_results("pooled", None, exchanged, pooled, size, settings)]
    groups = {
        label: exchange(layer, own, settings.n_permutations, stream(settings.seed, Stream.CLASS_PERMUTATION, label))
        for label, own in classes.items()
    }
    if why_undefined := why_no_spread(layer, list(classes.values())):
        results.append(_missing("within class", None, rows.size, why_undefined))
    else:
        exchanged = together(list(groups.values()))
        results.append(_results("within class", None, exchanged, within, size, settings))
    for label, own in enumerate(members):
        if why_no_correlation(layer, own):
            results.append(_missing_class(layer, label, own))
        else:
            results.append(_results("class", label, groups[label], by_class[label], own.size, settings))
    return _flat(results)


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


def _results(
    scope: str,
    label: int | None,
    exchanged: PermutedProducts,
    resampled: _Resampled,
    class_size: float,
    settings: ResidualsSettings,
) -> list[Association]:
    results = []
    columns = (*exchanged.correlations, resampled.without, resampled.drawn)
    for statistic, estimate, permuted, without, drawn in zip(STATISTICS, *columns, strict=True):
        if np.isnan(estimate):
            side = "entropies" if exchanged.xx[STATISTICS.index(statistic)] > 0 else "similarities"
            results.append(_undefined(scope, label, statistic, exchanged.n, f"all {side} tied within rounding"))
            continue
        fewest = MIN_CLASS_SIZE[scope][statistic]
        if class_size < fewest:
            too_few = Reason.TOO_FEW if scope == "class" else Reason.CLASSES_TOO_SMALL
            interval = Interval.missing(too_few(fewest))
        else:
            interval = jackknife_interval(statistic, float(estimate), without, drawn, exchanged.n, settings.confidence)
        p = permutation_p_value(float(estimate), permuted)
        found = (float(estimate), interval.low, interval.high, p, exchanged.n, str(interval.status))
        results.append(Association(scope, label, statistic, *found, interval_method=interval.method))
    return results


def _missing(scope: str, label: int | None, n: int, status: str) -> list[Association]:
    return [_undefined(scope, label, statistic, n, status) for statistic in STATISTICS]


def _undefined(scope: str, label: int | None, statistic: str, n: int, status: str) -> Association:
    nan = float("nan")
    return Association(scope, label, statistic, nan, nan, nan, nan, n, status)


def _missing_class(layer: Layer, label: int, rows: Integers) -> list[Association]:
    never = not (layer.y_pred == label).any()
    status = "never predicted" if never else why_no_correlation(layer, rows)
    return _missing("class", label, rows.size, status)


def _flat(results: Iterable[list[Association]]) -> list[Association]:
    return [result for of_scope in results for result in of_scope]
