"""Why did it fail? What each factor of the samples has to do with error, entropy and similarity.

The measure fits the type. A numeric factor: AUROC of error by the factor, Spearman with the others. A yes/no
factor: AUROC of error by it, and of the others between its two sides. Categories: η², the share of variance
between them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from mlx.core.array_types import Array, Flags, Floats, Integers
from mlx.core.checks import row_blocks
from mlx.core.errors import DataError
from mlx.core.scale import in_unit, is_rounding, safe_exponent
from mlx.residuals.errors.class_mean_dependence import ClassMeanDependence, standard_error
from mlx.residuals.findings import NAN, Finding, missing
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.stats.auroc import auroc, degrees_of_freedom
from mlx.stats.correlation import midranks
from mlx.stats.influence import EstimateWithInfluence, correlation_ratio, spearman
from mlx.stats.interval import transformed_interval
from mlx.stats.multiple_testing import benjamini_hochberg, holm

MAX_CATEGORIES = 50
"""More categories than this are names, not a factor."""

MIN_SAMPLES = 4
MIN_INTERVAL = {"auroc": 10, "spearman": 30}
"""Fewest samples for an interval: of either side for AUROC, of all for Spearman."""

MIN_SHARED = 100
"""Fewest samples for an interval of a similarity, through whose class means samples hang together."""

METHODS = {
    "auroc": "DeLong on the logit scale, Brunner-Munzel degrees of freedom",
    "spearman": "influence function on the atanh scale",
}
SCALES = {"auroc": "logit", "spearman": "atanh"}
SHARED_METHOD = ", with the influence through shared class means"
P_METHOD = "permutation of the target over samples"


@dataclass(frozen=True)
class Factor:
    """One factor of the samples, ready to be related to something.

    Attributes
    ----------
    name
        Of its column.
    kind
        ``"numeric"``, ``"boolean"`` or ``"categorical"``.
    numbers
        (n_samples,), values; 0 and 1; or places in ``categories``. NaN where missing.
    categories
        Names of the categories; of a yes/no factor ``("false", "true")``; none of a number.
    """

    name: str
    kind: str
    numbers: Floats
    categories: tuple[str, ...] = ()

    @property
    def present(self) -> Flags:
        """Whether each sample has a value."""
        return ~np.isnan(self.numbers)

    @property
    def why_undefined(self) -> str:
        """Why nothing can be said of the factor; empty where something can."""
        found = self.numbers[self.present]
        if found.size < MIN_SAMPLES:
            return f"too few samples (n < {MIN_SAMPLES})"
        if self.kind == "categorical" and len(self.categories) > MAX_CATEGORIES:
            return f"more than {MAX_CATEGORIES} categories"
        return "constant factor" if is_rounding(found) else ""


@dataclass(frozen=True)
class Target:
    """What a factor is related to.

    Attributes
    ----------
    name
        ``"error"``, ``"entropy"``, ``"similarity"`` or another number of the samples.
    numbers
        (n_samples,), booleans for an error; NaN where undefined.
    shared
        Where the values are mean similarities: what they share.
    """

    name: str
    numbers: npt.NDArray[np.generic]
    shared: ClassMeanDependence | None = None


@dataclass(frozen=True)
class FactorFinding:
    """What one factor has to do with one target; the family of the adjusted p is the target's."""

    factor: str
    kind: str
    target: str
    n_missing: int
    finding: Finding


def read_factors(table: pd.DataFrame) -> list[Factor]:
    """Tell numbers, yes/no and categories apart, column by column.

    Booleans are yes/no; integers and floats are numbers; all else, dates excepted, is categories by its text.

    Raises
    ------
    DataError
        For a column with an infinite number, or two of one name.
    """
    names = [str(name) for name in table.columns]
    if repeated := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise DataError(f"factors: expected columns of different names, found '{repeated[0]}' more than once")
    return [_read(str(name), table[name]) for name in table.columns]


