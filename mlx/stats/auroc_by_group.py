"""The AUROC of samples that come in groups: its smoothed interval, with the variance between groups.

With few errors the interval is that of `mlx.stats.brunner_munzel.smoothed_area`, of as many samples as the grouped
ones are worth: their number over the design effect.
"""

import numpy as np
from scipy.special import logit

from mlx.core.array_types import Flags
from mlx.stats.brunner_munzel import SmoothedArea
from mlx.stats.groups import Groups, design_effect, variance_by_group
from mlx.stats.influence import EstimateWithInfluence

MIN_WORTH = 1.5
"""Fewest samples that those of a kind are taken to be worth, so that their variance has degrees of freedom."""


def smoothed_area_by_group(positive: Flags, area: EstimateWithInfluence, groups: Groups) -> SmoothedArea:
    """Smooth an AUROC whose variance is Σ_g (Σ φ_i)² · G/(G − 1)/n².

    Parameters
    ----------
    positive
        (n_samples,), two of either kind at least.
    area
        The AUROC and the influence (n_samples,) of every sample on it, as `mlx.stats.auroc.auroc` has it.
    groups
        Of the samples, two at least; with G of them, at most G - 1 degrees of freedom.
    """
    kinds = (~positive, positive)
    sizes = np.array([kind.sum() for kind in kinds])
    # (V - θ)n/m, without the correction of each kind for the mean that it is measured from.
    influence = area.influence * np.sqrt(1 - 1 / np.where(positive, sizes[1], sizes[0]))
    variance, effect = variance_by_group(influence, groups), design_effect(influence, groups)
    worth = np.maximum(sizes / min(effect, groups.mean_size), MIN_WORTH)
    smooth = (area.estimate * worth.prod() + 0.5) / (worth.prod() + 1)
    spread = smooth * (1 - smooth)
    added = spread / 3 / worth**2
    parts = np.array([variance_by_group(np.where(kind, influence, 0.0), groups) for kind in kinds]) + added
    df = min(groups.count - 1.0, float(parts.sum() ** 2 / (parts**2 / (worth - 1)).sum()))
    return SmoothedArea(float(logit(smooth)), float(np.sqrt(variance + added.sum())) / spread, df)
