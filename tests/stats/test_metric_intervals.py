"""Intervals of metrics cover the value of the population, or are not given."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax
from scipy.stats import binom
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from mlx.evaluation import EvaluationSettings, classification, evaluate_classification, evaluate_regression
from mlx.evaluation.curves import OneAgainstRest
from mlx.results.evaluation_tables import PrecisionRecallCurves, RocCurves
from mlx.stats.auroc import placements
from mlx.stats.gates import ValidationErrors
from mlx.stats.mean_intervals import mean_interval, ratio_interval

pytestmark = pytest.mark.slow

RUNS = 250
WEIGHTED = ("accuracy", "weighted_recall", "weighted_f1", "cohen_kappa", "matthews_corrcoef")
UNWEIGHTED = ("macro_precision", "macro_f1")
EQUAL = ("balanced_accuracy", "macro_recall")
CURVES = ("roc_auc", "average_precision")
LOSSES = ("log_loss", "brier")
EVERY = (*WEIGHTED, *UNWEIGHTED, *EQUAL, *CURVES, *LOSSES, "weighted_precision")


def simulated(n, generator, separation, shares, scale=1.0):
    k = len(shares)
    y = generator.choice(k, size=n, p=shares)
    return y, scale * separation * (generator.normal(size=(n, k)) + separation * np.eye(k)[y])


def evaluated(y, logits, validation=None, n_bootstrap=100):
    return evaluate_classification(
        y,
        logits.argmax(axis=1),
        softmax(logits, axis=1),
        logits=logits,
        class_names=[str(c) for c in range(logits.shape[1])],
        settings=EvaluationSettings(n_bootstrap=n_bootstrap),
        validation=validation,
    ).metrics.as_dict()


@pytest.fixture(autouse=True)
def _calibration_errors_once(monkeypatch):
    """Measure calibration errors, of which there are no intervals, of the first outputs of a test alone."""
    measure, found = classification.calibration_errors, []

    def measured(*given, **options):
        found[:] = found or [measure(*given, **options)]
        return found[0]

    monkeypatch.setattr(classification, "calibration_errors", measured)


def without_curves(y, probabilities, names, max_points):
    nothing, empty = np.zeros(y.size), (np.empty(0),) * 5
    tables = RocCurves(*empty), PrecisionRecallCurves(*empty)
    return OneAgainstRest((0.5,) * len(names), nothing, (0.5,) * len(names), nothing, *tables)


def coverage(hits, runs, least=0.93, most=0.97):
    return binom.ppf(0.00025, runs, least) / runs <= np.mean(hits) <= binom.ppf(0.99975, runs, most) / runs


def check_coverage(true, runs, names, most=0.97):
    for name in names:
        given = [run for run in runs if run[f"{name}_low"] is not None]
        assert len(given) > 0.9 * len(runs), name
        hits = [run[f"{name}_low"] <= true[name] <= run[f"{name}_high"] for run in given]
        assert coverage(hits, len(given), most=most), (name, np.mean(hits))


def expected(true):
    """Validation samples so many that the gate knows the error rate."""
    return ValidationErrors(10_000, round(10_000 * (1 - true["accuracy"])))


@pytest.mark.parametrize(
    ("n", "separation", "shares", "scale", "names"),
    [
        (100, 1.0, [0.25] * 4, 1.0, EVERY),
        (240, 2.5, [0.25] * 4, 1.0, EVERY),
        (400, 2.5, [0.5, 0.3, 0.1, 0.1], 1.0, {*EVERY} - {*EQUAL, *CURVES}),
        (60, 1.8, [1 / 3] * 3, 1.0, (*WEIGHTED, *UNWEIGHTED, *LOSSES)),
        (400, 2.5, [0.9, 0.05, 0.05], 1.0, (*WEIGHTED, *UNWEIGHTED, *LOSSES, "weighted_precision")),
        (200, 2.2, [1 / 3] * 3, 15.0, (*WEIGHTED, *LOSSES, "roc_auc")),
    ],
)
def test_intervals_of_a_classifier_cover(n, separation, shares, scale, names, monkeypatch):
    if not {*CURVES} & {*names}:
        monkeypatch.setattr(classification, "one_against_rest", without_curves)
    true = evaluated(*simulated(200_000, np.random.default_rng(0), separation, shares, scale))
    runs = [
        evaluated(*simulated(n, np.random.default_rng([1, run]), separation, shares, scale), expected(true))
        for run in range(RUNS)
    ]
    check_coverage(true, runs, names)


def test_intervals_of_many_small_classes_cover():
    k = 30
    y = np.arange(300) % k

    def drawn(y, run):
        return y, 2.0 * (np.random.default_rng([3, run]).normal(size=(y.size, k)) + 2.0 * np.eye(k)[y])

    true = evaluated(*drawn(np.tile(y, 100), 0))
    runs = [evaluated(*drawn(y, run + 1), expected(true)) for run in range(RUNS)]
    check_coverage(true, runs, (*WEIGHTED, *UNWEIGHTED, *EQUAL, *LOSSES, *CURVES), most=0.985)
    assert {run["weighted_precision_status"] for run in runs} == {"no interval (mean class size < 20)"}


@pytest.mark.parametrize(("n", "names"), [(200, ()), (400, CURVES)])
def test_intervals_on_resampled_digits_cover(n, names, monkeypatch):
    if not names:
        monkeypatch.setattr(classification, "one_against_rest", without_curves)
    X, y = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(y.size)
    fitted, left = order[:400], order[400:]
    logits = LogisticRegression(C=1.0, max_iter=1000).fit(X[fitted] / 16, y[fitted]).decision_function(X[left] / 16)
    y = y[left]
    true = evaluated(y, logits)
    runs = []
    for run in range(RUNS):
        rows = np.random.default_rng([4, run]).integers(y.size, size=n)
        runs.append(evaluated(y[rows], logits[rows], expected(true)))
    check_coverage(true, runs, (*WEIGHTED, *UNWEIGHTED, *names, *LOSSES))


def test_whether_an_interval_is_given_does_not_depend_on_the_errors_that_are_found():
    true = evaluated(*simulated(100_000, np.random.default_rng(0), 2.5, [0.25] * 4))
    for errors, given in ((300, True), (10, False)):
        runs = [
            evaluated(*simulated(200, np.random.default_rng([1, run]), 2.5, [0.25] * 4), ValidationErrors(3000, errors))
            for run in range(40)
        ]
        assert {run[f"{name}_low"] is not None for run in runs for name in ("macro_f1", "roc_auc", "brier")} == {given}
    assert true["accuracy"] < 0.95


def residuals(generator, n, law):
    x = generator.normal(size=n)
    noise = generator.normal(size=n) if law == "normal" else generator.standard_t(3, size=n)
    return 3 + 2 * x + noise, 3 + 1.9 * x


@pytest.mark.parametrize("law", ["normal", "t"])
@pytest.mark.parametrize("n", [50, 200])
def test_intervals_of_a_regression_cover(law, n):
    settings = EvaluationSettings()
    true = evaluate_regression(
        *residuals(np.random.default_rng(0), 1_000_000, law), settings=settings
    ).metrics.as_dict()
    variance = 1.0 if law == "normal" else 3.0  # whose square has no mean, so that a large sample is off, too
    true |= {"rmse": np.sqrt(0.01 + variance), "r2": 1 - (0.01 + variance) / (4 + variance)}
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


def test_an_interval_of_losses_covers_although_the_largest_are_rare():
    generator = np.random.default_rng(5)

    def losses(*shape):
        logits = generator.standard_t(2, size=(*shape, 4))
        logits[..., 0] += 3
        return logsumexp(logits, axis=-1) - logits[..., 0]

    true, hits = losses(2_000_000).mean(), []
    for row in losses(1000, 200):
        found = mean_interval(row, 0.95)
        hits.append(found.low <= true <= found.high)
    assert coverage(hits, 1000)


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
    for name in ("ece", "rmsce_debiased"):
        assert perfect[f"{name}_low"] is None
        assert perfect[f"{name}_status"] == "no interval (a calibration error is pushed up from 0 by noise)"
    one_large = np.append(np.full(999, 1e-6), 10.0)
    for interval in (mean_interval(one_large, 0.95), ratio_interval(one_large, np.ones(1000), 0.95)):
        assert interval.high / interval.low > 1e5  # where one sample carries the mean, almost nothing is known
    constant = evaluate_regression(np.ones(50), np.arange(50.0), settings=EvaluationSettings()).metrics.as_dict()
    assert (constant["r2"], constant["r2_low"]) == (None, None)


def test_influences_on_the_area_have_delongs_variance():
    generator = np.random.default_rng(0)
    positive, scores = generator.random(80) < 0.3, generator.integers(9, size=80) * 1.0
    scores[positive] += 2
    wins = (scores[positive][:, None] > scores[~positive]) + 0.5 * (scores[positive][:, None] == scores[~positive])
    variance = wins.mean(axis=1).var(ddof=1) / positive.sum() + wins.mean(axis=0).var(ddof=1) / (~positive).sum()
    placed = placements(positive, scores)
    influence = placed.influence(positive, placed.area)
    assert influence @ influence / 80**2 == pytest.approx(variance)
