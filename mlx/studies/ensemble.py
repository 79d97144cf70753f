"""An ensemble of the runs of a cell, from the probabilities that they recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import entr

from mlx.core.array_types import Floats, Integers, Scores


@dataclass(frozen=True)
class Ensemble:
    """Mean of the probabilities of several models on the same n samples, and how far they disagree.

    One ensemble is one model: its intervals are for *this model, other samples*. Each score is higher where the
    ensemble is less certain.

    Attributes
    ----------
    probabilities
        (n, n_classes), mean over the models.
    y_pred
        (n,), class of the largest of them; of equal ones the first.
    entropy
        (n,), of the mean probabilities, in nats: the total uncertainty.
    mutual_information
        (n,), entropy less the mean entropy of the models, in nats, in [0, ln n_models]: what the models disagree on
        (Houlsby et al. 2011).
    disagreement
        (n,), share of the models that predict another class than the ensemble.
    """

    probabilities: Floats
    y_pred: Integers
    entropy: Floats
    mutual_information: Floats
    disagreement: Floats


def ensemble_of(probabilities: Sequence[Scores]) -> Ensemble:
    """Average the probabilities of models, (n, n_classes) each, a row a sample, in the same order.

    Raises
    ------
    ValueError
        There are none, or their shapes differ.
    """
    shapes = {one.shape for one in probabilities}
    if len(shapes) != 1 or len(next(iter(shapes))) != 2:
        raise ValueError(f"expected probabilities (n, n_classes) of one shape, found {sorted(shapes)}")
    mean, within = np.zeros(next(iter(shapes))), np.zeros(len(probabilities[0]))
    votes = []
    for one in probabilities:
        p = np.asarray(one, dtype=np.float64)
        p = p / p.sum(axis=1, keepdims=True)
        mean += p / len(probabilities)
        within += entr(p).sum(axis=1) / len(probabilities)
        votes.append(p.argmax(axis=1))
    predicted = mean.argmax(axis=1)
    entropy: Floats = entr(mean).sum(axis=1)
    return Ensemble(
        probabilities=mean,
        y_pred=predicted,
        entropy=entropy,
        mutual_information=np.maximum(0.0, entropy - within),
        disagreement=(np.stack(votes) != predicted).mean(axis=0),
    )
