"""Representations and outputs of a classifier, and their analysis."""

import numpy as np
from scipy.special import softmax
from tables_of import analyze_classification

from mlx.residuals import ResidualsSettings

FAST = ResidualsSettings(n_bootstrap=100, n_permutations=99, projections=["pca"])


def classifier(n=240, n_classes=4, n_features=12, seed=0):
    """Return representations whose distance from the class mean makes their prediction unsure."""
    generator = np.random.default_rng(seed)
    y_true = generator.integers(n_classes, size=n)
    means = 2 * np.eye(n_classes, n_features)
    representation = (means[y_true] + 0.9 * generator.normal(size=(n, n_features))).astype(np.float32)
    return representation, (2 * representation @ means.T).astype(np.float32), y_true


def analyze(representation, logits, y_true, *, layers=None, **changes):
    """Analyze, with probabilities that follow from the logits; ``changes`` replace any argument."""
    probabilities = softmax(logits.astype(float), axis=1)
    arguments = {
        "logits": logits,
        "probabilities": probabilities,
        "y_true": y_true,
        "y_pred": logits.argmax(axis=1),
        "class_names": [f"class {k}" for k in range(logits.shape[1])],
        "index": np.arange(len(logits)) + 1000,
        "settings": FAST,
    } | changes
    result = analyze_classification(layers or {"penultimate": representation}, **arguments)
    check_that_nothing_is_missing_in_silence(result)
    return result


def check_that_nothing_is_missing_in_silence(result):
    """Every estimate that is missing has a reason, and nothing is infinite."""
    for table in (result.tests, result.factors):
        assert (table["status"] != "").all()
        assert (table["status"] != "ok")[table["estimate"].isna()].all()
        assert (table["p_method"] != "").eq(table["p"].notna()).all()
        assert (table["method"] != "").eq(table["low"].notna()).all()
    tests = result.tests
    assert tests["confidence"].isna()[tests["low"].isna()].all()
    assert tests["p_holm"].notna().eq(tests["p"].notna()).all()
    for table in (result.samples, result.classes, result.tests, result.factors, result.slices, result.risk_coverage):
        # 1/p − 1 of the true class is beyond the largest number where its logit is 710 below the largest.
        numbers = table.select_dtypes("number").drop(columns=["residual_pearson", "excess_surprise_z"], errors="ignore")
        assert not np.isinf(numbers.to_numpy(dtype=float)).any()
    samples = result.samples
    for status in samples.filter(regex=r"^status").columns:
        ok = samples[status] == "ok"
        assert samples.filter(regex=rf"^(similarity|margin|silhouette).*{status[6:]}$")[ok].notna().all().all()


def correlations(result):
    """The tests of similarity against entropy over samples."""
    return result.tests[result.tests["name"] == "similarity and entropy"]
