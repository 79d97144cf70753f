"""Power of a paired difference of two recipes: the difference that some seeds and samples detect."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from math import sqrt

import numpy as np
from scipy.special import chdtri, nctdtr, stdtrit

POWER = 0.8
"""Chance to detect the difference, by default."""

UPPER_LIMIT = 0.8
"""Confidence of the upper limit of the variance of seeds, which few seeds estimate poorly."""


@dataclass(frozen=True)
class Components:
    """Components of variance of a difference of two runs on a sample, each at least 0, in squared units.

    Attributes
    ----------
    seed
        By seeds: what differs on all samples at once.
    sample
        By samples: what differs for all seeds.
    rest
        By seed and sample.
    """

    seed: float
    sample: float
    rest: float

    @classmethod
    def truncated(cls, seed: float, sample: float, rest: float) -> "Components":
        """Return components as estimated, which may be below 0, with 0 in place of those."""
        return cls(max(0.0, seed), max(0.0, sample), max(0.0, rest))

    def variance(self, n_seeds: int, n_samples: int) -> float:
        """Variance of the mean difference, σ²_seed/S + σ²_sample/n + σ²_rest/(S·n)."""
        return self.seed / n_seeds + self.sample / n_samples + self.rest / (n_seeds * n_samples)

    def freedom(self, n_seeds: int, n_samples: int) -> float:
        """Degrees of freedom of (MS_seed + MS_sample − MS_rest)/(S·n), from its mean squares (Satterthwaite 1946)."""
        by_seed, by_sample = n_samples * self.seed + self.rest, n_seeds * self.sample + self.rest
        spread = by_seed**2 / (n_seeds - 1) + by_sample**2 / (n_samples - 1)
        spread += self.rest**2 / ((n_seeds - 1) * (n_samples - 1))
        return float((by_seed + by_sample - self.rest) ** 2 / spread)

    def with_upper_seed(self, n_seeds: int, n_samples: int) -> "Components":
        """Return the components with the upper 80 % limit of σ²_seed, where S seeds and n samples estimated them.

        The limit is that of the mean square of seeds, (S − 1)·MS_seed/χ², less MS_rest.
        """
        by_seed = self.seed + self.rest / n_samples
        upper = by_seed * (n_seeds - 1) / float(chdtri(n_seeds - 1, UPPER_LIMIT))
        return Components(upper - self.rest / n_samples, self.sample, self.rest)


def detectable_difference(
    components: Components, n_seeds: int, n_samples: int, *, power: float = POWER, alpha: float = 0.05, n_tests: int = 1
) -> float:
    """Return the smallest difference that a two-sided t-test detects with a given power, by the noncentral t.

    Parameters
    ----------
    components
        Of the difference.
    n_seeds, n_samples
        Seeds of each recipe, and samples, at least two.
    power
        Between alpha and 1.
    alpha
        Size of the test, which is divided by ``n_tests``.
    n_tests
        Tests of the family.
    """
    from scipy.optimize import brentq

    error = sqrt(components.variance(n_seeds, n_samples))
    if error == 0:
        return 0.0
    df = components.freedom(n_seeds, n_samples)
    critical = float(stdtrit(df, 1 - alpha / n_tests / 2))

    def lacking(shift: float) -> float:
        return power - _power(shift, df, critical)

    return error * float(brentq(lacking, 0.0, critical + 40.0, xtol=1e-13, rtol=1e-14))


def power_of(
    difference: float, components: Components, n_seeds: int, n_samples: int, *, alpha: float = 0.05, n_tests: int = 1
) -> float:
    """Return the chance that a two-sided t-test detects a difference; the arguments are those of the inverse."""
    error = sqrt(components.variance(n_seeds, n_samples))
    if error == 0:
        return 1.0 if difference else alpha / n_tests
    df = components.freedom(n_seeds, n_samples)
    return _power(abs(difference) / error, df, float(stdtrit(df, 1 - alpha / n_tests / 2)))


def _power(shift: float, df: float, critical: float) -> float:
    """Share of a noncentral t that lies beyond ± a critical value; the far tail is 0 where it is not computed."""
    upper = float(nctdtr(df, shift, critical))
    lower = float(nctdtr(df, shift, -critical))
    return 1 - (0.0 if np.isnan(upper) else upper) + (0.0 if np.isnan(lower) else lower)


MOST = 10**9
"""Most seeds or samples that are searched."""


def seeds_needed(
    components: Components,
    difference: float,
    n_samples: int,
    *,
    power: float = POWER,
    alpha: float = 0.05,
    n_tests: int = 1,
) -> int | None:
    """Return the fewest seeds that detect a difference on so many samples; None where no number of seeds does."""
    test = partial(detectable_difference, components, power=power, alpha=alpha, n_tests=n_tests)
    return _fewest(lambda seeds: test(seeds, n_samples) <= difference)


def samples_needed(
    components: Components,
    difference: float,
    n_seeds: int,
    *,
    power: float = POWER,
    alpha: float = 0.05,
    n_tests: int = 1,
) -> int | None:
    """Return the fewest samples on which so many seeds detect a difference; None where no number of samples does."""
    test = partial(detectable_difference, components, power=power, alpha=alpha, n_tests=n_tests)
    return _fewest(lambda samples: test(n_seeds, samples) <= difference)


def _fewest(enough: Callable[[int], bool]) -> int | None:
    """Return the smallest number, at least 2, that is enough; None where `MOST` is not."""
    high = 2
    while not enough(high):
        if high >= MOST:
            return None
        high = min(2 * high, MOST)
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return max(2, high)
