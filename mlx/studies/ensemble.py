"""An ensemble of the runs of a cell, from the probabilities that they recorded."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.special import entr

from mlx.core.array_types import Floats, Integers, Scores
from mlx.pipeline.model_outputs import ModelOutputs
from mlx.results.comparison import Metric
from mlx.results.study import EnsembleEstimate
from mlx.stats.groups import Groups
from mlx.studies.cells import estimate_cell
from mlx.studies.measure import measure_ensemble
from mlx.studies.values import MetricValues


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


def ensemble_rows(
    cell: str,
    outputs: Sequence[ModelOutputs],
    runs: Mapping[Metric, MetricValues],
    *,
    level: float,
    n_bins: int,
    groups: Groups | None = None,
) -> tuple[EnsembleEstimate, ...]:
    """Return what the ensemble of the runs of a cell reaches.

    Parameters
    ----------
    cell
        Its name.
    outputs
        Of its runs.
    runs
        Their metrics, as `mlx.studies.measure.measure_cell` returns them.
    level
        Of the intervals.
    n_bins
        Bins of the calibration error.
    groups
        Which of the samples belong together; None where each is its own.

    Returns
    -------
    tuple
        Empty for a regression, for runs that do not share their test samples, and where all predict the same.
    """
    probabilities = [one.probabilities for one in outputs if one.probabilities is not None]
    metric = next(iter(runs.values()))
    if len(probabilities) < 2 or metric.agree or not metric.samples:
        return ()
    made = ensemble_of(probabilities)
    one = replace(outputs[0], probabilities=made.probabilities, y_pred=made.y_pred, logits=None, validation=None)
    scores = {"mutual_information": made.mutual_information, "disagreement": made.disagreement}
    found = measure_ensemble(one, scores, n_bins, groups)
    rows = ((name, estimate_cell(cell, values, level=level)[0]) for name, values in found.items())
    return tuple(
        EnsembleEstimate(
            cell=cell,
            quantity=name,
            estimate=row.estimate,
            low=row.low,
            high=row.high,
            confidence=row.confidence,
            method=row.method,
            mean_of_runs=runs[Metric(name)].mean if name in runs else float("nan"),
            n_models=len(probabilities),
            n_samples=len(made.y_pred),
            status=row.status,
        )
        for name, row in rows
    )
