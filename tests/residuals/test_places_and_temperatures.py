"""What pictures need beside tests: places in a plane, similarities across classes, entropy under a temperature."""

import sys

import numpy as np
import pytest
from scipy.special import log_softmax, softmax
from sklearn.decomposition import PCA
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity
from tables_of import analyze_classification

from mlx.core.errors import MissingPackageError
from mlx.residuals import ResidualsSettings
from mlx.residuals.errors.temperature import TEMPERATURES, temperature_curve
from mlx.residuals.geometry.projection import projections


@pytest.fixture
def predictions():
    generator = np.random.default_rng(5)
    y = generator.integers(4, size=120)
    h = 2 * np.eye(4, 9)[y] + generator.normal(size=(120, 9))
    logits = 1.5 * h[:, :4]
    return h, logits, y, logits.argmax(axis=1)


def test_principal_components_have_the_places_and_shares_of_scikit_learn(predictions):
    columns, records = projections("layer", predictions[0], ["pca"], seed=0)
    oracle = PCA(2).fit(predictions[0])
    places = np.column_stack([columns["pca_1"], columns["pca_2"]])
    np.testing.assert_allclose(np.abs(places), np.abs(oracle.transform(predictions[0])), atol=1e-10)
    assert [row.estimate for row in records] == pytest.approx(oracle.explained_variance_ratio_)


@pytest.mark.slow
def test_tsne_keeps_neighbors_and_gives_the_same_bytes_again(predictions):
    columns, _ = projections("layer", predictions[0] * [[1e-3]], ["tsne"], seed=3)
    again, _ = projections("layer", predictions[0] * [[1e-3]], ["tsne"], seed=3)
    places = np.column_stack([columns["tsne_1"], columns["tsne_2"]])
    assert columns["tsne_1"].tobytes() == again["tsne_1"].tobytes()
    nearest = ((places[:, None] - places) ** 2).sum(-1) + np.diag(np.full(120, np.inf))
    own = predictions[2][nearest.argmin(axis=1)] == predictions[2]
    assert own.mean() > 0.6, "a quarter by chance"


@pytest.mark.parametrize("shape", [(3, 2), (9, 1), (12, 80)])
def test_layers_of_any_shape_are_placed(shape):
    h = np.random.default_rng(0).normal(size=shape)
    for layer in (h, np.ones(shape)):
        columns, _ = projections("layer", layer, ["pca", "tsne"], seed=0)
        assert np.isfinite(columns["pca_1"]).all()
        assert np.isfinite(columns["tsne_1"]).all() == (shape[0] >= 8)


def test_umap_that_is_not_installed_is_asked_for_with_a_clear_answer(predictions, monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(MissingPackageError, match=r"umap: needs umap-learn; pip install"):
        projections("layer", predictions[0], ["umap"], seed=0)


@pytest.mark.parametrize("with_logits", [True, False])
def test_every_temperature_is_what_dividing_the_logits_by_it_gives(predictions, with_logits):
    _, logits, y, y_pred = predictions
    records = temperature_curve(softmax(logits, axis=1), logits if with_logits else None, y, y_pred)
    assert [row.temperature for row in records] == TEMPERATURES.tolist()
    assert records[12].temperature == 1
    for row in records[::6]:
        p = softmax(logits / row.temperature, axis=1)
        entropy = -(p * log_softmax(logits / row.temperature, axis=1)).sum(axis=1)
        assert row.log_loss == pytest.approx(log_loss(y, p), rel=1e-9)
        assert row.entropy_mean == pytest.approx(entropy.mean(), rel=1e-9)
        assert row.entropy_wrong == pytest.approx(entropy[y != y_pred].mean(), rel=1e-9)
        assert row.error_auroc == pytest.approx(roc_auc_score(y != y_pred, entropy), abs=1e-12)


def test_a_perfect_model_has_no_entropy_of_errors(predictions):
    _, logits, _, y_pred = predictions
    (first, *_) = temperature_curve(softmax(logits, axis=1), logits, y_pred, y_pred)
    assert np.isnan(first.entropy_wrong)
    assert np.isnan(first.error_auroc)


def test_the_overview_holds_similarities_across_classes_in_sorted_order(predictions):
    h, logits, y, y_pred = predictions
    found = analyze_classification(
        {"one": h},
        logits=logits,
        probabilities=softmax(logits, axis=1),
        y_true=y,
        y_pred=y_pred,
        class_names=list("abcd"),
        index=np.arange(120),
        settings=ResidualsSettings(n_bootstrap=100, n_permutations=19, matrix_size=50),
    )
    shown = found.samples[found.samples["overview"] >= 0].sort_values("overview")
    np.testing.assert_allclose(found.matrices["one.overview.npy"], cosine_similarity(h[shown.index]), atol=1e-12)
    assert len(shown) == 50
    assert shown["y_pred"].is_monotonic_increasing
    assert all(part["entropy"].is_monotonic_increasing for _, part in shown.groupby("y_pred"))
