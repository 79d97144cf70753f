"""Samples that belong together: similarities, tests and intervals by group, against brute force and simulation."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from scipy.special import softmax
from scipy.stats import rankdata
from similarities import group_similarity

from mlx import ResidualsAnalyzer
from mlx.core.errors import DataError, SettingsError
from mlx.residuals import ResidualsSettings, analyze_regression
from mlx.residuals.association.by_group import influences, resampled_by_group
from mlx.residuals.association.layer import Layer
from mlx.residuals.similarity.class_similarity import similarity_family
from mlx.residuals.similarity.directions import directions_of
from mlx.residuals.similarity.lift import lift
from mlx.results.regression_summary import RegressionSummary
from mlx.stats.duplicates import Duplicates
from mlx.stats.grouping import choose_groups
from mlx.stats.groups import Groups

FAST = {"n_permutations": 199, "n_bootstrap": 100, "projections": []}


def grouped(seed=0, n_groups=60, size=5):
    """Representations, probabilities, labels and factors of groups that share an effect on all of these."""
    generator = np.random.default_rng(seed)
    subject = np.repeat(np.arange(n_groups), size)
    n = subject.size
    y = generator.integers(2, size=n)
    shift, unsure = generator.normal(size=(n_groups, 4)), generator.normal(size=n_groups)
    representations = generator.normal(size=(n, 4)) + 0.7 * shift[subject] + 1.5 * np.eye(2, 4)[y]
    logits = 1.5 * (generator.normal(size=n) + unsure[subject] + 1.5 * (2 * y - 1))
    probabilities = softmax(np.stack([-logits, logits], axis=1) / 2, axis=1)
    factors = pd.DataFrame({
        "subject": [f"s{s}" for s in subject],
        "noise": generator.normal(size=n) + unsure[subject],
        "flag": generator.random(n) < 0.4,
        "kind": generator.choice(list("abc"), size=n),
    })  # fmt: skip
    return representations, probabilities, y, factors


def cosines(rows):
    units = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return units @ units.T


@pytest.mark.parametrize("make", [np.asarray, sparse.csr_matrix])
@pytest.mark.parametrize("block_bytes", [1 << 9, 1 << 23])
def test_no_sample_is_compared_with_its_own_group(make, block_bytes):
    representations, _, y, _ = grouped(n_groups=20)
    groups, other = Groups(np.arange(100) % 23), np.arange(100) % 3
    lifted = lift(directions_of("layer", make(representations), 100))
    found = similarity_family(lifted, y, other, 3, groups=groups, block_bytes=block_bytes)
    s, apart = cosines(representations), groups.codes[:, None] != groups.codes
    means = {name: (s * mask).sum(1) / mask.sum(1) for name, mask in (
        ("predicted", apart & (y[:, None] == y)), ("true", apart & (other[:, None] == other)), ("overall", apart),
    )}  # fmt: skip
    for name, mean in means.items():
        np.testing.assert_allclose(getattr(found, name), mean, atol=1e-13)
    elsewhere = np.array([s[i, y != y[i]].mean() for i in range(100)])
    np.testing.assert_allclose(found.margin, means["predicted"] - elsewhere, atol=1e-13)


def correlations_of(a, h, labels):
    def ratio(x, y):
        return x @ y / np.sqrt((x @ x) * (y @ y))

    found = []
    for classes in (np.zeros_like(labels), labels):
        columns = []
        for values in (a, h):
            parts = np.empty((2, values.size))
            for label in np.unique(classes):
                own = classes == label
                parts[0, own] = values[own] - values[own].mean()
                parts[1, own] = rankdata(values[own]) / (own.sum() + 1) - 0.5
            columns.append(parts)
        found += [ratio(columns[0][k], columns[1][k]) for k in (0, 1)]
    return found


def test_the_jackknife_leaves_out_each_group():
    representations, probabilities, y, _ = grouped(n_groups=12)
    h = np.linspace(0, 1, 60) + probabilities[:, 0]
    groups = Groups(np.arange(60) % 12)
    units = directions_of("layer", representations, 60)
    layer = Layer(units, group_similarity(units, y, groups=groups), h, y, "layer", groups)
    parts = [np.flatnonzero(y == label) for label in (0, 1)]
    rows = np.concatenate(parts)
    (pooled, within), _ = resampled_by_group(layer, parts, groups, 0, np.random.default_rng(0), np.random.default_rng)
    for g in range(12):
        stay = groups.codes != g
        rest = directions_of("rest", representations[stay], int(stay.sum()))
        a = group_similarity(rest, y[stay], groups=groups.take(stay))
        expected = correlations_of(a, h[stay], y[stay])
        place = groups.take(rows).codes[groups.codes[rows] == g][0]  # they are numbered anew, class by class
        assert [float(r[0, place]) for r in (*pooled, *within)] == pytest.approx(expected, abs=1e-12)


def test_influences_add_up_to_the_covariance_of_values_and_ranks():
    representations, probabilities, y, _ = grouped()
    units = directions_of("layer", representations, 300)
    layer = Layer(units, group_similarity(units, y), probabilities[:, 0], y)
    rows = np.arange(300)
    found = influences(layer, [rows])
    a, h = layer.similarity, layer.entropy
    unit = np.cov(a, h)[0, 1] * 299 / found[0].sum()  # a power of two
    assert np.log2(unit) == pytest.approx(round(np.log2(unit)), abs=1e-9)
    assert found[1].sum() == pytest.approx(np.cov(rankdata(a), rankdata(h))[0, 1] * 299 / 301**2)


@pytest.fixture(scope="module")
def by_group(tmp_path_factory):
    folder = tmp_path_factory.mktemp("by_group")
    *arrays, factors = grouped(n_groups=100)
    tables = ResidualsAnalyzer(save_dir=folder, groups="subject", **FAST).run_full_analysis(*arrays, factors=factors)
    return tables, json.loads((folder / "residuals.json").read_text())


def test_every_p_value_and_interval_goes_by_group_or_says_that_it_does_not(by_group):
    tests = by_group[0]["tests"]
    given = tests[tests["p"].notna()]
    assert given["p_method"].str.contains("by group|of groups").all(), given["p_method"].unique()
    bounded = tests[tests["low"].notna() & tests["confidence"].notna()]
    assert bounded["method"].str.contains("by group|group at a time").all(), bounded["method"].unique()
    silent = tests[tests["family"].ne("") & tests["p"].isna() & tests["statistic"].ne("aurc")]
    assert silent.loc[silent["status"] == "ok", "statistic"].isin(["augrc", "eaurc"]).all()
    pairs = tests[tests["name"] == "similarity and entropy over pairs"]
    assert set(pairs["status"]) == {"no p (not by group)"}
    assert (tests["status"] == "no p and no interval (not by group)").sum() == 3  # the three shares of variance
    headlines = tests[tests["name"].isin(["similarity and entropy", "error by entropy", "error by low similarity"])]
    assert headlines.loc[headlines["statistic"].isin(["pearson", "auroc"]), ["low", "p"]].notna().all(axis=None)


def test_tables_of_factors_go_by_group(by_group):
    tables, metrics = by_group
    bins = tables["factors"].query("statistic == 'error_rate'")
    known = bins["low"].notna()
    assert bins.loc[known, "method"].str.contains("by group").all()
    assert bins.loc[~known, "status"].eq("no interval (fewer than 40 groups)").all()
    assert known.any()
    assert "subject" not in set(tables["factors"]["factor"])  # what groups the samples is not tested as a factor
    assert "factor.subject" in tables["samples"]
    assert (metrics["groups"], metrics["n_groups"]) == ("subject", 100)


def test_fewer_than_forty_groups_test_nothing():
    *arrays, factors = grouped(n_groups=30)
    tests = ResidualsAnalyzer(groups="subject", **FAST).run_full_analysis(*arrays, factors=factors)["tests"]
    assert tests["p"].isna().all()
    assert tests.loc[tests["confidence"].notna(), "low"].isna().all()
    headline = tests[(tests["name"] == "similarity and entropy") & (tests["scope"] == "pooled")]
    assert set(headline["status"]) == {"no p and no interval (fewer than 40 groups)"}
    assert headline["estimate"].notna().all()


@pytest.mark.slow
def test_duplicates_as_groups_say_what_the_samples_say_once():
    representations, probabilities, y, _ = grouped(n_groups=200, size=1)
    alone = ResidualsAnalyzer(groups="duplicates", **FAST).run_full_analysis(representations, probabilities, y)
    three = np.repeat(np.arange(200), 3)
    copied = ResidualsAnalyzer(groups="duplicates", **FAST).run_full_analysis(
        representations[three], probabilities[three], y[three]
    )
    naive = ResidualsAnalyzer(**FAST).run_full_analysis(representations[three], probabilities[three], y[three])
    keys = ["name", "scope", "class", "statistic"]
    once, thrice, wrong = (t["tests"].set_index(keys)[["estimate", "low", "high", "p"]] for t in (alone, copied, naive))
    for row in [
        ("similarity and entropy", "pooled", "", "pearson"),
        ("similarity and entropy", "within class", "", "spearman"),
        ("error by entropy", "all samples", "", "auroc"),
        ("error by low similarity", "all samples", "", "auroc"),
    ]:
        width, copies, naively = (t.loc[row, "high"] - t.loc[row, "low"] for t in (once, thrice, wrong))
        assert thrice.loc[row, "estimate"] == pytest.approx(once.loc[row, "estimate"], abs=1e-2)
        assert copies == pytest.approx(width, rel=0.12)
        assert naively < 0.7 * width
    assert not copied["tests"]["status"].str.contains("duplicates").any()


def test_duplicates_in_different_groups_are_still_said():
    representations, probabilities, y, _ = grouped(n_groups=50, size=2)
    twice = np.repeat(np.arange(100), 2)
    factors = {"odd": np.arange(200) % 2, "own": twice % 50}
    arrays = representations[twice], probabilities[twice], y[twice]
    for name, said in (("odd", True), ("own", False)):
        tests = ResidualsAnalyzer(groups=name, **FAST).run_full_analysis(*arrays, factors=factors)["tests"]
        marked = tests["status"].str.endswith(
            "100 of 200 samples are exact duplicates of others, counted as independent"
        )
        assert marked.any() == said


def test_a_class_of_one_group_has_no_similarity():
    representations, probabilities, y, factors = grouped()
    rows = np.flatnonzero((y == 0) | (factors["subject"] == "s3"))
    y_pred = y[rows]
    tables = ResidualsAnalyzer(groups="subject", **FAST).run_full_analysis(
        representations[rows], probabilities[rows], y[rows], y_pred, factors=factors.iloc[rows]
    )
    small = tables["samples"][y_pred == 1]
    assert small["similarity"].isna().all()
    assert set(small["status"]) == {"alone with its group in its predicted class"}
    assert tables["classes"]["status"].iloc[1] in {"fewer than two groups", "too few samples (n < 4)"}


def test_groups_are_chosen_by_name():
    factors = pd.DataFrame({"subject": ["a", "a", None, None, "b"], "noise": [1.0, 1.0, 2.0, np.nan, np.nan]})
    duplicates = Duplicates(np.array([0, 1, 0, 3, 1]))
    assert choose_groups(None, None, factors, duplicates) is None
    assert choose_groups("subject", None, factors, duplicates).sizes.tolist() == [2, 1, 1, 1]
    assert choose_groups("noise", None, factors, duplicates).sizes.tolist() == [2, 1, 1, 1]
    assert choose_groups("duplicates", None, factors, duplicates).codes.tolist() == [0, 1, 0, 2, 1]
    assert choose_groups(None, [5, 5, 7, 7, 7], None, duplicates).sizes.tolist() == [2, 3]
    with pytest.raises(
        SettingsError, match=r"groups: expected one of subject, noise, duplicates, found 'subjects'; did"
    ):
        choose_groups("subjects", None, factors, duplicates)
    with pytest.raises(DataError, match=r"groups: expected shape \(5,\), found \(4,\)"):
        choose_groups(None, [1, 2, 3, 4], factors, duplicates)


def test_residuals_of_a_regression_by_group():
    generator = np.random.default_rng(0)
    subject = np.repeat(np.arange(50), 4)
    x = generator.normal(size=50)[subject]
    y = x + generator.normal(size=50)[subject]
    found, alone = (
        analyze_regression(
            y, x, index=np.arange(200), settings=ResidualsSettings(n_permutations=199, groups=name),
            representation=x[:, None], factors=pd.DataFrame({"subject": subject}),
        ).summary
        for name in ("subject", None)
    )  # fmt: skip
    assert (found.groups, found.n_groups, found.n_duplicates) == ("subject", 50, 150)
    assert RegressionSummary.from_metrics(Path("residuals.json"), found.as_metrics()) == found
    assert (alone.groups, alone.n_groups, alone.n_duplicates) == (None, None, 150)
    assert found.normality_p is found.white_p is found.ljung_box_p is None
    assert found.spread_spearman_high - found.spread_spearman_low > 1.6 * (
        alone.spread_spearman_high - alone.spread_spearman_low
    )
    assert [str(s) for s in found.status] == ["no p of normality, spread and memory (not by group)"]
    assert [str(s) for s in alone.status] == [
        "150 of 200 samples are exact duplicates of others, counted as independent"
    ]
