"""A checkpoint of scikit-learn's that was altered is refused, and nothing that it carries runs."""

import io
import json
import pickle
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skops.io
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.preprocessing import FunctionTransformer

from mlx.core.errors import ArtifactError
from mlx.models import ModelSettings, TaskSpec, build_model, load_model, save_model

X, Y = load_digits(return_X_y=True)
X, Y = X[:200], Y[:200]
PARAMS: dict[str, dict[str, Any]] = {
    "random_forest": {"n_estimators": 3},
    "gradient_boosting": {"max_iter": 2},
    "svm": {},
}
Node = dict[str, Any]
Change = Callable[[Node, dict[str, np.ndarray]], None]


def saved(name: str, folder: Path) -> Path:
    settings = ModelSettings(name=name, params=PARAMS[name])
    model = build_model(settings, TaskSpec("classification", (64,), 10), seed=1)
    model.fit(X, Y, seed=1)  # type: ignore[attr-defined]  # a DirectModel
    folder.mkdir()
    save_model(model, settings, folder, [str(i) for i in range(10)])
    return folder / "model.skops"


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("originals")
    return {name: saved(name, root / name) for name in PARAMS}


@pytest.fixture(params=list(PARAMS))
def checkpoint(request: pytest.FixtureRequest, originals: dict[str, Path], tmp_path: Path) -> Path:
    return copied(originals[request.param], tmp_path)


def copied(original: Path, folder: Path) -> Path:
    for file in original.parent.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder / original.name


def refused(path: Path, reason: str = "") -> None:
    pattern = rf"model\.skops: expected a scikit-learn model, found a damaged or foreign file \(.*{reason}.*'dvc repro'"
    with pytest.raises(ArtifactError, match=pattern) as caught:
        load_model(path.parent)
    assert "\n" not in str(caught.value)


def altered(path: Path, change: Change) -> None:
    """Write the checkpoint again with a schema and arrays that `change` has been at."""
    with zipfile.ZipFile(path) as archive:
        schema = json.loads(archive.read("schema.json"))
        arrays = {n: np.load(io.BytesIO(archive.read(n))) for n in archive.namelist() if n.endswith(".npy")}
    change(schema, arrays)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("schema.json", json.dumps(schema))
        for name, array in arrays.items():
            with archive.open(name, "w") as entry:
                np.save(entry, array)


def attributes(node: Node) -> Node:
    content: Node = node["content"]["content"]
    return content


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


def first_tree(schema: Node) -> Node:
    tree: Node = attributes(attributes(schema)["estimators_"]["content"][0])["tree_"]
    return tree


def tree_state(part: str, value: Any) -> Change:
    """Change the state of the first tree of a forest: a number, or a field of its nodes."""

    def change(schema: Node, arrays: dict[str, np.ndarray]) -> None:
        state = attributes(first_tree(schema))
        if part in state:
            state[part]["content"] = json.dumps(value)
        else:
            arrays[state["nodes"]["file"]][part][0] = value

    return change


def tree_argument(place: int, value: Any) -> Change:
    def change(schema: Node, arrays: dict[str, np.ndarray]) -> None:
        first_tree(schema)["__reduce__"]["args"]["content"][place]["content"] = json.dumps(value)

    return change


def tree_values(schema: Node, arrays: dict[str, np.ndarray]) -> None:
    file = attributes(first_tree(schema))["values"]["file"]
    arrays[file] = arrays[file][:, :, :4]


def dropped_trees(schema: Node, arrays: dict[str, np.ndarray]) -> None:
    del attributes(schema)["estimators_"]["content"][1:]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (tree_state("left_child", 10**7), "branches lead out"),
        (tree_state("left_child", 0), "branches lead out"),
        (tree_state("right_child", -5), "branches lead out"),
        (tree_state("feature", 10**6), "a feature that does not exist"),
        (tree_state("feature", -2), "a feature that does not exist"),
        (tree_state("node_count", 10**9), "a tree of another size"),
        (tree_argument(0, 10**6), "a tree of another shape"),
        (tree_argument(2, 10**6), "a tree of another shape"),
        (tree_values, "a tree with other values"),
        (dropped_trees, "1 trees where 3 belong"),
    ],
)
def test_a_forest_that_would_lead_compiled_code_out_of_its_arrays_is_refused(
    originals: dict[str, Path], tmp_path: Path, change: Change, reason: str
) -> None:
    checkpoint = copied(originals["random_forest"], tmp_path)
    altered(checkpoint, change)
    refused(checkpoint, reason)


def boosted(field: str, value: Any) -> Change:
    def change(schema: Node, arrays: dict[str, np.ndarray]) -> None:
        tree = attributes(schema)["_predictors"]["content"][0]["content"][0]
        arrays[attributes(tree)["nodes"]["file"]][field][0] = value

    return change


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("left", 10**6, "branches lead out"),
        ("right", 0, "branches lead out"),
        ("feature_idx", 10**6, "a feature that does not exist"),
        ("feature_idx", -1, "a feature that does not exist"),
        ("is_categorical", 1, "a tree with other nodes"),
        ("value", np.nan, "a tree with other values"),
    ],
)
def test_boosted_trees_that_would_do_so_are_refused(
    originals: dict[str, Path], tmp_path: Path, field: str, value: Any, reason: str
) -> None:
    checkpoint = copied(originals["gradient_boosting"], tmp_path)
    altered(checkpoint, boosted(field, value))
    refused(checkpoint, reason)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("support_vectors_", np.zeros((3, 64))),
        ("support_vectors_", np.zeros((150, 2))),
        ("_n_support", np.full(10, 10**6, np.int32)),
        ("_dual_coef_", np.zeros((1, 3))),
        ("_dual_coef_", np.zeros((9, 3), np.float32)),
        ("_intercept_", np.zeros(1)),
        ("_probA", np.zeros(7)),
    ],
)
def test_a_machine_with_other_arrays_than_it_counts_on_is_refused(
    originals: dict[str, Path], tmp_path: Path, name: str, array: np.ndarray
) -> None:
    def change(schema: Node, arrays: dict[str, np.ndarray]) -> None:
        calibrated = attributes(schema)["calibrated_classifiers_"]["content"][0]
        arrays[attributes(attributes(calibrated)["estimator"])[name]["file"]] = array

    checkpoint = copied(originals["svm"], tmp_path)
    altered(checkpoint, change)
    refused(checkpoint, "an array|another number of support vectors")


@pytest.mark.slow
def test_refusing_needs_no_luck_a_process_of_its_own_ends_in_order(originals: dict[str, Path], tmp_path: Path) -> None:
    checkpoint = copied(originals["random_forest"], tmp_path)
    altered(checkpoint, tree_argument(2, 2**30))
    code = f"from pathlib import Path; from mlx.models import load_model; load_model(Path({str(tmp_path)!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "ArtifactError" in done.stderr


@pytest.mark.parametrize("shape", [[10**15], [2**62, 2**62]])
def test_a_description_of_samples_of_absurd_size_is_refused(
    originals: dict[str, Path], tmp_path: Path, shape: list[int]
) -> None:
    copied(originals["svm"], tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(description | {"sample_shape": shape}))
    with pytest.raises(ArtifactError, match=r"\.(json|skops|npz): expected"):
        load_model(tmp_path)
    numpy = {"name": "mlp", "params": {}, "sample_shape": shape}
    (tmp_path / "model.json").write_text(json.dumps(description | numpy))
    with pytest.raises(ArtifactError, match=r"model\.json: expected the description of a model"):
        load_model(tmp_path)
