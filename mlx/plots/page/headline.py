"""The sentences at the top of a report: the numbers that matter, with intervals, in plain language."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mlx.plots.inputs import ReportInputs
from mlx.plots.text import (
    fixed,
    level_text,
    number,
    p_text,
    percent,
    plural,
    readable,
    significant,
    status_text,
    thousands,
    with_interval,
)

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True)
class Headline:
    """One number: what it is, how it reads, its interval or why there is none (may be empty), and what it says."""

    label: str
    value: str
    interval: str
    sentence: str


def headlines(inputs: ReportInputs) -> list[Headline]:
    """Build the headlines that `inputs` has the numbers for, at most six."""
    if inputs.task == "regression":
        return _regression(inputs)
    detected = [_detection(inputs, *detector) for detector in DETECTORS]
    entropy = [detected[0] or _entropy(inputs), detected[1]]
    found = [_accuracy(inputs), *entropy, _correlation(inputs), _calibration(inputs), _slice(inputs)]
    return [headline for headline in found if headline is not None]


def interval(
    metrics: Mapping[str, Any], key: str, write: Callable[[float], str] = fixed, *, level: float = 0.95
) -> str:
    """``95 % interval 0.87 to 0.95``, as `write` writes numbers; empty where an end is unknown."""
    low, high = number(metrics, f"{key}_low"), number(metrics, f"{key}_high")
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{level_text(level)} interval {write(low)} to {write(high)}"


def _bounds(inputs: ReportInputs, key: str, write: Callable[[float], str]) -> str:
    """Return the interval of a metric of the evaluation, at its level, or why there is none."""
    found = interval(inputs.evaluation, key, write, level=inputs.evaluation_confidence)
    return found or status_text(str(inputs.evaluation.get(f"{key}_status", "")))


def _accuracy(inputs: ReportInputs) -> Headline | None:
    correct = inputs.samples["correct"].to_numpy(bool)
    n, wrong = len(correct), int((~correct).sum())
    if not n:
        return None
    value = number(inputs.evaluation, "accuracy")
    value = float(correct.mean()) if math.isnan(value) else value
    verb = "is" if wrong == 1 else "are"
    sentence = f"{thousands(wrong)} of {plural(n, 'test sample')} {verb} predicted wrongly."
    return Headline("Accuracy", percent(value), _bounds(inputs, "accuracy", percent), sentence)


def _calibration(inputs: ReportInputs) -> Headline | None:
    error = number(inputs.evaluation, "ece")
    confidence = inputs.samples["confidence"].mean() if "confidence" in inputs.samples else math.nan
    if math.isnan(error) or math.isnan(confidence):
        return None
    accuracy = float(inputs.samples["correct"].mean())
    sentence = f"The model is {percent(confidence)} confident on average and right in {percent(accuracy)} of cases."
    expected = number(inputs.evaluation, "ece_if_calibrated")
    if math.isfinite(expected):
        sentence += f" A calibrated model would show {percent(expected)} with this many samples."
    return Headline("Calibration error", percent(error), _bounds(inputs, "ece", percent), sentence)


def _entropy(inputs: ReportInputs) -> Headline | None:
    samples = inputs.samples
    correct = samples["correct"].to_numpy(bool)
    entropy = samples["entropy"].to_numpy(float)
    right, wrong = (entropy[part & np.isfinite(entropy)] for part in (correct, ~correct))
    if not len(right) or not len(wrong):
        return None
    medians = float(np.median(wrong)), float(np.median(right))
    sentence = (
        f"Median entropy of these wrong predictions, against {significant(medians[1], 2)} nats of the correct ones; "
        f"{CLAIMS_NOTHING}."
    )
    return Headline("Entropy when wrong", f"{significant(medians[0], 2)} nats", "", sentence)


CLAIMS_NOTHING = "without an interval it shows nothing beyond them"

GUESSING = 0.5
DETECTORS = (("error by entropy", "Entropy"), ("error by low similarity", "Low similarity"))
"""Name of a test, and what it asks of."""


def _detection(inputs: ReportInputs, name: str, score: str) -> Headline | None:
    tests = inputs.tests
    if tests is None or not {"name", "statistic", "estimate", "low", "high"} <= set(tests):
        return None
    rows = tests[(tests["name"] == name) & (tests["statistic"] == "auroc") & tests["estimate"].notna()]
    if "family" in rows:  # a factor of the samples may have the name of a score
        rows = rows[~rows["family"].fillna("").str.endswith(" by factor")]
    if not len(rows):
        return None
    row = {str(key): value for key, value in rows.iloc[0].items()}
    estimate, low, high = (number(row, key) for key in ("estimate", "low", "high"))
    found = {"auroc": estimate, "auroc_low": low, "auroc_high": high}
    bounds = interval(found, "auroc", level=inputs.confidence) or status_text(str(row.get("status", "")))
    area, other = f"AUROC {with_interval(estimate, low, high)}", f"{score} and mistakes"
    if not math.isfinite(low):
        sentence = f"{score} ranks these wrong predictions with {area}; {CLAIMS_NOTHING}."
        return Headline(other, "not known", bounds, sentence)
    if low > GUESSING:
        sentence = f"{score} finds wrong predictions with {area}; guessing has 0.5."
        return Headline(f"{score} finds mistakes", f"AUROC {fixed(estimate)}", bounds, sentence)
    sentence = f"{score} ranks wrong predictions with {area}, which does not show that it beats guessing, 0.5."
    return Headline(other, f"AUROC {fixed(estimate)}", bounds, sentence)


CHANCE = 0.05
"""Adjusted p-value above which a difference is said to be perhaps chance."""


def _slice(inputs: ReportInputs) -> Headline | None:
    slices = inputs.tables.get("slices")
    if slices is None or not len(slices):
        return None
    worst = _told_slice(slices)
    rate, rest = number(worst, "error_rate"), number(worst, "rest_error_rate")
    if math.isnan(rate) or math.isnan(rest):
        return None
    ends = {"rate": rate, "rate_low": number(worst, "low"), "rate_high": number(worst, "high")}
    where, n = readable(str(worst["description"])), thousands(int(worst["n"]))
    if rate <= rest:  # what was worst on the half that it was found on need not be on the other
        sentence = (
            f"The worst on one half of the test samples, {where}, is wrong in {percent(rate)} of {n} samples of the "
            f"other half, and all others in {percent(rest)}."
        )
        return Headline("Weak slices", "none holds up", "", sentence)
    p = number(worst, "p_holm")
    chance = "" if p <= CHANCE else "; this may be chance"
    sentence = (
        f"Wrong where {where}, {n} samples, against {percent(rest)} of the others (Holm-adjusted {p_text(p)}{chance})."
    )
    return Headline("Weakest slice", percent(rate), interval(ends, "rate", percent, level=inputs.confidence), sentence)


def _told_slice(slices: DataFrame) -> dict[str, Any]:
    """Return the first slice that holds up beyond chance on the other half; the first of all where none does."""
    rows = [{str(key): value for key, value in row.items()} for row in slices.to_dict("records")]
    worse = (row for row in rows if number(row, "error_rate") > number(row, "rest_error_rate"))
    return next((row for row in worse if number(row, "p_holm") <= CHANCE), rows[0])


def _correlation(inputs: ReportInputs) -> Headline | None:
    pooled = inputs.pooled or {}
    r = number(pooled, "pearson")
    if math.isnan(r):
        return None
    low, high = number(pooled, "pearson_low"), number(pooled, "pearson_high")
    bounds = interval(pooled, "pearson", level=inputs.confidence) or status_text(str(pooled.get("status", "ok")))
    if math.isnan(low) or math.isnan(high):
        sentence = f"In these samples similarity and entropy have r = {fixed(r)}; {CLAIMS_NOTHING}."
        return Headline("Similarity and entropy", "not known", bounds, sentence)
    if high < 0:
        says = "samples far from those predicted alike tend to be the uncertain ones"
    elif low > 0:
        says = "samples close to those predicted alike tend to be the uncertain ones"
    else:
        says = "these samples do not show that uncertainty goes with how close those predicted alike are"
    sentence = f"{says[0].upper()}{says[1:]} (permutation {p_text(number(pooled, 'pearson_p'))})."
    return Headline("Similarity and entropy", f"r = {fixed(r)}", bounds, sentence)


def _regression(inputs: ReportInputs) -> list[Headline]:
    n = plural(len(inputs.samples), "test sample")
    texts = (
        ("rmse", "RMSE", f"Root mean square error on {n}, in target units."),
        ("mae", "MAE", "Mean absolute error, in target units."),
    )
    found = [_explained(inputs)]
    for key, label, sentence in texts:
        value = number(inputs.evaluation, key)
        if math.isfinite(value):
            found.append(Headline(label, significant(value), _bounds(inputs, key, significant), sentence))
    return [headline for headline in found if headline is not None]


def _explained(inputs: ReportInputs) -> Headline | None:
    value, low, high = (number(inputs.evaluation, key) for key in ("r2", "r2_low", "r2_high"))
    if not math.isfinite(value):
        return None
    bounds = _bounds(inputs, "r2", significant)
    if math.isnan(low) or math.isnan(high):
        return Headline("R²", "not known", bounds, f"These samples have R² = {significant(value)}; {CLAIMS_NOTHING}.")
    if low > 0:
        sentence = f"{percent(value)} of the target's variance is explained."
    elif high < 0:
        sentence = "Worse than predicting the mean."
    else:
        sentence = "These samples do not show that it beats predicting the mean."
    return Headline("R²", significant(value), bounds, sentence)
