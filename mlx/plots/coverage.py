"""Risk-coverage curves: the share of errors among the samples that are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.style import MUTED, axes_or_new, category_style, styled
from mlx.plots.text import escape_math, fixed
from mlx.results.classification_residuals import CurvePoint
from mlx.stats.proportions import wilson_intervals

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@styled
def plot_risk_coverage(
    points: Sequence[CurvePoint],
    n_samples: int,
    *,
    areas: Mapping[str, str] | None = None,
    level: float = 0.95,
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of errors among the samples kept, when those with the highest score are left out first.

    The band is Wilson's interval of the first curve, for the threshold that keeps so many; it says how
    much of the risk is chance, with the score taken as given. The dotted line is the risk of keeping all.

    Parameters
    ----------
    points
        Of one curve per score, by rising coverage.
    n_samples
        Samples that a coverage of 1 keeps.
    areas
        What the legend says of a score, such as its AURC with interval; the mean risk of the points otherwise.
    level
        Of the band.
    """
    ax = axes_or_new(ax, height=3.0)
    ax.set(xlabel="coverage (share of samples kept)", ylabel="risk (share wrong of those kept)", xlim=(-0.02, 1.02))
    for k, score in enumerate(dict.fromkeys(point.score for point in points)):
        look = category_style(k)
        coverage, risk = np.array([(point.coverage, point.risk) for point in points if point.score == score]).T
        if k == 0:
            low, high = wilson_intervals(risk, np.maximum(coverage * n_samples, 1), level)
            ax.fill_between(coverage, low, high, color=look.color, alpha=0.15, linewidth=0)
        said = (areas or {}).get(score, f"mean {fixed(float(risk.mean()), 3)}")
        ax.plot(coverage, risk, color=look.color, linestyle=look.linestyle, label=escape_math(f"{score}: {said}"))
    if (overall := next((point.risk for point in points if point.coverage >= 1), None)) is not None:
        ax.axhline(overall, color=MUTED, linestyle=":", linewidth=1)
    ax.set_ylim(0, min(max(1.6 * max((point.risk for point in points), default=0), 0.02), 1.02))
    if points:
        ax.legend(loc="lower left", bbox_to_anchor=(-0.02, 1.0), title="area under the curve (AURC)", title_fontsize=7,
                  alignment="left")  # fmt: skip
    return ax
