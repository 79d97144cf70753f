"""The NumPy models keep scikit-learn's contract."""

import json
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.utils.estimator_checks import parametrize_with_checks

from mlx.core.errors import ArtifactError
from mlx.models import MLP, BaseModel, LinearRegression
from mlx.models.in_numpy.checkpoint import _digest

ESTIMATORS = [
    LinearRegression(),
    LinearRegression(l2_regularization=0.5),
    LinearRegression(use_gradient_descent=True),
    MLP(),
    MLP(output_activation="softmax"),
    MLP(output_activation="sigmoid", activation="tanh"),
]


@pytest.mark.slow
@parametrize_with_checks(ESTIMATORS)
def test_it_is_an_estimator(estimator: Any, check: Any) -> None:
    check(estimator)


def data(n: int = 60, d: int = 10, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Samples (n, d), values (n,) and three labels (n,) that follow from them."""
    X = np.random.default_rng(seed).normal(size=(n, d))
    values = X[:, 0] - 2 * X[:, 1] + 1
    return X, values, np.array(["a", "b", "c"])[np.digitize(values, [-0.5, 2])]


@pytest.mark.slow
def test_importing_the_models_imports_no_scikit_learn_until_an_estimator_is_asked_for() -> None:
    code = "import sys, mlx.models\nassert 'sklearn' not in sys.modules\nfrom mlx.models import MLP, BaseModel\n"
    code += "assert issubclass(MLP, BaseModel)\ntry: mlx.models.Nonsense\nexcept AttributeError: print('refused')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "refused\n"


def test_the_base_asks_for_its_four_methods() -> None:
    assert BaseModel.__abstractmethods__ == {"forward", "train_step", "save", "load"}
    with pytest.raises(TypeError, match="abstract"):
        BaseModel()  # type: ignore[abstract]


@pytest.mark.slow
def test_steps_lower_the_loss_and_closed_form_needs_one() -> None:
    X, values, labels = data()
    for model, y in (
        (LinearRegression(use_gradient_descent=True, optimizer_config={"learning_rate": 0.1}), values),
        (MLP([10, 5, 1], seed=42), values),
        (MLP([10, 8, 3], output_activation="softmax", activation="tanh"), labels),
        (MLP(hidden_layers=[6], output_activation="sigmoid", activation="sigmoid"), labels == "a"),
    ):
        losses = [model.train_step(X, y)["loss"] for _ in range(800)]
        assert losses[-1] < 0.8 * losses[0]
    assert LinearRegression(seed=42).train_step(X, values)["loss"] < 1e-25


def test_classes_may_be_labels_numbers_or_one_hot_rows() -> None:
    X, _, labels = data()
    numbers = np.searchsorted(["a", "b", "c"], labels)
    models = [MLP([10, 4, 3], output_activation="softmax", seed=1) for _ in range(3)]
    for model, y in zip(models, (labels, numbers, np.eye(3)[numbers]), strict=True):
        for _ in range(30):
            metrics = model.train_step(X, y)
        assert set(metrics) == {"loss", "accuracy"}
    np.testing.assert_array_equal(models[0].forward(X), models[2].forward(X))
    assert models[0].predict(X).tolist() == np.array(["a", "b", "c"])[models[1].predict(X)].tolist()
    np.testing.assert_array_equal(models[1].forward(X).argmax(axis=1), models[1].predict(X))
    np.testing.assert_allclose(models[1].predict_proba(X).sum(axis=1), 1, atol=1e-15)
    assert not hasattr(MLP(), "predict_proba")


def test_a_seed_decides_and_layers_that_are_given_have_outputs_at_once() -> None:
    X, values, _ = data()
    first, second, other = (MLP([10, 5, 1], seed=seed).forward(X) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first, second)
    assert first.shape == (60, 1)
    assert (first != other).any()
    with pytest.raises(NotFittedError):
        MLP([10, 5, 1]).predict(X)
    runs = [MLP(hidden_layers=[5], seed=3, epochs=3).fit(X, values).predict(X) for _ in range(2)]
    np.testing.assert_array_equal(*runs)


def saved_models() -> list[tuple[BaseModel, np.ndarray]]:
    _, values, labels = data()
    config = {"optimizer_type": "rmsprop", "learning_rate": 0.01}
    return [
        (LinearRegression(seed=42), values),
        (LinearRegression(l2_regularization=0.1), np.stack([values, -values], axis=1)),
        (LinearRegression(use_gradient_descent=True, optimizer_config=config), values),
        (MLP([10, 5, 1], optimizer_config={"optimizer_type": "sgd", "momentum": 0.9}), values),
        (MLP(hidden_layers=[4, 3], output_activation="softmax"), labels),
        (MLP(hidden_layers=[4], output_activation="sigmoid"), labels == "a"),
    ]


@pytest.mark.parametrize("number", range(6))
def test_a_saved_model_predicts_and_learns_on_to_the_same_bits(number: int, tmp_path: Path) -> None:
    model, y = saved_models()[number]
    X, *_ = data()
    for _ in range(3):
        model.train_step(X, y)
    model.save(tmp_path / "outputs/my_model")
    loaded = type(model)().load(str(tmp_path / "outputs/my_model"))
    assert loaded.get_params() == model.get_params()
    copied = pickle.loads(pickle.dumps(model))  # noqa: S301  # as scikit-learn's users hand models on
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))
    for _ in range(3):
        assert loaded.train_step(X, y) == model.train_step(X, y) == copied.train_step(X, y)
    for twin in (loaded, copied):
        np.testing.assert_array_equal(twin.forward(X), model.forward(X))
    model.save(tmp_path / "outputs/my_model")
    loaded.save(tmp_path / "again")
    for name in ("model.json", "weights.npz"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "outputs/my_model" / name).read_bytes()
    with np.load(tmp_path / "again/weights.npz") as arrays:
        assert {array.dtype for array in arrays.values()} == {np.dtype(np.float64)}


def test_other_layers_and_other_models_are_named() -> None:
    X, values, _ = data()
    with tempfile.TemporaryDirectory() as folder:
        model = MLP(layer_sizes=[10, 5, 1])
        model.train_step(X, values)
        model.save(folder)
        with pytest.raises(ArtifactError, match=r"cannot load layers \[10, 5, 1\] into \[10, 3, 1\]"):
            MLP(layer_sizes=[10, 3, 1]).load(folder)
        with pytest.raises(ValueError, match=r"cannot load layers \[10, 5, 1\] into \[10, 4, 1\]"):
            MLP(hidden_layers=[4]).load(folder)
        with pytest.raises(ArtifactError, match="expected a checkpoint of LinearRegression, found MLP"):
            LinearRegression().load(folder)


def test_damaged_and_altered_checkpoints_are_refused_and_nothing_in_them_runs(tmp_path: Path) -> None:
    X, values, _ = data()
    model = MLP([10, 5, 1])
    model.train_step(X, values)
    path = tmp_path / "m"
    model.save(path)
    whole = {name: (path / name).read_bytes() for name in ("model.json", "weights.npz")}
    content = json.loads(whole["model.json"])
    harmful = pickle.dumps(Path(tmp_path / "ran").touch)
    altered = [
        ("weights.npz", whole["weights.npz"][:300]),
        ("weights.npz", harmful),
        ("weights.npz", whole["weights.npz"][:-200] + b"\x01" + whole["weights.npz"][-199:]),
        ("model.json", whole["model.json"][:100]),
        ("model.json", b"[]"),
        ("model.json", json.dumps({"type": "MLP"}).encode()),
        ("model.json", json.dumps(content | {"hyperparameters": content["hyperparameters"] | {"seed": 9}}).encode()),
    ]
    for name, bytes_ in altered:
        (path / name).write_bytes(bytes_)
        with pytest.raises(ArtifactError, match="expected .*, found"):
            MLP().load(path)
        (path / name).write_bytes(whole[name])
    for change in (
        {"architecture": {"layers": [10, 6, 1]}},
        {"architecture": {"layers": [10, 10**12, 1]}},  # more than any memory
        {"hyperparameters": {"nonsense": 1}},
        {"optimizer": {}},
    ):
        forged = {k: v for k, v in content.items() if k != "sha256"} | change  # as one would who knows the digest
        (path / "model.json").write_text(json.dumps(forged | {"sha256": _digest(forged, path / "weights.npz")}))
        with pytest.raises(ArtifactError, match="expected a checkpoint that makes a model, found"):
            MLP().load(path)
    with pytest.raises(ArtifactError, match="expected a file, found none"):
        MLP().load(tmp_path / "nowhere")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_forward_refuses_what_is_not_finite_and_names_the_row(bad: float) -> None:
    X, values, _ = data()
    X = X.copy()
    models = (MLP([10, 5, 1]), LinearRegression().fit(X, values))
    X[2, 1] = bad
    for model in models:
        with pytest.raises(ValueError, match="X: expected finite numbers, found NaN or infinity in row 2"):
            model.forward(X)
        with pytest.raises(ValueError, match=r"X: expected shape \(n, 10\), found \(3, 9\)"):
            model.forward(np.zeros((3, 9)))


def test_saving_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    X, values, _ = data()
    model = LinearRegression().fit(X, values)
    with pytest.raises(ArtifactError, match=r"expected a new folder .*, found one with thesis\.tex"):
        model.save(tmp_path)
    assert (tmp_path / "thesis.tex").exists()


def test_wrong_inputs_are_named() -> None:
    X, values, labels = data()
    model = MLP([10, 5, 1]).fit(X, values)
    with pytest.raises(ValueError, match="X has 9 features, but MLP is expecting 10 features"):
        model.predict(X[:, :9])
    with pytest.raises(ValueError, match="NaN"):
        model.predict(np.full((2, 10), np.nan))
    for wrong, text in (
        ({"layer_sizes": [9, 5, 1]}, r"expected 10 at the input and 1 at the output, found \[9, 5, 1\]"),
        ({"layer_sizes": [10, 1], "hidden_layers": [3]}, "either layer_sizes or hidden_layers"),
        ({"activation": "swish"}, "activation: expected one of relu, tanh, sigmoid, found 'swish'"),
        ({"optimizer_config": {"rate": 1}}, "expected keys among optimizer_type, .* found 'rate'"),
        ({"optimizer_config": {"learning_rate": -1}}, "learning_rate: expected a number above 0, found -1"),
        ({"weight_clip": 0}, "parameters clip: expected a number above 0, found 0"),
        ({"epochs": 0}, "epochs: expected an integer of at least 1, found 0"),
    ):
        with pytest.raises(ValueError, match=text):
            MLP(**wrong).fit(X, values)
    with pytest.raises(ValueError, match=r"y: expected classes \['a', 'b', 'c'\], found .*'z'"):
        MLP(output_activation="softmax").fit(X, labels).train_step(X[:1], np.array(["z"]))
    with pytest.warns(UserWarning, match="a learning rate above 1 rarely converges, found 2"):
        MLP(optimizer_config={"learning_rate": 2, "optimizer_type": "sgd"}).train_step(X, values)
