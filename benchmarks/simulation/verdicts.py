"""What the rules say of each cell: p-values at most 0.05 in 3 to 7 %, intervals that hold in 93 to 97 %."""

import numpy as np
import pandas as pd
from scipy.stats import binom

P_RANGE, COVERAGE_RANGE = (0.03, 0.07), (0.93, 0.97)

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

    A verdict is "ok", "rejects too often", "rejects too rarely", "too narrow" or "conservative"; of intervals, also
    ``one_sided``: whether the misses on one side are more than three times those on the other, by more than their
    simulation error.
    """
    table = table[table["given"] >= FEWEST].copy()
    of_p = "rejected" in table
    (low, high), words = (
        (P_RANGE, ("rejects too rarely", "rejects too often"))
        if of_p
        else (COVERAGE_RANGE, ("too narrow", "conservative"))
    )
    table["rate"] = table["rejected" if of_p else "covered"] / table["given"]
    table["share"] = table["given"] / table["runs"]
    beyond = [table["rate"] < low - slack(table["given"]), table["rate"] > high + slack(table["given"])]
    table["verdict"] = np.select(beyond, words, "ok")
    if not of_p:
        misses, most = table["below"] + table["above"], table[["below", "above"]].max(axis=1)
        table["one_sided"] = binom.sf(most - 1, misses, SIDES / (SIDES + 1)) < BY_CHANCE
    return table
