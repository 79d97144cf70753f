"""The linked plots of the page: what is drawn against what.

The page's own script draws them: a general library (Bokeh, 1.3 MB; Vega; Plotly) costs more bytes than all images
of the samples, and none draws 200,000 points as densities that share a selection with tables and galleries.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from mlx.plots.page.sample_columns import PROJECTIONS, projections_of
from mlx.plots.text import MINUS


@dataclass(frozen=True)
class View:
    """One plot of samples.

    Attributes
    ----------
    key
        Names it in the page.
    title, text
        Its heading, and how to read it.
    x, y
        Columns of the samples.
    x_label, y_label
        What stands at the axes.
    elsewhere
        What is drawn where samples of other parts than the test part are shown, of which this is not known.
    """

    key: str
    title: str
    text: str
    x: str
    y: str
    x_label: str
    y_label: str
    elsewhere: View | None = None


OF_ALL_PARTS = View("scatter", "Loss against entropy", "Right: far from the label. Down: certain. Samples on the lower "
                    "right may be mislabeled.", "surprise", "entropy", "loss (nats)", "entropy (nats)")  # fmt: skip
VIEWS = {
    "classification": (
        View("scatter", "Similarity against entropy", "Left: dissimilar to the samples predicted alike. Up: uncertain.",
             "similarity", "entropy", "similarity to samples predicted alike", "entropy (nats)", OF_ALL_PARTS),
    ),
    "regression": (
        View("fitted", "Residual against prediction", "Above zero the prediction is too low.",
             "y_pred", "residual", "predicted value", f"residual (true {MINUS} predicted)"),
        View("actual", "Prediction against true value", "Perfect predictions are on the diagonal.",
             "y_true", "y_pred", "true value", "predicted value"),
        View("leverage", "Residual against leverage", "Right: samples unlike the training samples.",
             "leverage", "standardised", "leverage", "standardized residual"),
    ),
}  # fmt: skip


def views_of(task: str, keys: Collection[str]) -> list[View]:
    """Return the plots that the columns of the samples allow."""
    kinds = projections_of(set(keys))
    views = []
    if kinds:
        text = "Samples with similar representations are close together; in t-SNE only neighborhoods have a meaning."
        name = PROJECTIONS[kinds[0]]
        views.append(View("map", "Map of representations", text, f"{kinds[0]}_1", f"{kinds[0]}_2",
                          f"{name}, first axis", f"{name}, second axis"))  # fmt: skip
    return views + [view for view in VIEWS[task] if view.x in keys and view.y in keys]
