"""How many seeds and samples a study needs to detect a difference, from the components of one that was run."""

from collections.abc import Sequence
from dataclasses import dataclass

from mlx.results.study import VarianceComponents
from mlx.stats.power import POWER, Components, detectable_difference, samples_needed, seeds_needed
from mlx.stats.seeds_by_samples import MIN_SEEDS

SEEDS = (3, 5, 10, 20, 50)
"""Numbers of seeds for which the samples are counted."""


@dataclass(frozen=True)
class RequiredSize:
    """What it takes to detect a difference between two cells.

    Attributes
    ----------
    pair
        The components of the difference that was measured.
    detectable
        Smallest difference that is detected with the seeds and samples of the study.
    seeds
        Seeds of each cell that are needed on the samples of the study; None where no number is enough.
    samples
        By number of seeds, the samples that are needed; None where no number is enough.
    """

    pair: VarianceComponents
    detectable: float
    seeds: int | None
    samples: dict[int, int | None]


def required_size(
    pair: VarianceComponents,
    difference: float,
    *,
    power: float = POWER,
    alpha: float = 0.05,
    n_tests: int = 1,
    at_upper_seed: bool = False,
) -> RequiredSize:
    """Return the seeds and samples that detect a difference with a given power.

    Parameters
    ----------
    pair
        Of two cells with three seeds each or more.
    difference
        Above 0, in the unit of the metric.
    power, alpha, n_tests
        Of the tests, as for `mlx.stats.power.detectable_difference`.
    at_upper_seed
        Whether the variance by seeds is taken at its upper 80 % limit.
    """
    components = Components.truncated(pair.var_seed, pair.var_sample, pair.var_rest)
    if at_upper_seed:
        components = components.with_upper_seed(pair.n_seeds, pair.n_samples)
    n_seeds, n = pair.n_seeds, pair.n_samples
    detectable = detectable_difference(components, n_seeds, n, power=power, alpha=alpha, n_tests=n_tests)
    seeds = seeds_needed(components, difference, n, power=power, alpha=alpha, n_tests=n_tests)
    samples = {
        count: samples_needed(components, difference, count, power=power, alpha=alpha, n_tests=n_tests)
        for count in SEEDS
    }
    return RequiredSize(pair, detectable, None if seeds is None else max(MIN_SEEDS, seeds), samples)


def comparable_pairs(rows: Sequence[VarianceComponents]) -> list[VarianceComponents]:
    """Return the pairs of cells whose components are known."""
    return [row for row in rows if row.against and row.detectable == row.detectable]
