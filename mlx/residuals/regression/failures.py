"""Where a regression errs: its factors, the mean absolute residual in their parts, and the slices with the largest."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from mlx.core.array_types import Flags, Floats
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.errors.factor_bins import looks_of, parts_of
from mlx.residuals.errors.factor_values import Factor, read_factors
from mlx.residuals.errors.factors import Target, associate_factors
from mlx.residuals.regression.slices import large_residual_slices
from mlx.residuals.settings import ResidualsSettings
from mlx.results.classification_residuals import FactorEffect
from mlx.results.prediction_sets import Looks
from mlx.results.questions import FactorTarget, Statistic
from mlx.results.regression_residuals import RegressionSlice
from mlx.results.tests import TestResult
from mlx.stats.groups import Groups
from mlx.stats.mean_intervals import mean_interval, signed_mean_interval

LOG_METHOD = "Student's t on the log scale"


@dataclass(frozen=True)
class ResidualFactors:
    """Association of the factors with the residuals, and the slices with the largest."""

    factors: tuple[FactorEffect, ...] = ()
    slices: tuple[RegressionSlice, ...] = ()
    tests: tuple[TestResult, ...] = ()
    looks: tuple[Looks, ...] = ()


def analyze_residual_factors(
    table: pd.DataFrame,
    residual: Floats,
    *,
    settings: ResidualsSettings,
    groups: Groups | None = None,
    map: OrderedMap = in_order,
) -> ResidualFactors:
    """Relate every factor to the size of the residuals and to the residuals, part by part; look for slices.

    Parameters
    ----------
    table
        A column a factor, n_samples rows.
    residual
        (n_samples,), true less predicted; values that are equal up to rounding are equal.
    settings
        Seed, permutations and confidence.
    groups
        Of the samples, where they are not independent.
    map
        How the factors are tested.
    """
    factors = read_factors(table)
    size = np.abs(residual)
    targets = [Target(FactorTarget.ABS_RESIDUAL, size), Target(FactorTarget.RESIDUAL, residual)]
    found = associate_factors(factors, targets, settings=settings, groups=groups, map=map)
    effects = [one.effect() for one in found]
    for factor in factors:
        effects += mean_bins(factor, residual, settings.confidence, groups)
    slices = large_residual_slices(factors, size, settings=settings, groups=groups)
    looks = looks_of(factors, [one.description for one in slices.slices], slices.members)
    return ResidualFactors(tuple(effects), slices.slices, (*(one.test for one in found), *slices.tests), looks)


def mean_bins(factor: Factor, residual: Floats, level: float, groups: Groups | None = None) -> list[FactorEffect]:
    """Return the mean absolute residual, and the mean residual, in each part of a factor, as `parts_of` splits it.

    Parameters
    ----------
    factor
        Of n_samples.
    residual
        (n_samples,), true less predicted.
    level
        Of the intervals.
    groups
        Of the samples, where they are not independent.
    """
    parts = [part for part in parts_of(factor) if part[3].any()]
    targets = (FactorTarget.ABS_RESIDUAL, FactorTarget.RESIDUAL)
    return [_mean_row(factor, target, part, residual, level, groups) for target in targets for part in parts]


def _mean_row(
    factor: Factor,
    target: FactorTarget,
    part: tuple[str, float, float, Flags],
    residual: Floats,
    level: float,
    groups: Groups | None,
) -> FactorEffect:
    label, lower, upper, members = part
    values = residual[members]
    own = None if groups is None else groups.take(members)
    row = FactorEffect(
        factor=factor.name,
        kind=factor.kind,
        target=target,
        statistic=Statistic.MEAN,
        bin=label,
        lower=lower,
        upper=upper,
        n=values.size,
    )
    if target is FactorTarget.RESIDUAL:
        interval, mean = signed_mean_interval(values, level, groups=own), values.mean()
    else:
        interval, mean = mean_interval(np.abs(values), level, groups=own), np.abs(values).mean()
    method = (interval.method or LOG_METHOD) if interval.why_missing.is_ok else ""
    return replace(
        row, estimate=float(mean), low=interval.low, high=interval.high, method=method, status=interval.status
    )
