"""scikit-learn's histogram-based gradient boosting."""

import math
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from scipy.special import softmax

from mlx.core.array_types import Array
from mlx.core.errors import DataError, SettingsError
from mlx.models.in_sklearn.fitting import check_task_params, resolve_auto
from mlx.models.in_sklearn.leaves import LeafColumns, check_tree_links
from mlx.models.in_sklearn.params import GradientBoostingParams
from mlx.models.in_sklearn.sklearn_model import SklearnModel
from mlx.models.task_spec import TaskSpec


class GradientBoosting(SklearnModel):
    """Trees that each correct the sum of the previous ones; the sums are the logits.

    With two classes the logits are ``(0, z)``, whose softmax is the logistic function of z. The layers are
    ``input``, the flattened sample, and ``leaves``, the one-hot encoded leaf of the sample in each tree
    (`mlx.models.in_sklearn.leaves`): their cosine similarity is the share of trees, of all rounds and
    classes, in which two samples fall into the same leaf.
    """

    name = "gradient_boosting"
    training_fields = frozenset({"seed"})
    layers = ("input", "leaves")
    penultimate = "leaves"
    trusted = ("sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",)
    objects = {  # noqa: RUF012  # declared as ClassVar in the base
        "LossNode": tuple(
            f"sklearn._loss._loss.Cy{loss}"
            for loss in (
                "HalfMultinomialLoss", "HalfBinomialLoss", "HalfSquaredError", "AbsoluteError", "HalfGammaLoss",
                "HalfPoissonLoss", "PinballLoss",
            )
        ),
        "ObjectNode": (
            *trusted,
            "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper",
            "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingClassifier",
            "sklearn.ensemble._hist_gradient_boosting.gradient_boosting.HistGradientBoostingRegressor",
            "sklearn.preprocessing._label.LabelEncoder",
            "sklearn._loss.loss.HalfMultinomialLoss",
            "sklearn._loss.loss.HalfBinomialLoss",
            "sklearn._loss.loss.HalfSquaredError",
            "sklearn._loss.loss.AbsoluteError",
            "sklearn._loss.loss.HalfGammaLoss",
            "sklearn._loss.loss.HalfPoissonLoss",
            "sklearn._loss.loss.PinballLoss",
            "sklearn._loss.link.Interval",
            "sklearn._loss.link.IdentityLink",
            "sklearn._loss.link.LogLink",
            "sklearn._loss.link.LogitLink",
            "sklearn._loss.link.MultinomialLogit",
        ),
    }  # fmt: skip

    def __init__(self, params: GradientBoostingParams, task_spec: TaskSpec) -> None:
        super().__init__(task_spec)
        self.params = params
        self.loss = resolve_auto(params, task_spec.task, "loss", LOSSES)
        check_task_params(params, task_spec.task, only={"class_weight": "classification"})
        if (self.loss == "quantile") != (params.quantile is not None):
            wanted = "a number from 0 to 1" if self.loss == "quantile" else "null"
            raise SettingsError(
                f"expected {wanted}, as the loss is {self.loss}, found {params.quantile}",
                key=("model", "params", "quantile"),
            )

    @property
    def n_parameters(self) -> int:
        """A feature and a threshold for each split, and a value for each leaf."""
        leaves = np.concatenate([nodes["is_leaf"] for nodes in self._trees])
        return int(2 * (leaves == 0).sum() + (leaves == 1).sum())

    def blank(self, seed: int) -> Any:
        """Make scikit-learn's estimator, without categorical features."""
        from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

        params = self.params.as_dict() | {"loss": self.loss, "random_state": seed, "categorical_features": None}
        kind = HistGradientBoostingClassifier if self.classifies else HistGradientBoostingRegressor
        del params["quantile" if self.classifies else "class_weight"]
        return kind(**params)

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit on all processors, whose number changes neither the model nor its file.

        Raises
        ------
        DataError
            As for all, or the validation samples are too many or too few.
        """
        check_validation_size(self.params, len(y), self.task_spec.n_classes)
        super().fit(X, y, seed=seed)
        del self.estimator._feature_subsample_rng  # of the next round, which is not fitted
        self.estimator._bin_mapper.n_threads = 1
        self._clear_cache()

    def _clear_cache(self) -> None:
        for name in ("_traversal", "_trees"):
            vars(self).pop(name, None)

    def _representation(self, layer: str, table: Array) -> Any:  # noqa: ARG002  # there is but one
        return self._traversal.one_hot(table)

    def _scores(self, table: Array) -> tuple[Array | None, Array]:
        sums = self.estimator.decision_function(table)
        logits = np.column_stack([np.zeros(len(sums)), sums]) if sums.ndim == 1 else sums
        return logits, softmax(logits, axis=1)

    @cached_property
    def _trees(self) -> list[Array]:
        """The nodes of each tree, ordered by round and class."""
        return [tree.nodes for round_ in self.estimator._predictors for tree in round_]

    @cached_property
    def _traversal(self) -> "TreeTraversal":
        return TreeTraversal(self._trees)

    def _check_fitted(self, estimator: Any) -> None:
        from sklearn.ensemble._hist_gradient_boosting.common import PREDICTOR_RECORD_DTYPE

        self._clear_cache()
        per_round = self.task_spec.n_classes if self.task_spec.n_classes > 2 else 1
        rounds = estimator._predictors
        if not 1 <= len(rounds) <= self.params.max_iter or {len(trees) for trees in rounds} != {per_round}:
            raise ValueError("another number of trees")
        if estimator._baseline_prediction.shape not in {(), (1,), (1, per_round)}:
            raise ValueError("another baseline")
        for nodes in (tree.nodes for trees in rounds for tree in trees):
            if nodes.dtype != PREDICTOR_RECORD_DTYPE or nodes.ndim != 1 or nodes["is_categorical"].any():
                raise ValueError("a tree with other nodes")
            if not np.isfinite(nodes["value"]).all():
                raise ValueError("a tree with other values")
            left, right = nodes["left"].astype(np.int64), nodes["right"].astype(np.int64)
            check_tree_links(left, right, nodes["feature_idx"], nodes["is_leaf"] != 0, self.n_features)


AUTO_STOPS_ABOVE = 10_000
"""Number of training samples above which ``early_stopping: auto`` means true."""


def check_validation_size(params: GradientBoostingParams, n_samples: int, n_classes: int) -> None:
    """Reject numbers of training samples set aside for early stopping that leave one part too small for all classes.

    Raises
    ------
    DataError
        Gives the number of validation samples, and the number of all samples.
    """
    stops = n_samples > AUTO_STOPS_ABOVE if params.early_stopping == "auto" else params.early_stopping
    share = params.validation_fraction
    if not stops or share is None:
        return
    aside, least = share if isinstance(share, int) else math.ceil(share * n_samples), max(1, n_classes)
    if not least <= aside <= n_samples - least:
        raise DataError(
            f"gradient_boosting: expected {least} to {max(least, n_samples - least)} of {n_samples} training samples "
            f"to be set aside to stop early, found {aside}; change model.params.validation_fraction, or set "
            "model.params.early_stopping to false"
        )


LOSSES: dict[Any, tuple[str, ...]] = {
    "classification": ("log_loss",),
    "regression": ("squared_error", "absolute_error", "gamma", "poisson", "quantile"),
}


class TreeTraversal:
    """Finds the leaves of all samples in all trees at once, which scikit-learn does not return for this model.

    A leaf is stored as its own child, so that every sample takes as many steps as the deepest tree has.
    """

    def __init__(self, trees: Sequence[Array]) -> None:
        self._columns = LeafColumns.of([nodes["is_leaf"] != 0 for nodes in trees])
        nodes = np.concatenate(trees)
        first = np.repeat(self._columns.starts, [len(tree) for tree in trees])
        leaf, itself = nodes["is_leaf"] != 0, np.arange(len(nodes))
        self._feature = np.where(leaf, 0, nodes["feature_idx"])
        self._threshold = nodes["num_threshold"].copy()
        self._left = np.where(leaf, itself, first + nodes["left"])
        self._right = np.where(leaf, itself, first + nodes["right"])
        self._depth = int(nodes["depth"].max())

    def leaves(self, table: Array) -> Array:
        """Return the number of the leaf (m, T), within its tree, in which each row of ``table`` (m, d) falls."""
        rows = np.arange(len(table))[:, None]
        at = np.tile(self._columns.starts, (len(table), 1))
        for _ in range(self._depth):
            goes_left = table[rows, self._feature[at]] <= self._threshold[at]
            at = np.where(goes_left, self._left[at], self._right[at])
        return at - self._columns.starts

    def one_hot(self, table: Array) -> Any:
        """Return those leaves as one-hot rows (m, n_leaves)."""
        return self._columns.one_hot(self.leaves(table))
