"""A scikit-learn estimator of the user's own, from a function or a skops file."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops.io import dump

from mlx.core.errors import ArtifactError, DataError, SettingsError
from mlx.models import Model, ModelSettings, TaskSpec, build_model, load_model, save_model

TASK = TaskSpec("classification", (4,), 3)
X = np.random.default_rng(0).normal(size=(90, 4))
Y = np.argmax(X[:, :3], axis=1)
OWN = """
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.linear_model import Ridge

def piped(n_components=2): return make_pipeline(StandardScaler(), PCA(n_components), LogisticRegression())
def regressor(): return Ridge()
def without_probabilities(): return RidgeClassifier()
def nothing(): return StandardScaler()
def own(x): return x
def with_function(): return make_pipeline(FunctionTransformer(own), LogisticRegression())
"""


@pytest.fixture(autouse=True)
def _repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)


def built(architecture: str, **params: object) -> Model:
    return build_model(ModelSettings(name="sklearn", architecture=architecture, params=params), TASK, seed=0)


def test_the_steps_of_a_pipeline_are_layers() -> None:
    model = built("own.py:piped", n_components=3)
    assert model.layers == ("input", "standardscaler", "pca", "decision")
    assert model.penultimate == "pca"
    model.fit(X, Y, seed=0)  # type: ignore[attr-defined]
    found = model.outputs(X, model.layers).representations
    expected = make_pipeline(StandardScaler(), PCA(3, random_state=0)).fit_transform(X)
    np.testing.assert_allclose(found["pca"], expected)
    assert found["decision"].shape == (90, 3)


def test_a_stored_estimator_is_evaluated_and_not_fitted(tmp_path: Path) -> None:
    estimator = RandomForestClassifier(5, random_state=0).fit(X, Y)
    dump(estimator, tmp_path / "forest.skops")
    settings = ModelSettings(name="sklearn", architecture="forest.skops")
    model = build_model(settings, TASK, seed=0)
    assert model.inference_only  # type: ignore[attr-defined]
    np.testing.assert_allclose(model.outputs(X).probabilities, estimator.predict_proba(X))
    (tmp_path / "m").mkdir()
    save_model(model, settings, tmp_path / "m", ["a", "b", "c"])
    np.testing.assert_array_equal(load_model(tmp_path / "m").outputs(X).probabilities, model.outputs(X).probabilities)


@pytest.mark.parametrize(
    ("architecture", "message"),
    [
        ("own.py:regressor", "expected a model for classification"),
        ("own.py:without_probabilities", "expected a classifier with predict_proba, found RidgeClassifier"),
        ("own.py:nothing", "expected a classifier or regressor of scikit-learn, .*found StandardScaler"),
        ("own.py:nowhere", "expected a function nowhere"),
        ("absent.skops", "absent.skops"),
    ],
)
def test_what_is_no_classifier_is_rejected(architecture: str, message: str) -> None:
    with pytest.raises((DataError, SettingsError, ArtifactError), match=message):
        built(architecture)


def test_a_function_in_an_estimator_cannot_be_stored(tmp_path: Path) -> None:
    model = built("own.py:with_function")
    model.fit(X, Y, seed=0)  # type: ignore[attr-defined]
    with pytest.raises(DataError, match="can be stored without pickling, found .*own"):
        model.save(tmp_path)


def test_a_file_with_other_types_or_of_another_estimator_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "no.skops").write_bytes(b"nothing")
    with pytest.raises(ArtifactError, match="expected a scikit-learn model in a skops file"):
        built("no.skops")
    model = built("own.py:piped")
    dump(LogisticRegression().fit(X, Y), tmp_path / "model.skops")
    with pytest.raises(ArtifactError, match="expected a Pipeline, as own.py:piped makes, found LogisticRegression"):
        model.restore(tmp_path)
    dump(Ridge().fit(X, Y), tmp_path / "ridge.skops")
    with pytest.raises(SettingsError, match="expected a model for classification"):
        built("ridge.skops")


@pytest.mark.parametrize("architecture", [None, "own.py", "forest.pkl"])
def test_what_names_no_estimator_is_named(architecture: str | None) -> None:
    with pytest.raises(ValueError, match=r"file\.py:name or a file with the ending \.skops, found"):
        ModelSettings(name="sklearn", architecture=architecture)
