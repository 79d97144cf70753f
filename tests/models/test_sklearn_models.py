"""The scikit-learn models are scikit-learn's, and represent a sample by what their documentation says."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from mlx.core.errors import DataError, SettingsError
from mlx.models import ModelSettings, TaskSpec, build_model
from mlx.models.catalogue import MODELS

SEED = 3
DIGITS, LABELS = load_digits(return_X_y=True)
X, UNSEEN = (DIGITS[:500] / 16).astype(np.float32), (DIGITS[500:620] / 16).astype(np.float32)
TARGETS = {0: DIGITS[:500, 20] + DIGITS[:500, 43] + 1, 2: LABELS[:500] % 2, 10: LABELS[:500]}


def model_of(name: str, k: int, **params: Any) -> Any:
    task_spec = TaskSpec("classification" if k else "regression", (64,), k)
    return build_model(ModelSettings(name=name, params=params), task_spec, seed=SEED)


def fitted(name: str, k: int, **params: Any) -> Any:
    model = model_of(name, k, **params)
    model.fit(X, TARGETS[k], seed=SEED)
    return model


def calibrated(cv: int = 5, **params: Any) -> Any:
    return CalibratedClassifierCV(SVC(**params), method="sigmoid", cv=cv, ensemble=False)


FOREST = {
    "n_estimators": 7, "max_depth": 6, "min_samples_split": 0.01, "min_samples_leaf": 2, "max_leaf_nodes": 40,
    "min_weight_fraction_leaf": 0.001, "min_impurity_decrease": 1e-9, "max_samples": 0.8, "ccp_alpha": 1e-6,
}  # fmt: skip
BOOSTING = {
    "learning_rate": 0.2, "max_iter": 8, "max_leaf_nodes": 9, "max_depth": 4, "min_samples_leaf": 5,
    "l2_regularization": 0.1, "max_features": 0.5, "max_bins": 60, "early_stopping": True, "validation_fraction": 0.2,
    "n_iter_no_change": 3, "tol": 1e-5,
}  # fmt: skip
MACHINE = {"C": 2.0, "kernel": "poly", "degree": 2, "gamma": 0.05, "coef0": 0.5, "shrinking": False, "tol": 1e-4}
CASES: list[tuple[str, int, dict[str, Any], Any]] = [
    ("random_forest", 10, {}, RandomForestClassifier()),
    ("random_forest", 0, {}, RandomForestRegressor()),
    ("random_forest", 10, FOREST | {"criterion": "entropy", "max_features": 5, "class_weight": "balanced"},
     RandomForestClassifier(**FOREST, criterion="entropy", max_features=5, class_weight="balanced")),
    ("random_forest", 0, FOREST | {"criterion": "poisson", "max_features": None},
     RandomForestRegressor(**FOREST, criterion="poisson", max_features=None)),
    ("random_forest", 2, {"n_estimators": 5, "bootstrap": False, "max_features": 1.0},
     RandomForestClassifier(n_estimators=5, bootstrap=False, max_features=1.0)),
    ("gradient_boosting", 2, {}, HistGradientBoostingClassifier(categorical_features=None)),
    ("gradient_boosting", 10, BOOSTING | {"class_weight": "balanced"},
     HistGradientBoostingClassifier(**BOOSTING, class_weight="balanced", categorical_features=None)),
    ("gradient_boosting", 0, {}, HistGradientBoostingRegressor(categorical_features=None)),
    *(("gradient_boosting", 0, BOOSTING | {"loss": loss} | more,
       HistGradientBoostingRegressor(**BOOSTING, loss=loss, **more, categorical_features=None))
      for loss, more in (("absolute_error", {}), ("poisson", {}), ("gamma", {}), ("quantile", {"quantile": 0.8}))),
    ("svm", 10, {}, calibrated()),
    ("svm", 2, MACHINE | {"class_weight": "balanced", "cv": 3}, calibrated(3, **MACHINE, class_weight="balanced")),
    ("svm", 0, {}, SVR()),
    ("svm", 0, MACHINE | {"epsilon": 0.2, "max_iter": 10**6}, SVR(**MACHINE, epsilon=0.2, max_iter=10**6)),
    ("logistic_regression", 10, {}, LogisticRegression(max_iter=1000)),
    ("logistic_regression", 2, {"penalty": "none", "class_weight": "balanced", "tol": 1e-2},
     LogisticRegression(C=np.inf, class_weight="balanced", tol=1e-2, max_iter=1000)),
    ("logistic_regression", 10, {"penalty": "l1", "solver": "saga", "C": 0.1, "fit_intercept": False, "tol": 1e-2},
     LogisticRegression(l1_ratio=1.0, solver="saga", C=0.1, fit_intercept=False, tol=1e-2, max_iter=1000)),
    ("logistic_regression", 10, {"penalty": "elasticnet", "l1_ratio": 0.3, "solver": "saga", "C": 0.1, "tol": 1e-2},
     LogisticRegression(l1_ratio=0.3, solver="saga", C=0.1, tol=1e-2, max_iter=1000)),
]  # fmt: skip


def seeded(oracle: Any) -> Any:
    return oracle.set_params(random_state=SEED) if "random_state" in oracle.get_params() else oracle


def plain(estimator: Any) -> dict[str, Any]:
    return {name: value for name, value in estimator.get_params().items() if not hasattr(value, "get_params")}


@pytest.mark.slow
@pytest.mark.parametrize(("name", "k", "params", "oracle"), CASES)
def test_hyperparameters_reach_the_estimator_and_it_says_what_scikit_learns_own_says(
    name: str, k: int, params: dict[str, Any], oracle: Any
) -> None:
    model = fitted(name, k, **params)
    seeded(oracle)
    assert plain(model.blank(SEED)) == plain(oracle)
    oracle.fit(X.astype(np.float64), TARGETS[k])
    outputs, unseen = model.outputs(UNSEEN), UNSEEN.astype(np.float64)
    if k:
        np.testing.assert_allclose(outputs.probabilities, oracle.predict_proba(unseen), atol=1e-12)
        np.testing.assert_array_equal(outputs.predictions, oracle.predict(unseen))
    else:
        np.testing.assert_allclose(outputs.predictions, oracle.predict(unseen), rtol=1e-12)
        assert outputs.probabilities is outputs.logits is None


@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting", "svm", "logistic_regression"])
def test_defaults_are_scikit_learns(name: str) -> None:
    # auto stands for the default of the task, which the cases above compare; 1000 iterations is said to be ours.
    ours = {"penalty": "l2", "l1_ratio": None, "max_iter": 1000} if name == "logistic_regression" else {}
    kinds: dict[str, tuple[Any, ...]] = {
        "random_forest": (RandomForestClassifier, RandomForestRegressor),
        "gradient_boosting": (HistGradientBoostingClassifier, HistGradientBoostingRegressor),
        "svm": (SVC, SVR),
        "logistic_regression": (LogisticRegression,),
    }
    known: dict[str, Any] = {}
    for kind in reversed(kinds[name]):
        known |= kind().get_params()
    found = MODELS[name].params().as_dict()
    for field in found.keys() - ours.keys() - {"cv"}:
        assert found[field] in ("auto", known[field]), field
    assert {field: found[field] for field in ours} == ours


@pytest.mark.parametrize("k", [0, 2, 10])
@pytest.mark.parametrize("name", ["random_forest", "gradient_boosting"])
def test_cosine_of_leaves_is_the_share_of_trees_in_which_two_samples_share_a_leaf(name: str, k: int) -> None:
    model = fitted(name, k, **({"n_estimators": 20} if name == "random_forest" else {"max_iter": 6}))
    rows = model.outputs(UNSEEN, ("leaves",)).representations["leaves"]
    assert isinstance(rows, sparse.csr_array)
    assert rows.has_canonical_format
    assert rows.dtype.kind == "f"
    assert (rows.data == 1).all()
    leaves = model.estimator.apply(UNSEEN) if name == "random_forest" else walked(model.estimator, UNSEEN)
    n_trees = leaves.shape[1]
    assert n_trees == (20 if name == "random_forest" else 6 * max(1, k if k > 2 else 1))
    proximity = (leaves[:, None, :] == leaves[None, :, :]).mean(axis=2)
    units = rows.toarray() / np.linalg.norm(rows.toarray(), axis=1, keepdims=True)
    np.testing.assert_allclose(units @ units.T, proximity, atol=1e-6)
    distinct = [len(np.unique(leaves[:, tree])) for tree in range(n_trees)]
    assert np.count_nonzero(rows.toarray().any(axis=0)) == sum(distinct)


def walked(estimator: Any, table: np.ndarray) -> np.ndarray:
    """The leaf of each sample in each tree, one step after the other, as scikit-learn's compiled code takes them."""

    def walk(nodes: np.ndarray, row: np.ndarray) -> int:
        at = 0
        while not nodes[at]["is_leaf"]:
            at = nodes[at]["left" if row[nodes[at]["feature_idx"]] <= nodes[at]["num_threshold"] else "right"]
        return int(at)

    trees = [tree.nodes for round_ in estimator._predictors for tree in round_]
    return np.array([[walk(nodes, row) for nodes in trees] for row in table.astype(np.float64)])


