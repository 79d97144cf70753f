"""Intervals of the areas under risk-coverage curves: their formulas, written out."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import expit, logit

from mlx.residuals.errors.class_mean_dependence import standard_error
from mlx.residuals.errors.error_detection import ErrorScore, detect_errors
from mlx.residuals.errors.risk_coverage import curve_areas
from mlx.residuals.settings import ResidualsSettings
from mlx.results.questions import Score
from mlx.stats.auroc import auroc
from mlx.stats.brunner_munzel import smoothed_area
from mlx.stats.influence import EstimateWithInfluence
from mlx.stats.risk_intervals import augrc_interval, aurc_interval


def errors_and_scores(n=150, seed=0):
    generator = np.random.default_rng(seed)
    error = generator.random(n) < 0.2
    return error, generator.normal(size=n) + error


def written_out(error, score):
    """Smoothed AUROC, its standard error on the logit scale, and degrees of freedom, from all pairs."""
    wins = (score[error][:, None] > score[~error]) + 0.5 * (score[error][:, None] == score[~error])
    m, k = wins.shape
    theta = (wins.sum() + 0.5) / (m * k + 1)
    extra = theta * (1 - theta) / 3
    parts = [(((wins.mean(axis=1 - i) - wins.mean()) ** 2).sum() + extra) / size**2 for i, size in enumerate((m, k))]
    df = sum(parts) ** 2 / (parts[0] ** 2 / (m - 1) + parts[1] ** 2 / (k - 1))
    return logit(theta), np.sqrt(sum(parts)) / (theta * (1 - theta)), df


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_augrc_is_that_of_the_grid_of_both_distributions(seed):
    error, score = errors_and_scores(seed=seed)
    center, spread, df = written_out(error, score)
    share = (np.arange(400) + 0.5) / 400
    theta = expit(center + spread * stats.t.ppf(share, df))
    rate = stats.beta.ppf(share, error.sum() + 0.5, (~error).sum() + 0.5)
    area = ((1 - theta[:, None]) * rate * (1 - rate) + rate**2 / 2).ravel()
    smoothed = smoothed_area(error, auroc(error, score))
    found = augrc_interval(smoothed, int(error.sum()), int((~error).sum()), 0.95)
    assert (found.low, found.high) == pytest.approx(np.quantile(area, [0.025, 0.975]), rel=1e-10)
    by_t = expit(center + np.array([-1, 1]) * spread * stats.t.ppf(0.975, df))
    interval = smoothed.interval(0.95)
    assert (interval.low, interval.high) == pytest.approx(by_t, rel=1e-10)


def test_an_auroc_that_falls_with_the_error_rate_widens_the_interval_of_augrc():
    error, score = errors_and_scores()
    known = smoothed_area(error, auroc(error, score)), int(error.sum()), int((~error).sum()), 0.95
    narrow, alone, wide = (augrc_interval(*known, slope=slope) for slope in (0.3, 0.0, -0.3))
    assert wide.low < alone.low < narrow.low < narrow.high < alone.high < wide.high


@pytest.mark.parametrize("seed", range(5))
def test_the_interval_of_aurc_is_that_of_its_influence(seed):
    error, score = errors_and_scores(seed=seed)
    areas = curve_areas(error, score)
    influence = areas.influence["aurc"] - areas.influence["aurc"].mean()
    n, m = error.size, int(error.sum())
    se = np.sqrt((influence**2).sum() / (n * (n - 1)))
    half = stats.t.ppf(0.975, m - 1) * se / areas.aurc
    found = {one.statistic: one for one in detect_errors(error, ErrorScore(Score.ENTROPY, score), settings=FAST)}
    ends = found["aurc"].low, found["aurc"].high
    assert ends == pytest.approx((areas.aurc * np.exp(-half), areas.aurc * np.exp(half)), rel=1e-10)
    estimate = EstimateWithInfluence(areas.aurc, influence, lambda: influence)
    assert standard_error(estimate) == pytest.approx(se * np.sqrt((n - 1) / n))


FAST = ResidualsSettings(n_permutations=19)


def test_no_area_is_above_1():
    assert aurc_interval(0.9, 0.2, 30, 0.95).high == 1
