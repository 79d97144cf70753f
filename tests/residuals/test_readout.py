"""Linear probes against scikit-learn, and neural collapse of the training samples by its definition."""

from dataclasses import replace

import numpy as np
import pytest
from oracles import wilson
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from test_failure_scores import LAST, TEST, TRAIN

from mlx.residuals.layers.readout import layer_readouts, probe
from mlx.residuals.parts import OtherParts
from mlx.residuals.predictions import check_predictions
from mlx.stats.status import Reason


def read_out(others=OtherParts(TRAIN, None, LAST), layers=None):  # noqa: B008  # frozen
    predictions = check_predictions(TEST.probabilities, TEST.logits, TEST.y_true, TEST.y_pred, list("abc"), TEST.index)
    return layer_readouts(layers or TEST.layers, predictions, others, confidence=0.95)


def test_a_probe_is_scikit_learns_with_wilsons_interval():
    (row,) = read_out()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(TRAIN.layers["layer"], TRAIN.y_true)
    right = int((model.predict(TEST.layers["layer"]) == TEST.y_true).sum())
    low, high = wilson(right, len(TEST.y_true))
    assert (row.probe_accuracy, row.probe_low, row.probe_high) == pytest.approx((right / 400, low, high), abs=1e-12)
    assert row.model_accuracy == (TEST.y_true == TEST.y_pred).mean()


def test_collapse_is_that_of_the_training_samples_with_the_last_layers_weights():
    (row,) = read_out()
    h, y = TRAIN.layers["layer"], TRAIN.y_true
    means = np.stack([h[y == c].mean(axis=0) for c in range(3)])
    centered = means - means.mean(axis=0)
    within = sum((h[y == c] - means[c]).T @ (h[y == c] - means[c]) for c in range(3)) / len(h)
    between = centered.T @ centered / 3
    assert row.train_nc1 == pytest.approx(np.trace(within @ np.linalg.pinv(between)) / 3, rel=1e-10)
    duality = LAST.weights / np.linalg.norm(LAST.weights) - centered.T / np.linalg.norm(centered)
    assert row.train_nc3 == pytest.approx(np.linalg.norm(duality), rel=1e-10)
    lengths = np.linalg.norm(centered, axis=1)
    assert row.train_nc2_norms == pytest.approx(lengths.std() / lengths.mean(), rel=1e-10)
    nearest = np.linalg.norm(h[:, None] - means, axis=2).argmin(axis=1)
    assert row.train_nc4 == (nearest != TRAIN.y_pred).mean()
    assert row.train_status.is_ok
    assert row.test_nc1 != row.train_nc1


def test_a_layer_without_weights_or_training_samples_says_so():
    (row,) = read_out(OtherParts(TRAIN, None, replace(LAST, layer="another")))
    assert np.isnan(row.train_nc3)
    assert row.train_status.reason is Reason.NO_WEIGHTS
    (row,) = read_out(OtherParts())
    assert row.probe_status.reason is row.train_status.reason is Reason.NOT_RECORDED
    assert np.isfinite(row.test_nc1)


def test_sparse_and_extreme_layers_are_probed():
    h, x = TRAIN.layers["layer"], TEST.layers["layer"]
    plain = probe(h, TRAIN.y_true, x)
    np.testing.assert_array_equal(probe(h * 2.0**600, TRAIN.y_true, x * 2.0**600), plain)
    found = probe(sparse.csr_array(np.maximum(h, 0)), TRAIN.y_true, sparse.csr_array(np.maximum(x, 0)))
    assert (found == TEST.y_true).mean() > 0.5
    assert probe(h, np.zeros(300, int), x).reason is Reason.ONE_CLASS
    assert probe(h[:20], np.arange(20), x).shape == (400,)  # many classes, no warning
