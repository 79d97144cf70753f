"""Made-up but plausible results of an experiment, for every test of pictures and page."""

import numpy as np
import pandas as pd
import pytest

from mlx.plots.inputs import ReportInputs, choose_cards, choose_grid
from mlx.plots.settings import ReportSettings

SHAPES = ("circle", "square", "triangle", "star", "cross")


def correlations(samples, label):
    own = samples[samples.y_pred == label] if label is not None else samples
    own = own.dropna(subset=["similarity", "entropy"])
    none = dict.fromkeys(
        f"{s}{end}" for s in ("pearson", "spearman") for end in ("", "_low", "_high", "_p", "_p_holm")
    )
    none = {key: np.nan for key in none}
    if len(own) < 4 or own.entropy.nunique() < 2:
        return none | {
            "status": "never predicted" if not len(own) else "too_few" if len(own) < 4 else "constant_entropy"
        }
    r = np.corrcoef(own.similarity, own.entropy)[0, 1]
    rho = own[["similarity", "entropy"]].rank().corr().iloc[0, 1]
    half = 1.96 / np.sqrt(max(len(own) - 3, 1))
    return none | {
        "pearson": r, "pearson_low": np.tanh(np.arctanh(r) - half), "pearson_high": np.tanh(np.arctanh(r) + half),
        "pearson_p": 0.001, "pearson_p_holm": 0.005, "spearman": rho, "status": "ok",
    }  # fmt: skip


