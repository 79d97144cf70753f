"""Which factors of the samples go with errors: effects against oracles, bins, slices, and what can't be said."""

from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from factor_tables import table
from oracles import adjusted
from scipy.stats import binom, brunnermunzel, chi2, spearmanr
from sklearn.metrics import roc_auc_score

from mlx.core.errors import DataError
from mlx.residuals import ResidualsSettings
from mlx.residuals.errors.factor_bins import factor_bins
from mlx.residuals.errors.factor_permutation import rank_correlation_test, share_test
from mlx.residuals.errors.factor_values import read_factors
from mlx.residuals.errors.factors import Target, associate_factors
from mlx.stats.gates import ValidationErrors
from mlx.stats.proportions import wilson_interval

SETTINGS = ResidualsSettings(n_permutations=199)


def found_in(columns, error, entropy, settings=SETTINGS):
    targets = [Target("error", error), Target("entropy", entropy)]
    found = associate_factors(read_factors(columns), targets, settings=settings)
    return {(f.factor.name, f.target): f for f in found}


def test_effects_agree_with_oracles_and_fit_the_type():
    columns, error, entropy = table()
    found = found_in(columns, error, entropy)
    effect = {key: (f.test.statistic, f.test.estimate) for key, f in found.items()}
    groups = pd.Series(entropy).groupby(columns["color"])
    between = (groups.size() * (groups.mean() - entropy.mean()) ** 2).sum()
    expected = {
        ("noise", "error"): ("auroc", roc_auc_score(error, columns["noise"])),
        ("occluded", "error"): ("auroc", roc_auc_score(error, columns["occluded"])),
        ("occluded", "entropy"): ("auroc", roc_auc_score(columns["occluded"], entropy)),
        ("size", "entropy"): ("spearman", spearmanr(columns["size"], entropy).statistic),
        ("color", "entropy"): ("correlation_ratio", between / ((entropy - entropy.mean()) ** 2).sum()),
    }
    assert {key: effect[key] for key in expected} == {
        key: (name, pytest.approx(value, abs=1e-12)) for key, (name, value) in expected.items()
    }


@pytest.mark.slow
def test_p_values_are_adjusted_over_the_factors_of_a_target():
    found = found_in(*table())
    for target in ("error", "entropy"):
        findings = [f.test for f in found.values() if f.target == target]
        p = [f.p for f in findings]
        assert [f.p_holm for f in findings] == pytest.approx(adjusted(p, "holm"))
        assert [f.p_bh for f in findings] == pytest.approx(adjusted(p, "fdr_bh"))
    strongest = found["noise", "entropy"].test
    assert (strongest.n_permutations, strongest.p_method) == (0, "studentized, normal")
    weakest = found_in(*(column[:150] for column in table()))["color", "entropy"].test
    assert weakest.n_permutations <= 800  # 200 for each of a family of four


def test_p_values_of_an_auroc_are_those_of_brunner_and_munzel():
    columns, error, entropy = table()
    found = found_in(columns, error, entropy)
    sides = {
        ("noise", "error"): [columns["noise"][side] for side in (~error, error)],
        ("occluded", "error"): [columns["occluded"][side] for side in (~error, error)],
        ("occluded", "entropy"): [entropy[side] for side in (~columns["occluded"], columns["occluded"])],
    }
    for key, (low, high) in sides.items():
        test = found[key].test
        assert test.p == pytest.approx(brunnermunzel(low, high).pvalue, rel=1e-9)
        assert test.p_method == "Brunner-Munzel, Student's t"
        assert (test.p <= 0.05) == (not test.low <= 0.5 <= test.high)
    assert found["noise", "error"].test.null.startswith("AUROC = 0.5: a wrong and a right prediction")
    assert found["occluded", "entropy"].test.null.startswith("AUROC = 0.5: samples with and without it")


def test_a_yes_no_factor_needs_errors_on_either_side():
    error, flag = np.arange(200) % 10 == 0, np.arange(200) % 7 == 0
    columns = pd.DataFrame({"flag": flag, "rare": np.arange(200) < 9})
    found = found_in(columns, error, np.arange(200) * 1.0)
    expected = "no p and no interval (fewer than 5 errors or correct expected of a side)"
    assert str(found["flag", "error"].test.status) == expected
    assert str(found["flag", "entropy"].test.status) == "ok"
    assert str(found["rare", "entropy"].test.status) == "no p and no interval (fewer than 10 samples of a side)"


def test_permutations_of_a_target_give_the_p_value_of_all_its_orders():
    generator, target = np.random.default_rng(0), np.array([0.1, 0.4, 0.3, 2.0, 1.7, 1.2, 1.4])
    categories, ranked = np.array([0, 0, 0, 1, 1, 2, 2]), np.array([1.0, 2, 2, 5, 6, 3, 4])
    every = np.array(list(permutations(target)))
    between = sum(every[:, categories == k].sum(axis=1) ** 2 / (categories == k).sum() for k in range(3))
    exact = (between >= between[0] - 1e-12).mean()
    found = share_test(categories, target, 9999, generator)
    assert found.p == pytest.approx(exact, abs=4 * exact / np.sqrt(20))
    stratum = [rank_correlation_test(ranked, target, widening, 9999, generator).p for widening in (1.0, 2.0)]
    assert 0.001 < stratum[0] < 0.05 < stratum[1]


