"""What a report is made from, and which samples it shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from mlx.plots.settings import ReportSettings
from mlx.plots.text import number

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pandas import DataFrame

    from mlx.core.array_types import Array, Floats, Integers

UNCERTAIN, CONFIDENTLY_WRONG, STRANGE = "Most uncertain", "Most confidently wrong", "Least typical of their class"


@dataclass(frozen=True, kw_only=True)
class ReportInputs:
    """Everything the report shows; what is None or empty is left out of it.

    Parameters
    ----------
    name : str
        The experiment's name: the title of the page.
    task : {"classification", "regression"}
    class_names : tuple of str, length n_classes
        Empty for regression.
    description : str
        One or two sentences under the title; may be empty.
    source : str
        Where the data are from; may be empty.
    history : DataFrame
        A row an epoch (one row for a model without epochs): epoch, loss, val_loss, and optionally
        other quantities as a pair ``q``, ``val_q`` (accuracy first).
    training, evaluation, residuals : mapping
        The metrics files. A number may have its interval beside it as ``<key>_low``, ``<key>_high`` or
        be a mapping with ``value`` (or ``estimate``), ``low``, ``high``; deeper mappings are flattened.
    samples : DataFrame
        A row a test sample. Classification: index, y_true, y_pred, correct, confidence, entropy (nats),
        similarity. Regression: y_true, y_pred, residual (actual − predicted).
    classes : DataFrame, optional
        A row a class (and layer): class, name, n_predicted, n_true, pearson, pearson_low, pearson_high,
        pearson_p, spearman, …, status; only the first layer in it is drawn.
    tests : DataFrame, optional
        Any small table of test results, shown as it is.
    pooled : mapping, optional
        The keys of a row of `classes` (pearson, pearson_low, pearson_high, pearson_p, spearman, …) for
        all samples together, printed in ``similarity_entropy``.
    class_scores : DataFrame, optional
        class, precision, recall: the evaluation of each class, for the table of classes.
    confusion : ndarray of int, shape (n_classes, n_classes), optional
        Counts; rows are the actual classes.
    roc : DataFrame, optional
        class (label), false_positive_rate, true_positive_rate.
    reliability : DataFrame, optional
        bin, lower, upper, count, confidence, accuracy.
    grid_inputs : ndarray, shape (m, h, w, c) or (m, n_features), optional
        Raw samples for ``samples``, as `choose_grid` picks them: images, or rows of a table.
    grid_targets : ndarray, shape (m,), optional
        Their labels, or target values.
    card_rows : ndarray of int, shape (u,), optional
        Rows of `samples` (positions) shown as images, as `choose_cards` picks them.
    card_groups : tuple of str, length u
        The heading that each stands under.
    card_images : ndarray, shape (u, h, w, c), optional
        Their images.
    targets : ndarray of int, shape (n,), optional
        Labels of all raw samples, to be counted.
    curves : mapping of str to DataFrame
        Points of further curves, by the name of their file: precision_recall, risk_coverage, temperature.
    overview : ndarray, shape (m, m), optional
        Similarities between the samples whose column ``overview`` says which row they are.
    overview_images : ndarray, shape (m, h, w, c), optional
        Their images.
    residual_rows : ndarray of int, shape (r,), optional
        Rows of `samples` (positions) whose images are compared with their predicted class.
    residual_images, residual_references : ndarray, shape (r, h, w, c), optional
        Those images, and the mean images of the classes they were taken for.
    point_rows : ndarray of int, shape (v,), optional
        Rows of `samples` (positions) in the linked views of the page, as `choose_points` picks them; all without.
    point_images : ndarray of uint8, shape (v, h, w, 3), optional
        Their thumbnails.
    tables : mapping of str to DataFrame
        Further tables that the page shows, by the name of their file: factors, slices.
    configuration, environment : mapping
        What the page says about how the numbers were made, nested or flat.
    """

    name: str
    task: Literal["classification", "regression"]
    history: DataFrame
    samples: DataFrame
    class_names: tuple[str, ...] = ()
    description: str = ""
    source: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    evaluation: Mapping[str, Any] = field(default_factory=dict)
    residuals: Mapping[str, Any] = field(default_factory=dict)
    classes: DataFrame | None = None
    tests: DataFrame | None = None
    class_scores: DataFrame | None = None
    pooled: Mapping[str, Any] | None = None
    confusion: NDArray[np.integer[Any]] | None = None
    roc: DataFrame | None = None
    reliability: DataFrame | None = None
    grid_inputs: Array | None = None
    grid_targets: Array | None = None
    card_rows: Integers | None = None
    card_groups: tuple[str, ...] = ()
    card_images: Array | None = None
    targets: Array | None = None
    curves: Mapping[str, DataFrame] = field(default_factory=dict)
    overview: Floats | None = None
    overview_images: Array | None = None
    residual_rows: Integers | None = None
    residual_images: Array | None = None
    residual_references: Array | None = None
    point_rows: Integers | None = None
    point_images: NDArray[np.uint8] | None = None
    tables: Mapping[str, DataFrame] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def confidence(self) -> float:
        """Level of the intervals of the residuals analysis, as its metrics or `tests` say; else 0.95."""
        if np.isfinite(said := number(self.residuals, "confidence")):
            return said
        if self.tests is None or "confidence" not in self.tests:
            return 0.95
        known = self.tests["confidence"].dropna()  # a row without an interval has no level
        return float(known.iloc[0]) if len(known) else 0.95

    @property
    def evaluation_confidence(self) -> float:
        """Level of the intervals of the evaluation, as its metrics say; else 0.95."""
        said = number(self.evaluation, "confidence")
        return said if np.isfinite(said) else 0.95


def choose_grid(targets: Array, *, task: str, images: bool, settings: ReportSettings) -> Integers:
    """Rows to give as `ReportInputs.grid_inputs`, in increasing order.

    For classified images the first ``images_per_class`` of each class, else up to ``max_points`` rows
    evenly spread over the data.

    Parameters
    ----------
    targets : ndarray, shape (n_samples,)
        Labels or target values of the whole data set.
    task : {"classification", "regression"}
    images : bool
        Whether a sample is an image.
    """
    if not (images and task == "classification"):
        return spread(len(targets), settings.max_points)
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


def spread(n: int, limit: int) -> Integers:
    """At most `limit` of ``0 … n − 1``, evenly spaced, first and last among them."""
    if n <= limit:
        return np.arange(n)
    return np.linspace(0, n - 1, limit).round().astype(np.intp)
