"""No correlation depends on the unit of its sides: saturated networks, whose entropies can't be squared, included."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import softmax
from scipy.stats import spearmanr
from similarities import group_similarity
from sklearn.metrics import roc_auc_score
from tables_of import analyze_classification

from mlx.core.errors import DataError
from mlx.evaluation import EvaluationSettings, evaluate_classification
from mlx.evaluation.checks import check_softmax
from mlx.residuals import ResidualsSettings
from mlx.residuals.association.correlations import associate
from mlx.residuals.association.layer import Layer
from mlx.residuals.errors.factor_values import read_factors
from mlx.residuals.errors.factors import Target, associate_factors
from mlx.residuals.errors.slices import weak_slices
from mlx.residuals.geometry.cka import debiased_cka
from mlx.residuals.geometry.collapse import neural_collapse
from mlx.residuals.geometry.components import principal_components
from mlx.residuals.geometry.projection import projections
from mlx.residuals.pairs.entropy_pairs import PAIR_STATISTICS
from mlx.residuals.pairs.mantel import mantel, mantel_by_class
from mlx.residuals.pairs.pair_correlations import pair_correlations
from mlx.residuals.pairs.pair_spearman import pair_spearman
from mlx.residuals.similarity.directions import directions_of
from mlx.stats.correlation import centered_correlation, weighted_correlation

SETTINGS = ResidualsSettings(n_bootstrap=100, n_permutations=99, projections=["pca"])


def network(margins, n=90, seed=0):
    """Directions, logits with a margin a class, and labels; all predictions are right."""
    generator = np.random.default_rng(seed)
    y = np.arange(n) % 3
    rows = generator.normal(size=(3, 4))[y] * 2 + 1.5 * generator.normal(size=(n, 4))
    logits = np.asarray(margins)[y][:, None] * np.eye(3)[y] + generator.normal(size=(n, 3))
    return rows, logits, y


def analyzed(rows, logits, y):
    return analyze_classification(
        {"layer": rows}, logits=logits, probabilities=softmax(logits, axis=1), y_true=y, y_pred=logits.argmax(axis=1),
        class_names=["a", "b", "c"], index=np.arange(y.size), settings=SETTINGS,
    )  # fmt: skip


def pearson(x, y):
    """In extended precision, of values in units of their largest."""
    x, y = (np.asarray(v, np.longdouble) for v in (x, y))
    x, y = (v / abs(v).max() for v in (x, y))
    x, y = (v - v.mean() for v in (x, y))
    return float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))


@pytest.mark.parametrize(
    "margins", [(m,) * 3 for m in (30, 340, 380, 420, 600, 700, 740)] + [(500, 9, 9), (9, 400, 700)]
)
def test_every_pearson_of_a_saturated_network_is_that_of_the_entropies_in_another_unit(margins):
    found = analyzed(*network(margins))
    tests = found.tests[found.tests["name"].eq("similarity and entropy") & found.tests["statistic"].eq("pearson")]
    r = {
        (scope, label): value
        for scope, label, value in zip(tests["scope"], tests["class"], tests["estimate"], strict=True)
    }
    samples = found.samples
    assert r["pooled", ""] == pytest.approx(pearson(samples["similarity"], samples["entropy"]), abs=1e-12)
    a, h = samples["similarity"].to_numpy(np.longdouble), samples["entropy"].to_numpy(np.longdouble)
    for label, name in enumerate("abc"):
        members = samples["y_pred"] == label
        assert r["class", name] == pytest.approx(pearson(a[members], h[members]), abs=1e-12)
        a[members], h[members] = a[members] - a[members].mean(), h[members] - h[members].mean()
    assert r["within class", ""] == pytest.approx(pearson(a, h), abs=1e-12)
    assert (tests["estimate"].abs() < 0.9).all()
    assert tests.loc[tests["status"] == "ok", ["low", "high"]].notna().all(axis=None)


@pytest.mark.parametrize("margins", [(2, 100, 700), (2, 9, 40), (300, 500, 700)])
def test_every_spearman_of_a_saturated_network_ranks_entropies_however_small(margins):
    # Those of 1e-40 and of 1e-300 differ, though both are far below the rounding of the largest.
    found = analyzed(*network(margins))
    tests = found.tests[found.tests["statistic"].eq("spearman") & found.tests["name"].eq("similarity and entropy")]
    r = dict(zip(zip(tests["scope"], tests["class"], strict=True), tests["estimate"], strict=True))
    samples = found.samples
    assert r["pooled", ""] == pytest.approx(spearmanr(samples["similarity"], samples["entropy"])[0], abs=1e-12)
    for label, name in enumerate("abc"):
        own = samples[samples["y_pred"] == label]
        assert r["class", name] == pytest.approx(spearmanr(own["similarity"], own["entropy"])[0], abs=1e-12)


def test_a_wrong_prediction_among_saturated_ones_is_found_by_its_entropy():
    rows, logits, y = network((2, 100, 300))
    true = y.copy()
    true[[1, 4, 8, 11, 14, 3, 6]] = (y[[1, 4, 8, 11, 14, 3, 6]] + 1) % 3
    found = analyze_classification(
        {"layer": rows}, logits=logits, probabilities=softmax(logits, axis=1), y_true=true,
        y_pred=logits.argmax(axis=1), class_names=["a", "b", "c"], index=np.arange(y.size), settings=SETTINGS,
    )  # fmt: skip
    tests = found.tests[found.tests["name"].eq("error by entropy") & found.tests["statistic"].eq("auroc")]
    expected = roc_auc_score(~found.samples["correct"], found.samples["entropy"])
    assert tests["estimate"].iloc[0] == pytest.approx(expected, abs=1e-12)


def layer_of(entropy_unit, seed=1):
    rows, logits, y = network((4, 5, 6), seed=seed)
    p = softmax(logits, axis=1)
    entropy = -(p * np.log(p)).sum(axis=1) * entropy_unit
    units = directions_of("layer", rows, y.size)
    return Layer(units, group_similarity(units, y), entropy, y)


def everything(layer):
    """All numbers that similarity and entropy have in common."""
    units, h, y = layer.units, layer.entropy, layer.y_pred
    each = dict.fromkeys(PAIR_STATISTICS, 49)
    options = {"permutations": each, "seed": 0}
    found = [*associate(layer, 3, SETTINGS), *pair_correlations(units, h, y, 3)]
    found += [
        *mantel(units, h, **options),
        *mantel_by_class(units, h, y, 3, of_class=each, **options),
        pair_spearman(units, h),
    ]
    return [vars(one) for one in found]


@pytest.mark.parametrize("exponent", [-1000, -600, 400, 1000])
def test_entropies_in_another_unit_give_the_same_numbers_to_the_last_bit(exponent):
    assert all(str(one["status"]) == "ok" or "no interval" in str(one["status"]) for one in everything(layer_of(1.0)))
    np.testing.assert_equal(everything(layer_of(2.0**exponent)), everything(layer_of(1.0)))


def test_a_class_without_spread_does_not_hide_the_spread_of_a_saturated_one_within_class():
    layer = layer_of(1.0)
    entropy = np.where(layer.y_pred == 0, layer.entropy * 2.0**-600, 0.75)
    found = {
        (r.scope, r.label, r.statistic): r
        for r in associate(Layer(layer.units, layer.similarity, entropy, layer.y_pred), 3, SETTINGS)
    }
    a = layer.similarity.copy()
    for label in range(3):
        a[layer.y_pred == label] -= a[layer.y_pred == label].mean()
    h = np.where(layer.y_pred == 0, layer.entropy - layer.entropy[layer.y_pred == 0].mean(), 0.0)
    within = found["within class", None, "pearson"]
    assert within.estimate == pytest.approx(pearson(a, h), abs=1e-12)
    assert str(found["class", 1, "pearson"].status) == "constant entropy"
    pairs = {(r.scope, r.statistic): r for r in pair_correlations(layer.units, entropy, layer.y_pred, 3)}
    assert pairs["within class", "mean_entropy"].status.is_ok


def test_weighted_correlations_are_of_no_unit_and_have_none_where_rounding_is_all_the_spread():
    generator = np.random.default_rng(0)
    x, y, weights = (
        generator.normal(size=40),
        generator.normal(size=40),
        generator.integers(0, 3, (20, 40)).astype(float),
    )
    expected = weighted_correlation(x, y, weights)
    for unit in (1e-300, 1e-200, 1e200):
        np.testing.assert_allclose(weighted_correlation(x * unit, y / unit, weights), expected, rtol=1e-12)
    centered = [v - (weights * v).sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True) for v in (x, y)]
    np.testing.assert_allclose(
        centered_correlation(centered[0] * 1e-250, centered[1] * 1e180, weights), expected, rtol=1e-12
    )
    level = np.full(40, 0.1)
    level[0] = 1e3
    weights[:, 0] = np.arange(20) % 2
    assert np.isnan(weighted_correlation(x, level, weights)[weights[:, 0] == 0]).all()
    assert np.isfinite(weighted_correlation(x, level, weights)[weights[:, 0] == 1]).all()


@pytest.mark.parametrize("unit", [2.0**-1000, 2.0**-600, 2.0**600, 2.0**1000])
def test_geometry_does_not_depend_on_the_unit_of_a_representation(unit):
    rows, _, y = network((4, 5, 6))
    other = np.random.default_rng(5).normal(size=(90, 3))
    assert debiased_cka(rows * unit, other / unit).cka == debiased_cka(rows, other).cka
    assert neural_collapse(rows * unit, y, y) == neural_collapse(rows, y, y)
    found, expected = principal_components(rows * unit), principal_components(rows)
    np.testing.assert_array_equal(found.coordinates, expected.coordinates * unit)
    np.testing.assert_array_equal(found.variance_ratio, expected.variance_ratio)


@pytest.mark.parametrize("unit", [1e-200, 1e200])
def test_an_analysis_of_tiny_or_huge_representations_is_whole(unit):
    rows, logits, y = network((1, 2, 3))
    found, expected = analyzed(rows * unit, logits, y), analyzed(rows, logits, y)
    for column in ("similarity", "silhouette", "similarity_neighbours"):
        np.testing.assert_allclose(found.samples[column], expected.samples[column], rtol=1e-9)
    np.testing.assert_allclose(found.samples["pca_1"], expected.samples["pca_1"] * unit, rtol=1e-9)
    np.testing.assert_allclose(found.tests["estimate"], expected.tests["estimate"], rtol=1e-6)
    assert found.tests["status"].tolist() == expected.tests["status"].tolist()


@pytest.mark.parametrize("kind", ["tsne", "pca"])
def test_places_of_tiny_and_of_huge_representations_are_those_of_ordinary_ones(kind):
    rows, *_ = network((1, 2, 3), n=30)
    expected, _ = projections("layer", rows, [kind], seed=0)
    for exponent in (-600, 600):
        found, _ = projections("layer", rows * 2.0**exponent, [kind], seed=0)
        scale = 2.0**exponent if kind == "pca" else 1.0
        np.testing.assert_array_equal(found[f"{kind}_1"], expected[f"{kind}_1"] * scale)


@pytest.mark.parametrize("largest", [8.0, 60.0, 2000.0])
def test_outputs_of_half_precision_are_analyzed_as_what_they_are_stored_as(largest):
    generator = np.random.default_rng(0)
    rows, _, y = network((1, 2, 3))
    logits = (largest + 3 * generator.normal(size=(90, 3))).astype(np.float16)
    exact = softmax(largest + 3 * generator.normal(size=(90, 3)), axis=1)
    p = softmax(logits.astype(float) + generator.uniform(-0.4, 0.4, (90, 3)) * np.spacing(logits).astype(float), axis=1)
    evaluated = evaluate_classification(y, p.argmax(axis=1), p.astype(np.float16), logits=logits,
                                        class_names=list("abc"), settings=EvaluationSettings())  # fmt: skip
    found = analyze_classification(
        {"layer": rows.astype(np.float16) * np.float16(3000)}, logits=logits, probabilities=p.astype(np.float16),
        y_true=y, y_pred=p.argmax(axis=1), class_names=list("abc"), index=np.arange(90), settings=SETTINGS,
    )  # fmt: skip
    assert evaluated.metrics.log_loss.value == found.samples["surprise"].mean()
    assert np.isfinite(found.samples["similarity"]).all()
    with pytest.raises(DataError, match="expected the probabilities to be their softmax"):
        check_softmax(logits, exact[::-1])


@pytest.mark.parametrize("unit", [2.0**-700, 2.0**700])
def test_factors_of_any_unit_find_the_same_slices_and_effects(unit):
    generator = np.random.default_rng(0)
    size, color = generator.normal(size=300), generator.choice(["red", "blue"], 300)
    error = generator.random(300) < np.where(size > 0.5, 0.7, 0.1)
    slices, effects = [], []
    for scale in (1.0, unit):
        factors = read_factors(pd.DataFrame({"size": size * scale, "color": color}))
        slices.append(weak_slices(factors, error, seed=0, confidence=0.95).slices)
        targets = [Target("error", error), Target("entropy", size**2 * scale)]
        effects.append([one.test for one in associate_factors(factors, targets, settings=SETTINGS)])
    assert slices[0]
    # Their thresholds are rounded to few digits of the unit; what they split apart in the half that found them stays.
    assert [one.error_rate_found for one in slices[1]] == [one.error_rate_found for one in slices[0]]
    assert repr(effects[1]) == repr(effects[0])
