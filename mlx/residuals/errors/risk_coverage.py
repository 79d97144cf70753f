"""The risk–coverage curve: the error rate among the most certain predictions, by how many are kept.

The risk at coverage k/n is the share of errors among the k most certain samples. Among tied samples the
order is chance, and risks are means over it, so that the order of the rows never matters.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Flags, Floats, Integers
from mlx.stats.auroc import auroc
from mlx.stats.correlation import midranks
from mlx.stats.influence import smoothed


@dataclass(frozen=True)
class RiskCoverage:
    """The curve: one entry a number k = 1 … n of samples kept, most certain first.

    Attributes
    ----------
    coverage
        (n_samples,), k / n.
    risk
        (n_samples,), expected share of errors among the k kept; lower is better.
    threshold
        (n_samples,), largest uncertainty among the k kept.
    """

    coverage: Floats
    risk: Floats
    threshold: Floats


@dataclass(frozen=True)
class CurveAreas:
    """Areas of the risk–coverage curve; lower is better for each.

    Attributes
    ----------
    aurc
        Mean risk over k = 1 … n (Geifman & El-Yaniv 2017), in [0, 1].
    eaurc
        aurc less that of a score that puts every error last (Geifman et al. 2019), computed exactly for
        this n and not by its limit (1 − r)·ln(1 − r) + r; at least 0.
    augrc
        Area under the generalized risk, errors kept / n (Traub et al. 2024), in the limit of many samples:
        (1 − AUROC)·acc·(1 − acc) + ½(1 − acc)², in [0, 1/2].
    influence
        Name of an area → (n_samples,), n − 1 times what deleting a sample takes from it.
    gradient
        Computes, for the name of an area, (n_samples,), n times its derivative by each uncertainty.
    """

    aurc: float
    eaurc: float
    augrc: float
    influence: dict[str, Floats]
    gradient: Callable[[str], Floats]


def risk_coverage(error: Flags, uncertainty: Floats) -> RiskCoverage:
    """Return the risk–coverage curve of uncertainties (n_samples,), finite, higher meaning less certain."""
    n = error.size
    sizes, errors, values, _ = _tied(error, uncertainty)
    kept = np.arange(1, n + 1)
    before, errors_before = np.cumsum(sizes) - sizes, np.cumsum(errors) - errors
    group = np.repeat(np.arange(sizes.size), sizes)
    found = errors_before[group] + (kept - before[group]) * (errors / sizes)[group]
    return RiskCoverage(kept / n, found / kept, values[group])


def thin(curve: RiskCoverage, max_points: int) -> RiskCoverage:
    """Return at most ``max_points`` points of the curve, both ends included."""
    n = curve.coverage.size
    if n <= max_points:
        return curve
    keep = np.round(np.linspace(0, n - 1, max_points)).astype(np.intp)
    return RiskCoverage(curve.coverage[keep], curve.risk[keep], curve.threshold[keep])


def curve_areas(error: Flags, uncertainty: Floats) -> CurveAreas:
    """Areas of the risk–coverage curve and their delete-one influences, in O(n log n).

    Parameters
    ----------
    error
        (n_samples,), whether the prediction was wrong; may be all or nothing.
    uncertainty
        (n_samples,), finite, higher meaning less certain.
    """
    n, n_errors = error.size, int(error.sum())
    harmonic = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, n + 1))])
    aurc, deleted = _aurc(error, uncertainty, harmonic)
    best = _best_aurc(n, n_errors, harmonic)
    without = np.where(error, _best_aurc(n - 1, n_errors - 1, harmonic), _best_aurc(n - 1, n_errors, harmonic))
    augrc, by_augrc = _augrc(error, uncertainty)
    by_aurc = (n - 1) * (aurc - deleted)
    # A perfect order leaves a rounding error, of either sign, of what is 0.
    eaurc = aurc - best if aurc - best > 1e-12 * best else 0.0
    influence = {"aurc": by_aurc, "eaurc": (n - 1) * ((aurc - best) - (deleted - without)), "augrc": by_augrc}

    def gradient(name: str) -> Floats:
        if name == "augrc":
            rate = n_errors / n
            return np.asarray(-rate * (1 - rate) * auroc(error, uncertainty).gradient(), dtype=np.float64)
        return _aurc_gradient(error, uncertainty)

    return CurveAreas(aurc, eaurc, augrc, influence, gradient)


def _aurc_gradient(error: Flags, uncertainty: Floats) -> Floats:
    """Of Σ e·(−ln c)/n, with c the coverage from which on a sample is kept, which is AURC at many samples."""
    weight = np.where(error, -error.size / midranks(uncertainty), 0.0)
    density = smoothed(uncertainty, np.ones(error.size))
    slopes: Floats = weight * density - smoothed(uncertainty, weight)
    return slopes


def _tied(error: Flags, uncertainty: Floats) -> tuple[Integers, Integers, Floats, Integers]:
    """Size, errors and value of each run of equal uncertainties, rising, and the run of every sample."""
    values, group, sizes = np.unique(uncertainty, return_inverse=True, return_counts=True)
    errors = np.bincount(group, weights=error, minlength=sizes.size).astype(np.intp)
    return sizes, errors, values, group


def _aurc(error: Flags, uncertainty: Floats, harmonic: Floats) -> tuple[float, Floats]:
    """AURC, and what it is without each sample (n_samples,).

    In a run of m ties with e errors, after b samples with E errors, the risks add up to
    e + (E − b·e/m)·(h(b + m) − h(b)), with h the harmonic numbers.
    """
    n = error.size
    sizes, errors, _, group = _tied(error, uncertainty)
    upto, errors_upto = np.cumsum(sizes), np.cumsum(errors)
    before, errors_before = upto - sizes, errors_upto - errors
    total = float(_risks(sizes, errors, before, errors_before, harmonic).sum())
    if n == 1:
        return total, np.full(1, np.nan)
    deleted = np.empty(n)
    # In the first run nothing comes before; its later self, with one sample less before it, is never asked for.
    earlier = np.maximum(before - 1, 0)
    head = _risks(sizes, errors, before, errors_before, harmonic)
    head = np.cumsum(head) - head
    for kind in (0, 1):
        later = _risks(sizes, errors, earlier, errors_before - kind, harmonic)
        tail = later[::-1].cumsum()[::-1] - later
        reduced = np.maximum(sizes - 1, 1)
        itself = _risks(reduced, errors - kind, before, errors_before, harmonic)
        itself[sizes == 1] = 0.0
        chosen = error == bool(kind)
        deleted[chosen] = (head + itself + tail)[group[chosen]] / (n - 1)
    return total / n, deleted


def _risks(sizes: Integers, errors: Integers, before: Integers, errors_before: Integers, harmonic: Floats) -> Floats:
    steps = harmonic[before + sizes] - harmonic[before]
    result: Floats = errors + (errors_before - before * errors / sizes) * steps
    return result


def _best_aurc(n: int, n_errors: int, harmonic: Floats) -> float:
    if n <= 0 or n_errors < 0:
        return float("nan")
    n_correct = n - n_errors
    return float(n_errors - n_correct * (harmonic[n] - harmonic[max(0, n_correct)])) / n


def _augrc(error: Flags, uncertainty: Floats) -> tuple[float, Floats]:
    rate = float(error.mean())
    by_rate = error.astype(np.float64) - rate
    if rate in (0.0, 1.0):
        return rate**2 / 2, rate * by_rate
    area = auroc(error, uncertainty)
    inverse, spread = 1 - area.estimate, rate * (1 - rate)
    influence: Floats = (inverse * (1 - 2 * rate) + rate) * by_rate - area.influence * spread
    return inverse * spread + rate**2 / 2, influence
