"""A scikit-learn estimator of the user's own, from a function or a skops file."""

import json
import pickle
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skops.io import dump, dumps

from mlx.config import resolve
from mlx.core.documents import Document
from mlx.core.errors import ArtifactError, DataError, MlxError, SettingsError
from mlx.models import Model, ModelSettings, TaskSpec, build_model, load_model, save_model
from mlx.runs.dry_run import dry_run

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
def nothing_at_all(): pass
def a_class(): return LogisticRegression
def fails(): return 1 / 0
def ends(): raise SystemExit("stop")
def more(n_components): return piped(n_components)
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
        ("own.py:nothing_at_all", "found NoneType"),
        ("own.py:a_class", "found type"),
        ("own.py:fails", r"own.py:fails: failed in line \d+: ZeroDivisionError: division by zero"),
        ("own.py:ends", "found that it ended the program"),
        ("own.py:more", "n_components"),
        ("../own.py:piped", "expected a file in the repository"),
        ("absent.skops", "absent.skops"),
    ],
)
def test_what_is_no_classifier_is_rejected(architecture: str, message: str) -> None:
    with pytest.raises((DataError, SettingsError, ArtifactError), match=message) as error:
        built(architecture)
    assert "\n" not in str(error.value)


def edited(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Store an estimator with another schema."""
    content = BytesIO(dumps(LogisticRegression().fit(X, Y)))
    with zipfile.ZipFile(content) as source, zipfile.ZipFile(path, "w") as target:
        schema = json.loads(source.read("schema.json"))
        change(schema)
        for name in source.namelist():
            target.writestr(name, json.dumps(schema) if name == "schema.json" else source.read(name))


def zipped(path: Path, schema: str) -> None:
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("schema.json", schema)


HARM = "import os; os.mkdir('harm')"
HOSTILE: dict[str, Callable[[Path], object]] = {
    "a class of another module": lambda path: edited(path, lambda schema: schema.update(__module__="own")),
    "a function of the system": lambda path: edited(
        path, lambda schema: schema.update(__module__="os", __class__="system", __loader__="FunctionNode", content=HARM)
    ),
    "what is executed": lambda path: edited(
        path, lambda schema: schema.update(__module__="builtins", __class__="exec", __loader__="TypeNode", content=HARM)
    ),
    "an unknown loader": lambda path: edited(path, lambda schema: schema.update(__loader__="Loader")),
    "no class": lambda path: edited(path, lambda schema: schema.pop("__class__")),
    "no content": lambda path: edited(path, lambda schema: schema.update(content={})),
    "nothing": lambda path: path.write_bytes(b""),
    "a pickle": lambda path: path.write_bytes(pickle.dumps(LogisticRegression())),
    "half": lambda path: path.write_bytes(dumps(LogisticRegression().fit(X, Y))[:-200]),
    "a list": lambda path: path.write_bytes(dumps([1, 2])),
    "an array": lambda path: path.write_bytes(dumps(X)),
    "no schema": lambda path: zipfile.ZipFile(path, "w").close(),
    "deep": lambda path: zipped(path, '{"content": ' * 50_000),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_rejected_in_one_line_and_runs_nothing(tmp_path: Path, name: str) -> None:
    HOSTILE[name](tmp_path / "m.skops")
    with pytest.raises(MlxError, match=r"m\.skops: expected a") as error:
        built("m.skops")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "harm").exists()


@pytest.mark.parametrize("architecture", ["own.py:piped", "m.skops"])
def test_a_dry_run_tries_the_estimator(tmp_path: Path, architecture: str) -> None:
    dump(LogisticRegression(max_iter=500).fit(X, Y), tmp_path / "m.skops")
    config = {
        "name": "own",
        "dataset": {"name": "blobs", "params": {"n_samples": 200, "n_features": 4, "n_classes": 3}},
        "model": {"name": "sklearn", "architecture": architecture},
    }
    found = dry_run(resolve(Document(tmp_path / "c.yaml", config, {})))
    assert any(line.startswith("model: sklearn, layers ") for line in found.facts)
    config["dataset"] = {"name": "synthetic_regression"}
    with pytest.raises(SettingsError, match="expected a model for regression, which the dataset is"):
        dry_run(resolve(Document(tmp_path / "c.yaml", config, {})))


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
