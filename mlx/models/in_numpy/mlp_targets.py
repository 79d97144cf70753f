"""The classes that a multi-layer perceptron learns, and the target rows of its training."""

import numpy as np
from sklearn.utils.validation import column_or_1d

from mlx.core.array_types import Array, Floats
from mlx.models.in_numpy.heads import target_table


def class_labels(y: Array, output: str, units: int | None) -> Array:
    """Return the class labels (K,) of training targets, sorted.

    Parameters
    ----------
    y
        Labels (n,), or target rows (n, K).
    output
        The output activation.
    units
        Number of output units if it is given. Integer labels from 0 then stand for all its classes, even if some have
        no sample.

    Raises
    ------
    ValueError
        There are fewer than two classes.
    """
    if y.ndim == 2 and y.shape[1] > 1:
        return np.arange(y.shape[1])
    n_classes = 2 if (output, units) == ("sigmoid", 1) else units
    found = np.unique(y)
    if n_classes and found.dtype.kind in "iuf" and np.isin(found, np.arange(n_classes)).all():
        return np.arange(n_classes)
    if len(found) < 2:
        raise ValueError("expected at least two classes, found 1 class")
    return found


def target_rows(y: Array, classes: Array | None, output: str, units: int) -> Floats:
    """Return the target rows (n, units) of the network.

    Parameters
    ----------
    y
        Labels (n,), values (n,) or (n, units), or target rows (n, units).
    classes
        (K,) the labels; None for a regressor.
    output
        The output activation.

    Raises
    ------
    ValueError
        `y` has another number of columns, or other classes.
    """
    if classes is None or (y.ndim == 2 and y.dtype.kind in "biuf" and y.shape[1] == units):
        targets = np.asarray(y, np.float64).reshape(len(y), -1)
        if targets.shape[1] != units:
            raise ValueError(f"y: expected {units} columns, found {targets.shape[1]}")
        return targets
    y = column_or_1d(y)
    places = np.searchsorted(classes, y).clip(max=len(classes) - 1)
    if (unknown := classes[places] != y).any():
        raise ValueError(f"y: expected classes {classes.tolist()}, found {y[unknown][0]!r}")
    rows: Floats = target_table(output, len(classes))[places]
    return rows
