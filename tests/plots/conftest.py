"""Made-up but plausible results of experiments, for every test of pictures and page."""

import numpy as np
import pandas as pd
import pytest

from mlx.plots.inputs import ReportInputs, choose_cards, choose_grid
from mlx.plots.settings import ReportSettings

SHAPES = ("circle", "square", "triangle", "star", "cross")
STATISTICS = [f"{s}{end}" for s in ("pearson", "spearman") for end in ("", "_low", "_high", "_p", "_p_holm")]


@pytest.fixture(scope="session")
def classification():
    """Build the ReportInputs of a classification with any names, sizes and quirks."""
    return make_classification


@pytest.fixture(scope="session")
def regression():
    return make_regression


def make_classification(n=300, names=SHAPES, *, images=True, perfect=False, seed=3, unpredicted=None) -> ReportInputs:
    rng = np.random.default_rng(seed)
    K = len(names)
    y = rng.integers(0, K, n)
    p, difficulty = _probabilities(y, K, rng, perfect=perfect, unpredicted=unpredicted)
    samples = _samples(y, p, difficulty, rng)
    confusion = np.zeros((K, K), int)
    np.add.at(confusion, (y, p.argmax(1)), 1)
    groups, rows = choose_cards(samples, ReportSettings())
    X = make_images(y, rng) if images else rng.normal(size=(n, 6)) + 2 * np.eye(6)[y % 6]
    grid = choose_grid(y, task="classification", images=images, settings=ReportSettings())
    accuracy = float((y == p.argmax(1)).mean())
    pooled = _correlations(samples)
    return ReportInputs(
        name="shapes with a small cnn",
        description="Five filled shapes at random positions, sizes and rotations.",
        task="classification",
        class_names=tuple(names),
        history=make_history(18),
        training={"epochs": 18, "best_epoch": 13, "seconds": 41.2},
        evaluation={
            "n": n,
            "accuracy": accuracy,
            "accuracy_low": accuracy - 0.024,
            "accuracy_high": min(1.0, accuracy + 0.024),
            "log_loss": 0.2789,
            "roc_auc": None,
            "ece": 0.0412,
        },
        residuals={key: value for key, value in pooled.items() if key != "status"},
        samples=samples,
        classes=_classes(samples, names),
        tests=pd.DataFrame(
            [{"name": "similarity and entropy", "scope": "pooled", "class": np.nan, "statistic": "pearson"}
             | {"estimate": pooled["pearson"], "confidence": 0.95, "p": 0.001, "n": n, "status": "ok"}]
        ),
        pooled=pooled,
        confusion=confusion,
        roc=_roc(y, p),
        reliability=_reliability(samples),
        grid_inputs=X[grid],
        grid_targets=y[grid],
        card_rows=rows if images else None,
        card_groups=groups if images else (),
        card_images=X[rows] if images else None,
    )  # fmt: skip


def make_regression(n=200, seed=1) -> ReportInputs:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    fitted = X @ rng.normal(size=8) * 10 + 50
    residual = rng.standard_t(4, n) * 5
    samples = {"index": np.arange(n), "y_true": fitted + residual, "y_pred": fitted, "residual": residual}
    return ReportInputs(
        name="synthetic regression",
        task="regression",
        history=pd.DataFrame({"epoch": [1], "loss": [31.2], "val_loss": [36.9]}),
        evaluation={"n": n, "rmse": 6.1234, "mae": 4.7, "r2": 0.953},
        residuals={"residual_mean": float(residual.mean())},
        samples=pd.DataFrame(samples),
        grid_inputs=X,
        grid_targets=fitted + residual,
    )


def make_images(y, rng, size=32):
    axis = np.linspace(-1, 1, size)
    u, v = np.meshgrid(axis, axis)
    images = np.empty((len(y), size, size, 1))
    for k, label in enumerate(y):
        a, b = u - rng.uniform(-0.3, 0.3), v - rng.uniform(-0.3, 0.3)
        angle = np.arctan2(b, a) + rng.uniform(0, 2 * np.pi)
        edge = rng.uniform(0.4, 0.7) * (1 - 0.35 * np.cos((label + 2) * angle) * (label > 0))
        filled = rng.uniform(0.4, 1) / (1 + np.exp((np.hypot(a, b) - edge) * 20))
        images[k, ..., 0] = filled + rng.normal(0, 0.12, u.shape)
    return (np.clip(images, 0, 1) * 255).astype(np.uint8)


