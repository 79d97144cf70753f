"""The results of one layer as rows of the class and test tables, and as the headline."""

from collections.abc import Sequence

import numpy as np

from mlx.core.checks import Floats, Integers
from mlx.residuals.association import Association
from mlx.residuals.layer import Layer
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.tables import STATISTIC_SUFFIXES, Record

Headline = dict[str, float | int | None]

P_METHODS = {
    "pooled": "permutation of entropy",
    "within class": "permutation of entropy within predicted class",
    "class": "permutation of entropy",
}


HEADLINES = (
    ("pearson", "pooled", "pearson"),
    ("pearson_within", "within class", "pearson"),
    ("spearman", "pooled", "spearman"),
)
"""The associations that the headline gives: name, scope and statistic."""


def class_rows(
    layer_name: str,
    layer: Layer,
    y_true: Integers,
    class_names: Sequence[str],
    results: Sequence[Association],
) -> list[Record]:
    """One record a class: how many, how right, how alike, how unsure, and both correlations."""
    rows = []
    for label, name in enumerate(class_names):
        predicted = layer.y_pred == label
        n_predicted, n_correct = int(predicted.sum()), int((predicted & (y_true == label)).sum())
        record: Record = {
            "class": label,
            "name": name,
            "layer": layer_name,
            "n_predicted": n_predicted,
            "n_true": int((y_true == label).sum()),
            "n_correct": n_correct,
            "error_rate": 1 - n_correct / n_predicted if n_predicted else float("nan"),
        }
        similarity = layer.similarity[predicted]
        record |= _moments("similarity", similarity[~np.isnan(similarity)])
        record |= _moments("entropy", layer.entropy[predicted])
        of_class = [result for result in results if result.label == label]
        for result in of_class:
            values = (result.estimate, result.low, result.high, result.p, result.p_holm, result.p_bh)
            record |= dict(zip(_columns(result.statistic), values, strict=True))
        record["status"] = _joint_status(of_class)
        rows.append(record)
    return rows


def _joint_status(results: Sequence[Association]) -> str:
    statuses = {result.statistic: result.status for result in results}
    if len(set(statuses.values())) == 1:
        return results[0].status
    return "; ".join(f"{statistic}: {status}" for statistic, status in statuses.items() if status != "ok")


def _columns(statistic: str) -> list[str]:
    return [statistic + suffix for suffix in STATISTIC_SUFFIXES]


def _moments(name: str, values: Floats) -> Record:
    mean = float(values.mean()) if values.size else float("nan")
    spread = float(values.std(ddof=1)) if values.size > 1 else float("nan")
    return {f"{name}_mean": mean, f"{name}_sd": spread}


def test_rows(
    layer_name: str, results: Sequence[Association], class_names: Sequence[str], settings: ResidualsSettings
) -> list[Record]:
    """One record a test, with everything needed to repeat it."""
    return [
        {
            "name": "similarity and entropy",
            "family": result.family,
            "scope": result.scope,
            "class": "" if result.label is None else class_names[result.label],
            "layer": layer_name,
            "statistic": result.statistic,
            "estimate": result.estimate,
            "low": result.low,
            "high": result.high,
            "confidence": settings.confidence,
            "interval_method": result.interval_method,
            "p": result.p,
            "p_method": "" if np.isnan(result.p) else P_METHODS[result.scope],
            "p_holm": result.p_holm,
            "p_bh": result.p_bh,
            "n": result.n,
            "n_bootstrap": settings.n_bootstrap,
            "n_permutations": settings.n_permutations,
            "seed": settings.seed,
            "status": result.status,
        }
        for result in results
    ]


def headline_of(layer: Layer, results: Sequence[Association]) -> Headline:
    """Few flat JSON scalars, as each becomes a column of ``dvc metrics show``; None where undefined."""
    n_dropped = int((layer.units.norms == 0).sum())
    pooled = next(r for r in results if r.scope == "pooled")
    headline: Headline = {"n": pooled.n, "n_dropped": n_dropped}
    for name, scope, statistic in HEADLINES:
        found = next(r for r in results if (r.scope, r.statistic) == (scope, statistic))
        values = (found.estimate, found.low, found.high, found.p)
        headline |= {f"{name}{end}": _json(v) for end, v in zip(("", "_low", "_high", "_p"), values, strict=True)}
    return headline


def _json(value: float) -> float | None:
    return None if np.isnan(value) else value