def _read(name: str, column: "pd.Series[Any]") -> Factor:
    absent = column.isna().to_numpy()
    known = column[~absent]
    kind, categories = "numeric", tuple[str, ...]()
    found: Array
    if pd.api.types.is_bool_dtype(known.dtype) or (known.size and all(isinstance(v, (bool, np.bool_)) for v in known)):
        kind, categories = "boolean", ("false", "true")
        found = known.astype(bool).to_numpy(dtype=np.float64)
    elif pd.api.types.is_numeric_dtype(known.dtype):
        found = known.to_numpy(dtype=np.float64)
    elif pd.api.types.is_datetime64_any_dtype(known.dtype):
        found = known.astype("int64").to_numpy(dtype=np.float64)
    else:
        text = known.astype(str).to_numpy(dtype=str)
        names, places = np.unique(text, return_inverse=True)
        kind, categories, found = "categorical", tuple(names.tolist()), places.astype(np.float64)
    values = np.full(len(column), np.nan)
    values[~absent] = found
    if np.isinf(values).any():
        raise DataError(f"factor {name}: row {int(np.flatnonzero(np.isinf(values))[0])}: a value is not finite")
    return Factor(name, kind, values, categories)


def associate_factors(
    factors: list[Factor], targets: list[Target], *, settings: ResidualsSettings
) -> list[FactorFinding]:
    """Relate every factor to every target: effect, interval, permutation p, adjusted over the factors.

    Parameters
    ----------
    factors
        Of the same n_samples.
    targets
        What they are related to.
    settings
        Seed, permutations and confidence.

    Returns
    -------
    list of FactorFinding
        Factors within targets.
    """
    found = []
    for target in targets:
        findings = _of_target(factors, target, settings)
        p = np.array([finding.finding.p for finding in findings])
        adjusted = zip(findings, holm(p), benjamini_hochberg(p), strict=True)
        found += [
            replace(f, finding=replace(f.finding, p_holm=float(by_holm), p_bh=float(by_bh)))
            for f, by_holm, by_bh in adjusted
        ]
    return found


def _of_target(factors: list[Factor], target: Target, settings: ResidualsSettings) -> list[FactorFinding]:
    values = np.asarray(target.numbers, dtype=np.float64)
    rows = np.flatnonzero(~np.isnan(values))
    values = in_unit(values[rows], safe_exponent([values[rows]]))
    kept = [replace(factor, numbers=factor.numbers[rows]) for factor in factors]
    obstacles = [_obstacle(factor, target, values) for factor in kept]
    p_values = _permutation_p([f for f, o in zip(kept, obstacles, strict=True) if not o], values, settings)
    found, tested = [], iter(p_values)
    for factor, why_undefined in zip(kept, obstacles, strict=True):
        n = int(factor.present.sum())
        statistic = _statistic(factor, target)
        name = f"{target.name} by {factor.name}"
        if why_undefined:
            finding = missing(name, statistic, n, why_undefined)
        else:
            finding = _finding(name, statistic, factor, target, values, rows, next(tested), settings)
        found.append(FactorFinding(factor.name, factor.kind, target.name, factor.numbers.size - n, finding))
    return found


def _statistic(factor: Factor, target: Target) -> str:
    if factor.kind == "categorical":
        return "correlation_ratio"
    return "auroc" if factor.kind == "boolean" or target.numbers.dtype == bool else "spearman"


def _obstacle(factor: Factor, target: Target, values: Floats) -> str:
    if factor.why_undefined:
        return factor.why_undefined
    known = values[factor.present]
    if np.ptp(known) > 0:
        return ""
    if target.numbers.dtype == bool and target.name == "error":
        return "all wrong" if known[0] else "no errors"
    return f"constant {target.name}"


def _finding(
    name: str,
    statistic: str,
    factor: Factor,
    target: Target,
    values: Floats,
    rows: Integers,
    p: float,
    settings: ResidualsSettings,
) -> Finding:
    present = factor.present
    given, known = factor.numbers[present], values[present]
    found = _effect(statistic, given, known, is_error=target.numbers.dtype == bool)
    reason = _no_interval(statistic, factor, target, known, found.estimate)
    if reason:
        status = f"no interval ({reason})"
        return Finding(name, statistic, found.estimate, NAN, NAN, p, given.size, "", P_METHOD, status)
    error = standard_error(found, target.shared, rows[present])
    df = np.inf
    if statistic == "auroc":
        df = degrees_of_freedom(known > 0 if target.numbers.dtype == bool else given > 0, found)
    low, high = transformed_interval(found.estimate, error, settings.confidence, SCALES[statistic], df=df)
    method = METHODS[statistic] + ("" if target.shared is None else SHARED_METHOD)
    return Finding(name, statistic, found.estimate, low, high, p, given.size, method, P_METHOD, "ok")


