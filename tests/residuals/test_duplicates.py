"""Exact duplicates among the test samples are found, counted, and said beside every headline."""

import json
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import softmax

from mlx import ResidualsAnalyzer
from mlx.residuals.similarity.directions import directions_of
from mlx.results.tests import TESTS
from mlx.stats.duplicates import find_duplicates
from mlx.stats.status import OK, Reason, Status

HEADLINES = ("pearson", "pearson_within", "spearman", "error_auroc_entropy", "error_auroc_similarity")
SAID = "20 of 200 samples are exact duplicates of others, counted as independent"


def recorded(n=100, seed=0):
    generator = np.random.default_rng(seed)
    y = generator.integers(3, size=n)
    representations = (generator.normal(size=(n, 5)) + np.eye(3, 5)[y]).astype(np.float32)
    return representations, softmax(2 * representations[:, :3].astype(float), axis=1), y


def brute_force(representation, outputs):
    both = np.hstack([representation, outputs])
    return np.array([int(np.flatnonzero((both == row).all(axis=1))[0]) for row in both])


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix, lambda rows: rows.astype(np.float16)])
def test_duplicates_are_those_of_brute_force(make):
    generator = np.random.default_rng(1)
    # Few different values: most outputs recur, some with another representation; some zeros are negative.
    rows = generator.integers(-1, 2, size=(300, 3)) * 0.5 * generator.choice([-1.0, 1.0], size=(300, 1))
    outputs = generator.integers(0, 2, size=(300, 2)) * 0.25
    units = directions_of("layer", make(rows), 300)
    found = find_duplicates(units.representation, outputs)
    first = brute_force(rows, outputs)
    assert found.first.tolist() == first.tolist()
    assert found.count == 300 - np.unique(first).size > 100


def test_rows_whose_sums_of_bits_are_the_same_are_duplicates_only_if_equal(monkeypatch):
    ones = SimpleNamespace(integers=lambda *_, size, **__: np.zeros(size, np.uint64))
    monkeypatch.setattr(np.random, "default_rng", lambda _: ones)
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0]])
    assert find_duplicates(rows, np.ones((3, 1))).first.tolist() == [0, 1, 0]


def test_the_same_output_of_another_representation_is_no_duplicate():
    representations, _, _ = recorded()
    assert find_duplicates(representations, np.ones((100, 2)) / 2).count == 0


@pytest.mark.slow
def test_every_headline_counts_them(tmp_path):
    rows = np.append(np.arange(180), np.arange(20))
    representations, probabilities, y = (array[rows] for array in recorded(180))
    analyzer = ResidualsAnalyzer(save_dir=tmp_path, n_permutations=99, n_bootstrap=100)
    tests = analyzer.run_full_analysis(representations, probabilities, y)["tests"]
    metrics = json.loads((tmp_path / "residuals.json").read_text())
    assert metrics["n_duplicates"] == 20
    assert metrics["duplicates_status"].startswith("20 of 200 samples")
    for key in HEADLINES:
        assert metrics[f"{key}_status"].endswith(SAID)
        assert metrics[key] is not None
    said, given = tests["status"].str.endswith(SAID), tests[["p", "low"]].notna().any(axis=1)
    assert said[given].all()
    assert given.sum() > 20
    assert set(tests["name"][said & ~given]) <= {
        "similarity and entropy",
        "error by entropy",
        "error by low similarity",
    }
    TESTS.check(tmp_path / "tests.csv", tests)


@pytest.mark.slow
def test_every_row_with_a_p_value_or_an_interval_counts_them(tmp_path):
    rows = np.append(np.arange(380), np.arange(20))
    representations, probabilities, y = (array[rows] for array in recorded(380))
    generator = np.random.default_rng(0)
    factors = pd.DataFrame({"size": generator.random(400), "kind": generator.random(400) < 0.5})
    analyzer = ResidualsAnalyzer(save_dir=tmp_path, n_permutations=99, n_bootstrap=100)
    tables = analyzer.run_full_analysis(representations, probabilities, y, factors=factors)
    for name, numbers in {
        "tests": ["p", "low"],
        "classes": ["pearson_p", "pearson_low", "spearman_p"],
        "factors": ["p", "low"],
        "slices": ["p", "low"],
    }.items():
        table = tables[name]
        given = table[numbers].notna().any(axis=1)
        assert table["status"][given].str.endswith(SAID.replace("200", "400")).all(), name
        assert given.any() or name == "slices"


def test_without_any_nothing_is_said(tmp_path):
    analyzer = ResidualsAnalyzer(save_dir=tmp_path, n_permutations=99, n_bootstrap=100)
    tests = analyzer.run_full_analysis(*recorded())["tests"]
    metrics = json.loads((tmp_path / "residuals.json").read_text())
    assert metrics["n_duplicates"] == 0
    assert "duplicates_status" not in metrics
    assert not tests["status"].str.contains("duplicates").any()


@pytest.mark.parametrize("status", [OK, Reason.NO_INTERVAL(Reason.FEW_ERRORS(10)), Reason.CONSTANT("entropy")])
def test_a_status_that_counts_them_is_read_back(status):
    marked = Reason.DUPLICATES(status, 20, 200)
    assert str(marked) == f"{status}; {SAID}"
    assert Status.parse(str(marked)) == marked