@pytest.mark.parametrize("k", [0, 2, 10])
def test_the_values_of_the_leaves_add_up_to_what_boosting_predicts(k: int) -> None:
    model = fitted("gradient_boosting", k, max_iter=6)
    estimator = model.estimator
    rows = model.outputs(UNSEEN, ("leaves",)).representations["leaves"]
    values, owner = [], []
    for round_ in estimator._predictors:
        for label, tree in enumerate(round_):
            leaf = tree.nodes["is_leaf"] == 1
            values.append(tree.nodes["value"][leaf])
            owner += [label] * int(leaf.sum())
    per_class = sparse.csr_array((np.concatenate(values), (np.arange(len(owner)), owner)))
    sums = rows @ per_class.toarray() + estimator._baseline_prediction
    found = estimator.decision_function(UNSEEN) if k else estimator.predict(UNSEEN)
    np.testing.assert_allclose(sums, found.reshape(len(UNSEEN), -1), atol=1e-12)


@pytest.mark.parametrize("k", [2, 10])
@pytest.mark.parametrize("name", ["svm", "logistic_regression"])
def test_decision_and_standardised_layers(name: str, k: int) -> None:
    model = fitted(name, k)
    found = model.outputs(UNSEEN, model.layers).representations
    np.testing.assert_allclose(found["standardised"], StandardScaler().fit(X).transform(UNSEEN), atol=1e-4)
    assert found["standardised"].dtype == np.float64
    assert found["decision"].shape == (len(UNSEEN), k)
    np.testing.assert_array_equal(found["input"], UNSEEN)
    if name == "svm":
        oracle = SVC().fit(X, TARGETS[k]).decision_function(UNSEEN)
        np.testing.assert_allclose(found["decision"][:, 1:], oracle.reshape(len(UNSEEN), -1)[:, -(k - 1) :], atol=1e-10)
        if k == 2:
            np.testing.assert_array_equal(found["decision"][:, 0], -found["decision"][:, 1])


