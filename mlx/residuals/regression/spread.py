"""Whether the size of the residuals goes with the prediction: a rank correlation, its interval and p-value."""

from functools import partial

import numpy as np

from mlx.core.array_types import Floats
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.residuals.regression.classical_tests import Numbers
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.stats.bootstrap import row_replicates
from mlx.stats.correlation import midranks
from mlx.stats.correlation_intervals import EXACT, bootstrap_interval
from mlx.stats.groups import Groups, correlation_by_group
from mlx.stats.influence import spearman
from mlx.stats.permutation import PermutationTest, permutations_for, sequential_tests
from mlx.stats.status import OK, Reason, Status, no_interval
from mlx.stats.studentized import Stratum, studentized

MIN_SAMPLES = 4
"""Fewest samples of which skewness, kurtosis or a correlation is worth giving."""

MIN_INTERVAL = 20
"""Fewest samples for an interval of the rank correlation."""


def correlate_spread(
    error: Floats,
    fitted: Floats,
    tolerance: float,
    groups: Groups | None,
    settings: ResidualsSettings,
    *,
    map: OrderedMap = in_order,
) -> tuple[Numbers, Status]:
    """Correlate the ranks of absolute residuals and predictions, of independent rows or by group.

    Parameters
    ----------
    error, fitted
        (n,), residuals and predictions, in one unit.
    tolerance
        In the same unit: values closer than this are tied.
    groups
        Which samples belong together; None where each is its own.
    settings
        Seed, resamples and confidence.
    map
        How bootstrap replicates are drawn.
    """
    sides, n = (np.abs(error), fitted), error.size
    if n < MIN_SAMPLES:
        return {}, Reason.TOO_FEW_SAMPLES(MIN_SAMPLES)
    raw = np.stack([midranks(side, tolerance) for side in sides])
    ranks = raw - raw.mean(axis=1, keepdims=True)
    # Tied within rounding in a chain, each with the next, and maybe not the first with the last.
    for name, side in zip(("absolute residuals", "predictions"), ranks, strict=True):
        if not side.any():
            return {}, Reason.CONSTANT(name)
    x, y = ranks / np.linalg.norm(ranks, axis=1, keepdims=True)
    estimate = float(x @ y)
    if groups is not None:
        return _by_group(estimate, raw, groups, settings.confidence)
    test = _permuted(raw, ranks, settings)
    found: Numbers = {
        "spread_spearman": estimate,
        "spread_spearman_p": test.p,
        "spread_spearman_permutations": test.n_permutations,
    }
    if n < MIN_INTERVAL:
        return found, no_interval(Reason.TOO_FEW(MIN_INTERVAL))
    draws = partial(stream, settings.seed, Stream.REGRESSION_BOOTSTRAP, 0)
    replicates = row_replicates(*sides, tolerance, settings.n_bootstrap, draws, map=map)
    interval = bootstrap_interval(estimate, replicates, settings.confidence).agreeing_with(test.p, 0.0, estimate)
    if interval.why_missing.is_ok:
        found |= {"spread_spearman_low": interval.low, "spread_spearman_high": interval.high}
    return found, interval.status


def _permuted(raw: Floats, ranks: Floats, settings: ResidualsSettings) -> PermutationTest:
    """Test the correlation of ranks (2, n), and the same less their means, by permutations."""
    # A stratum has values beside ranks; here, both are ranks.
    stratum = Stratum.of(*(np.stack([side, side]) / (raw.shape[1] + 1) for side in ranks), *raw)
    generator = stream(settings.seed, Stream.REGRESSION_PERMUTATION)
    (test,) = sequential_tests(
        studentized(stratum.observed())[1],
        lambda size, _: studentized(stratum.permuted(size, generator))[1:],
        permutations_for(1, least=settings.n_permutations),
    )
    return test


def _by_group(estimate: float, ranks: Floats, groups: Groups, level: float) -> tuple[Numbers, Status]:
    """Test the correlation of ranks (2, n) with the variance by group."""
    found: Numbers = {"spread_spearman": estimate}
    if not (why := groups.why_too_few).is_ok:
        return found, Reason.NO_TEST(why)
    if abs(estimate) >= EXACT:
        return found, Reason.NO_TEST(Reason.EXACT_RELATION())
    p, interval = correlation_by_group(spearman(ranks[0], ranks[1]), groups, level)
    ends = {"spread_spearman_low": interval.low, "spread_spearman_high": interval.high}
    return found | {"spread_spearman_p": p} | ends, OK
