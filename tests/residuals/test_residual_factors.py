"""Which factors go with the residuals of a regression: planted causes are found, noise is rejected at its rate."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, spearmanr
from scipy.stats import t as student
from sklearn.metrics import roc_auc_score

from mlx.core.errors import SettingsError
from mlx.residuals import ResidualsSettings, analyze_regression
from mlx.residuals.errors.factor_values import read_factors
from mlx.residuals.regression.failures import analyze_residual_factors, mean_bins
from mlx.results.questions import Question
from mlx.stats.groups import Groups
from mlx.stats.mean_intervals import mean_interval, signed_mean_interval

SETTINGS = ResidualsSettings(n_permutations=199)


def noise(n: int, generator: np.random.Generator) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "size": generator.lognormal(size=n),
            "flag": generator.random(n) < 0.4,
            "kind": generator.choice(["a", "b", "c"], n),
            "gaps": np.where(generator.random(n) < 0.3, np.nan, generator.normal(size=n)),
            "day": np.datetime64("2024-01-01") + generator.integers(0, 300, n),
        }
    )


def planted(n: int = 600) -> tuple[pd.DataFrame, np.ndarray]:
    generator = np.random.default_rng(3)
    table = noise(n, generator)
    spread = np.where(table["flag"], 3.0, 1.0) * (1 + np.nan_to_num(table["gaps"]).clip(0))
    return table, (spread * generator.standard_t(5, size=n) + 2.0 * (table["kind"] == "b")).to_numpy()


def test_effects_are_those_of_scipy_and_planted_causes_are_found() -> None:
    table, residual = planted()
    found = analyze_residual_factors(table, residual, settings=SETTINGS)
    effects = {(e.factor, e.target): e for e in found.factors if not e.bin}
    known = table["gaps"].notna()
    expected = {
        ("size", "abs_residual"): ("spearman", spearmanr(table["size"], np.abs(residual)).statistic, 600),
        ("gaps", "residual"): ("spearman", spearmanr(table["gaps"][known], residual[known]).statistic, known.sum()),
        ("flag", "abs_residual"): ("auroc", roc_auc_score(table["flag"], np.abs(residual)), 600),
    }
    for key, (statistic, estimate, n) in expected.items():
        assert (effects[key].statistic, effects[key].n, effects[key].n_missing) == (statistic, n, 600 - n)
        assert effects[key].estimate == pytest.approx(estimate, rel=1e-10)
    clear = {key for key, effect in effects.items() if effect.p_holm < 0.05}
    assert clear >= {("flag", "abs_residual"), ("gaps", "abs_residual"), ("kind", "residual")}
    assert effects["flag", "abs_residual"].estimate > 0.5
    assert effects["gaps", "abs_residual"].low > 0
    assert not clear & {("size", "abs_residual"), ("size", "residual"), ("day", "residual"), ("flag", "residual")}
    assert effects["flag", "residual"].null.endswith("to have the higher residual")
    assert effects["kind", "abs_residual"].null == "absolute residual is independent of it"
    assert {test.family for test in found.tests} == {
        "absolute residual by factor", "residual by factor", "weak slices"
    }  # fmt: skip


def test_parts_have_the_means_of_the_residuals_with_student_intervals() -> None:
    table, residual = planted()
    (gaps,) = read_factors(table[["gaps"]])
    rows = {(row.target, row.bin): row for row in mean_bins(gaps, residual, 0.95)}
    missing = residual[table["gaps"].isna()]
    signed, size = rows["residual", "missing"], rows["abs_residual", "missing"]
    expected = student.interval(0.95, missing.size - 1, missing.mean(), missing.std(ddof=1) / np.sqrt(missing.size))
    np.testing.assert_allclose([signed.low, signed.high], expected, rtol=1e-10)
    assert signed.estimate == pytest.approx(missing.mean(), rel=1e-12)
    of_size = mean_interval(np.abs(missing), 0.95)
    assert (size.estimate, size.low, size.high) == (np.abs(missing).mean(), of_size.low, of_size.high)
    assert sum(row.n for (target, _), row in rows.items() if target == "residual") == 600
    (day,) = read_factors(table[["day"]])
    assert next(iter(mean_bins(day, residual, 0.95))).bin.startswith("2024-01-01 to 2024-0")


def test_means_by_group_have_the_variance_by_group() -> None:
    generator = np.random.default_rng(0)
    codes = np.repeat(np.arange(50), 4)
    values = generator.normal(size=50)[codes] + generator.normal(size=200)
    sums = np.bincount(codes, values - values.mean())
    error = np.sqrt((sums @ sums) * 50 / 49) / 200
    found = signed_mean_interval(values, 0.95, groups=Groups.of(codes))
    np.testing.assert_allclose([found.low, found.high], student.interval(0.95, 49, values.mean(), error), rtol=1e-10)
    scaled = signed_mean_interval(values * 1e200, 0.95)
    plain = signed_mean_interval(values, 0.95)
    np.testing.assert_allclose([scaled.low, scaled.high], [plain.low * 1e200, plain.high * 1e200], rtol=1e-12)
    assert str(signed_mean_interval(values[:20], 0.95).status) == "no interval (n < 30)"
    assert str(signed_mean_interval(np.full(40, 2.0), 0.95).status) == "no interval (all are the same)"


def test_the_slice_with_large_residuals_is_measured_on_the_other_half() -> None:
    table, residual = planted(2400)
    found = analyze_residual_factors(table, residual, settings=SETTINGS)
    first = found.slices[0]
    assert "flag" in first.description
    assert first.abs_residual_mean > first.rest_abs_residual_mean
    assert first.low < first.abs_residual_mean < first.high
    assert first.p_holm < 0.01
    tests = [test for test in found.tests if test.question is Question.SLICE]
    assert [test.subject for test in tests] == [one.description for one in found.slices]
    assert tests[0].null == "absolute residuals no larger than in the rest"
    assert tests[0].p_method.endswith("one-sided")


@pytest.mark.slow
def test_pure_noise_is_rejected_at_the_nominal_rate() -> None:
    runs, rejected, slices = 200, np.zeros(10), []
    settings = ResidualsSettings(n_permutations=99)
    for run in range(runs):
        generator = np.random.default_rng(run)
        table, residual = noise(200, generator), generator.standard_t(4, size=200)
        found = analyze_residual_factors(table, residual, settings=settings)
        rejected += [effect.p <= 0.05 for effect in found.factors if not effect.bin]
        slices += [one.p for one in found.slices if not np.isnan(one.p)]
    low, high = binom.ppf([0.0001, 0.9999], runs, 0.05)
    assert (rejected >= low).all(), rejected
    assert (rejected <= high).all(), rejected
    assert (np.array(slices) <= 0.05).sum() <= binom.ppf(0.9999, len(slices), 0.05)


def test_an_analysis_takes_the_factors_that_its_settings_pick() -> None:
    table, residual = planted()
    known = {"index": np.arange(600), "factors": table}
    fitted = np.random.default_rng(1).normal(size=600)
    picked = analyze_regression(fitted + residual, fitted, settings=ResidualsSettings(factors=["kind"]), **known)
    assert {effect.factor for effect in picked.factors} == {"kind"}
    assert list(picked.sample_factors) == ["kind"]
    none = analyze_regression(fitted + residual, fitted, settings=ResidualsSettings(factors="none"), **known)
    assert (none.factors, none.slices, none.tests, dict(none.sample_factors)) == ((), (), (), {})
    with pytest.raises(SettingsError, match=r"expected some of size, flag, .*, found 'kinds'; did you mean 'kind'\?"):
        analyze_regression(fitted, fitted, settings=ResidualsSettings(factors=["kinds"]), **known)
