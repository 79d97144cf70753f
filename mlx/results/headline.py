"""The headline of a study: six numbers, which ``dvc metrics show`` and ``dvc exp show`` have as columns."""

from collections.abc import Mapping
from typing import Literal

Metrics = Mapping[str, float | int | str | None]

EVALUATION: Mapping[str, tuple[str, ...]] = {
    "classification": ("accuracy", "log_loss", "ece"),
    "regression": ("rmse", "mae", "r2"),
}
RESIDUALS: Mapping[str, tuple[str, ...]] = {
    "classification": ("pearson", "error_auroc_entropy", "error_auroc_similarity"),
    "regression": ("residual_mean", "skewness", "spread_spearman"),
}


def headline(
    task: Literal["classification", "regression"], evaluation: Metrics, residuals: Metrics
) -> dict[str, float | int | None]:
    """Choose the numbers that a study is known by.

    Parameters
    ----------
    task
        What the model was trained for.
    evaluation, residuals
        The metrics of both steps; their files have the intervals as well.

    Returns
    -------
    dict
        The same six keys for every study of a task; None where a number is undefined, for the reason that
        ``evaluation.json`` and ``residuals.json`` state.
    """
    chosen = [(evaluation, EVALUATION[task]), (residuals, RESIDUALS[task])]
    numbers = {name: metrics.get(name) for metrics, names in chosen for name in names}
    return {name: value if isinstance(value, int | float) else None for name, value in numbers.items()}
