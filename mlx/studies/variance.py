"""How a metric, and the difference of two cells, varies; and what more seeds or more samples would buy."""

from dataclasses import replace

import numpy as np

from mlx.results.study import CellDifference, VarianceComponents
from mlx.stats.interval import Interval
from mlx.stats.power import Components, detectable_difference
from mlx.stats.seed_differences import difference_over_seeds
from mlx.stats.seeds_by_samples import MIN_SEEDS, half_width, metric_over_seeds
from mlx.stats.status import OK, Reason, Status
from mlx.studies.differences import why_not_compared
from mlx.studies.values import MetricValues

NAN = float("nan")


def variance_of_cell(cell: str, values: MetricValues, level: float = 0.95) -> VarianceComponents:
    """Return the components of variance of a metric of the runs of a cell, which share their test samples."""
    row = VarianceComponents(
        cell=cell, metric=values.metric, estimate=values.mean, n_seeds=values.n_runs, n_samples=values.n_samples
    )
    if not (why := _why_none(values)).is_ok:
        return replace(row, status=why)
    found = metric_over_seeds(values.table, level)
    return _with_components(row, (found.var_seed, found.var_sample, found.var_rest), found.interval, level)


def variance_of_difference(
    pair: CellDifference, first: MetricValues, second: MetricValues, *, level: float = 0.95, n_tests: int = 1
) -> VarianceComponents:
    """Return the components of variance of the difference of two cells, and the smallest one that would be found.

    Parameters
    ----------
    pair
        The difference.
    first, second
        The metric of both cells, whose runs share their test samples.
    level
        Of its interval; one less it is the size of the tests.
    n_tests
        Pairs in the family.
    """
    row = VarianceComponents(
        cell=pair.second,
        against=pair.first,
        metric=pair.metric,
        estimate=pair.difference,
        n_seeds=min(first.n_runs, second.n_runs),
        n_samples=first.n_samples,
    )
    if not (why := why_not_compared(first, second)).is_ok:
        return replace(row, status=why)
    if min(first.n_runs, second.n_runs, first.n_samples - 1) < 2:
        return replace(row, status=Reason.SEEDS_NEEDED())
    if first.samples != second.samples:
        return replace(row, status=Reason.OTHER_TEST_SAMPLES())
    found = difference_over_seeds(first.table, second.table, level)
    row = _with_components(row, (found.var_seed, found.var_sample, found.var_rest), found.interval, level)
    if row.n_seeds < MIN_SEEDS:
        return row
    components = Components.truncated(row.var_seed, row.var_sample, row.var_rest)
    sizes, alpha = (row.n_seeds, row.n_samples), 1 - level
    return replace(
        row,
        detectable=detectable_difference(components, *sizes, alpha=alpha, n_tests=n_tests),
        detectable_at_upper_seed=detectable_difference(
            components.with_upper_seed(*sizes), *sizes, alpha=alpha, n_tests=n_tests
        ),
    )


def _why_none(values: MetricValues) -> Status:
    if not values.why.is_ok:
        return values.why
    return OK if values.n_runs > 1 and values.n_samples > 1 else Reason.SEEDS_NEEDED()


def _with_components(
    row: VarianceComponents, components: tuple[float, float, float], interval: Interval, level: float
) -> VarianceComponents:
    """Return a row with its components, and half of its interval, which more data narrow as they do both parts."""
    known, (n_seeds, n_samples) = Components.truncated(*components), (row.n_seeds, row.n_samples)
    total = known.variance(n_seeds, n_samples)

    def half(seeds: int, samples: int) -> float:
        a, b = known.seed / seeds, known.sample / samples + known.rest / (seeds * samples)
        return half_width(a, b, seeds - 1, samples - 1, level)

    now, half_now = half(n_seeds, n_samples), (interval.high - interval.low) / 2
    narrowed = half_now / now if now > 0 else NAN
    enough = n_seeds >= MIN_SEEDS
    return replace(
        row,
        var_seed=components[0],
        var_sample=components[1],
        var_rest=components[2],
        share_seed=known.seed / n_seeds / total if total > 0 else NAN,
        half_width=half_now,
        half_width_twice_seeds=half(2 * n_seeds, n_samples) * narrowed,
        half_width_twice_samples=half(n_seeds, 2 * n_samples) * narrowed,
        floor_seed=float(np.sqrt(known.seed / n_seeds)),
        floor_sample=float(np.sqrt(known.sample / n_samples)),
        status=OK if enough else Reason.SEEDS_NEEDED(),
    )
