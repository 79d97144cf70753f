"""Classification metrics against scikit-learn, and the cases it refuses or warns about."""

import json

import numpy as np
import pytest
from oracles import wilson
from scipy.special import log_softmax, softmax
from sklearn import metrics as oracle

from mlx.core.checks import row_blocks
from mlx.core.errors import DataError
from mlx.evaluation import EvaluationSettings, evaluate_classification
from mlx.evaluation.checks import check_probabilities
from mlx.evaluation.curves import precision_recall_points, roc_points, threshold_counts
from mlx.residuals.errors.temperature import temperature_curve
from mlx.results.evaluation_tables import PER_CLASS, ROC
from mlx.stats.auroc import placements
from mlx.stats.prediction_scores import prediction_scores
from mlx.stats.proportions import wilson_interval

NAMES = ["ant", "bee", "cat", "dog"]


def predictions(n=300, n_classes=4, seed=0, dtype=np.float32):
    generator = np.random.default_rng(seed)
    y_true = generator.integers(n_classes, size=n)
    logits = (generator.normal(size=(n, n_classes)) + 1.2 * np.eye(n_classes)[y_true]).astype(dtype)
    return y_true, logits.argmax(axis=1), softmax(logits, axis=1), logits


def evaluate(y_true, y_pred, probabilities, logits=None, names=NAMES, **settings):
    return evaluate_classification(
        y_true,
        y_pred,
        probabilities,
        logits=logits,
        class_names=names,
        settings=EvaluationSettings(**settings),
    )


def test_headline_metrics_agree_with_scikit_learn():
    y_true, y_pred, p, logits = predictions()
    found = evaluate(y_true, y_pred, p, logits).metrics.as_dict()
    exact = softmax(logits.astype(float), axis=1)
    expected = {
        "n": 300,
        "accuracy": oracle.accuracy_score(y_true, y_pred),
        "balanced_accuracy": oracle.balanced_accuracy_score(y_true, y_pred),
        "macro_precision": oracle.precision_score(y_true, y_pred, average="macro", zero_division=0),
        "macro_recall": oracle.recall_score(y_true, y_pred, average="macro", zero_division=0),
        "macro_f1": oracle.f1_score(y_true, y_pred, average="macro", zero_division=0),
        "weighted_precision": oracle.precision_score(y_true, y_pred, average="weighted", zero_division=0),
        "weighted_recall": oracle.recall_score(y_true, y_pred, average="weighted", zero_division=0),
        "weighted_f1": oracle.f1_score(y_true, y_pred, average="weighted", zero_division=0),
        "cohen_kappa": oracle.cohen_kappa_score(y_true, y_pred),
        "matthews_corrcoef": oracle.matthews_corrcoef(y_true, y_pred),
        "log_loss": oracle.log_loss(y_true, exact),
        "roc_auc": oracle.roc_auc_score(y_true, exact, multi_class="ovr", average="macro"),
        "brier": oracle.brier_score_loss(y_true, exact, labels=range(4), scale_by_half=False),
    }
    assert found.items() >= {k: pytest.approx(v, rel=1e-6) for k, v in expected.items()}.items()


def test_scores_in_double_precision_agree_to_the_last_digits():
    y_true, y_pred, p, _ = predictions(dtype=np.float64)
    found = evaluate(y_true, y_pred, p).metrics.as_dict()
    assert found["log_loss"] == pytest.approx(oracle.log_loss(y_true, p), rel=1e-14)
    assert found["brier"] == pytest.approx(oracle.brier_score_loss(y_true, p, scale_by_half=False), rel=1e-14)
    assert found["roc_auc"] == pytest.approx(oracle.roc_auc_score(y_true, p, multi_class="ovr"), rel=1e-14)


