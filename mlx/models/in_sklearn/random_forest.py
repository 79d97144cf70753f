"""scikit-learn's random forests."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import SettingsError
from mlx.models.contract import Outputs, TaskSpec
from mlx.models.in_sklearn.estimated import Estimated
from mlx.models.in_sklearn.fitting import chosen, refuse_foreign
from mlx.models.in_sklearn.leaves import LeafColumns, refuse_links
from mlx.models.in_sklearn.params import RandomForestParams
from mlx.models.in_sklearn.skops_file import Contents, Node

NO_CHILD = -1  # of a leaf, in the nodes of sklearn.tree


class RandomForest(Estimated):
    """Trees fitted to resamples, which vote.

    It has no logits: its probabilities are means of the trees' own. Its layers are ``input``, the flattened
    sample, and ``leaves``, one-hot rows that say in which leaf of each tree the sample falls
    (`mlx.models.in_sklearn.leaves`): their cosine similarity is the proximity of the forest.
    """

    name = "random_forest"
    training_fields = frozenset({"seed"})
    layers = ("input", "leaves")
    penultimate = "leaves"
    trusted = ("sklearn.tree._tree.Tree",)
    objects = {  # noqa: RUF012  # declared as ClassVar in the base
        "TreeNode": trusted,
        "ObjectNode": (
            "sklearn.ensemble._forest.RandomForestClassifier",
            "sklearn.ensemble._forest.RandomForestRegressor",
            "sklearn.tree._classes.DecisionTreeClassifier",
            "sklearn.tree._classes.DecisionTreeRegressor",
        ),
    }

    def __init__(self, params: RandomForestParams, task_spec: TaskSpec) -> None:
        super().__init__(task_spec)
        self.params = params
        self.criterion = chosen(params, task_spec.task, "criterion", CRITERIA)
        refuse_foreign(params, task_spec.task, only={"class_weight": "classification"})
        if not params.bootstrap and params.max_samples is not None:
            raise SettingsError(
                f"expected null, as without bootstrap no samples are drawn, found {params.max_samples}",
                key=("model", "params", "max_samples"),
            )

    @property
    def n_parameters(self) -> int:
        """A feature and a threshold for each split; a probability a class, or a value, for each leaf."""
        trees = [tree.tree_ for tree in self.estimator.estimators_]
        return int(sum(2 * (t.node_count - t.n_leaves) + t.n_leaves * t.max_n_classes for t in trees))

    def blank(self, seed: int) -> Any:
        """Make scikit-learn's forest; its prediction is not parallel, as threads add in any order."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        params = self.params.as_dict() | {"criterion": self.criterion, "random_state": seed, "n_jobs": None}
        if self.classifies:
            features = "sqrt" if params["max_features"] == "auto" else params["max_features"]
            return RandomForestClassifier(**params | {"max_features": features})
        del params["class_weight"]
        features = 1.0 if params["max_features"] == "auto" else params["max_features"]
        return RandomForestRegressor(**params | {"max_features": features})

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit ``n_jobs`` trees at a time: each has a seed of its own, so their number changes nothing."""
        from joblib import parallel_config

        with parallel_config("threading", n_jobs=self.params.n_jobs or 1):
            super().fit(X, y, seed=seed)
        vars(self.estimator).pop("_sample_weight", None)  # as long as the training samples, and not needed again
        vars(self).pop("_columns", None)

    def _said(self, table: Array, layers: Sequence[str]) -> Outputs:
        known: dict[str, Any] = {"input": table} if "input" in layers else {}
        if "leaves" in layers:
            known["leaves"] = self._columns.one_hot(self.estimator.apply(table))
        representations = {name: known[name] for name in layers}
        if not self.classifies:
            return Outputs(None, None, self.estimator.predict(table), representations)
        probabilities = self.estimator.predict_proba(table)
        return Outputs(None, probabilities, probabilities.argmax(axis=1), representations)

    @cached_property
    def _columns(self) -> LeafColumns:
        return LeafColumns.of([tree.tree_.children_left == NO_CHILD for tree in self.estimator.estimators_])

    def _vet(self, contents: Contents) -> None:
        for node in contents.nodes("TreeNode"):
            _refuse_tree(contents, node, self.n_features, max(1, self.task_spec.n_classes))

    def _refuse(self, estimator: Any) -> None:
        vars(self).pop("_columns", None)
        kinds = {type(tree) for tree in estimator.estimators_}
        if len(estimator.estimators_) != self.params.n_estimators or kinds != {type(type(estimator)().estimator)}:
            raise ValueError(f"{len(estimator.estimators_)} trees where {self.params.n_estimators} belong")


CRITERIA: dict[Any, tuple[str, ...]] = {
    "classification": ("gini", "entropy", "log_loss"),
    "regression": ("squared_error", "absolute_error", "poisson"),
}


def _refuse_tree(contents: Contents, node: Node, n_features: int, n_values: int) -> None:
    """Refuse a tree that scikit-learn's compiled code, which checks no index, could not be given."""
    args = [contents.value(argument) for argument in node["__reduce__"]["args"]["content"]]
    if [np.asarray(a).tolist() for a in args] != [n_features, [n_values], 1]:
        raise ValueError("a tree of another shape")
    state = {name: contents.value(part) for name, part in node["content"]["content"].items()}
    nodes, values = state["nodes"], state["values"]
    if sorted(state) != ["max_depth", "node_count", "nodes", "values"] or state["node_count"] != len(nodes):
        raise ValueError("a tree of another size")
    if values.shape != (len(nodes), 1, n_values) or values.dtype != np.float64 or not np.isfinite(values).all():
        raise ValueError("a tree with other values")
    left = nodes["left_child"]
    refuse_links(left, nodes["right_child"], nodes["feature"], left == NO_CHILD, n_features)
