"""scikit-learn's random forests."""

from functools import cached_property
from typing import Any

import numpy as np

from mlx.core.array_types import Array
from mlx.core.errors import SettingsError
from mlx.models.in_sklearn.fitting import check_task_params, resolve_auto
from mlx.models.in_sklearn.leaves import LeafColumns, check_tree_links
from mlx.models.in_sklearn.params import RandomForestParams
from mlx.models.in_sklearn.sklearn_model import SklearnModel
from mlx.models.in_sklearn.skops_file import Node, SkopsContents
from mlx.models.task_spec import TaskSpec

NO_CHILD = -1  # of a leaf, in the nodes of sklearn.tree


class RandomForest(SklearnModel):
    """Trees fitted to resamples, whose probabilities are averaged.

    There are no logits. The layers are ``input``, the flattened sample, and ``leaves``, the one-hot encoded
    leaf of the sample in each tree (`mlx.models.in_sklearn.leaves`): their cosine similarity is the proximity
    of the forest.
    """

    name = "random_forest"
    training_fields = frozenset({"seed"})
    runs_in_threads = False  # joblib, by which scikit-learn runs the trees, changes the filters of warnings
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
        self.criterion = resolve_auto(params, task_spec.task, "criterion", CRITERIA)
        check_task_params(params, task_spec.task, only={"class_weight": "classification"})
        if not params.bootstrap and params.max_samples is not None:
            raise SettingsError(
                f"expected null, as without bootstrap no samples are drawn, found {params.max_samples}",
                key=("model", "params", "max_samples"),
            )

    @property
    def n_parameters(self) -> int:
        """A feature and a threshold for each split; the class probabilities, or the value, of each leaf."""
        trees = [tree.tree_ for tree in self.estimator.estimators_]
        return int(sum(2 * (t.node_count - t.n_leaves) + t.n_leaves * t.max_n_classes for t in trees))

    def blank(self, seed: int) -> Any:
        """Make scikit-learn's forest; it predicts in one thread, as several add in any order."""
        from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

        params = self.params.as_dict() | {"criterion": self.criterion, "random_state": seed, "n_jobs": None}
        if self.classifies:
            features = "sqrt" if params["max_features"] == "auto" else params["max_features"]
            return RandomForestClassifier(**params | {"max_features": features})
        del params["class_weight"]
        features = 1.0 if params["max_features"] == "auto" else params["max_features"]
        return RandomForestRegressor(**params | {"max_features": features})

    def fit(self, X: Array, y: Array, *, seed: int) -> None:
        """Fit ``n_jobs`` trees at a time, whose number changes nothing, as each tree has its own seed.

        In threads, unless the caller has chosen other workers.
        """
        from joblib import parallel_config

        with parallel_config(n_jobs=self.params.n_jobs or 1):
            super().fit(X, y, seed=seed)
        vars(self.estimator).pop("_sample_weight", None)  # as large as the training data, and not needed again
        vars(self).pop("_columns", None)

    def _representation(self, layer: str, table: Array) -> Any:  # noqa: ARG002  # there is but one
        return self._columns.one_hot(self.estimator.apply(table))

    def _scores(self, table: Array) -> tuple[Array | None, Array]:
        return None, self.estimator.predict_proba(table)

    @cached_property
    def _columns(self) -> LeafColumns:
        return LeafColumns.of([tree.tree_.children_left == NO_CHILD for tree in self.estimator.estimators_])

    def _check_contents(self, contents: SkopsContents) -> None:
        for node in contents.nodes("TreeNode"):
            _check_tree(contents, node, self.n_features, self.task_spec.n_outputs)

    def _check_fitted(self, estimator: Any) -> None:
        vars(self).pop("_columns", None)
        kinds = {type(tree) for tree in estimator.estimators_}
        if len(estimator.estimators_) != self.params.n_estimators or kinds != {type(type(estimator)().estimator)}:
            raise ValueError(f"{len(estimator.estimators_)} trees where {self.params.n_estimators} belong")


CRITERIA: dict[Any, tuple[str, ...]] = {
    "classification": ("gini", "entropy", "log_loss"),
    "regression": ("squared_error", "absolute_error", "poisson"),
}


def _check_tree(contents: SkopsContents, node: Node, n_features: int, n_values: int) -> None:
    """Reject a tree that is unsafe for scikit-learn's compiled code, which checks no index."""
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
    check_tree_links(left, nodes["right_child"], nodes["feature"], left == NO_CHILD, n_features)
