"""The columns of the training dynamics, which `train` writes."""

from mlx.core.tables import Kind

DYNAMICS: dict[str, tuple[Kind, str]] = {
    "index": ("count", "row of the sample in the raw data"),
    "confidence": ("share", "mean over the epochs of the probability of the true class"),
    "variability": ("share", "standard deviation of that probability over the epochs, whose number is the divisor"),
    "correctness": ("share", "share of epochs in which the sample was right"),
    "forgetting_events": ("number", "how often it was right in an epoch and wrong in the next"),
    "area_under_margin": ("number", "mean over the epochs of the true class's logit minus the largest other logit"),
    "epoch_learned": ("number", "first epoch, from 1, in which it was right"),
    "status": ("text", "'ok', or 'never learned' of a sample that was right in no epoch"),
}
"""The columns of ``data/model/dynamics.parquet``, a row for each training sample: what they hold, and what they are.

The table has no rows for a regression, and for a model that is fitted all at once.
"""