def test_a_share_of_many_samples_has_the_p_value_of_its_limit():
    generator = np.random.default_rng(2)
    categories = generator.choice(4, 3000, p=[0.4, 0.3, 0.2, 0.1])
    target = (generator.random(3000) < 0.2 + 0.02 * (categories == 3)).astype(float)
    found = share_test(categories, target, 99, generator)
    groups = pd.Series(target).groupby(categories)
    share = (groups.size() * (groups.mean() - target.mean()) ** 2).sum() / ((target - target.mean()) ** 2).sum()
    assert found.n_permutations == 0
    assert found.p == pytest.approx(chi2.sf(2999 * share, 3), rel=1e-9)
    assert share_test(categories[:1500], target[:1500], 99, generator).n_permutations > 0
    categories[:3] = 5  # so few that the mean is far from normal
    assert share_test(categories, target, 99, generator).n_permutations > 0


def test_few_samples_have_neither_p_value_nor_interval():
    columns = pd.DataFrame({"number": np.arange(11.0), "category": ["a", "b"] * 5 + ["a"]})
    for one in found_in(columns, np.arange(11) > 6, np.arange(11) ** 2.0).values():
        reason = "fewer than 10 errors" if one.target == "error" else "n < 12"
        assert str(one.test.status) == f"no p and no interval ({reason})"
        assert np.isfinite(one.test.estimate)


def test_what_is_said_of_errors_follows_from_validation():
    columns, error, entropy = table()
    targets = [Target("error", error), Target("entropy", entropy)]
    few = associate_factors(read_factors(columns), targets, settings=SETTINGS, validation=ValidationErrors(999, 20))
    for one in few:
        gated = one.target == "error"
        assert (str(one.test.status) == "no p and no interval (fewer than 10 expected errors)") == gated
        assert np.isnan(one.test.p) == gated


@pytest.mark.slow
def test_p_values_of_every_kind_of_factor_have_their_size():
    rejected, runs = {}, 400
    for run in range(runs):
        generator = np.random.default_rng([4, run])
        columns = table(40, seed=[5, run])[0]
        columns.loc[generator.random(40) < 0.2, "noise"] = np.nan
        found = found_in(columns, generator.random(40) < 0.3, generator.gamma(1, size=40), settings=SETTINGS)
        for key, f in found.items():
            rejected[key] = rejected.get(key, 0) + (f.test.p <= 0.05)
    low, high = binom.ppf(0.00025, runs, 0.03), binom.ppf(0.99975, runs, 0.07)
    # An error rate has few values, and a discrete p is at most its level.
    assert all(low * (key[1] == "entropy") <= count <= high for key, count in rejected.items()), rejected


@pytest.mark.slow
def test_intervals_of_factors_cover():
    true = {key: f.test.estimate for key, f in found_in(*table(200_000, seed=1)).items()}
    hits, runs, settings = {}, 400, ResidualsSettings(n_permutations=19)
    for run in range(runs):
        for key, f in found_in(*table(200, seed=[2, run]), settings=settings).items():
            if str(f.test.status) == "ok":
                hits.setdefault(key, []).append(f.test.low <= true[key] <= f.test.high)
    assert len(hits) == 6
    low, high = binom.ppf(0.00025, runs, 0.93) / runs, binom.ppf(0.99975, runs, 0.97) / runs
    assert all(low <= np.mean(covered) <= high for covered in hits.values()), {k: np.mean(v) for k, v in hits.items()}


def test_what_cannot_be_related_says_why():
    n = 60
    columns = pd.DataFrame(
        {
            "constant": np.ones(n),
            "name": [f"sample {i}" for i in range(n)],
            "empty": np.full(n, np.nan),
            "flag": pd.array([True, None, False] * 20, dtype="boolean"),
            "text": ["a", None, "b"] * 20,
        }
    )
    found = found_in(columns, np.zeros(n, bool), np.arange(n) * 1.0)
    status = {key[0]: str(f.test.status) for key, f in found.items() if key[1] == "entropy"}
    assert status["constant"] == "constant factor"
    assert status["name"] == "more than 50 categories"
    assert status["empty"] == "too few samples (n < 4)"
    assert found["flag", "entropy"].factor.kind == "boolean"
    assert (found["flag", "entropy"].n_missing, found["flag", "entropy"].test.n) == (20, 40)
    assert found["text", "entropy"].n_missing == 20
    assert str(found["flag", "error"].test.status) == "no errors"
    assert np.isnan(found["constant", "entropy"].test.p_holm)
    with pytest.raises(DataError, match="factor noise: row 1: a value is not finite"):
        read_factors(pd.DataFrame({"noise": [0.0, np.inf]}))


def test_bins_cover_every_sample_once_with_wilson_intervals():
    columns, error, entropy = table()
    columns.loc[:9, "noise"] = np.nan
    similarity = np.where(np.arange(400) % 2, np.nan, 1.0)
    for factor in read_factors(columns):
        bins = factor_bins(factor, error, entropy, similarity, confidence=0.95)
        assert sum(b.n for b in bins) == 400
        assert sum(b.n_errors for b in bins) == error.sum()
        for b in bins:
            interval = wilson_interval(b.n_errors, b.n)
            assert (b.low, b.high) == (interval.low, interval.high)
    bins = {b.bin: b for b in factor_bins(read_factors(columns)[0], error, entropy, similarity, confidence=0.95)}
    assert bins["missing"].n == 10
    assert len(bins) == 6
    red = columns["color"] == "red"
    bins = {b.bin: b for b in factor_bins(read_factors(columns)[3], error, entropy, similarity, confidence=0.95)}
    assert bins["red"].estimate == error[red].mean()
    assert bins["red"].entropy_mean == pytest.approx(entropy[red].mean())
