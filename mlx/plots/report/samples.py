"""Which samples a report shows as themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.settings import ReportSettings
from mlx.plots.thinning import evenly_spaced

if TYPE_CHECKING:
    from pandas import DataFrame

    from mlx.core.array_types import Array, Floats, Integers

UNCERTAIN, CONFIDENTLY_WRONG, STRANGE = "Most uncertain", "Most confidently wrong", "Least typical of their class"

MEAN_OF = 200
"""Images that the mean image of a class is computed from: more change its blur no further."""


def choose_grid(targets: Array, *, task: str, images: bool, settings: ReportSettings) -> Integers:
    """Choose the rows of the raw data to show in the figure ``samples``, in increasing order.

    For classified images the first ``images_per_class`` of each class, else up to ``max_points`` rows
    evenly spread over the data.

    Parameters
    ----------
    targets
        (n_samples,), labels or target values of the whole data set.
    task
        ``"classification"`` or ``"regression"``.
    images
        Whether a sample is an image.
    """
    if not (images and task == "classification"):
        return evenly_spaced(len(targets), settings.max_points)
    order = np.argsort(targets, kind="stable")
    grouped = targets[order]
    start = np.searchsorted(grouped, grouped)  # where the class of each begins
    return np.sort(order[np.arange(len(order)) - start < settings.images_per_class])


def choose_cards(samples: DataFrame, settings: ReportSettings) -> tuple[tuple[str, ...], Integers]:
    """Choose the rows of `samples` (positions) to show as images, and their groups.

    First the most uncertain, then those wrong with the greatest confidence, then those least similar to the
    samples predicted alike. Ties keep the order of `samples`; a perfect model has no second group.
    """
    entropy = np.nan_to_num(samples["entropy"].to_numpy(float), nan=-np.inf)
    confidence = samples["confidence"].to_numpy(float)
    wrong = np.flatnonzero(~samples["correct"].to_numpy(bool))
    uncertain = np.argsort(-entropy, kind="stable")[: settings.samples_shown]
    sure = wrong[np.argsort(-confidence[wrong], kind="stable")][: settings.samples_shown]
    similarity = samples["similarity"].to_numpy(float)
    strange = np.argsort(similarity, kind="stable")  # NaN last
    strange = strange[np.isfinite(similarity[strange])][: settings.samples_shown]
    groups = (UNCERTAIN,) * len(uncertain) + (CONFIDENTLY_WRONG,) * len(sure) + (STRANGE,) * len(strange)
    return groups, np.concatenate([uncertain, sure, strange])


def mean_image(X: Array, labels: Array, label: int) -> Floats:
    """Return the mean (h, w, c) of the first images of a class; zeros for a class without images."""
    own = np.flatnonzero(labels == label)[:MEAN_OF]
    if not len(own):
        return np.zeros(X.shape[1:], np.float64)
    return np.asarray(np.asarray(X[own]).mean(axis=0, dtype=np.float64), np.float64)
