"""Recalibration: maps from the outputs of a classifier to better calibrated probabilities, fitted on other samples.

`fit_calibrator` fits one. scikit-learn's `CalibratedClassifierCV` does the isotonic one over a frozen stub that returns
the recorded outputs. It does not do the others: its temperature has other bounds and no status where the log loss has
no minimum, and takes logits that happen to be distributions for probabilities; vector scaling it does not have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from mlx.core.array_types import Floats, Integers, Scores
from mlx.core.checks import check_labels
from mlx.core.log_scores import log_of, log_softmax
from mlx.core.ordered_map import one_thread_each
from mlx.stats.interval import NAN
from mlx.stats.status import OK, Reason, Status
from mlx.stats.temperature_fit import HIGHEST, LOWEST, fit_temperature


class Calibrator(StrEnum):
    """Ways to recalibrate, the simplest first."""

    NONE = "none"
    TEMPERATURE = "temperature"
    VECTOR = "vector"
    ISOTONIC = "isotonic"


Calibrate = Callable[[Floats], Floats]
"""Turns logits, or without them log-probabilities, (m, n_classes) into recalibrated log-probabilities."""


@dataclass(frozen=True)
class FittedCalibrator:
    """A map of outputs to probabilities.

    Attributes
    ----------
    calibrator
        Which one.
    log_probabilities
        Applies it: takes probabilities and logits (m, n_classes), the latter None if there are none, and returns
        log-probabilities (m, n_classes), −∞ of 0. None where it can not be fitted.
    temperature
        Of temperature scaling; else NaN.
    status
        `OK`, or why there is no map, or what is to be known of it.
    """

    calibrator: Calibrator
    log_probabilities: Callable[[Scores, Scores | None], Floats] | None
    temperature: float = NAN
    status: Status = OK


def fit_calibrator(
    calibrator: Calibrator, probabilities: Scores, logits: Scores | None, y_true: Integers
) -> FittedCalibrator:
    """Fit a calibrator to outputs for samples that did not train the model.

    Parameters
    ----------
    calibrator
        ``none`` leaves the predictions as they are.
    probabilities, logits
        (n, n_classes), the latter or None: log-probabilities then take their place.
    y_true
        (n,), labels.

    Raises
    ------
    DataError
        A label is no class, or a logit is not finite.
    """
    labels = check_labels("y_true", y_true, *np.shape(probabilities))
    z = outputs_of(probabilities, logits)
    if not (why := _why_unfitted(calibrator, z, labels, has_logits=logits is not None)).is_ok:
        return FittedCalibrator(calibrator, None, status=why)
    temperature, status = NAN, OK
    if calibrator is Calibrator.TEMPERATURE:
        fitted = fit_temperature(z, labels)
        temperature, status = fitted.temperature, fitted.status
        calibrate = _scaled(1 / temperature, 0.0)
    elif calibrator is Calibrator.VECTOR:
        weights, biases, status = fit_vector_scaling(z, labels)
        calibrate = _scaled(weights, biases)
    elif calibrator is Calibrator.ISOTONIC:
        calibrate = _isotonic(z, labels, has_logits=logits is not None)
    else:
        calibrate = log_softmax
    return FittedCalibrator(calibrator, lambda p, given: calibrate(outputs_of(p, given)), temperature, status)


def outputs_of(probabilities: Scores, logits: Scores | None) -> Floats:
    """Return what is recalibrated: logits, or without them the logarithms of probabilities, (m, n_classes)."""
    if logits is None:
        return log_of(np.asarray(probabilities, np.float64))
    return np.asarray(logits, np.float64)


def _why_unfitted(calibrator: Calibrator, z: Floats, labels: Integers, *, has_logits: bool) -> Status:
    if calibrator is Calibrator.NONE:
        return OK
    if calibrator is not Calibrator.ISOTONIC and not has_logits and (impossible := int(np.isneginf(z).sum())):
        return Reason.ZERO_PROBABILITIES(impossible)
    of_classes = calibrator in {Calibrator.VECTOR, Calibrator.ISOTONIC}
    absent = np.bincount(labels, minlength=z.shape[1]) == 0
    return Reason.FEW_VALIDATION_IN_CLASS(1) if of_classes and absent.any() else OK


def _scaled(weights: Floats | float, biases: Floats | float) -> Calibrate:
    return lambda z: log_softmax(weights * z + biases)


def fit_vector_scaling(logits: Floats, y_true: Integers) -> tuple[Floats, Floats, Status]:
    """Fit the weights w and biases b (n_classes,) of softmax(w·z + b) with the lowest mean log loss (Guo et al. 2017).

    The log loss is convex. Weights are held to [0.01, 100], as the inverse of a temperature is; a status says where
    one is at a bound. Biases sum to 0, as a common one changes nothing.

    Parameters
    ----------
    logits
        (n, n_classes), finite.
    y_true
        (n,), labels, every class at least once.
    """
    from scipy import optimize

    minimize: Any = optimize.minimize  # its stubs don't know a function that returns a gradient as well
    n, k = logits.shape
    z = logits - logits.mean()  # a shift common to all changes no minimum, and makes w and b less dependent
    truth = np.arange(n), y_true
    counts = np.bincount(y_true, minlength=k)
    of_truth = np.bincount(y_true, weights=z[truth], minlength=k)

    def loss_and_slope(parameters: Floats) -> tuple[float, Floats]:
        w, b = parameters[:k], parameters[k:]
        log_p = log_softmax(w * z + b)
        p = np.exp(log_p)
        slope = np.concatenate([np.einsum("ik,ik->k", p, z) - of_truth, p.sum(axis=0) - counts])
        return -float(log_p[truth].mean()), slope / n

    start = np.concatenate([np.full(k, 1 / fit_temperature(z, y_true).temperature), np.zeros(k)])
    bounds = [(LOWEST, HIGHEST)] * k + [(None, None)] * k
    options = {"maxiter": 1000, "maxfun": 2000, "ftol": 0.0, "gtol": 1e-10, "maxcor": 30}
    with one_thread_each():  # the steps are of small matrices, for which a second thread makes them four times as slow
        found = minimize(loss_and_slope, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    w, b = found.x[:k], found.x[k:] - found.x[k:].mean()
    held = np.isclose(w, LOWEST) | np.isclose(w, HIGHEST)
    status = Reason.WEIGHTS_AT_BOUND(int(held.sum()), k) if held.any() else OK
    b = b - w * logits.mean()
    return w, b - b.mean(), status


def _isotonic(z: Floats, labels: Integers, *, has_logits: bool) -> Calibrate:
    """Fit an increasing step function for each class against the rest, scaled to sum to 1 (Zadrozny & Elkan 2002)."""
    from sklearn.base import BaseEstimator, ClassifierMixin
    from sklearn.calibration import CalibratedClassifierCV
    from sklearn.frozen import FrozenEstimator

    def values(z: Floats) -> Floats:
        """Without logits, probabilities themselves: between two of them the function is interpolated."""
        return z if has_logits else np.exp(z)

    class RecordedClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc, unused-ignore]  # untyped base classes
        """A classifier whose samples are its own recorded outputs."""

        def fit(self, *_: Any) -> "RecordedClassifier":
            return self

        def predict(self, X: Floats) -> Integers:
            return np.asarray(X.argmax(axis=1))

        def decision_function(self, X: Floats) -> Floats:
            if X.shape[1] != 2:
                return X
            return X[:, 1] - X[:, 0] if has_logits else X[:, 1]

    stub = RecordedClassifier()
    stub.classes_ = np.arange(z.shape[1])
    whole = np.arange(len(z))
    # One fold, which is all samples: nothing is fitted to the others of a fold, and classes may be smaller than folds.
    model = CalibratedClassifierCV(FrozenEstimator(stub), method="isotonic", cv=[(whole, whole)], ensemble=False)
    model.fit(values(z), labels)
    return lambda other: log_of(np.asarray(model.predict_proba(values(other)), np.float64))
