"""Whatever the data, the whole analysis ends in tables whose statuses say what is missing, never in a crash."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from test_residuals_of_a_classifier import FAST, analyze, classifier

pytestmark = pytest.mark.slow


def duplicated():
    return tuple(np.repeat(array, 2, axis=0) for array in classifier(n=60))


def saturated():
    representation, logits, y = classifier(n=80)
    return representation, np.where(logits == logits.max(axis=1, keepdims=True), 1e4, -1e4), y


def half_saturated():
    representation, logits, y = classifier(n=80)
    return representation, np.where(np.arange(80)[:, None] % 2, logits, 1e3 * logits), y


def one_dimension():
    representation, logits, y = classifier(n=80)
    return representation[:, :1], logits, y


def positive_dimension():
    representation, logits, y = classifier(n=80)
    return np.abs(representation[:, :1]) + 1, logits, y


def perfect():
    representation, logits, _ = classifier(n=120)
    return representation, logits, logits.argmax(axis=1)


def always_wrong():
    representation, logits, _ = classifier(n=80)
    return representation, logits, (logits.argmax(axis=1) + 1) % 4


def one_class_true():
    representation, logits, y = classifier(n=80)
    return representation, logits, np.zeros_like(y)


def zero_rows():
    representation, logits, y = classifier(n=80)
    representation[::3] = 0
    return representation, logits, y


def all_zero():
    representation, logits, y = classifier(n=30)
    return 0 * representation, logits, y


def all_the_same():
    representation, logits, y = classifier(n=30)
    return np.ones_like(representation), np.zeros_like(logits), y


def leaves():
    representation, logits, y = classifier(n=120)
    return sparse.csr_array(np.kron(np.eye(1), (representation > 1).astype(float))), logits, y


def few(n):
    return lambda: tuple(array[:n] for array in classifier())


CASES = {
    "duplicate rows": duplicated,
    "saturated logits": saturated,
    "some saturated": half_saturated,
    "one dimension of both signs": one_dimension,
    "one dimension of one sign": positive_dimension,
    "perfect classifier": perfect,
    "always wrong": always_wrong,
    "two classes": lambda: classifier(n=100, n_classes=2),
    "one true class": one_class_true,
    "zero rows": zero_rows,
    "nothing but zeros": all_zero,
    "all the same": all_the_same,
    "forest leaves": leaves,
    "many classes": lambda: classifier(n=60, n_classes=30, n_features=40),
    **{f"{n} samples": few(n) for n in (1, 2, 3, 4, 5)},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_tables_are_whole_and_say_what_is_missing(case):
    representation, logits, y_true = case()
    generator = np.random.default_rng(1)
    n = len(y_true)
    factors = pd.DataFrame(
        {"size": generator.random(n), "kind": generator.choice(["a", "b"], size=n), "one": np.ones(n)}
    )
    layers = {"first": representation, "second": generator.normal(size=(n, 3))}
    result = analyze(None, logits, y_true, layers=layers, factors=factors)  # checks the tables
    again = analyze(None, logits, y_true, layers=layers, factors=factors)
    for name in ("samples", "classes", "tests", "factors", "slices", "risk_coverage", "similarity"):
        assert getattr(result, name).to_csv() == getattr(again, name).to_csv()
    assert len(result.classes) == 2 * logits.shape[1]
    assert result.tests["p"].dropna().between(0, 1, inclusive="right").all()
    for file, matrix in result.matrices.items():
        # The one over all classes is a picture's: which samples stand in it is a column of theirs.
        assert file in set(result.similarity["file"]) | {"first.overview.npy", "second.overview.npy"}
        np.testing.assert_array_equal(matrix, matrix.T)


def test_a_class_of_one_and_a_class_never_predicted_have_their_rows():
    representation, logits, y_true = classifier(n=60)
    y_pred = np.where(np.arange(60) == 7, 2, np.arange(60) % 2)
    result = analyze(representation, logits, y_true, y_pred=y_pred)
    assert result.classes["status"].tolist()[2:] == ["too few samples (n < 4)", "never predicted"]
    assert result.samples["status"].iloc[7] == "alone in its predicted class"
    assert result.samples["nearest"].iloc[7] == -1
    assert result.similarity["status"].tolist() == ["ok", "ok", "ok", "never predicted"]


def test_a_large_class_has_means_over_blocks_and_every_sample_its_place():
    result = analyze(*classifier(n=240), settings=FAST.model_copy(update={"matrix_size": 55}))
    large = result.similarity[result.similarity["n"] > 55]
    assert set(large["rows"]) == {"means over blocks of samples"}
    assert (large["n_rows"] == 50).all()
    for _, of_class in result.samples.groupby("y_pred"):
        assert of_class["block"].max() == min(50 if len(of_class) > 55 else 55, len(of_class)) - 1