def test_a_constant_feature_is_0_in_units_of_its_spread() -> None:
    model = model_of("svm", 2)
    constant = X.copy()
    constant[:, 5] = 0.1
    model.fit(constant, TARGETS[2], seed=SEED)
    units = model.outputs(constant[:50], ("standardised",)).representations["standardised"]
    np.testing.assert_allclose(units[:, 5], 0, atol=1e-7)


@pytest.mark.slow
@pytest.mark.parametrize("k", [0, 10])
def test_the_number_of_threads_changes_no_byte(k: int, tmp_path: Any) -> None:
    from threadpoolctl import threadpool_limits

    for jobs in (1, 3, -1):
        folder = tmp_path / f"forest{jobs}"
        folder.mkdir()
        fitted("random_forest", k, n_estimators=12, n_jobs=jobs).save(folder)
    for threads in (1, 2):
        folder = tmp_path / f"boosting{threads}"
        folder.mkdir()
        with threadpool_limits(threads):
            fitted("gradient_boosting", k, max_iter=2).save(folder)
    for kind in ("forest", "boosting"):
        assert len({(folder / "model.skops").read_bytes() for folder in tmp_path.glob(f"{kind}*")}) == 1


def test_a_sample_is_given_the_same_bits_whatever_batch_it_comes_in() -> None:
    for name in ("random_forest", "gradient_boosting"):
        model = fitted(name, 10, **({"max_iter": 5} if name == "gradient_boosting" else {}))
        whole, one = model.outputs(UNSEEN), model.outputs(UNSEEN[7:8])
        np.testing.assert_array_equal(whole.probabilities[7:8], one.probabilities)