def classification(n=300, names=SHAPES, *, images=True, perfect=False, seed=3, unpredicted=None):
    rng = np.random.default_rng(seed)
    K = len(names)
    y = rng.integers(0, K, n)
    difficulty = rng.beta(1.2, 4.5, n)
    logits = rng.normal(0, 0.6, (n, K)) + 6.5 * (1 - 1.35 * difficulty)[:, None] * np.eye(K)[y]
    logits += 3.5 * difficulty[:, None] * np.eye(K)[(y + rng.integers(1, min(K, 3), n)) % K]
    if perfect:
        logits[np.arange(n), y] += 20
    if unpredicted is not None:
        logits[:, unpredicted] = -30
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    pred = p.argmax(1)
    entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(1)
    similarity = np.clip(
        0.88 - 0.35 * difficulty - 0.12 * entropy / np.log(K) + rng.normal(0, 0.05, n), -1, 1
    )
    samples = pd.DataFrame({
        "index": np.arange(n), "y_true": y, "y_pred": pred, "correct": y == pred, "confidence": p.max(1),
        "entropy": entropy, "entropy_normalised": entropy / np.log(K), "similarity": similarity,
    })  # fmt: skip
    confusion = np.zeros((K, K), int)
    np.add.at(confusion, (y, pred), 1)
    classes = pd.DataFrame([
        {"class": k, "name": names[k], "layer": "penultimate", "n_predicted": int((pred == k).sum()),
         "n_true": int((y == k).sum()), "error_rate": float((pred != y)[pred == k].mean()) if (pred == k).any() else np.nan,
         "similarity_mean": samples.similarity[pred == k].mean(), "entropy_mean": samples.entropy[pred == k].mean()}
        | correlations(samples, k) for k in range(K)
    ])  # fmt: skip
    settings = ReportSettings()
    groups, rows = choose_cards(samples, settings)
    X = shapes(y, rng) if images else rng.normal(size=(n, 6)) + 2 * np.eye(6)[y % 6] + np.eye(6)[y // 6 % 6]
    grid = choose_grid(y, task="classification", images=images, settings=settings)
    accuracy = float((y == pred).mean())
    half = 1.96 * np.sqrt(accuracy * (1 - accuracy) / n)
    pooled = correlations(samples, None)
    return ReportInputs(
        name="shapes with a small cnn",
        description="Five filled shapes at random positions, sizes and rotations.",
        task="classification",
        class_names=tuple(names),
        history=history(18),
        training={"epochs": 18, "best_epoch": 12, "seconds": 41.2},
        evaluation={"n": n, "accuracy": accuracy, "accuracy_low": accuracy - half, "accuracy_high": accuracy + half,
                    "balanced_accuracy": accuracy - 0.01, "log_loss": 0.2789, "brier": 0.132, "ece": 0.0412},
        residuals={k: v for k, v in pooled.items() if k != "status"},
        samples=samples,
        classes=classes,
        tests=pd.DataFrame([{"name": "similarity ~ entropy", "scope": "pooled", "statistic": "pearson",
                             "estimate": pooled["pearson"], "low": pooled["pearson_low"], "high": pooled["pearson_high"],
                             "p": 0.001, "p_method": "permutation within class", "n": n, "status": "ok"}]),
        pooled=pooled,
        confusion=confusion,
        roc=roc(y, p),
        reliability=reliability(samples),
        grid_inputs=X[grid],
        grid_targets=y[grid],
        card_rows=rows if images else None,
        card_groups=groups if images else (),
        card_images=X[rows] if images else None,
    )  # fmt: skip


def shapes(y, rng, size=32):
    axis = np.linspace(-1, 1, size)
    u, v = np.meshgrid(axis, axis)
    images = np.empty((len(y), size, size, 1), np.float32)
    for k, label in enumerate(y):
        a, b = u - rng.uniform(-0.3, 0.3), v - rng.uniform(-0.3, 0.3)
        turn = rng.uniform(0, 2 * np.pi)
        radius, angle = np.hypot(a, b), np.arctan2(b, a) + turn
        edge = rng.uniform(0.4, 0.7) * (1 - 0.35 * np.cos((label + 2) * angle) * (label > 0))
        images[k, ..., 0] = rng.uniform(0.4, 1) / (1 + np.exp((radius - edge) * 20)) + rng.normal(
            0, 0.12, u.shape
        )
    return (np.clip(images, 0, 1) * 255).astype(np.uint8)


def history(n):
    e = np.arange(1, n + 1)
    rng = np.random.default_rng(0)
    return pd.DataFrame({
        "epoch": e, "loss": 1.6 * np.exp(-e / 4) + 0.12, "accuracy": 1 - 0.75 * np.exp(-e / 4),
        "val_loss": 1.5 * np.exp(-e / 4) + 0.25 + 0.012 * np.maximum(e - 12, 0) + rng.normal(0, 0.02, n),
        "val_accuracy": 0.92 - 0.68 * np.exp(-e / 4) + rng.normal(0, 0.01, n), "learning_rate": 0.001,
    })  # fmt: skip


def roc(y, p):
    parts = []
    for k in range(p.shape[1]):
        order = np.argsort(-p[:, k], kind="stable")
        hit = (y == k)[order]
        if hit.any():
            parts.append(pd.DataFrame({
                "class": k, "false_positive_rate": np.append(0, np.cumsum(~hit) / max((~hit).sum(), 1)),
                "true_positive_rate": np.append(0, np.cumsum(hit) / hit.sum())}))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def reliability(samples, n_bins=10):
    b = np.clip(np.ceil(samples.confidence * n_bins).astype(int) - 1, 0, n_bins - 1)
    g = samples.groupby(b)
    table = pd.DataFrame(
        {
            "bin": np.arange(n_bins),
            "lower": np.arange(n_bins) / n_bins,
            "upper": np.arange(1, n_bins + 1) / n_bins,
        }
    )
    table["count"] = g.size().reindex(range(n_bins), fill_value=0)
    table["confidence"], table["accuracy"] = (
        g.confidence.mean().reindex(range(n_bins)),
        g.correct.mean().reindex(range(n_bins)),
    )
    return table


def regression(n=200, seed=1):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    fitted = X @ rng.normal(size=8) * 10 + 50
    residual = rng.standard_t(4, n) * 5
    return ReportInputs(
        name="synthetic regression", task="regression", history=pd.DataFrame({"epoch": [1], "loss": [31.2], "val_loss": [36.9]}),
        evaluation={"n": n, "rmse": 6.1234, "mae": 4.7, "r2": 0.953},
        samples=pd.DataFrame({"index": np.arange(n), "y_true": fitted + residual, "y_pred": fitted, "residual": residual}),
        grid_inputs=X, grid_targets=fitted + residual,
    )  # fmt: skip
