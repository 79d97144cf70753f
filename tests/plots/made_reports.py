"""Made-up but plausible reports, for every test of figures and page."""

from dataclasses import MISSING, fields, replace

import numpy as np
import pandas as pd

from mlx.evaluation import EvaluationSettings, evaluate_classification, evaluate_regression
from mlx.plots.report.inputs import (
    ClassificationReport,
    Provenance,
    RawSamples,
    RegressionReport,
    Training,
)
from mlx.plots.settings import ReportSettings
from mlx.results.classification_residuals import ClassificationResiduals, ClassSummary, TemperaturePoint
from mlx.results.metrics import Estimate
from mlx.results.questions import Question, Scope
from mlx.results.regression_residuals import RegressionResiduals, RegressionSamples
from mlx.results.regression_summary import RegressionSummary
from mlx.results.sample_scores import LayerSamples, SampleScores
from mlx.results.tests import TestResult
from mlx.stats.interval import Interval
from mlx.stats.status import OK, ClassStatus, Reason

SHAPES = ("circle", "square", "triangle", "star", "cross")


def make_classification(
    n=300, names=SHAPES, *, images=True, perfect=False, seed=3, unpredicted=None
) -> ClassificationReport:
    rng = np.random.default_rng(seed)
    K = len(names)
    y = rng.integers(0, K, n)
    p, difficulty = _probabilities(y, K, rng, perfect=perfect, unpredicted=unpredicted)
    samples = _samples(y, p, difficulty, rng)
    return ClassificationReport(
        provenance=Provenance(
            name="shapes with a small cnn",
            description="Five filled shapes at random positions, sizes and rotations.",
        ),
        training=Training(history=make_history(18), metrics={"epochs": 18, "best_epoch": 13, "seconds": 41.2}),
        raw=RawSamples(
            inputs=make_images(y, rng) if images else rng.normal(size=(n, 6)) + 2 * np.eye(6)[y % 6], targets=y
        ),
        settings=ReportSettings(dpi=50),
        class_names=tuple(names),
        evaluation=evaluate_classification(
            y, p.argmax(axis=1), p, class_names=names, settings=EvaluationSettings(n_bootstrap=100)
        ),
        residuals=_residuals(samples, names),
    )


def _residuals(samples, names) -> ClassificationResiduals:
    n = len(samples)
    overview = np.full(n, -1)
    shown = np.argsort(samples.y_pred.to_numpy(), kind="stable")[:20]
    overview[shown] = np.arange(len(shown))
    return ClassificationResiduals(
        samples=filled(SampleScores, n, **{name: samples[name].to_numpy() for name in samples if name != "similarity"}),
        layers={LAYER: filled(LayerSamples, n, similarity=samples.similarity.to_numpy(), overview=overview)},
        sample_factors={},
        classes=tuple(_classes(samples, names)),
        tests=tuple(correlations(**_pooled(samples))),
        factors=(),
        slices=(),
        risk_coverage=(),
        temperature=tuple(TemperaturePoint(2.0**k, 1 + k**2, 0.5, 0.4, 0.6 + k / 10, 0.8) for k in range(-3, 4)),
        similarity=(),
        matrices={f"{LAYER}.overview.npy": np.eye(len(shown))},
        headline={"n": n, "confidence": 0.95},
    )


LAYER = "penultimate"


def filled(kind, n, **known):
    """An instance of a type of columns; those that are not known are NaN, or None where they may be."""
    missing = {field.name: np.full(n, np.nan) for field in fields(kind) if field.default is MISSING}
    return kind(**missing | known)


def with_samples(report, **columns):
    """The report with other columns in its table of samples."""
    scores = {field.name for field in fields(SampleScores)}
    columns = {name: np.broadcast_to(values, len(report.samples)) for name, values in columns.items()}
    layer = {name: values for name, values in columns.items() if name not in scores}
    of_all = {name: values for name, values in columns.items() if name in scores}
    layers = {name: replace(places, **layer) for name, places in report.residuals.layers.items()}
    return with_residuals(report, samples=replace(report.residuals.samples, **of_all), layers=layers)


