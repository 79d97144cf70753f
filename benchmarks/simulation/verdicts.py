"""What the rules say of each cell: p-values at most 0.05 in 3 to 7 %, intervals that hold in 93 to 97 %."""

import numpy as np
import pandas as pd
from scipy.stats import binom

from mlx.stats.multiple_testing import holm

P_RANGE, COVERAGE_RANGE = (0.03, 0.07), (0.93, 0.97)
NOMINAL_P, NOMINAL_COVERAGE = 0.05, 0.95
LEVEL = 0.05

FEWEST = 100
"""Test sets in which a value is given, for a cell to be judged; its rate is then known to 2.6 points."""

SIDES = 3
"""Largest ratio of the misses on the two sides."""

BY_CHANCE = 0.16
"""Probability of so many misses on one side at the largest ratio, that of one standard error."""


def slack(given: pd.Series) -> pd.Series:
    """One standard error of a rate at the outer ends of the ranges."""
    return np.sqrt(0.07 * 0.93 / given)


def judged(table: pd.DataFrame) -> pd.DataFrame:
    """Return the cells of a table that are judged, with their ``rate``, ``share`` given and ``verdict``.

    A verdict is "ok", "rejects too often", "rejects too rarely", "too narrow" or "conservative". ``chance_low`` and
    ``chance_high`` are the probabilities of a verdict on either side at the nominal rate; ``certain`` says whether the
    rate is outside of its range by more than chance, adjusted over all cells. Of intervals, ``one_sided`` says whether
    the misses on one side are more than three times those on the other, by more than their simulation error.
    """
    table = table[table["given"] >= FEWEST].copy()
    of_p = "rejected" in table
    (low, high), nominal, words = (
        (P_RANGE, NOMINAL_P, ("rejects too rarely", "rejects too often"))
        if of_p
        else (COVERAGE_RANGE, NOMINAL_COVERAGE, ("too narrow", "conservative"))
    )
    given, hits = table["given"], table["rejected" if of_p else "covered"]
    table["rate"] = hits / given
    table["share"] = given / table["runs"]
    least, most = (low - slack(given)) * given, (high + slack(given)) * given
    table["verdict"] = np.select([hits < least, hits > most], words, "ok")
    table["chance_low"] = binom.cdf(np.ceil(least) - 1, given, nominal)
    table["chance_high"] = binom.sf(np.floor(most), given, nominal)
    outside = np.minimum(binom.cdf(hits, given, low), binom.sf(hits - 1, given, high)).astype(np.float64)
    table["certain"] = holm(outside) <= LEVEL
    if not of_p:
        misses, most = table["below"] + table["above"], table[["below", "above"]].max(axis=1)
        table["one_sided"] = binom.sf(most - 1, misses, SIDES / (SIDES + 1)) < BY_CHANCE
    return table


def at_least(count: int, chances: pd.Series) -> float:
    """Return the probability that so many of independent events, each with its chance, or more happen."""
    law = np.ones(1)
    for chance in chances:
        law = np.convolve(law, (1 - chance, chance))
    return float(law[count:].sum())