@pytest.mark.parametrize("seed", range(3))
def test_class_table_agrees_with_scikit_learn(seed):
    y_true, y_pred, p, _ = predictions(n=60, seed=seed)
    classes = PER_CLASS.frame(evaluate(y_true, y_pred, p).classes)
    scores = oracle.precision_recall_fscore_support(y_true, y_pred, zero_division=0)
    for column, expected in zip(("precision", "recall", "f1", "support"), scores, strict=True):
        np.testing.assert_allclose(classes[column], expected, rtol=1e-14)
    areas = [oracle.roc_auc_score(y_true == k, p[:, k]) for k in range(4)]
    np.testing.assert_allclose(classes["roc_auc"], areas, rtol=1e-14)
    assert classes["predicted"].tolist() == np.bincount(y_pred, minlength=4).tolist()
    assert set(classes["status"]) == {"ok"}


def test_confusion_counts_have_true_classes_as_rows():
    y_true, y_pred, p, _ = predictions()
    np.testing.assert_array_equal(
        evaluate(y_true, y_pred, p).confusion, oracle.confusion_matrix(y_true, y_pred, labels=range(4))
    )


def test_a_class_absent_or_never_predicted_has_a_row_and_a_status():
    y_true = np.array([0, 0, 1, 1, 2, 2])
    y_pred = np.array([0, 3, 1, 1, 0, 1])
    p = np.full((6, 4), 0.1)
    p[np.arange(6), y_pred] = 0.7
    result = evaluate(y_true, y_pred, p)
    assert [str(one.status) for one in result.classes] == ["ok", "ok", "never predicted", "not in the test set"]
    assert np.isnan(result.classes[3].roc_auc)
    assert 3 not in set(result.roc.label)
    assert 3 not in set(result.precision_recall.label)
    for name in ("precision", "recall", "f1"):
        score = getattr(oracle, f"{name}_score")
        expected = score(y_true, y_pred, average="macro", zero_division=0)
        assert result.metrics.as_dict()[f"macro_{name}"] == pytest.approx(expected, rel=1e-14)
        expected = score(y_true, y_pred, average="weighted", zero_division=0)
        assert result.metrics.as_dict()[f"weighted_{name}"] == pytest.approx(expected, rel=1e-14)
    assert result.metrics.as_dict()["matthews_corrcoef"] == pytest.approx(oracle.matthews_corrcoef(y_true, y_pred))
    expected = np.mean([oracle.roc_auc_score(y_true == k, p[:, k]) for k in range(3)])
    assert result.metrics.as_dict()["roc_auc"] == pytest.approx(expected, rel=1e-14)


def test_balanced_accuracy_leaves_out_classes_that_are_not_in_the_test_set():
    p = np.array([[0.2, 0.8], [0.1, 0.9], [0.9, 0.1]])
    found = evaluate([0, 0, 0], [1, 1, 0], p, names=["a", "b"]).metrics.as_dict()
    assert found["balanced_accuracy"] == pytest.approx(1 / 3)


def test_a_single_class_in_the_test_set_leaves_the_area_undefined():
    result = evaluate([1, 1], [1, 0], np.array([[0.4, 0.6], [0.6, 0.4]]), names=["a", "b"])
    assert result.metrics.as_dict()["roc_auc"] is None
    assert ROC.frame(result.roc).empty
    assert [str(one.status) for one in result.classes] == ["not in the test set", "the only class in the test set"]
    json.dumps(result.metrics.as_dict(), allow_nan=False)


@pytest.mark.parametrize("levels", [3, 1000])
def test_curves_agree_with_scikit_learn_also_with_ties(levels):
    generator = np.random.default_rng(levels)
    scores = generator.integers(levels, size=150) / levels
    positive = generator.random(150) < scores
    counts = threshold_counts(positive, scores)
    roc = roc_points(counts, 10_000)
    fpr, tpr, thresholds = oracle.roc_curve(positive, scores, drop_intermediate=False)
    for found, expected in zip(roc, (fpr, tpr, thresholds), strict=True):
        np.testing.assert_allclose(found, expected)
    points = precision_recall_points(counts, 10_000)
    precision, recall, thresholds = oracle.precision_recall_curve(positive, scores)
    np.testing.assert_allclose(points[0], recall[::-1])
    np.testing.assert_allclose(points[1], precision[::-1])
    np.testing.assert_allclose(points[2][1:], thresholds[::-1])
    assert placements(positive, scores).area == pytest.approx(oracle.roc_auc_score(positive, scores), rel=1e-14)


