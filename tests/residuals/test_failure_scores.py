"""Scores of failure against plain NumPy and scikit-learn, and what they may and may not depend on."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from oracles import oracle
from scipy.special import logsumexp, softmax
from sklearn.covariance import LedoitWolf, ledoit_wolf
from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve
from tables_of import analyze_classification

from mlx.core.last_layer import LastLayer
from mlx.core.ordered_map import in_order
from mlx.residuals import ResidualsSettings
from mlx.residuals.parts import OtherParts, RecordedPart
from mlx.residuals.scores import gaussian
from mlx.residuals.scores.combination import LikelihoodRatio, likelihood_ratio
from mlx.residuals.scores.geometry import GEOMETRY, Training, n_neighbors
from mlx.residuals.scores.layer_part import LayerPart
from mlx.residuals.scores.virtual_logit import n_principal
from mlx.stats.gates import ValidationErrors
from mlx.stats.status import Reason, Status

FAST = ResidualsSettings(n_bootstrap=100, n_permutations=99, projections=[])
D, K = 7, 3
MEANS = 2 * np.eye(K, D)


def drawn(n: int, seed: int) -> RecordedPart:
    generator = np.random.default_rng(seed)
    y = generator.integers(K, size=n)
    noise = generator.normal(size=(n, D))
    h = MEANS[y] + noise @ np.diag(np.linspace(0.7, 1.6, D))
    logits = 1.3 * h @ MEANS.T
    # Far from the mean the labels are noise, which the logits do not know.
    y = np.where((noise**2).sum(axis=1) > 9, generator.integers(K, size=n), y)
    return RecordedPart({"layer": h}, softmax(logits, axis=1), logits, y, logits.argmax(axis=1), np.arange(n))


TRAIN, VAL, TEST = drawn(300, 1), drawn(500, 2), drawn(400, 3)
LAST = LastLayer("layer", 1.3 * MEANS.T, np.array([0.1, -0.2, 0.3]))


def part_of(recorded: RecordedPart, values: np.ndarray | None = None) -> LayerPart:
    rows = recorded.layers["layer"] if values is None else values
    return LayerPart(rows, recorded.logits, recorded.y_true, recorded.y_pred)


def computed(name: str, last: LastLayer | None = None) -> np.ndarray:
    score = GEOMETRY[name](Training(part_of(TRAIN), K, last))
    assert not isinstance(score, Status)
    return score(part_of(TEST))


def mahalanobis() -> tuple[np.ndarray, np.ndarray]:
    h, x = TRAIN.layers["layer"], TEST.layers["layer"]
    means = np.stack([h[TRAIN.y_true == c].mean(axis=0) for c in range(K)])
    within = np.linalg.inv(LedoitWolf(assume_centered=True).fit(h - means[TRAIN.y_true]).covariance_)
    overall = np.linalg.inv(LedoitWolf(assume_centered=True).fit(h - h.mean(axis=0)).covariance_)
    to_class = np.stack([np.einsum("ij,jk,ik->i", x - mean, within, x - mean) for mean in means])
    away = x - h.mean(axis=0)
    to_all = np.einsum("ij,jk,ik->i", away, overall, away)
    return to_class.min(axis=0), (to_class - to_all).min(axis=0)


def knn() -> np.ndarray:
    distances = np.linalg.norm(TEST.layers["layer"][:, None] - TRAIN.layers["layer"], axis=2)
    return np.sort(distances, axis=1)[:, min(50, 300 // 20) - 1]


def vim(last: LastLayer | None) -> np.ndarray:
    h, x = TRAIN.layers["layer"], TEST.layers["layer"]
    origin = h.mean(axis=0) if last is None else -np.linalg.pinv(last.weights.T) @ last.bias
    _, _, axes = np.linalg.svd(h - origin)
    rest = axes[D // 2 :]
    alpha = TRAIN.logits.max(axis=1).sum() / np.linalg.norm((h - origin) @ rest.T, axis=1).sum()
    return alpha * np.linalg.norm((x - origin) @ rest.T, axis=1) - logsumexp(TEST.logits, axis=1)


def class_mean() -> np.ndarray:
    units = [
        values / np.linalg.norm(values, axis=1)[:, None] for values in (TRAIN.layers["layer"], TEST.layers["layer"])
    ]
    means = np.stack([units[0][TRAIN.y_true == c].mean(axis=0) for c in range(K)])
    means /= np.linalg.norm(means, axis=1)[:, None]
    return -(units[1] * means[TEST.y_pred]).sum(axis=1)


ORACLES: dict[str, Callable[[], np.ndarray]] = {
    "mahalanobis": lambda: mahalanobis()[0],
    "relative_mahalanobis": lambda: mahalanobis()[1],
    "knn": knn,
    "vim": lambda: vim(None),
    "class_mean_similarity": class_mean,
}


@pytest.mark.parametrize("name", GEOMETRY)
def test_a_fitted_score_is_that_of_plain_numpy(name: str) -> None:
    np.testing.assert_allclose(computed(name), ORACLES[name](), rtol=1e-10)


def test_the_virtual_logit_is_measured_from_where_all_logits_are_the_same_if_the_last_layer_is_known() -> None:
    np.testing.assert_allclose(computed("vim", LAST), vim(LAST), rtol=1e-10)
    assert [n_principal(d) for d in (1, 5, 512, 768, 2047, 2048)] == [0, 2, 256, 512, 512, 1000]
    assert [n_neighbors(n) for n in (5, 40, 999, 1000, 10**6)] == [1, 2, 49, 50, 50]


@pytest.mark.parametrize(("n", "d"), [(30, 4), (12, 40), (5000, 3)])
def test_the_covariance_is_shrunk_as_scikit_learn_shrinks_it(n: int, d: int) -> None:
    x = np.random.default_rng(n).normal(size=(n, d)) @ np.diag(np.arange(1, d + 1.0))
    fourth = float((np.einsum("ij,ij->i", x, x) ** 2).sum())
    np.testing.assert_allclose(
        gaussian.ledoit_wolf(x.T @ x / n, fourth, n)[0], ledoit_wolf(x, assume_centered=True)[0], rtol=1e-10
    )


@pytest.mark.parametrize("name", GEOMETRY)
def test_a_layer_without_spread_has_a_status_or_finite_scores(name: str) -> None:
    score = GEOMETRY[name](Training(part_of(TRAIN, np.ones((300, D))), K))
    if isinstance(score, Status):
        assert score.reason is Reason.NO_SPREAD
    else:
        assert np.isfinite(score(part_of(TEST))).all()


def analyzed(test: RecordedPart, others: OtherParts, **changes: object):
    counted = None if others.val is None else ValidationErrors(500, int((VAL.y_true != VAL.y_pred).sum()))
    known = {"logits": test.logits, "probabilities": test.probabilities, "y_true": test.y_true, "y_pred": test.y_pred,
             "class_names": list("abc"), "index": test.index, "settings": FAST, "validation": counted,
             "others": others}  # fmt: skip
    return analyze_classification(test.layers, **known | changes)


@pytest.fixture(scope="module")
def whole():
    return analyzed(TEST, OtherParts(TRAIN, VAL, LAST))


@pytest.mark.parametrize("unit", [2.0**700, 2.0**-700])
def test_scores_of_extreme_values_rank_as_those_of_ordinary_ones(unit: float, whole) -> None:
    parts = (replace(one, layers={"layer": one.layers["layer"] * unit}) for one in (TRAIN, VAL))
    last = replace(LAST, weights=LAST.weights / unit)
    scaled = analyzed(replace(TEST, layers={"layer": TEST.layers["layer"] * unit}), OtherParts(*parts, last)).samples
    for name in (*GEOMETRY, "combination"):
        factor = unit if name == "knn" else 1.0
        found, plain = scaled[f"score.{name}"] / factor, whole.samples[f"score.{name}"]
        np.testing.assert_allclose(found, plain, rtol=1e-6, err_msg=name)


def test_the_table_measures_the_columns_as_scikit_learn_does(whole) -> None:
    error = TEST.y_true != TEST.y_pred
    assert not (whole.scores["status"] != "ok").any()
    assert len(whole.scores) == 13
    best = whole.samples["score.max_probability"]
    for row in whole.scores.itertuples():
        values = whole.samples[f"score.{row.score}"].to_numpy()
        assert row.auroc == pytest.approx(roc_auc_score(error, values), abs=1e-12)
        assert row.aupr == pytest.approx(average_precision_score(error, values), abs=1e-12)
        false, true, _ = roc_curve(error, values, drop_intermediate=False)
        assert row.fpr95 == pytest.approx(false[true >= 0.95].min(), abs=1e-12)
        assert row.difference == pytest.approx(roc_auc_score(error, values) - roc_auc_score(error, best), abs=1e-12)
        for name in ("auroc", "aupr", "fpr95", "aurc", "eaurc", "augrc"):
            low, high = getattr(row, f"{name}_low"), getattr(row, f"{name}_high")
            assert np.isnan(low) == (getattr(row, f"{name}_status") != "ok")
            assert np.isnan(low) or low <= getattr(row, name) <= high


def test_the_same_score_has_the_same_numbers_in_every_table(whole) -> None:
    names = {"entropy": "error by entropy", "similarity": "error by low similarity"}
    for score, question in names.items():
        row = whole.scores.set_index("score").loc[score]
        tests = whole.tests[whole.tests["name"] == question].set_index("statistic")
        for statistic in ("auroc", "aurc", "eaurc", "augrc"):
            found = tests.loc[statistic, ["estimate", "low", "high"]]
            expected = row[[statistic, f"{statistic}_low", f"{statistic}_high"]]
            np.testing.assert_array_equal(found.to_numpy(float), expected.to_numpy(float))
    combined = whole.scores.set_index("score").loc["combination"]
    headline = [whole.headline[f"geometry_adds{end}"] for end in ("", "_low", "_high", "_p")]
    assert headline == combined[["difference", "difference_low", "difference_high", "p"]].tolist()


def test_labels_of_the_test_samples_change_nothing_that_is_fitted(whole) -> None:
    poisoned = replace(TEST, y_true=np.random.default_rng(9).permutation(TEST.y_true))
    found = analyzed(poisoned, OtherParts(TRAIN, VAL, LAST))
    columns = [name for name in whole.samples if name.startswith("score.")]
    assert len(columns) == 13
    pd.testing.assert_frame_equal(found.samples[columns], whole.samples[columns], check_exact=True)
    assert not found.scores["auroc"].equals(whole.scores["auroc"])


@pytest.mark.slow
def test_labels_of_the_calibrating_half_of_validation_change_nothing(whole) -> None:
    from mlx.stats.validation_outputs import validation_halves

    fitting, calibrating = validation_halves(VAL.index)
    for rows, same in ((calibrating, True), (fitting, False)):
        y = VAL.y_true.copy()
        y[rows] = np.random.default_rng(9).permutation(y[rows])
        found = analyzed(TEST, OtherParts(TRAIN, replace(VAL, y_true=y), LAST)).samples["score.combination"]
        assert found.equals(whole.samples["score.combination"]) is same


@pytest.mark.slow
def test_scores_without_what_they_need_have_rows_that_say_so() -> None:
    rows = analyzed(TEST, OtherParts(), logits=None).scores.set_index("score")
    assert (rows.loc[["max_logit", "energy"], "status"] == "no logits").all()
    assert (rows.loc[[*GEOMETRY, "combination"], "status"] == "no recorded training samples").all()
    assert (rows.loc[[*GEOMETRY], "auroc_status"] != "ok").all()
    rows = analyzed(TEST, OtherParts(TRAIN)).scores.set_index("score")
    assert rows.loc["combination", "status"] == "no recorded validation samples"
    few = replace(VAL, y_true=VAL.y_pred)
    rows = analyzed(TEST, OtherParts(TRAIN, few)).scores.set_index("score")
    assert rows.loc["combination", "status"].startswith("fewer than 5 errors or correct in the half of validation")


@pytest.mark.slow
def test_every_layer_has_its_scores_and_p_values_are_adjusted_over_all() -> None:
    def two(part: RecordedPart) -> RecordedPart:
        return replace(part, layers={"first": part.layers["layer"], "second": part.layers["layer"][:, :4]})

    found = analyzed(two(TEST), OtherParts(two(TRAIN), two(VAL)))
    assert set(found.scores["layer"]) == {"", "first", "second"}
    assert {"score.knn", "score.knn.second"} <= set(found.samples)
    alone = found.scores["score"] == "combination"
    made = found.scores[found.scores["p"].notna() & ~alone]
    assert len(made) == 4 + 2 * 7
    assert (made["p_holm"] >= np.minimum(1, made["p"].min() * len(made)) - 1e-12).all()
    assert found.scores.loc[alone, "p_holm"].equals(found.scores.loc[alone, "p"])


def test_the_likelihood_ratio_is_that_of_statsmodels() -> None:
    sm = oracle("statsmodels.api")

    generator = np.random.default_rng(0)
    base, added = generator.normal(size=(2, 300))
    error = generator.random(300) < 1 / (1 + np.exp(1 - base - 0.3 * added))
    fits = [sm.Logit(error, sm.add_constant(np.stack(x, 1))).fit(disp=0, tol=1e-12) for x in ([base], [base, added])]
    found = likelihood_ratio(error, base, 1e3 * added + 5)
    assert found.statistic == pytest.approx(2 * (fits[1].llf - fits[0].llf), rel=1e-8)
    separated = likelihood_ratio(base > 0, base, added)
    assert isinstance(separated, LikelihoodRatio)
    assert separated.status.reason is Reason.SEPARATED
    assert likelihood_ratio(error, base, np.ones(300)).status.reason is Reason.CONSTANT


def test_a_layer_part_adds_up_the_same_by_any_map() -> None:
    part = part_of(TRAIN)
    found = GEOMETRY["mahalanobis"](Training(part, K, None, in_order))
    again = GEOMETRY["mahalanobis"](Training(part, K, None, lambda f, items: iter([f(one) for one in items])))
    assert not isinstance(found, Status)
    assert not isinstance(again, Status)
    np.testing.assert_array_equal(found(part), again(part))
