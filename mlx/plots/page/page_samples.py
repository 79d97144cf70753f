"""The samples that the page holds: test samples, and where they were recorded, samples of the other parts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.plots.page.points import MOST_POINTS, choose_points
from mlx.plots.page.selections import numbers_of
from mlx.plots.report.inputs import AnyReport

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Integers

MOST_CATEGORIES = 5000
"""Of a column of names; where the other parts have more, the page has those of the test samples."""


@dataclass(frozen=True, eq=False)
class PageSamples:
    """Samples of the page.

    Attributes
    ----------
    frame
        A row per sample, test samples first, with the columns of ``samples.parquet``; where other parts are recorded,
        also ``split``, and what is unknown of their samples is missing.
    n_test
        How many of them are test samples.
    order
        Rows of the others (n_others,), in the order in which they are taken.
    """

    frame: DataFrame
    n_test: int
    order: Integers

    @classmethod
    def of(cls, report: AnyReport) -> PageSamples:
        """Return all samples that a page may hold."""
        test = report.residuals.sample_frame()
        n = len(test)
        if report.others is None:
            return cls(test, n, np.arange(0))
        places = report.others.chosen(max(0, MOST_POINTS - n), numbers_of(report.residuals.issues))
        others = report.others.frame(places, list(report.residuals.sample_factors))
        return cls(_joined(test, others), n, n + np.argsort(np.argsort(places)))

    def limited(self, limit: int, *, task: str) -> PageSamples:
        """Return at most `limit` samples: all test samples, then others in their order; else test samples alone."""
        chosen = choose_points(self.frame.iloc[: self.n_test], task=task, limit=limit)
        others = self.order[: limit - len(chosen)]
        rows = np.concatenate([chosen, np.sort(others)])
        return PageSamples(self.frame.iloc[rows], len(chosen), len(chosen) + np.argsort(np.argsort(others)))

    def sizes(self) -> dict[str, int]:
        """Return how many samples of each part there are."""
        counts = self.frame["split"].value_counts(sort=False) if "split" in self.frame else {"test": self.n_test}
        return {str(split): int(count) for split, count in counts.items()}


def _joined(test: DataFrame, others: DataFrame) -> DataFrame:
    """Return the columns of `test` and ``split``, with the rows of `others` below; what these lack is missing."""
    import pandas as pd
    from pandas.api.types import is_bool_dtype

    n = len(test) + len(others)
    found: dict[str, pd.Series[Any]] = {"split": pd.Series(["test"] * len(test) + others["split"].tolist())}
    for name in map(str, test):
        own = test[name].astype("boolean") if is_bool_dtype(test[name].dtype) else test[name]  # which can hold gaps
        if name in others:
            whole = pd.concat([own, others[name].astype(own.dtype) if own.dtype == "boolean" else others[name]])
        if name not in others or (whole.dtype.kind == "O" and whole.nunique() > MOST_CATEGORIES >= own.nunique()):
            found[name] = own.reset_index(drop=True).reindex(range(n))
        else:
            found[name] = whole.reset_index(drop=True)
    return pd.DataFrame(found)
