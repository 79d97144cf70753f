"""Results are found by label and layer: names are for people, and may be the same."""

import numpy as np
import pandas as pd
import pytest
from representations import representation
from scipy.special import softmax
from tables_of import analyze_classification

from mlx.core.errors import DataError
from mlx.residuals import ResidualsSettings

pytestmark = pytest.mark.slow

SETTINGS = ResidualsSettings(n_bootstrap=100, n_permutations=99, projections=["pca"])


def analyzed(names, factors=None):
    rows, labels, _ = representation("plain", n=120)
    logits = 2 * np.eye(4)[labels] + np.random.default_rng(0).normal(size=(120, 4))
    return analyze_classification(
        {"layer": rows}, logits=logits, probabilities=softmax(logits, axis=1), y_true=labels,
        y_pred=logits.argmax(axis=1), class_names=names, index=np.arange(120), settings=SETTINGS, factors=factors,
    )  # fmt: skip


def test_two_classes_of_one_name_keep_their_own_correlations():
    different, same = analyzed(["a", "b", "c", "d"]).classes, analyzed(["a", "a", "a", "d"]).classes
    pd.testing.assert_frame_equal(same.drop(columns="name"), different.drop(columns="name"))
    assert different["pearson"].iloc[:3].nunique() == 3


def test_a_factor_called_entropy_is_not_taken_for_the_entropy():
    factors = pd.DataFrame({"entropy": np.arange(120.0), "low similarity": np.arange(120.0) % 7})
    plain, found = analyzed(list("abcd")), analyzed(list("abcd"), factors)
    assert found.headline == plain.headline


def test_two_factors_of_one_name_are_refused():
    factors = pd.DataFrame(np.random.default_rng(0).normal(size=(120, 2)), columns=["size", "size"])
    with pytest.raises(DataError, match="factors: expected columns of different names, found 'size' more than once"):
        analyzed(list("abcd"), factors)
