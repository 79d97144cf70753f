"""Layer by layer: a linear probe fitted on training samples, and neural collapse of training and of test samples."""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from mlx.core.array_types import Floats, Integers
from mlx.core.last_layer import LastLayer
from mlx.core.ordered_map import OrderedMap, in_order
from mlx.core.scale import exponent_of, in_unit
from mlx.residuals.errors.error_rate import error_rate_interval
from mlx.residuals.geometry.collapse import neural_collapse
from mlx.residuals.geometry.layer_geometry import FILLED_BYTES, filled
from mlx.residuals.parts import OtherParts, RecordedPart
from mlx.residuals.predictions import Predictions
from mlx.residuals.similarity.directions import Representation
from mlx.results.probes import LayerReadout
from mlx.stats.status import Reason, Status

MOST_ITERATIONS = 1000

COLLAPSE = ("nc1", "nc2_norms", "nc2_angles", "nc2_simplex", "nc3", "nc4")


def layer_readouts(
    layers: Mapping[str, Representation],
    predictions: Predictions,
    others: OtherParts,
    *,
    confidence: float,
    map: OrderedMap = in_order,
) -> tuple[LayerReadout, ...]:
    """Read every layer out.

    Parameters
    ----------
    layers
        By name, (n_samples, n_features) of the test samples.
    predictions
        Of the test samples.
    others
        Training samples, which probes are fitted on, and the last layer.
    confidence
        Level of the intervals.
    map
        How layers are run.
    """
    tasks = [_Readout(name, representation, predictions, others, confidence) for name, representation in layers.items()]
    return tuple(map(_read_out, tasks))


@dataclass(frozen=True)
class _Readout:
    name: str
    test: Representation
    predictions: Predictions
    others: OtherParts
    confidence: float

    def row(self) -> LayerReadout:
        predictions, train = self.predictions, self.others.train
        last = self.others.last_layer
        last = last if last is not None and last.layer == self.name else None
        known = {} if train is None else _collapse("train", train.layers[self.name], train.y_true, train.y_pred, last)
        missing: dict[str, Any] = {"train_status": Reason.NOT_RECORDED("training")} if train is None else {}
        return LayerReadout(
            layer=self.name,
            n_features=int(self.test.shape[1]),
            n_train=0 if train is None else len(train.y_true),
            model_accuracy=float((~predictions.error).mean()),
            confidence=self.confidence,
            **self._probe(train),
            **known,
            **missing,
            **_collapse("test", self.test, predictions.y_true, predictions.y_pred, last),
        )

    def _probe(self, train: RecordedPart | None) -> dict[str, Any]:
        if train is None:
            return {"probe_status": Reason.NOT_RECORDED("training")}
        predicted = probe(train.layers[self.name], train.y_true, self.test)
        if isinstance(predicted, Status):
            return {"probe_status": predicted}
        right = np.asarray(predicted == self.predictions.y_true)
        interval = error_rate_interval(right, self.predictions.groups, self.confidence)
        ends = {"probe_low": interval.low, "probe_high": interval.high, "probe_status": interval.status}
        return {"probe_accuracy": float(right.mean())} | ends


def _read_out(one: _Readout) -> LayerReadout:
    return one.row()


def _collapse(part: str, values: Representation, y_true: Any, y_pred: Any, last: LastLayer | None) -> dict[str, Any]:
    dense = filled(values)
    if dense is None:
        return {f"{part}_status": Reason.TOO_LARGE_TO_FILL(FILLED_BYTES >> 20)}
    found = neural_collapse(
        dense, np.asarray(y_true), np.asarray(y_pred), weights=None if last is None else last.weights
    )
    return {f"{part}_{name}": getattr(found, name) for name in COLLAPSE} | {f"{part}_status": found.status}


def probe(train: Representation, y_train: Integers, test: Representation) -> Integers | Status:
    """Fit a logistic regression on training samples, with scikit-learn's L2 penalty, and predict test samples (n,).

    Dense features are standardized by the training samples; sparse ones are taken as they are.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if np.unique(y_train).size < 2:
        return Reason.ONE_CLASS()
    if not sparse.issparse(train):
        train, test = _standardized(np.asarray(train), np.asarray(test))
    model = LogisticRegression(max_iter=MOST_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)  # of few samples of each
        try:
            predicted: Integers = model.fit(train, y_train).predict(test)
        except ConvergenceWarning:
            return Reason.NOT_CONVERGED(MOST_ITERATIONS)
    return predicted


def _standardized(train: Floats, test: Floats) -> tuple[Floats, Floats]:
    unit = exponent_of(train)
    train, test = in_unit(train, unit), in_unit(test, unit)
    center, spread = train.mean(axis=0), train.std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    return (train - center) / scale, (test - center) / scale
