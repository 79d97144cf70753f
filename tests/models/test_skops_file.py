"""A checkpoint of scikit-learn's that was altered is refused, and nothing that it carries runs."""

import io
import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from saved_estimators import Change, Node, X, Y, altered, attributes, refused
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer

from mlx.core.errors import ArtifactError
from mlx.models import load_model


def test_a_checkpoint_opens_with_skops_alone_and_carries_no_date_and_no_place_in_memory(checkpoint: Path) -> None:
    trusted = skops.io.get_untrusted_types(file=checkpoint)
    plain = skops.io.load(checkpoint, trusted=trusted)
    model = load_model(checkpoint.parent)
    assert set(trusted) == set(type(model).trusted)  # type: ignore[attr-defined]
    probabilities = model.outputs(X).probabilities
    assert probabilities is not None
    np.testing.assert_allclose(plain.predict_proba(X), probabilities, atol=1e-12)
    with zipfile.ZipFile(checkpoint) as archive:
        assert {entry.date_time[0] for entry in archive.infolist()} == {1980}
        assert archive.namelist() == ["schema.json", *(f"{i}.npy" for i in range(len(archive.namelist()) - 1))]
        assert b"__id__" not in archive.read("schema.json")


def test_every_truncation_and_every_flipped_byte_is_refused_or_changes_nothing(checkpoint: Path) -> None:
    whole = checkpoint.read_bytes()
    expected = load_model(checkpoint.parent).outputs(X).probabilities
    rng = np.random.default_rng(0)
    for size in rng.integers(0, len(whole), 10):
        checkpoint.write_bytes(whole[:size])
        refused(checkpoint)
    for place in rng.integers(0, len(whole), 15):
        checkpoint.write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        try:
            found = load_model(checkpoint.parent).outputs(X).probabilities
        except ArtifactError:
            continue
        np.testing.assert_array_equal(found, expected)  # a byte of the archive that nobody reads


class Bomb:
    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def test_a_pickle_in_its_place_or_inside_it_is_never_opened(checkpoint: Path, tmp_path: Path) -> None:
    whole, mark = checkpoint.read_bytes(), tmp_path / "mark"
    bomb = np.empty(1, object)
    bomb[0] = Bomb(mark)
    checkpoint.write_bytes(pickle.dumps(Bomb(mark)))
    refused(checkpoint)
    array = io.BytesIO()
    np.save(array, bomb, allow_pickle=True)
    with zipfile.ZipFile(io.BytesIO(whole)) as source, zipfile.ZipFile(checkpoint, "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name) if name == "schema.json" else array.getvalue())
    refused(checkpoint, "unpickled")
    assert not mark.exists()


def test_an_entry_that_leads_elsewhere_or_comes_twice_or_compressed_is_refused(checkpoint: Path) -> None:
    whole = checkpoint.read_bytes()
    for name, kind, reason in (
        ("../evil.npy", zipfile.ZIP_STORED, r"an entry '\.\./evil\.npy'"),
        ("/evil.npy", zipfile.ZIP_STORED, "an entry '/evil.npy'"),
        ("0.npy", zipfile.ZIP_STORED, "an entry twice"),
        ("9999.npy", zipfile.ZIP_DEFLATED, "compressed"),
    ):
        checkpoint.write_bytes(whole)
        with zipfile.ZipFile(checkpoint, "a") as archive, pytest.MonkeyPatch.context() as patch:
            patch.setattr(archive, "NameToInfo", {})  # it would warn of the second entry of a name
            archive.writestr(name, b"x" * 100, kind)
        refused(checkpoint, reason)
    assert not (checkpoint.parent.parent / "evil.npy").exists()


def test_another_estimator_is_refused_also_one_that_skops_trusts(checkpoint: Path) -> None:
    for other, reason in (
        (FunctionTransformer(np.exp), "a FunctionNode|a ObjectNode of type"),
        (RandomForestClassifier(n_estimators=3).fit(X, Y), "an object with a number|a ObjectNode of type"),
    ):
        skops.io.dump(other, checkpoint)
        refused(checkpoint, f"({reason})")


def operator(schema: Node, _: Any) -> None:
    run = {"__class__": "methodcaller", "__module__": "operator", "__loader__": "OperatorFuncNode", "attrs": {}}
    attributes(schema)["verbose"] = run


def typed(schema: Node, _: Any) -> None:
    attributes(schema)["verbose"] = {"__class__": "Popen", "__module__": "subprocess", "__loader__": "TypeNode"}


def method(schema: Node, _: Any) -> None:
    attributes(schema)["predict_proba"] = {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode"}


def unnamed(schema: Node, _: Any) -> None:
    attributes(schema)["verbose"] = {"__class__": "Popen", "__module__": "subprocess"}


def numbered(schema: Node, _: Any) -> None:
    schema["__id__"] = 1


def cached(schema: Node, _: Any) -> None:
    attributes(schema)["verbose"] = {"__class__": None, "__module__": None, "__loader__": "CachedNode"}


def older(schema: Node, _: Any) -> None:
    schema["protocol"] = 0


def version(schema: Node, _: Any) -> None:
    attributes(schema)["_sklearn_version"]["content"] = '"1.2.0"'


def features(schema: Node, _: Any) -> None:
    attributes(schema)["n_features_in_"]["content"] = "65"


def classes(schema: Node, arrays: dict[str, np.ndarray]) -> None:
    arrays[attributes(schema)["classes_"]["file"]] = np.arange(9)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (operator, "a OperatorFuncNode of type operator.methodcaller"),
        (typed, "a TypeNode of type subprocess.Popen"),
        (unnamed, "a None of type subprocess.Popen"),
        (method, r"an attribute \w+\.predict_proba"),
        (numbered, "an object with a number"),
        (cached, "a CachedNode of type None.None"),
        (older, "protocol 0 where 2 is known"),
        (version, "from version 1.2.0"),
        (features, "65 features where there are 64"),
        (classes, "classes .* where there are 10"),
    ],
)
def test_a_schema_that_asks_for_anything_else_is_refused(checkpoint: Path, change: Change, reason: str) -> None:
    altered(checkpoint, change)
    refused(checkpoint, reason)


def test_parameters_other_than_those_of_the_description_are_refused(checkpoint: Path) -> None:
    path = checkpoint.parent / "model.json"
    described = json.loads(path.read_text())
    name = {"random_forest": "max_depth", "gradient_boosting": "max_depth", "svm": "degree"}[described["name"]]
    described["params"][name] = 7
    path.write_text(json.dumps(described))
    refused(checkpoint, f"parameters (estimator__)?{name} other than in model.json")
