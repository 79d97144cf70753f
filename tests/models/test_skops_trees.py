"""Fitted arrays of scikit-learn estimators that would lead compiled code out of bounds are rejected."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from saved_estimators import Change, Node, altered, attributes, copied, refused

from mlx.core.errors import ArtifactError
from mlx.models import load_model


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