def test_thinned_curves_keep_both_ends_and_leave_the_area_alone():
    y_true, y_pred, p, _ = predictions()
    fine, coarse = (evaluate(y_true, y_pred, p, curve_points=k) for k in (5000, 10))
    assert fine.metrics.as_dict() == coarse.metrics.as_dict()
    for table, rate in ((coarse.roc, "true_positive_rate"), (coarse.precision_recall, "recall")):
        curve = getattr(table, rate)[table.label == 2]
        assert len(curve) == 10
        assert curve[[0, -1]].tolist() == [0, 1]


def test_log_loss_from_logits_stays_finite_where_a_probability_is_rounded_to_zero():
    logits = np.array([[0.0, 800.0], [0.0, 2.0]], dtype=np.float32)
    p = softmax(logits, axis=1)
    found = evaluate([0, 1], [1, 1], p, logits, names=["a", "b"]).metrics.as_dict()
    assert found["log_loss"] == pytest.approx(-log_softmax(logits.astype(float), axis=1)[[0, 1], [0, 1]].mean())
    without = evaluate([0, 1], [1, 1], p, names=["a", "b"]).metrics.as_dict()
    assert without["log_loss"] is None
    assert without["log_loss_status"] == "infinite, 1 sample has probability 0 for its class"


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_log_loss_is_that_of_scikit_learn_where_its_clipping_does_not_reach_and_unclipped_where_it_does(dtype):
    generator = np.random.default_rng(0)
    p = softmax(3 * generator.normal(size=(200, 4)), axis=1).astype(dtype)
    y = generator.integers(4, size=200)
    found = evaluate(y, p.argmax(axis=1), p, names=list("abcd")).metrics.as_dict()
    assert found["log_loss"] == pytest.approx(-np.log(p[np.arange(200), y].astype(float)).mean(), rel=1e-15)
    assert found["log_loss"] == pytest.approx(oracle.log_loss(y, p), rel=1e-14 if dtype == np.float64 else 1e-6)
    tiny = np.array([[1e-30, 1], [1, 1e-30]], dtype=dtype)
    found = evaluate([0, 0], [1, 0], tiny, names=["a", "b"]).metrics.as_dict()
    assert found["log_loss"] == pytest.approx(-np.log(float(tiny[0, 0])) / 2, rel=1e-15)


@pytest.mark.parametrize("with_logits", [False, True])
def test_log_loss_is_to_the_last_bit_the_mean_surprise_in_the_table_of_samples(with_logits):
    generator = np.random.default_rng(1)
    logits = (4 * generator.normal(size=(300, 5))).astype(np.float32)
    p = softmax(logits, axis=1)
    y = generator.integers(5, size=300)
    given = logits if with_logits else None
    scores = prediction_scores(p, given, y, p.argmax(axis=1))
    assert (
        evaluate(y, p.argmax(axis=1), p, given, names=list("abcde")).metrics.as_dict()["log_loss"]
        == scores.surprise.mean()
    )
    unchanged = next(r for r in temperature_curve(p, given, y, p.argmax(axis=1)) if r.temperature == 1)
    assert unchanged.log_loss == scores.surprise.mean()


def test_an_infinite_log_loss_is_missing_from_all_that_derives_from_it_and_from_nothing_else():
    generator = np.random.default_rng(2)
    p = softmax(generator.normal(size=(60, 3)), axis=1)
    y = np.arange(60) % 3
    p[:3] = np.eye(3)[(y[:3] + 1) % 3]
    found = evaluate(y, p.argmax(axis=1), p, names=list("abc")).metrics.as_dict()
    reason = "infinite, 3 samples have probability 0 for their class"
    assert found["log_loss_status"] == reason
    missing = {"log_loss", "log_loss_low", "log_loss_high", "excess_surprise_z", "excess_surprise_p"}
    assert {name for name, value in found.items() if value is None} >= missing
    assert found["excess_surprise_z_status"] == found["excess_surprise_p_status"] == f"log loss is {reason}"
    assert np.isfinite([found["spiegelhalter_z"], found["brier"], found["brier_low"]]).all()
    table = temperature_curve(p, None, y, p.argmax(axis=1))
    assert all(np.isnan(point.log_loss) and str(point.status) == f"log loss: {reason}" for point in table)


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (10, 10), (7, 10), (9700, 10000)])
def test_wilson_interval_agrees_with_statsmodels(hits, n):
    interval = wilson_interval(hits, n)
    assert (interval.low, interval.high) == pytest.approx(wilson(hits, n), abs=1e-12)


