"""The files of a residuals analysis are read back into the types that the analysis returned."""

from dataclasses import fields, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax

from mlx.core.artifacts import read_csv, read_parquet, write_csv
from mlx.core.errors import ArtifactError
from mlx.core.linear_fit import LinearFit
from mlx.core.paths import Workspace
from mlx.pipeline.residuals_analysis import write_classification, write_regression
from mlx.pipeline.results import read_classification_residuals
from mlx.residuals import ResidualsSettings, analyze_classification, analyze_regression
from mlx.residuals.sets.regression import RegressionOutputs
from mlx.results.classification_residuals import CLASSES, TABLES
from mlx.results.issues import Issue, IssueCount, IssueKind, IssueMethod
from mlx.results.prediction_sets import SAMPLE_SETS
from mlx.results.regression_intervals import SAMPLE_INTERVALS
from mlx.results.regression_residuals import REGRESSION_SAMPLES, REGRESSION_TABLES
from mlx.results.sample_scores import LAYER_SAMPLES, SAMPLES
from mlx.results.schema import RowSchema
from mlx.results.tests import TESTS, read_tests
from mlx.stats.status import Reason
from mlx.stats.validation_outputs import ValidationOutputs

FAST = ResidualsSettings(n_bootstrap=100, n_permutations=19, projections=["pca"])
NAMES = ["0", "NA", "0"]
"""Class names that a reader could take for a number, for a missing value, or for each other."""

ISSUES_FOUND = (
    Issue(kind=IssueKind.LABEL, split="val", index=3, score=0.9, threshold=0.5, suggested_label=1,
          method=IssueMethod.CONFIDENT_LEARNING, why="labeled NA, predicted 0"),
    Issue(kind=IssueKind.LEAK, split="test", index=4, related_index=2, score=0.0, threshold=0.0,
          method=IssueMethod.EQUAL_INPUTS, why="equals sample 2 of train"),
)  # fmt: skip
COUNTS = (
    IssueCount(kind=IssueKind.LABEL, split="val", method=IssueMethod.CONFIDENT_LEARNING, n=60, n_issues=1,
               expected=0.25),
    IssueCount(kind=IssueKind.OUTLIER, split="test", method=IssueMethod.NEIGHBOR_DISTANCE, n=0,
               status=Reason.NOT_RECORDED("training")),
)  # fmt: skip


def assert_same_columns(found: object, expected: object) -> None:
    for field in fields(expected):
        one, other = (getattr(result, field.name) for result in (found, expected))
        np.testing.assert_array_equal(one, other, err_msg=field.name)


def rows_of(folder: Path, schema: RowSchema) -> tuple:
    path = folder / schema.file
    table = read_csv(path, text=schema.text)
    return read_tests(path, table, NAMES) if schema is TESTS else schema.rows(path, table, n_classes=3)


def test_a_classification_is_read_back_as_it_was(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    y = np.append(generator.integers(2, size=119), 2)
    logits = 1.5 * np.eye(3)[y] + generator.normal(size=(120, 3))
    layers = {name: np.eye(3, 5)[y] + generator.normal(size=(120, 5)) for name in ("first", "second")}
    found = analyze_classification(
        layers,
        logits=logits,
        probabilities=softmax(logits, axis=1),
        y_true=y,
        y_pred=logits.argmax(axis=1),
        class_names=NAMES,
        index=np.arange(120),
        settings=FAST,
        factors=pd.DataFrame({"entropy": generator.normal(size=120), "kind": generator.choice(["a", "1"], 120)}),
        validation_outputs=ValidationOutputs(softmax(logits, axis=1), logits, y, np.arange(200, 320), chose_epoch=True),
    )
    found = replace(found, issues=ISSUES_FOUND, issue_counts=COUNTS)
    write_classification(tmp_path, found)
    for name, schema in TABLES.items():
        assert getattr(found, name), f"{name}: nothing to compare"
        assert repr(rows_of(tmp_path, schema)) == repr(tuple(getattr(found, name))), name
    path = tmp_path / SAMPLES.file
    samples = read_parquet(path)
    assert_same_columns(SAMPLES.arrays(path, samples, n_classes=3), found.samples)
    assert_same_columns(SAMPLE_SETS.arrays(path, samples), dict(found.sample_sets)[""])
    for suffix, layer in zip(("", ".second"), found.layers.values(), strict=True):
        assert_same_columns(LAYER_SAMPLES.arrays(path, samples, suffix=suffix), layer)


def test_a_regression_is_read_back_as_it_was(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    X = generator.normal(size=(60, 2))
    y = X @ [1.0, -2.0] + generator.normal(size=60)
    design = np.column_stack([np.ones(60), X])
    triangle = np.linalg.qr(design)[1]
    coefficients = np.linalg.lstsq(design, y)[0]
    fit = LinearFit(np.sign(np.diag(triangle))[:, None] * triangle, coefficients, 60, 1.0, least_squares=True)
    factors = pd.DataFrame({"x": X[:, 0], "kind": ["a", "b"] * 30})
    known = {"design": X, "fit": fit, "factors": factors}
    outputs = RegressionOutputs(y, design @ coefficients, np.arange(60, 120), X)
    known |= {"representation": X, "validation": outputs, "training": outputs}
    found = analyze_regression(y, design @ coefficients, index=np.arange(60), settings=FAST, **known)
    found = replace(found, issues=ISSUES_FOUND, issue_counts=COUNTS)
    write_regression(tmp_path, found)
    path = tmp_path / REGRESSION_SAMPLES.file
    assert_same_columns(REGRESSION_SAMPLES.arrays(path, read_parquet(path)), found.samples)
    assert_same_columns(SAMPLE_INTERVALS.arrays(path, read_parquet(path)), dict(found.sample_intervals)[""])
    assert len(found.prediction_sets) > 6
    assert len(found.coefficients) == 3
    assert {effect.factor for effect in found.factors} == {"x", "kind"}
    for name, schema in REGRESSION_TABLES.items():
        expected = getattr(found, name)
        if name == "coefficients":
            assert rows_of(tmp_path, schema) == expected
        else:
            assert repr(rows_of(tmp_path, schema)) == repr(expected), name


def test_classes_without_rows_are_rejected(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.residuals.mkdir(parents=True)
    write_csv(workspace.residuals / CLASSES.file, CLASSES.frame())
    with pytest.raises(ArtifactError, match=r"classes\.csv: expected at least one row, found none"):
        read_classification_residuals(workspace, SimpleNamespace(class_names=NAMES))