def with_residuals(report, **changed):
    return replace(report, residuals=replace(report.residuals, **changed))


def with_evaluation(report, **changed):
    return replace(report, evaluation=replace(report.evaluation, **changed))


def with_metrics(report, **changed):
    return with_evaluation(report, metrics=replace(report.evaluation.metrics, **changed))


def estimate(value, low=np.nan, high=np.nan, level=0.95, why=OK):
    return Estimate(value, Interval(low, high, level, why_missing=why))


def correlations(**known):
    """The tests of similarity and entropy over all samples and within class, of both statistics."""
    for scope in (Scope.POOLED, Scope.WITHIN_CLASS):
        shared = {"question": Question.SIMILARITY_ENTROPY, "scope": scope, "layer": LAYER, "confidence": 0.95}
        yield TestResult(**shared, statistic="pearson", **known)
        yield TestResult(**shared, statistic="spearman", estimate=known.get("estimate", np.nan))


def make_regression(n=200, seed=1) -> RegressionReport:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 8))
    fitted = X @ rng.normal(size=8) * 10 + 50
    residual = rng.standard_t(4, n) * 5
    known = {"index": np.arange(n), "y_true": fitted + residual, "y_pred": fitted, "residual": residual}
    return RegressionReport(
        provenance=Provenance(name="synthetic regression"),
        training=Training(history=pd.DataFrame({"epoch": [1], "loss": [31.2], "val_loss": [36.9]})),
        raw=RawSamples(inputs=X, targets=fitted + residual),
        settings=ReportSettings(dpi=50),
        evaluation=evaluate_regression(fitted + residual, fitted, settings=EvaluationSettings()),
        residuals=RegressionResiduals(
            samples=filled(RegressionSamples, n, **known),
            coefficients=(),
            summary=RegressionSummary(n=n, confidence=0.95, residual_mean=float(residual.mean())),
        ),
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
    logits += 3.5 * difficulty[:, None] * np.eye(K)[(y + rng.integers(1, max(2, min(K, 3)), n)) % K]
    if perfect:
        logits[np.arange(n), y] += 20
    if unpredicted is not None:
        logits[:, unpredicted] = -30
    p = np.exp(logits - logits.max(1, keepdims=True))
    return p / p.sum(1, keepdims=True), difficulty


def _samples(y, p, difficulty, rng):
    n, K = p.shape
    entropy = -(p * np.log(np.maximum(p, 1e-300))).sum(1)
    near = 0.88 - 0.35 * difficulty - 0.12 * entropy / np.log(max(K, 2)) + rng.normal(0, 0.05, n)
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
    for k, name in enumerate(names):
        own = samples[samples.y_pred == k]
        hits = int(own.correct.sum())
        yield ClassSummary(
            label=k, name=name, layer=LAYER, n_predicted=len(own), n_true=int((samples.y_true == k).sum()),
            n_correct=hits, similarity_mean=own.similarity.mean(), entropy_mean=own.entropy.mean(), **_of_class(own),
        )  # fmt: skip


def _of_class(own):
    if len(own) < 4 or own.entropy.nunique() < 2:
        status = Reason.TOO_FEW_SAMPLES(4) if len(own) else Reason.NEVER_PREDICTED()
        return {"status": ClassStatus(status, status)}
    pooled = _pooled(own)
    return {
        "pearson": pooled["estimate"],
        "pearson_low": pooled["low"],
        "pearson_high": pooled["high"],
        "pearson_p": 0.001,
        "pearson_p_holm": 0.005,
        "spearman": own[["similarity", "entropy"]].rank().corr().iloc[0, 1],
        "status": ClassStatus(OK, OK),
    }


def _pooled(own):
    if len(own) < 4 or own.entropy.nunique() < 2:
        return {"n": len(own), "status": Reason.TOO_FEW_SAMPLES(4)}
    r = np.corrcoef(own.similarity, own.entropy)[0, 1]
    low, high = np.tanh(np.arctanh(r) + np.array([-1.96, 1.96]) / np.sqrt(len(own) - 3))
    return {"estimate": r, "low": low, "high": high, "p": 0.001, "n": len(own)}
