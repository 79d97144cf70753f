"""Classical diagnostics of a regression against statsmodels, and the size of their p-values."""

import numpy as np
import pytest
from oracles import oracle
from scipy.stats import binom
from tables_of import analyze_regression

from mlx.residuals import ResidualsSettings
from mlx.residuals.regression.classical_tests import memory_tests, spread_tests

sm, diagnostic = oracle("statsmodels.api"), oracle("statsmodels.stats.diagnostic")
durbin_watson = oracle("statsmodels.stats.stattools").durbin_watson
FAST = ResidualsSettings(n_bootstrap=100, n_permutations=19)


@pytest.fixture
def fit():
    generator = np.random.default_rng(0)
    design = generator.normal(size=(120, 3)) * [1, 10, 0.1] + 50
    y = design @ [1.0, 0.2, 3.0] + (1 + np.abs(design[:, 1] - 50) / 10) * generator.normal(size=120)
    return design, y, sm.OLS(y, sm.add_constant(design)).fit()


def test_tests_agree_with_statsmodels(fit):
    _, y, model = fit
    found = analyze_regression(y, model.fittedvalues, index=np.arange(120), settings=FAST).summary
    exog = sm.add_constant(model.fittedvalues)
    assert (found["breusch_pagan"], found["breusch_pagan_p"]) == pytest.approx(
        diagnostic.het_breuschpagan(model.resid, exog)[:2]
    )
    assert (found["white"], found["white_p"]) == pytest.approx(diagnostic.het_white(model.resid, exog)[:2], rel=1e-6)
    assert found["durbin_watson"] == pytest.approx(durbin_watson(model.resid))
    box = diagnostic.acorr_ljungbox(model.resid, lags=[10]).iloc[0]
    assert (found["ljung_box"], found["ljung_box_p"]) == pytest.approx((box["lb_stat"], box["lb_pvalue"]))


def test_memory_is_that_of_the_order_of_the_data_and_not_of_the_split(fit):
    residual, order = fit[2].resid, np.random.default_rng(1).permutation(120)
    assert memory_tests(residual[order], order) == memory_tests(residual, np.arange(120))


def test_p_values_have_their_size_for_normal_and_heavy_tailed_residuals():
    for law in ("normal", "t"):
        rejected = np.zeros(3)
        for run in range(600):
            generator = np.random.default_rng([3, run])
            residual = generator.normal(size=100) if law == "normal" else generator.standard_t(6, size=100)
            prediction = generator.normal(size=100)
            found = spread_tests(residual, prediction) | memory_tests(residual, np.arange(100))
            rejected += [found[name] <= 0.05 for name in ("breusch_pagan_p", "white_p", "ljung_box_p")]
        low, high = binom.ppf(0.00025, 600, 0.03), binom.ppf(0.99975, 600, 0.07)
        assert ((low <= rejected) & (rejected <= high)).all(), (law, rejected)


def test_what_cannot_be_measured_says_why(fit):
    _, y, _ = fit
    short = analyze_regression(y[:20], y[::-1][:20], index=np.arange(20), settings=FAST).summary
    assert (short["ljung_box"], short["breusch_pagan_p"]) == (None, None)
    assert short["durbin_watson"] > 0
    flat = analyze_regression(y, np.full(120, 3.0), index=np.arange(120), settings=FAST).summary
    assert flat["breusch_pagan"] is None
