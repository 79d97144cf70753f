"""The whole residuals analysis of a classifier: tables, headline, edge cases, determinism."""

import json

import numpy as np
import pandas as pd
import pytest
from analyzed_classifiers import FAST, analyze, classifier, correlations
from oracles import adjusted
from scipy import stats

from mlx.results.classification_residuals import CLASSES
from mlx.results.tests import TESTS


@pytest.fixture(scope="module")
def result():
    return analyze(*classifier())


@pytest.fixture(scope="module")
def of_two_layers():
    representation, logits, y_true = classifier()
    return analyze(representation, logits, y_true, layers={"penultimate": representation, "logits": logits})


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


def test_pair_correlations_describe_and_their_p_values_come_from_permuted_samples(result):
    tests = result.tests.set_index(["name", "scope", "statistic"])
    pairs = tests.loc["similarity and entropy over pairs"]
    assert set(pairs.index.unique("statistic")) == {
        "mean_entropy", "entropy_difference", "entropy_product", "squared_difference"
    }  # fmt: skip
    assert pairs["low"].isna().all()
    assert pairs["p_method"].str.startswith("Mantel").all()
    assert pairs.loc[("all pairs", "mean_entropy"), "n_pairs"].item() == 240 * 239 // 2
    assert pairs.loc[("all pairs", "mean_entropy"), "effective_pairs"].item() < 240 * 239 // 4


def test_estimates_agree_with_scipy(result):
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


def test_within_class_estimate_is_that_of_class_centered_values(result):
    columns = result.samples[["similarity", "entropy"]]
    by_class = result.samples["y_pred"]
    centered = columns - columns.groupby(by_class).transform("mean")
    assert result.headline["pearson_within"] == pytest.approx(centered.corr().iloc[0, 1], abs=1e-12)
    sizes = by_class.map(by_class.value_counts())
    ranks = columns.groupby(by_class).rank().div(sizes + 1, axis=0) - 0.5
    tests = result.tests.set_index(["scope", "statistic"])
    assert tests.loc[("within class", "spearman"), "estimate"] == pytest.approx(ranks.corr().iloc[0, 1], abs=1e-12)


def test_far_from_classmates_is_unsure_and_the_test_says_so(result):
    headline = result.headline
    assert headline["pearson"] < headline["pearson_high"] < 0
    assert headline["pearson_p"] == 1 / 801
    assert headline["spearman_low"] < headline["spearman"] < headline["spearman_high"]


@pytest.mark.slow
def test_adjusted_p_values_are_those_of_the_family():
    tests = analyze(*classifier(seed=3)).tests
    sizes = {"similarity and entropy": 4, "similarity and entropy by class": 2 * 4}
    for name, size in sizes.items():
        family = tests[tests["family"] == name]
        assert len(family) == size
        np.testing.assert_allclose(family["p_holm"], adjusted(family["p"], "holm"))
        np.testing.assert_allclose(family["p_bh"], adjusted(family["p"], "fdr_bh"))


@pytest.mark.slow
def test_a_family_holds_the_statistics_and_layers_that_answer_one_question(of_two_layers):
    tests = of_two_layers.tests
    sizes = tests[tests["p"].notna()].groupby("family").size().to_dict()
    pairs = {
        f"similarity and entropy over pairs, {scope}": 2 * 4 for scope in ("all pairs", "same class", "within class")
    }
    assert {name: size for name, size in sizes.items() if "error" not in name} == pairs | {
        "similarity and entropy": 2 * 2 * 2,
        "similarity and entropy by class": 4 * 2 * 2,
        "similarity and entropy over pairs, class": 4 * 4 * 2,
        "similarity and entropy given correctness": 2 * 2,
    }
    for _, family in tests[tests["p"].notna()].groupby("family"):
        np.testing.assert_allclose(family["p_holm"], adjusted(family["p"], "holm"))


def test_the_primary_test_is_the_first_layers_within_class_pearson(of_two_layers):
    tests = of_two_layers.tests
    (primary,) = tests[tests["role"] == "primary"].to_dict("records")
    found = [primary[key] for key in ("name", "scope", "statistic", "layer")]
    assert found == ["similarity and entropy", "within class", "pearson", "penultimate"]


def test_headline_is_plain_json(result):
    headline = result.headline
    assert json.loads(json.dumps(headline, allow_nan=False)) == headline
    assert headline["n"] == 240
    assert headline["n_dropped"] == 0


@pytest.mark.slow
def test_same_seed_same_bytes_and_another_seed_others(result):
    arrays = classifier()
    first, again = result, analyze(*arrays)
    for table in ("samples", "classes", "tests"):
        assert getattr(first, table).to_csv() == getattr(again, table).to_csv()
    other = analyze(*arrays, settings=FAST.model_copy(update={"seed": 1}))
    assert other.headline["pearson"] == first.headline["pearson"]
    assert other.headline["spearman_low"] != first.headline["spearman_low"]


def test_a_second_layer_adds_columns_and_rows_and_changes_none(result, of_two_layers):
    alone, both = result, of_two_layers
    pd.testing.assert_frame_equal(both.samples[alone.samples.columns], alone.samples)
    assert {"similarity.logits", "similarity_true.logits", "similarity_all.logits"} <= set(both.samples)
    of_one = both.tests[both.tests["layer"].isin(["", "penultimate"])].reset_index(drop=True)
    of_family = ["p", "p_holm", "p_bh", "B", "method"]  # what the size of the family has an influence on
    pd.testing.assert_frame_equal(of_one.drop(columns=of_family), alone.tests.drop(columns=of_family))
    assert both.tests["estimate"][both.tests["name"] == "alignment of layers"].between(0, 1.05).all()
    assert set(both.classes["layer"]) == {"penultimate", "logits"}
    assert len(both.classes) == 8


def test_memory_mapped_inputs_give_the_same(tmp_path, result):
    representation, logits, y_true = classifier()
    for name, array in (("h", representation), ("z", logits)):
        np.save(tmp_path / f"{name}.npy", array)
    h, z = (np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "hz")
    pd.testing.assert_frame_equal(analyze(h, z, y_true).tests, result.tests)


@pytest.mark.slow
def test_more_confidence_means_wider_intervals():
    arrays = classifier()
    narrow, wide = (analyze(*arrays, settings=FAST.model_copy(update={"confidence": c})).headline for c in (0.8, 0.99))
    assert wide["pearson_low"] < narrow["pearson_low"]
    assert wide["pearson_p"] == narrow["pearson_p"]