@pytest.mark.parametrize(
    ("name", "k", "params", "message"),
    [
        ("random_forest", 10, {"criterion": "poisson"}, "auto, gini, entropy, log_loss, .* found poisson"),
        ("random_forest", 0, {"class_weight": "balanced"}, "expected null, as it is for classification"),
        ("random_forest", 0, {"bootstrap": False, "max_samples": 5}, "expected null, as without bootstrap"),
        ("gradient_boosting", 10, {"loss": "gamma"}, "expected one of auto, log_loss, .* found gamma"),
        ("gradient_boosting", 0, {"loss": "quantile"}, "expected a number from 0 to 1, as the loss is quantile"),
        ("gradient_boosting", 0, {"quantile": 0.5}, "expected null, as the loss is squared_error, found 0.5"),
        ("svm", 10, {"epsilon": 0.5}, r"expected 0\.1, as it is for regression"),
        ("svm", 0, {"cv": 3}, "expected 5, as it is for classification"),
        ("logistic_regression", 10, {"penalty": "l1"}, "expected saga, the solver for the penalty l1, found lbfgs"),
        ("logistic_regression", 10, {"l1_ratio": 0.5}, "expected null, as the penalty is l2"),
    ],
)  # fmt: skip
def test_a_parameter_that_would_have_no_effect_is_refused(
    name: str, k: int, params: dict[str, Any], message: str
) -> None:
    with pytest.raises(SettingsError, match=message):
        model_of(name, k, **params)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("random_forest", {"n_estimators": 0}), ("random_forest", {"n_estimators": 2.0}),
        ("random_forest", {"min_samples_leaf": 1.0}), ("random_forest", {"max_features": 0}),
        ("random_forest", {"max_features": "all"}), ("random_forest", {"n_jobs": 0}),
        ("random_forest", {"min_samples_split": 1}), ("gradient_boosting", {"max_bins": 256}),
        ("gradient_boosting", {"learning_rate": 0.0}), ("gradient_boosting", {"n_estimators": 5}),
        ("svm", {"kernel": "precomputed"}), ("svm", {"gamma": 0.0}), ("svm", {"C": 0}), ("svm", {"max_iter": True}),
        ("logistic_regression", {"solver": "liblinear"}),
    ],
)  # fmt: skip
def test_a_value_out_of_range_is_refused(name: str, params: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="params"):
        ModelSettings(name=name, params=params)


def test_samples_that_can_not_be_used_are_refused_in_one_sentence() -> None:
    few = np.r_[np.zeros(496, int), np.ones(4, int)]
    with pytest.raises(DataError, match="svm: expected at least 5 training samples of each class, .* found 4"):
        model_of("svm", 2).fit(X, few, seed=0)
    for name in ("random_forest", "gradient_boosting", "svm"):
        with pytest.raises(DataError, match=f"{name}: expected training samples of every class, found none of \\[9\\]"):
            model_of(name, 10).fit(X, np.minimum(LABELS[:500], 8), seed=0)
    with pytest.raises(DataError, match="gradient_boosting: loss='poisson' requires"):
        model_of("gradient_boosting", 0, loss="poisson").fit(X, np.full(500, -1.0), seed=0)
    with pytest.warns(RuntimeWarning, match="svm did not converge in 2 iterations"):
        model_of("svm", 10, max_iter=2).fit(X, LABELS[:500], seed=0)
    with pytest.raises(DataError, match="random_forest: Input X contains infinity or a value too large"):
        model_of("random_forest", 10).fit(X.astype(float) * 1e300, LABELS[:500], seed=0)
    forest = fitted("random_forest", 10, n_estimators=2)
    with pytest.raises(DataError, match="random_forest: Input X contains infinity or a value too large"):
        forest.outputs(np.full((1, 64), 1e300))
