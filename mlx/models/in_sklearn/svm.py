"""scikit-learn's support vector machines, with calibrated probabilities."""

from pathlib import Path
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import ArtifactError, DataError
from mlx.models.in_sklearn.fitting import check_task_params, flattened
from mlx.models.in_sklearn.params import SvmParams
from mlx.models.in_sklearn.sklearn_model import SklearnModel
from mlx.models.in_sklearn.standardization import Standardization
from mlx.models.npz import read_npz, write_npz
from mlx.models.task_spec import TaskSpec

SCALE = "standardisation.npz"


class Svm(SklearnModel):
    """A support vector machine with a kernel.

    As in Platt (1999), probabilities come from a logistic curve fitted to the decision values of each class
    against the rest, by cross-validation with ``cv`` folds, and are scaled to sum to 1; the machine itself is
    fitted to all samples. There are no logits. The predicted class is the most probable one.

    The layers are ``input``, the flattened sample; ``standardised``, its features standardized by the mean and
    standard deviation of the training samples; ``decision``, the decision values of the classes, ``(-z, z)``
    for two, or the predicted value of a regression. The machine is fitted to the samples without
    standardization.
    """

    name = "svm"
    training_fields = frozenset[str]()
    layers = ("input", "standardised", "decision")
    penultimate = "decision"
    trusted = ("sklearn.calibration._CalibratedClassifier", "sklearn.calibration._SigmoidCalibration")
    objects = {  # noqa: RUF012  # declared as ClassVar in the base
        "ObjectNode": (
            *trusted,
            "sklearn.calibration.CalibratedClassifierCV",
            "sklearn.svm._classes.SVC",
            "sklearn.svm._classes.SVR",
        )
    }

    def __init__(self, params: SvmParams, task_spec: TaskSpec) -> None:
        super().__init__(task_spec)
        self.params = params
        self._standardization = Standardization.identity(self.n_features)
        only = {"class_weight": "classification", "cv": "classification", "epsilon": "regression"}
        check_task_params(params, task_spec.task, only=only)  # type: ignore[arg-type]  # these are tasks

    @property
    def n_parameters(self) -> int:
        """The coefficients and intercepts of the machine, and two parameters for each calibration."""
        calibrations = self._calibrated.calibrators if self.classifies else ()
        return int(self.machine.dual_coef_.size + self.machine.intercept_.size + 2 * len(calibrations))

    @property
    def machine(self) -> Any:
        """The fitted `SVC` or `SVR`."""
        return self._calibrated.estimator if self.classifies else self.estimator

    @property
    def _calibrated(self) -> Any:
        return self.estimator.calibrated_classifiers_[0]

    def blank(self, seed: int) -> Any:  # noqa: ARG002  # the fit is deterministic
        """Make scikit-learn's machine, and for classification its calibration."""
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.svm import SVC, SVR

        params = self.params.as_dict()
        folds = params.pop("cv")
        if not self.classifies:
            del params["class_weight"]
            return SVR(**params)
        del params["epsilon"]
        return CalibratedClassifierCV(SVC(**params), method="sigmoid", cv=folds, ensemble=False)

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit the machine, its calibration, and the scale of the layer ``standardised``.

        Raises
        ------
        DataError
            As for all, or a class has fewer samples than there are folds.
        """
        if self.classifies:
            check_fold_sizes(self.params, int(np.bincount(y, minlength=self.task_spec.n_classes).min()))
        super().fit(X, y, seed=seed)
        self._standardization = Standardization.of(flattened(X))

    def _scores(self, table: Array) -> tuple[Array | None, Array]:
        return None, self.estimator.predict_proba(table)

    def _representation(self, layer: str, table: Array) -> Array:
        if layer == "standardised":
            return self._standardization.apply(table)
        if not self.classifies:
            return np.asarray(self.machine.predict(table))[:, None]
        values: Array = self.machine.decision_function(table)
        return np.column_stack([-values, values]) if values.ndim == 1 else values

    def save(self, folder: Path) -> None:
        """Write ``model.skops`` and the scale of the layer ``standardised``."""
        super().save(folder)
        write_npz(folder / SCALE, {"mean": self._standardization.mean, "scale": self._standardization.scale})

    def restore(self, folder: Path) -> None:
        """Read both."""
        self._standardization = read_standardization(folder / SCALE, self.n_features)
        super().restore(folder)

    def _check_fitted(self, estimator: Any) -> None:
        """Check the sizes of all arrays, as LIBSVM reads beyond their ends."""
        if self.classifies:
            if len(estimator.calibrated_classifiers_) != 1:
                raise ValueError("another number of calibrations")
            calibrated = estimator.calibrated_classifiers_[0]
            machine, k = calibrated.estimator, self.task_spec.n_classes
            if type(machine) is not type(self.blank(0).estimator) or not np.array_equal(machine.classes_, np.arange(k)):
                raise ValueError("another machine")
            if machine.get_params() != self.blank(0).estimator.get_params():
                raise ValueError("a machine with other parameters")
        else:
            machine, k = estimator, 2
        n = len(machine.support_)
        shapes = {
            "support_": (np.int32, (n,)),
            "support_vectors_": (np.float64, (n, self.n_features)),
            "_n_support": (np.int32, (k,)),
            "_dual_coef_": (np.float64, (k - 1, n)),
            "_intercept_": (np.float64, (k * (k - 1) // 2,)),
            "_probA": (np.float64, (0,)),
            "_probB": (np.float64, (0,)),
        }
        for name, (dtype, shape) in shapes.items():
            array = getattr(machine, name)
            if (array.dtype, array.shape) != (dtype, shape) or not np.isfinite(array).all():
                raise ValueError(f"an array {name} of {array.dtype} and shape {array.shape}")
        counts = machine._n_support
        if self.classifies and ((counts < 0).any() or counts.sum() != n):
            raise ValueError("another number of support vectors")
        if machine._sparse is not False or not np.isfinite(machine._gamma):
            raise ValueError("another kernel")


def read_standardization(path: Path, n_features: int) -> Standardization:
    """Read the scale that `Svm.save` wrote."""
    arrays = read_npz(path, ("mean", "scale"))
    if {array.shape for array in arrays.values()} != {(n_features,)} or not (arrays["scale"] > 0).all():
        found = " and ".join(str(array.shape) for array in arrays.values())
        raise ArtifactError(f"{path}: expected a mean and a scale above 0 for {n_features} features, found {found}")
    return Standardization(arrays["mean"], arrays["scale"])


def check_fold_sizes(params: SvmParams, fewest: int) -> None:
    """Reject more folds of the calibration than training samples of the smallest class, if it has any.

    Raises
    ------
    DataError
        Gives both numbers.
    """
    if 0 < fewest < params.cv:
        raise DataError(
            f"svm: expected at least {params.cv} training samples of each class, one for each fold of the "
            f"calibration, found {fewest}; {'add samples' if fewest < 2 else 'lower model.params.cv, or add samples'}"
        )
