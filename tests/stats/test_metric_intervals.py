"""Intervals of metrics cover the value of the population, or are not given."""

import numpy as np
import pytest
from scipy.special import softmax
from scipy.stats import binom

from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.stats.auroc import placements
from mlx.stats.mean_intervals import mean_interval, ratio_interval

pytestmark = pytest.mark.slow

RUNS = 250
COVERED = (
    "accuracy", "balanced_accuracy", "macro_precision", "macro_f1", "weighted_f1", "cohen_kappa",
    "matthews_corrcoef", "log_loss", "brier", "roc_auc",
)  # fmt: skip


def evaluated(n, generator, separation, shares, n_bootstrap=100):
    k = len(shares)
    y = generator.choice(k, size=n, p=shares)
    logits = generator.normal(size=(n, k)) + separation * np.eye(k)[y]
    return evaluate_classification(
        y,
        logits.argmax(axis=1),
        softmax(separation * logits, axis=1),
        logits=separation * logits,
        class_names=[str(c) for c in range(k)],
        settings=EvaluationSettings(n_bootstrap=n_bootstrap),
    ).metrics.as_dict()


def coverage(hits, runs):
    return binom.ppf(0.00025, runs, 0.93) / runs <= np.mean(hits) <= binom.ppf(0.99975, runs, 0.97) / runs


@pytest.mark.parametrize(
    ("n", "separation", "shares"),
    [(100, 1.0, [0.25] * 4), (200, 2.5, [0.25] * 4), (400, 2.5, [0.5, 0.3, 0.1, 0.1])],
)
def test_intervals_of_a_classifier_cover(n, separation, shares):
    true = evaluated(300_000, np.random.default_rng(0), separation, shares)
    runs = [evaluated(n, np.random.default_rng([1, run]), separation, shares) for run in range(RUNS)]
    for name in COVERED:
        given = [run for run in runs if run[f"{name}_low"] is not None]
        assert len(given) > 0.9 * RUNS, name
        hits = [run[f"{name}_low"] <= true[name] <= run[f"{name}_high"] for run in given]
        assert coverage(hits, len(given)), (name, np.mean(hits))


def residuals(generator, n, law):
    x = generator.normal(size=n)
    noise = generator.normal(size=n) if law == "normal" else generator.standard_t(5, size=n)
    return 3 + 2 * x + noise, 3 + 1.9 * x


@pytest.mark.parametrize("law", ["normal", "t"])
@pytest.mark.parametrize("n", [50, 200])
def test_intervals_of_a_regression_cover(law, n):
    settings = EvaluationSettings()
    true = evaluate_regression(
        *residuals(np.random.default_rng(0), 1_000_000, law), settings=settings
    ).metrics.as_dict()
    hits = {"rmse": [], "mae": [], "r2": []}
    for run in range(RUNS):
        found = evaluate_regression(
            *residuals(np.random.default_rng([2, run]), n, law), settings=settings
        ).metrics.as_dict()
        for name, covered in hits.items():
            if found[f"{name}_low"] is not None:
                covered.append(found[f"{name}_low"] <= true[name] <= found[f"{name}_high"])
    assert min(map(len, hits.values())) > 0.9 * RUNS
    assert all(coverage(covered, len(covered)) for covered in hits.values()), {k: np.mean(v) for k, v in hits.items()}


def test_no_interval_is_given_where_none_covers():
    perfect = evaluate_classification(
        np.arange(90) % 3,
        np.arange(90) % 3,
        np.eye(3)[np.arange(90) % 3],
        class_names=["a", "b", "c"],
        settings=EvaluationSettings(),
    ).metrics.as_dict()
    assert perfect["accuracy_high"] == 1
    for name in ("macro_f1", "matthews_corrcoef", "log_loss", "brier", "roc_auc"):
        assert (perfect[f"{name}_low"], perfect[f"{name}_high"]) == (None, None)
    assert not any(name.startswith(("ece_low", "mce_low")) for name in perfect)
    one_large = np.append(np.full(999, 1e-6), 10.0)
    for interval in (mean_interval(one_large, 0.95), ratio_interval(one_large, np.ones(1000), 0.95)):
        assert np.isnan(interval.low)
        assert str(interval.status) == "no interval (few samples carry it)"
    constant = evaluate_regression(np.ones(50), np.arange(50.0), settings=EvaluationSettings()).metrics.as_dict()
    assert (constant["r2"], constant["r2_low"]) == (None, None)


def test_the_same_seed_gives_the_same_intervals_and_another_one_others():
    one, same, other = (
        evaluated(200, np.random.default_rng(0), 1.5, [0.5, 0.5], n_bootstrap=n) for n in (100, 100, 101)
    )
    assert one == same
    assert one["macro_f1_low"] != other["macro_f1_low"]


def test_influences_on_the_area_have_delongs_variance():
    generator = np.random.default_rng(0)
    positive, scores = generator.random(80) < 0.3, generator.integers(9, size=80) * 1.0
    scores[positive] += 2
    wins = (scores[positive][:, None] > scores[~positive]) + 0.5 * (scores[positive][:, None] == scores[~positive])
    variance = wins.mean(axis=1).var(ddof=1) / positive.sum() + wins.mean(axis=0).var(ddof=1) / (~positive).sum()
    placed = placements(positive, scores)
    influence = placed.influence(positive, placed.area)
    assert influence @ influence / 80**2 == pytest.approx(variance)
