"""Small, constant, degenerate and invalid inputs of the analysis of a classifier."""

import numpy as np
import pytest
from analyzed_classifiers import FAST, analyze, classifier, correlations
from scipy import stats
from scipy.special import softmax
from tables_of import analyze_classification

from mlx.core.errors import DataError


def test_classes_without_enough_to_go_by_have_a_status():
    representation, logits, y_true = classifier(n_classes=6, n=120)
    y_pred = np.where(logits.argmax(axis=1) >= 3, 0, logits.argmax(axis=1))
    y_pred[:3] = 3
    y_pred[3] = 4
    result = analyze(representation, logits, y_true, y_pred=y_pred)
    status = result.classes["status"].tolist()
    assert status[3:] == ["too few samples (n < 4)", "too few samples (n < 4)", "never predicted"]
    assert result.classes.loc[3:, "pearson"].isna().all()
    assert result.classes.loc[5, "n_predicted"] == 0
    samples = result.samples
    assert samples["status"].iloc[3] == "alone in its predicted class"
    assert (samples["similarity"].isna() == (samples["status"] != "ok")).all()
    tests = correlations(result)
    incomplete = tests[["estimate", "low", "high", "p"]].isna().any(axis=1)
    assert (incomplete == (tests["status"] != "ok")).all()
    assert (result.tests["estimate"].isna() <= (result.tests["status"] != "ok")).all()


def test_a_small_class_has_an_estimate_and_a_p_value_but_no_interval():
    representation, logits, y_true = classifier(n=60)
    y_pred = np.zeros(60, dtype=int)
    y_pred[:8] = 1
    row = analyze(representation, logits, y_true, y_pred=y_pred).classes.loc[1]
    assert row["status"] == "pearson: no interval (n < 20); spearman: no interval (n < 60)"
    assert np.isnan(row["pearson_low"])
    assert np.isfinite([row["pearson"], row["pearson_p"], row["pearson_p_holm"]]).all()


def test_zero_rows_are_dropped_and_counted():
    representation, logits, y_true = classifier()
    representation[[0, 17]] = 0
    result = analyze(representation, logits, y_true)
    assert result.headline["n_dropped"] == 2
    assert result.samples["status"].iloc[[0, 17]].tolist() == ["zero representation"] * 2
    assert correlations(result)["n"].iloc[0] == 238
    assert np.isfinite(result.headline["pearson"])


def test_a_layer_of_nothing_but_zeros_gives_statuses():
    representation, logits, y_true = classifier(n=40)
    result = analyze(0 * representation, logits, y_true)
    assert result.headline["pearson"] is None
    assert set(correlations(result)["status"]) == {"too few samples (n < 4)"}


def test_constant_entropy_and_constant_similarity_have_their_status():
    representation, logits, y_true = classifier(n=60)
    saturated = np.where(logits == logits.max(axis=1, keepdims=True), 1e4, 0.0)
    result = analyze(representation, saturated, y_true)
    assert set(result.classes["status"]) == {"constant entropy"}
    result = analyze(np.ones_like(representation) * np.arange(1, 61)[:, None], logits, y_true)
    assert set(correlations(result)["status"]) == {"constant similarity"}


def test_a_perfect_binary_classifier_is_analyzed():
    representation, logits, _ = classifier(n_classes=2)
    result = analyze(representation, logits, logits.argmax(axis=1))
    assert set(result.classes["status"]) == {"ok"}
    assert result.classes["error_rate"].tolist() == [0, 0]


def test_one_predicted_class_pools_to_itself():
    representation, logits, y_true = classifier()
    headline = analyze(representation, logits, y_true, y_pred=np.zeros(240, dtype=int)).headline
    assert headline["pearson"] == pytest.approx(headline["pearson_within"], abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_samples_gives_statuses(n):
    representation, logits, y_true = (array[:n] for array in classifier())
    result = analyze(representation, logits, y_true)
    assert result.headline["pearson"] is None
    assert (correlations(result)["status"] != "ok").all()


def test_duplicated_rows_share_their_ranks():
    representation, logits, y_true = classifier(n=60)
    result = analyze(np.repeat(representation, 2, axis=0), np.repeat(logits, 2, axis=0), np.repeat(y_true, 2))
    x = result.samples["similarity"].round(12)
    assert result.headline["spearman"] == pytest.approx(stats.spearmanr(x, result.samples["entropy"])[0])


def test_a_representation_of_one_dimension_is_analyzed():
    representation, logits, y_true = classifier()
    result = analyze(representation[:, :1] - 0.5, logits, y_true)
    assert result.samples["similarity"].between(-1, 1).all()
    unmeasured = result.classes[["pearson", "pearson_low"]].isna().any(axis=1)
    assert (result.classes["status"][unmeasured] != "ok").all()


@pytest.mark.slow
def test_without_logits_entropies_come_from_the_probabilities():
    arrays = classifier()
    with_logits = analyze(*arrays)
    p = softmax(arrays[1].astype(float), axis=1)
    without = analyze_classification(
        {"penultimate": arrays[0]},
        logits=None,
        probabilities=p,
        y_true=arrays[2],
        y_pred=p.argmax(axis=1),
        class_names=list("abcd"),
        index=np.arange(240),
        settings=FAST,
    )
    np.testing.assert_allclose(without.samples["entropy"], with_logits.samples["entropy"], atol=1e-13)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_true": np.full(240, 4)}, "y_true: row 0: expected a class from 0 to 3, found 4"),
        ({"y_pred": np.zeros(3, int)}, r"y_pred: expected shape \(240,\), found \(3,\)"),
        ({"probabilities": np.full((240, 4), 0.3)}, "probabilities: row 0: .*found sum 1.2"),
        ({"probabilities": np.full((240, 4), np.nan)}, "probabilities: row 0: a value is not finite"),
        ({"logits": np.zeros((240, 3))}, r"logits: expected shape \(240, 4\), found \(240, 3\)"),
        ({"index": np.arange(2)}, "index: expected shape"),
        ({"layers": {"conv": np.full((240, 2), np.nan)}}, "conv: row 0: a value is not finite"),
        ({"layers": {"conv": np.ones((240, 2, 2))}}, "conv: expected shape"),
    ],
)
def test_what_cannot_be_used_is_refused(changes, message):
    representation, logits, y_true = classifier()
    arguments = {"layers": {"penultimate": representation}, "probabilities": softmax(logits, axis=1)}
    arguments |= {"logits": logits, "y_true": y_true, "y_pred": logits.argmax(axis=1)}
    arguments |= {"class_names": list("abcd"), "index": np.arange(240), "settings": FAST} | changes
    with pytest.raises(DataError, match=message):
        analyze_classification(arguments.pop("layers"), **arguments)


def test_no_layer_or_no_sample_is_refused():
    representation, logits, y_true = classifier()
    with pytest.raises(DataError, match="at least one sample"):
        analyze(representation[:0], logits[:0], y_true[:0])


def test_small_classes_leave_the_pooled_correlation_without_the_interval_that_would_not_hold():
    representation, logits, y_true = classifier(n=140)
    tests = analyze(representation, logits, y_true, y_pred=np.arange(140) % 4).tests
    tests = tests[tests["scope"] == "pooled"].set_index("statistic")
    assert tests.loc["pearson", "status"] == "ok"
    assert tests.loc["spearman", "status"] == "no interval (mean class size < 40)"
    assert np.isfinite(tests.loc["spearman", "p"])
    assert tests.loc["spearman", "method"] == ""
