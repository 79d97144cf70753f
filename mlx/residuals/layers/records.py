"""The results of one layer as rows of the class and test tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mlx.core.array_types import Floats, Integers
from mlx.residuals.association.correlations import Association
from mlx.residuals.association.layer import Layer
from mlx.residuals.findings import Finding
from mlx.residuals.pairs.mantel import MantelTest
from mlx.residuals.pairs.pair_correlations import PairCorrelation
from mlx.residuals.pairs.pair_spearman import PairSpearman
from mlx.residuals.settings import ResidualsSettings
from mlx.residuals.tables import STATISTIC_SUFFIXES, Record
from mlx.stats.multiple_testing import benjamini_hochberg, holm

NAN = float("nan")

P_METHODS = {
    "pooled": "permutation of entropy",
    "within class": "permutation of entropy within predicted class",
    "class": "permutation of entropy",
}

MANTEL_METHODS = {
    "all pairs": "Mantel: permutation of entropy",
    "same class": "Mantel: permutation of entropy within predicted class",
    "within class": "Mantel: permutation of entropy within predicted class",
    "class": "Mantel: permutation of entropy",
}


def class_rows(
    layer_name: str, layer: Layer, y_true: Integers, class_names: Sequence[str], tests: Sequence[Record]
) -> list[Record]:
    """One record a class: how many, how right, how alike, how unsure, and both correlations from ``tests``.

    A class is found by its label: names are for people, and two may be the same.
    """
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
            "error_rate": 1 - n_correct / n_predicted if n_predicted else NAN,
        }
        similarity = layer.similarity[predicted]
        record |= _moments("similarity", similarity[~np.isnan(similarity)])
        record |= _moments("entropy", layer.entropy[predicted])
        of_class = [test for test in tests if (test["scope"], test["label"]) == ("class", label)]
        for test in of_class:
            values = (test[column] for column in ("estimate", "low", "high", "p", "p_holm", "p_bh"))
            record |= dict(zip((test["statistic"] + suffix for suffix in STATISTIC_SUFFIXES), values, strict=True))
        record["status"] = _joint_status(of_class)
        rows.append(record)
    return rows


def _joint_status(tests: Sequence[Record]) -> str:
    statuses = {test["statistic"]: test["status"] for test in tests}
    if len(set(statuses.values())) == 1:
        return str(tests[0]["status"])
    return "; ".join(f"{statistic}: {status}" for statistic, status in statuses.items() if status != "ok")


def _moments(name: str, values: Floats) -> Record:
    mean = float(values.mean()) if values.size else NAN
    spread = float(values.std(ddof=1)) if values.size > 1 else NAN
    return {f"{name}_mean": mean, f"{name}_sd": spread}


def test_row(name: str, statistic: str, status: str, **values: Any) -> Record:
    """One record of the test table; what ``values`` doesn't say is empty, missing or 0.

    Its ``label`` is that of the class that it is about, if any; the table has the name alone.
    """
    record: Record = {"name": name, "family": "", "scope": "", "class": "", "layer": "", "statistic": statistic}
    record["label"] = None
    record |= dict.fromkeys(("estimate", "low", "high", "confidence", "p", "p_holm", "p_bh", "effective_pairs"), NAN)
    record |= {"method": "", "p_method": "", "n": 0, "n_pairs": 0, "B": 0, "seed": 0, "status": status}
    assert values.keys() <= record.keys(), values.keys() - record.keys()
    record |= values
    record["p_method"] = "" if np.isnan(record["p"]) else record["p_method"]
    if np.isnan(record["low"]):
        record["method"], record["confidence"] = "", NAN
    return record


def association_rows(
    layer_name: str, results: Sequence[Association], class_names: Sequence[str], settings: ResidualsSettings
) -> list[Record]:
    """One record a correlation of similarity with entropy over samples."""
    return [
        test_row(
            "similarity and entropy",
            result.statistic,
            result.status,
            family=result.family,
            scope=result.scope,
            layer=layer_name,
            estimate=result.estimate,
            low=result.low,
            high=result.high,
            confidence=settings.confidence,
            method=result.interval_method,
            p=result.p,
            p_method=P_METHODS[result.scope],
            n=result.n,
            B=settings.n_permutations,
            seed=settings.seed,
            label=result.label,
            **{"class": "" if result.label is None else class_names[result.label]},
        )
        for result in results
    ]


def pair_rows(
    layer_name: str,
    correlations: Sequence[PairCorrelation],
    tests: Sequence[MantelTest],
    class_names: Sequence[str],
    settings: ResidualsSettings,
) -> list[Record]:
    """One record a correlation over pairs, which describes, with its Mantel test where one was made."""
    made = {(test.scope, test.label, test.statistic): test for test in tests}
    rows = []
    for found in correlations:
        test = made.get((found.scope, found.label, found.statistic))
        rows.append(
            test_row(
                "similarity and entropy over pairs",
                found.statistic,
                found.status,
                family=f"{found.statistic} over pairs, {'per class' if found.scope == 'class' else found.scope}",
                scope=found.scope,
                layer=layer_name,
                estimate=found.estimate,
                p=NAN if test is None else test.p,
                p_method=MANTEL_METHODS[found.scope],
                n=found.n,
                n_pairs=found.n_pairs,
                effective_pairs=found.effective_pairs if np.isfinite(found.effective_pairs) else NAN,
                B=0 if test is None else test.n_permutations,
                seed=settings.seed,
                label=found.label,
                **{"class": "" if found.label is None else class_names[found.label]},
            )
        )
    return rows


def ranked_pair_row(layer_name: str, found: PairSpearman) -> Record:
    """One record of a Spearman correlation over pairs; its bound stands where others have an interval."""
    approximate = found.status == "ok" and found.bound > 0
    low, high = (max(-1.0, found.estimate - found.bound), min(1.0, found.estimate + found.bound))
    return test_row(
        "ranks of similarity and entropy over pairs",
        found.statistic,
        found.status,
        scope="all pairs",
        layer=layer_name,
        estimate=found.estimate,
        low=low if approximate else NAN,
        high=high if approximate else NAN,
        method="bound of what binning ranks can change; no confidence interval",
        n=found.n,
        n_pairs=found.n_pairs,
    )


def finding_row(found: Finding, family: str, scope: str, layer_name: str, settings: ResidualsSettings) -> Record:
    """One record of anything that came back as a `Finding`."""
    return test_row(
        found.name,
        found.statistic,
        found.status,
        family=family,
        scope=scope,
        layer=layer_name,
        estimate=found.estimate,
        low=found.low,
        high=found.high,
        confidence=settings.confidence,
        method=found.interval_method,
        p=found.p,
        p_method=found.p_method,
        p_holm=found.p_holm,
        p_bh=found.p_bh,
        n=found.n,
        B=0 if np.isnan(found.p) else settings.n_permutations,
        seed=settings.seed,
    )


def adjust(rows: Sequence[Record]) -> None:
    """Fill in the p-values adjusted within each family, by Holm and by Benjamini–Hochberg."""
    families: dict[str, list[Record]] = {}
    for row in rows:
        families.setdefault(row["family"], []).append(row)
    for family in families.values():
        p = np.array([row["p"] for row in family])
        for row, by_holm, by_bh in zip(family, holm(p), benjamini_hochberg(p), strict=True):
            row["p_holm"], row["p_bh"] = float(by_holm), float(by_bh)