def make_history(n):
    e = np.arange(1, n + 1)
    wiggle = np.random.default_rng(0).normal(0, 0.02, (2, n))
    return pd.DataFrame(
        {
            "epoch": e,
            "loss": 1.6 * np.exp(-e / 4) + 0.12,
            "accuracy": 1 - 0.75 * np.exp(-e / 4),
            "val_loss": 1.5 * np.exp(-e / 4) + 0.25 + 0.012 * np.maximum(e - 12, 0) + wiggle[0],
            "val_accuracy": 0.92 - 0.68 * np.exp(-e / 4) + wiggle[1] / 2,
            "learning_rate": 0.001,
        }
    )


def _probabilities(y, K, rng, *, perfect, unpredicted):
    n = len(y)
    difficulty = rng.beta(1.2, 4.5, n)
    logits = rng.normal(0, 0.6, (n, K)) + 6.5 * (1 - 1.35 * difficulty)[:, None] * np.eye(K)[y]
    logits += 3.5 * difficulty[:, None] * np.eye(K)[(y + rng.integers(1, min(K, 3), n)) % K]
    if perfect:
        logits[np.arange(n), y] += 20
    if unpredicted is not None:
        logits[:, unpredicted] = -30
    p = np.exp(logits - logits.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True), difficulty


def _samples(y, p, difficulty, rng):
    n, K = p.shape
    entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(1)
    near = 0.88 - 0.35 * difficulty - 0.12 * entropy / np.log(K) + rng.normal(0, 0.05, n)
    return pd.DataFrame(
        {
            "index": np.arange(n),
            "y_true": y,
            "y_pred": p.argmax(1),
            "correct": y == p.argmax(1),
            "confidence": p.max(1),
            "entropy": entropy,
            "similarity": np.clip(near, -1, 1),
        }
    )


def _classes(samples, names):
    rows = []
    for k, name in enumerate(names):
        own = samples[samples.y_pred == k]
        counts = {"n_predicted": len(own), "n_true": int((samples.y_true == k).sum())}
        means = {"similarity_mean": own.similarity.mean(), "entropy_mean": own.entropy.mean()}
        rows.append({"class": k, "name": name, "layer": "penultimate"} | counts | means | _correlations(own))
    return pd.DataFrame(rows)


def _correlations(own):
    unknown = dict.fromkeys(STATISTICS, np.nan)
    if len(own) < 4 or own.entropy.nunique() < 2:
        return unknown | {"status": "too_few" if len(own) else "never predicted"}
    r = np.corrcoef(own.similarity, own.entropy)[0, 1]
    half = 1.96 / np.sqrt(max(len(own) - 3, 1))
    return unknown | {
        "pearson": r,
        "pearson_low": np.tanh(np.arctanh(r) - half),
        "pearson_high": np.tanh(np.arctanh(r) + half),
        "pearson_p": 0.001,
        "pearson_p_holm": 0.005,
        "spearman": own[["similarity", "entropy"]].rank().corr().iloc[0, 1],
        "status": "ok",
    }


def _roc(y, p):
    parts = []
    for k in range(p.shape[1]):
        hit = (y == k)[np.argsort(-p[:, k], kind="stable")]
        if hit.any() and not hit.all():
            false, true = (
                np.append(0, np.cumsum(~hit) / (~hit).sum()),
                np.append(0, np.cumsum(hit) / hit.sum()),
            )
            parts.append(pd.DataFrame({"class": k, "false_positive_rate": false, "true_positive_rate": true}))
    return pd.concat(parts, ignore_index=True) if parts else None


def _reliability(samples, n_bins=10):
    edges = np.linspace(0, 1, n_bins + 1)
    bins = np.clip(np.searchsorted(edges, samples.confidence) - 1, 0, n_bins - 1)
    grouped = samples.groupby(bins)
    table = pd.DataFrame({"bin": np.arange(n_bins), "lower": edges[:-1], "upper": edges[1:]})
    table["count"] = grouped.size().reindex(range(n_bins), fill_value=0)
    table["confidence"] = grouped.confidence.mean().reindex(range(n_bins))
    table["accuracy"] = grouped.correct.mean().reindex(range(n_bins))
    return table
