"""Counts of what p-values and intervals did: a cell a statistic and design, as rows of two CSV tables."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np
import pandas as pd

from simulation.targets import Outcome

LEVEL = 0.05

LABEL = "conservative"
"""What the method of an interval says where it may cover more than its level."""

COUNTED = re.compile(r"; \d+ of \d+ samples are .*")
"""What a status says beside the reason, with numbers that differ from one test set to another."""


@dataclass
class PCell:
    """How often a p-value was given, and at most 0.05, where its null hypothesis is true."""

    source: str
    target: str
    design: str
    n: int
    runs: int = 0
    given: int = 0
    rejected: int = 0
    reason: str = ""
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, one: Outcome) -> None:
        """Count the outcome of one test set."""
        self.runs += 1
        if np.isnan(one.p):
            self.missing[one.status] += 1
        else:
            self.given += 1
            self.rejected += one.p <= LEVEL


@dataclass
class IntervalCell:
    """How often a 95 % interval was given and labeled, held the population's value, and lay below or above it."""

    source: str
    target: str
    design: str
    n: int
    runs: int = 0
    given: int = 0
    covered: int = 0
    below: int = 0
    above: int = 0
    labeled: int = 0
    reason: str = ""
    missing: Counter[str] = field(default_factory=Counter)

    def add(self, one: Outcome, truth: float) -> None:
        """Count the outcome of one test set, whose population has the value ``truth``."""
        self.runs += 1
        if np.isnan(one.low) or np.isnan(truth):
            self.missing[one.status if np.isnan(one.low) else "no interval counted: the population has no value"] += 1
            return
        self.given += 1
        self.below += one.high < truth
        self.above += one.low > truth
        self.covered += one.low <= truth <= one.high
        self.labeled += LABEL in one.method


def frame(cells: Iterable[PCell | IntervalCell]) -> pd.DataFrame:
    """Return the cells as a table, with the most frequent reason of what was not given."""
    rows = []
    for cell in cells:
        row = {one.name: getattr(cell, one.name) for one in fields(cell) if one.name != "missing"}
        missing = Counter[str]()
        for reason, count in cell.missing.items():
            missing[COUNTED.sub("", reason)] += count
        row["reason"] = cell.reason or min(missing, key=lambda reason: (-missing[reason], reason), default="")
        rows.append(row)
    return pd.DataFrame(rows)


def save(tables: Mapping[str, pd.DataFrame], folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, table in tables.items():
        table.to_csv(folder / f"{name}.csv", index=False, lineterminator="\n")
