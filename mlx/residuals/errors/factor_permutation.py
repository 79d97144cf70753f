"""Permutation p-values of factors, all from the same permutations of a target."""

from collections.abc import Iterator

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.core.checks import row_blocks
from mlx.residuals.errors.factor_values import Factor
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.streams import Stream, stream
from mlx.stats.correlation import midranks


def permutation_p_values(factors: list[Factor], values: Floats, settings: ResidualsSettings) -> list[float]:
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
