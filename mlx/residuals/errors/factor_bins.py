"""Error rate where a factor is low, middle or high, and in each of its categories."""

from collections.abc import Iterable, Iterator

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.residuals.errors.error_rate import error_rate_interval
from mlx.residuals.errors.factor_values import MAX_CATEGORIES, Factor
from mlx.results.classification_residuals import FactorEffect
from mlx.results.prediction_sets import Looked, Looks
from mlx.results.questions import FactorTarget, Statistic
from mlx.stats.groups import Groups

N_BINS = 5

MISSING = "missing"
"""The part of the samples without a value of the factor."""


def factor_bins(
    factor: Factor,
    error: Flags,
    entropy: Floats,
    similarity: Floats,
    *,
    confidence: float,
    groups: Groups | None = None,
) -> list[FactorEffect]:
    """Split the samples by a factor: categories, or up to five bins of about equally many samples.

    Equal numbers stay together; bins without samples are left out, those with a missing factor come last. A
    factor of more than fifty categories is not split.

    Parameters
    ----------
    factor
        Of n_samples.
    error, entropy, similarity
        (n_samples,), what is summarized; NaN where undefined.
    confidence
        Level of the interval.
    groups
        Of the samples, where they are not independent.
    """
    bins = []
    for label, lower, upper, members in parts_of(factor):
        n, n_errors = int(members.sum()), int(error[members].sum())
        if n == 0:
            continue
        interval = error_rate_interval(error[members], None if groups is None else groups.take(members), confidence)
        means = [_mean(values[members]) for values in (entropy, similarity)]
        bins.append(
            FactorEffect(
                factor=factor.name,
                kind=factor.kind,
                target=FactorTarget.ERROR,
                statistic=Statistic.ERROR_RATE,
                bin=label,
                lower=lower,
                upper=upper,
                estimate=n_errors / n,
                low=interval.low,
                high=interval.high,
                method=interval.method,
                status=interval.status,
                n=n,
                n_errors=n_errors,
                entropy_mean=means[0],
                similarity_mean=means[1],
            )
        )
    return bins


def parts_of(factor: Factor) -> Iterator[tuple[str, float, float, Flags]]:
    """Yield the parts of the samples by a factor: name, smallest and largest number, and which samples (n_samples,).

    Categories, or up to five bins of about equally many samples; those without a value come last. Parts may be empty;
    a factor of more than fifty categories has none.
    """
    if len(factor.categories) > MAX_CATEGORIES:
        return
    if factor.categories:
        for place, category in enumerate(factor.categories):
            yield category, float("nan"), float("nan"), factor.numbers == place
    else:
        yield from _quantile_parts(factor)
    if not factor.present.all():
        yield ("no value" if MISSING in factor.categories else MISSING), float("nan"), float("nan"), ~factor.present


def looks_of(factors: Iterable[Factor], slices: Iterable[str], members: Iterable[Integers]) -> tuple[Looks, ...]:
    """Return the samples in each part of each factor, and those in each slice that did not choose it."""
    parts = [
        (Looked.FACTOR, factor.name, part, np.flatnonzero(inside))
        for factor in factors
        for part, _, _, inside in parts_of(factor)
        if inside.any()
    ]
    found = [(Looked.SLICE, name, "", rows) for name, rows in zip(slices, members, strict=True)]
    return (*parts, *found)


def _quantile_parts(factor: Factor) -> Iterator[tuple[str, float, float, Flags]]:
    values = factor.numbers
    known = np.sort(values[~np.isnan(values)])
    if known.size == 0:
        return
    distinct = np.unique(known)
    if distinct.size <= N_BINS:
        uppers = distinct
    else:
        uppers = np.unique(known[np.ceil(np.arange(1, N_BINS + 1) * known.size / N_BINS).astype(int) - 1])
    below = -np.inf
    for upper in uppers:
        members = (values > below) & (values <= upper)
        first, last = float(values[members].min()), float(values[members].max())
        ends = [factor.shown(end, 4) for end in dict.fromkeys((first, last))]
        yield " to ".join(ends), first, last, members
        below = upper


def _mean(values: Floats) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if defined.size else float("nan")
