"""Conditions on factors as a reader understands them: plain names, and what a number is measured in."""

from __future__ import annotations

import math

import numpy as np

from mlx.plots.factor_names import unit_of
from mlx.plots.page.selections import slice_conditions
from mlx.plots.report.inputs import AnyReport
from mlx.plots.text import listed, readable, significant
from mlx.results.classification_residuals import FactorEffect


def part_in_words(report: AnyReport, part: FactorEffect) -> str:
    """Return a part of a factor: "distance from the top is 0.2 to 0.3 (share of the height)"."""
    words = f"{report.plain(readable(part.factor))} is {readable(part.bin)}"
    return f"{words}{_scale(report, part.factor)}" if math.isfinite(part.lower) else words


def slice_in_words(report: AnyReport, description: str) -> str:
    """Return the conditions of a slice, each factor with its scale where it is named first."""
    conditions = slice_conditions(description, report.residuals.sample_factors)
    if not conditions:
        return report.plain(readable(description))
    said: list[str] = []
    known: set[str] = set()
    for words, key, values in conditions:
        factor = key.removeprefix("f.factor.")
        is_number = values.startswith((">", "<="))
        said.append(
            report.plain(readable(words)) + (_scale(report, factor) if is_number and factor not in known else "")
        )
        known.add(factor)
    return listed(said)


def _scale(report: AnyReport, factor: str) -> str:
    """Return the unit of a factor of this project's images, or the range of another's values; empty where unknown."""
    unit = unit_of(factor, report.dataset)
    if unit or factor not in report.residuals.sample_factors:
        return f" ({unit})" if unit else ""
    values = np.asarray(report.residuals.sample_factors[factor])
    if values.dtype.kind not in "iuf" or not np.isfinite(values).any():
        return ""
    ends = (significant(float(end(values))) for end in (np.nanmin, np.nanmax))
    return f" ({readable(' to '.join(ends))} in the test samples)"