def _effect(statistic: str, given: Floats, known: Floats, *, is_error: bool) -> EstimateWithInfluence:
    if statistic == "correlation_ratio":
        return correlation_ratio(given.astype(np.intp), known)
    if statistic == "spearman":
        return spearman(given, known)
    return auroc(known > 0, given) if is_error else auroc(given > 0, known)


def _no_interval(statistic: str, factor: Factor, target: Target, known: Floats, estimate: float) -> str:
    if statistic == "correlation_ratio":
        return "a share of variance is pushed up from 0 by noise"
    if target.shared is not None and known.size < MIN_SHARED:
        return f"n < {MIN_SHARED}"
    if estimate in (0.0, 1.0) or abs(estimate) >= 1 - 1e-12:
        return "exact relation"
    fewest = known.size
    if statistic == "auroc":
        side = known > 0 if target.numbers.dtype == bool else factor.numbers[factor.present] > 0
        fewest = int(min(side.sum(), side.size - side.sum()))
        if factor.kind == "boolean" and target.numbers.dtype == bool:
            yes = factor.numbers[factor.present] > 0
            fewest = min(fewest, int(min(yes.sum(), yes.size - yes.sum())))
    least = MIN_INTERVAL[statistic]
    return "" if fewest >= least else f"fewer than {least} samples{' of a side' if statistic == 'auroc' else ''}"


def _permutation_p(factors: list[Factor], values: Floats, settings: ResidualsSettings) -> list[float]:
    """Test each factor's effect by the same permutations of the target over all its samples.

    A missing factor takes part as a value that weighs nothing, so that the permutations are of the same
    samples for all, and the null is that the target does not depend on the factor nor on its being known.
    """
    if not factors:
        return []
    scores, spans = _score_columns(factors)
    versions = np.stack([midranks(values), values])
    versions -= versions.mean(axis=1, keepdims=True)
    versions /= np.linalg.norm(versions, axis=1, keepdims=True)
    observed = [_sizes(version @ scores, spans) for version in versions]
    reached = np.zeros((2, len(factors)), dtype=np.intp)
    for order in _orders(values.size, settings):
        for version in range(2):
            sizes = _sizes(versions[version][order] @ scores, spans)
            reached[version] += (sizes >= observed[version] * (1 - 1e-10) - 1e-14).sum(axis=0)
    by_rank = np.array([factor.kind != "categorical" for factor in factors])
    counts = np.where(by_rank, reached[0], reached[1])
    return [float(p) for p in (1 + counts) / (1 + settings.n_permutations)]


def _orders(n: int, settings: ResidualsSettings) -> Iterator[Integers]:
    generator = stream(settings.seed, Stream.FACTOR_PERMUTATION)
    identity = np.arange(n)
    for block in row_blocks(settings.n_permutations, n):
        yield generator.permuted(np.broadcast_to(identity, (block.stop - block.start, n)), axis=1)


def _score_columns(factors: list[Factor]) -> tuple[Floats, list[slice]]:
    """Columns whose squared products with a target add up to its association with each factor."""
    columns: list[Floats] = []
    spans = []
    for factor in factors:
        present, start = factor.present, len(columns)
        if factor.kind == "categorical":
            codes = np.where(present, factor.numbers, -1)
            kinds = np.unique(codes[present])
            columns += [(codes == kind) / np.sqrt((codes == kind).sum()) for kind in kinds]
        else:
            column = np.zeros(present.size)
            column[present] = midranks(factor.numbers[present])
            column[present] -= column[present].mean()
            columns.append(column / np.linalg.norm(column))
        spans.append(slice(start, len(columns)))
    return np.stack(columns, axis=1), spans


def _sizes(products: Floats, spans: list[slice]) -> Floats:
    squares = products**2
    return np.stack([squares[..., span].sum(axis=-1) for span in spans], axis=-1)


def targets_of(error: Flags, numbers: Mapping[str, Floats], shared: ClassMeanDependence | None) -> list[Target]:
    """Return the targets ``error``, and one for each of ``numbers``; ``shared`` is that of ``similarity``."""
    targets = [Target("error", error)]
    for name, values in numbers.items():
        targets.append(Target(name, values, shared if name == "similarity" else None))
    return targets