def test_memory_mapped_scores_give_the_same_as_scores_in_memory(tmp_path):
    y_true, y_pred, p, logits = predictions()
    np.save(tmp_path / "p.npy", p)
    np.save(tmp_path / "z.npy", logits)
    mapped = [np.load(tmp_path / name, mmap_mode="r") for name in ("p.npy", "z.npy")]
    assert evaluate(y_true, y_pred, *mapped).metrics.as_dict() == evaluate(y_true, y_pred, p, logits).metrics.as_dict()


@pytest.mark.parametrize("n_rows", [0, 1, 7, 8, 9])
def test_row_blocks_cover_every_row_once(n_rows):
    rows = [i for block in row_blocks(n_rows, 2, block_bytes=64) for i in range(n_rows)[block]]
    assert rows == list(range(n_rows))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a["p"].__setitem__((4, 1), np.nan), "probabilities: row 4: a value is not finite"),
        (lambda a: a["p"].__setitem__((4, slice(None)), 0.5), "probabilities: row 4: .*sum 2 "),
        (lambda a: a["p"].__setitem__((4, slice(None)), [1.5, -0.5, 0, 0]), "row 4: .*smallest -0.5"),
        (lambda a: a["z"].__setitem__((9, 0), np.inf), "logits: row 9: a value is not finite"),
        (lambda a: a["y_true"].__setitem__(3, 4), "y_true: row 3: expected a class from 0 to 3, found 4"),
        (lambda a: a.__setitem__("y_pred", a["y_pred"][:-1]), r"y_pred: expected shape \(300,\)"),
        (lambda a: a.__setitem__("y_pred", a["y_pred"] * 1.0), "y_pred: expected integer class labels"),
        (lambda a: a.__setitem__("p", a["p"][:, :3]), r"probabilities: expected shape \(300, 4\)"),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_row(change, message):
    arrays = dict(zip(("y_true", "y_pred", "p", "z"), predictions(), strict=True))
    change(arrays)
    with pytest.raises(DataError, match=message):
        evaluate(arrays["y_true"], arrays["y_pred"], arrays["p"], arrays["z"])


@pytest.mark.parametrize("ties", [False, True])
def test_top_five_accuracy_agrees_with_scikit_learn(ties):
    y_true, y_pred, p, _ = predictions(n_classes=12, dtype=np.float64)
    p = np.round(p, 1) + 0.01 if ties else p
    p /= p.sum(axis=1, keepdims=True)
    found = evaluate(y_true, y_pred, p, names=[str(k) for k in range(12)]).metrics.as_dict()
    assert found["top_5_accuracy"] == oracle.top_k_accuracy_score(y_true, p, k=5, labels=range(12))


def test_an_empty_test_set_is_refused():
    with pytest.raises(DataError, match="no test samples"):
        evaluate(np.empty(0, int), np.empty(0, int), np.empty((0, 4)))


def test_half_precision_probabilities_are_accepted():
    p = predictions()[2].astype(np.float16)
    check_probabilities(p, p.shape)


@pytest.mark.filterwarnings("error")
def test_logits_whose_differences_overflow_are_evaluated_without_a_warning():
    logits = np.array([[1.7e308, -1.7e308], [-1.7e308, 1.7e308]] * 20)
    probabilities = np.array([[1.0, 0.0], [0.0, 1.0]] * 20)
    y = np.tile([0, 1], 20)
    found = evaluate_classification(
        y, y, probabilities, logits=logits, class_names=["a", "b"], settings=EvaluationSettings()
    )
    assert (found.metrics.as_dict()["log_loss"], found.metrics.as_dict()["accuracy"]) == (0.0, 1.0)
