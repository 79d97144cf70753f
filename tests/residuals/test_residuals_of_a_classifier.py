"""The whole residuals analysis of a classifier: tables, headline, edge cases, determinism."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import softmax
from statsmodels.stats.multitest import multipletests
from tables_of import analyze_classification

from mlx.core.errors import DataError
from mlx.residuals import ResidualsSettings
from mlx.results.classification_residuals import CLASSES
from mlx.results.tests import TESTS

FAST = ResidualsSettings(n_bootstrap=100, n_permutations=99, projections=["pca"])


def classifier(n=240, n_classes=4, n_features=12, seed=0):
    """Return representations whose distance from the class mean makes their prediction unsure."""
    generator = np.random.default_rng(seed)
    y_true = generator.integers(n_classes, size=n)
    means = 2 * np.eye(n_classes, n_features)
    representation = (means[y_true] + 0.9 * generator.normal(size=(n, n_features))).astype(np.float32)
    return representation, (2 * representation @ means.T).astype(np.float32), y_true


def analyze(representation, logits, y_true, *, layers=None, **changes):
    """Analyze, with probabilities that follow from the logits; ``changes`` replace any argument."""
    probabilities = softmax(logits.astype(float), axis=1)
    arguments = {
        "logits": logits,
        "probabilities": probabilities,
        "y_true": y_true,
        "y_pred": logits.argmax(axis=1),
        "class_names": [f"class {k}" for k in range(logits.shape[1])],
        "index": np.arange(len(logits)) + 1000,
        "settings": FAST,
    } | changes
    result = analyze_classification(layers or {"penultimate": representation}, **arguments)
    check_that_nothing_is_missing_in_silence(result)
    return result


def check_that_nothing_is_missing_in_silence(result):
    """Every estimate that is missing has a reason, and nothing is infinite."""
    for table in (result.tests, result.factors):
        assert (table["status"] != "").all()
        assert (table["status"] != "ok")[table["estimate"].isna()].all()
        assert (table["p_method"] != "").eq(table["p"].notna()).all()
        assert (table["method"] != "").eq(table["low"].notna()).all()
    tests = result.tests
    assert tests["confidence"].isna()[tests["low"].isna()].all()
    assert tests["p_holm"].notna().eq(tests["p"].notna()).all()
    for table in (result.samples, result.classes, result.tests, result.factors, result.slices, result.risk_coverage):
        # 1/p − 1 of the true class is beyond the largest number where its logit is 710 below the largest.
        numbers = table.select_dtypes("number").drop(columns=["residual_pearson", "excess_surprise_z"], errors="ignore")
        assert not np.isinf(numbers.to_numpy(dtype=float)).any()
    samples = result.samples
    for status in samples.filter(regex=r"^status").columns:
        ok = samples[status] == "ok"
        assert samples.filter(regex=rf"^(similarity|margin|silhouette).*{status[6:]}$")[ok].notna().all().all()


def test_every_table_has_its_columns_and_every_class_its_row():
    result = analyze(*classifier(n=400), settings=FAST.model_copy(update={"projections": ["pca", "tsne"]}))
    assert tuple(result.classes.columns) == CLASSES.columns
    assert tuple(result.tests.columns) == TESTS.columns
    assert result.classes["class"].tolist() == [0, 1, 2, 3]
    assert len(result.samples) == 400
    assert result.samples["index"].iloc[0] == 1000
    assert set(result.classes["status"]) == {"ok"}
    assert result.classes.notna().all().all()
    assert set(correlations(result)["status"]) == {"ok"}
    assert len(correlations(result)) == 2 + 2 + 2 * 4
    assert correlations(result).drop(columns="effective_pairs").notna().all().all()


def correlations(result):
    """The tests of similarity against entropy over samples."""
    return result.tests[result.tests["name"] == "similarity and entropy"]


def test_pair_correlations_describe_and_their_p_values_come_from_permuted_samples():
    result = analyze(*classifier())
    tests = result.tests.set_index(["name", "scope", "statistic"])
    pairs = tests.loc["similarity and entropy over pairs"]
    assert set(pairs.index.unique("statistic")) == {
        "mean_entropy", "entropy_difference", "entropy_product", "squared_difference"
    }  # fmt: skip
    assert pairs["low"].isna().all()
    assert pairs["p_method"].str.startswith("Mantel").all()
    assert pairs.loc[("all pairs", "mean_entropy"), "n_pairs"].item() == 240 * 239 // 2
    assert pairs.loc[("all pairs", "mean_entropy"), "effective_pairs"].item() < 240 * 239 // 4


def test_estimates_agree_with_scipy():
    result = analyze(*classifier())
    samples = result.samples
    pooled = result.tests[result.tests["scope"] == "pooled"].set_index("statistic")["estimate"]
    assert pooled["pearson"] == pytest.approx(stats.pearsonr(samples["similarity"], samples["entropy"])[0])
    assert pooled["spearman"] == pytest.approx(stats.spearmanr(samples["similarity"], samples["entropy"])[0])
    for label, part in samples.groupby("y_pred"):
        row = result.classes.loc[label]
        assert row["pearson"] == pytest.approx(stats.pearsonr(part["similarity"], part["entropy"])[0])
        assert row["spearman"] == pytest.approx(stats.spearmanr(part["similarity"], part["entropy"])[0])
        assert row["similarity_sd"] == pytest.approx(part["similarity"].std())
        assert row["error_rate"] == pytest.approx(1 - part["correct"].mean())


def test_within_class_estimate_is_that_of_class_centred_values():
    result = analyze(*classifier())
    columns = result.samples[["similarity", "entropy"]]
    by_class = result.samples["y_pred"]
    centered = columns - columns.groupby(by_class).transform("mean")
    assert result.headline["pearson_within"] == pytest.approx(centered.corr().iloc[0, 1], abs=1e-12)
    sizes = by_class.map(by_class.value_counts())
    ranks = columns.groupby(by_class).rank().div(sizes + 1, axis=0) - 0.5
    tests = result.tests.set_index(["scope", "statistic"])
    assert tests.loc[("within class", "spearman"), "estimate"] == pytest.approx(ranks.corr().iloc[0, 1], abs=1e-12)


def test_far_from_classmates_is_unsure_and_the_test_says_so():
    headline = analyze(*classifier()).headline
    assert headline["pearson"] < headline["pearson_high"] < 0
    assert headline["pearson_p"] == 1 / 100
    assert headline["spearman_low"] < headline["spearman"] < headline["spearman_high"]


def test_adjusted_p_values_are_those_of_the_family():
    tests = analyze(*classifier(seed=3)).tests
    for statistic in ("pearson", "spearman"):
        family = tests[tests["family"] == f"{statistic} per class"]
        np.testing.assert_allclose(family["p_holm"], multipletests(family["p"], method="holm")[1])
        np.testing.assert_allclose(family["p_bh"], multipletests(family["p"], method="fdr_bh")[1])
    alone = tests[tests["scope"] == "pooled"]
    pd.testing.assert_series_equal(alone["p"], alone["p_holm"], check_names=False)


def test_headline_is_plain_json():
    headline = analyze(*classifier()).headline
    assert json.loads(json.dumps(headline, allow_nan=False)) == headline
    assert headline["n"] == 240
    assert headline["n_dropped"] == 0


def test_same_seed_same_bytes_and_another_seed_others():
    arrays = classifier()
    first, again = analyze(*arrays), analyze(*arrays)
    for table in ("samples", "classes", "tests"):
        assert getattr(first, table).to_csv() == getattr(again, table).to_csv()
    other = analyze(*arrays, settings=FAST.model_copy(update={"seed": 1}))
    assert other.headline["pearson"] == first.headline["pearson"]
    assert other.headline["spearman_low"] != first.headline["spearman_low"]


def test_a_second_layer_adds_columns_and_rows_and_changes_none():
    arrays = classifier()
    alone = analyze(*arrays)
    both = analyze(*arrays, layers={"penultimate": arrays[0], "logits": arrays[1]})
    assert both.headline == alone.headline
    pd.testing.assert_frame_equal(both.samples[alone.samples.columns], alone.samples)
    assert {"similarity.logits", "similarity_true.logits", "similarity_all.logits"} <= set(both.samples)
    of_one = both.tests[both.tests["layer"].isin(["", "penultimate"])]
    pd.testing.assert_frame_equal(of_one.reset_index(drop=True), alone.tests)
    assert both.tests["estimate"][both.tests["name"] == "alignment of layers"].between(0, 1.05).all()
    assert set(both.classes["layer"]) == {"penultimate", "logits"}
    assert len(both.classes) == 8


def test_memory_mapped_inputs_give_the_same(tmp_path):
    representation, logits, y_true = classifier()
    for name, array in (("h", representation), ("z", logits)):
        np.save(tmp_path / f"{name}.npy", array)
    h, z = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "hz")
    mapped, plain = analyze(h, z, y_true), analyze(representation, logits, y_true)
    pd.testing.assert_frame_equal(mapped.tests, plain.tests)


def test_more_confidence_means_wider_intervals():
    arrays = classifier()
    narrow, wide = (analyze(*arrays, settings=FAST.model_copy(update={"confidence": c})).headline for c in (0.8, 0.99))
    assert wide["pearson_low"] < narrow["pearson_low"]
    assert wide["pearson_p"] == narrow["pearson_p"]


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


def test_a_perfect_binary_classifier_is_analysed():
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


def test_a_representation_of_one_dimension_is_analysed():
    representation, logits, y_true = classifier()
    result = analyze(representation[:, :1] - 0.5, logits, y_true)
    assert result.samples["similarity"].between(-1, 1).all()
    unmeasured = result.classes[["pearson", "pearson_low"]].isna().any(axis=1)
    assert (result.classes["status"][unmeasured] != "ok").all()


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
    tests = analyze(representation, logits, y_true, y_pred=np.arange(140) % 4).tests.set_index("family")
    assert tests.loc["pearson pooled", "status"] == "ok"
    assert tests.loc["spearman pooled", "status"] == "no interval (mean class size < 40)"
    assert np.isfinite(tests.loc["spearman pooled", "p"])
    assert tests.loc["spearman pooled", "method"] == ""
