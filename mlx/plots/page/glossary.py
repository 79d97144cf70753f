"""What the numbers of the page are: a list of definitions, which words and names of numbers link to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mlx.plots.page.escaping import safe
from mlx.plots.text import MINUS, RHO


@dataclass(frozen=True)
class Term:
    """One definition.

    Attributes
    ----------
    key
        Names it in the page.
    title
        What stands before the definition.
    text
        What it is, with its unit or range and which direction is better.
    words
        Regular expression of the words that link to it.
    metrics
        Regular expression of the names of metrics that it defines.
    """

    key: str
    title: str
    text: str
    words: str = ""
    metrics: str = ""


SHARED = (
    Term("interval", "Interval", "A range around the measured value. Over many test sets of the same kind, the stated "
         "share of such ranges holds what this trained model reaches on all such samples. Training again with another "
         "seed gives another model.", metrics="confidence"),
    Term("p", "p", "Probability of a result at least as extreme if the null hypothesis, such as no correlation, was "
         "true. “≤” marks the smallest value that the permutations drawn allow."),
    Term("holm", "p (Holm)", "p adjusted for all tests that answer the same question (Holm 1979), so that the "
         "probability of any false finding among them stays below the level.", "Holm-adjusted|adjusted p-value"),
    Term("pearson", "Pearson's r", f"Linear correlation, from {MINUS}1 to 1; 0 is none.", metrics="pearson.*"),
    Term("spearman", f"Spearman's {RHO}", f"Correlation of ranks, from {MINUS}1 to 1; 0 is none.",
         metrics="spearman.*|spread_spearman.*"),
    Term("split", "Split", "Part of the data. All numbers and figures are of test samples, unless a row names another "
         "part: validation samples (val), by which training and calibration are chosen, or training samples (train)."),
    Term("slice", "Slice", "Test samples that conditions on factors select. It is searched in one half of the test "
         "samples and measured in the other."),
    Term("factor", "Factor", "A known property of each sample, such as a column of the data or a measure of an image."),
    Term("set", "Prediction set", "Classes, or an interval of values, that hold the truth in a stated share of new "
         "samples, by conformal prediction.", "[Pp]rediction (?:sets|intervals)",
         "set_.*|worst_covered|prediction_coverage"),
    Term("coverage", "Coverage", "How often a prediction set holds the truth; of a curve, the share of samples kept.",
         "coverage"),
    Term("issue", "Samples to look at", "Likely wrong labels (confident learning), equal or nearly equal samples, test "
         "samples that are also in another part (leaks), outliers, confident mistakes.",
         metrics="n_issues.*|n_leaked|n_duplicates"),
)  # fmt: skip
CLASSIFICATION = (
    Term("accuracy", "Accuracy, error rate", "Share of test samples whose predicted class is right, or wrong.",
         "error rate|accuracy", "accuracy.*|.*recall|cohen_kappa|matthews_corrcoef|.*precision|.*_f1"),
    Term("confidence", "Confidence", "Largest predicted probability of a sample, from 1/K for K classes to 1.",
         "confident|confidence"),
    Term("entropy", "Entropy", f"How uncertain a prediction is: {MINUS}Σ p ln p over the classes, in nats; 0 is "
         "certain, ln K is a guess among K classes.", "[Ee]ntropy"),
    Term("similarity", "Similarity", "Mean cosine between the representation of a sample and those of the other "
         f"samples with the same predicted class, from {MINUS}1 to 1.", "[Ss]imilarity"),
    Term("margin", "Margin", "Similarity to the own predicted class minus that to the nearest other one.", "margin"),
    Term("auroc", "AUROC", "Probability that a score ranks a wrong prediction above a right one; 0.5 is chance, 1 is "
         "perfect. Of classes: the same for samples of a class and all others.", "AUROC",
         "error_auroc.*|roc_auc.*|geometry_adds.*"),
    Term("ece", "Calibration error (ECE)", "Mean distance between confidence and accuracy over bins of confidence; 0 "
         "is calibrated. Chance alone makes it larger than 0, so it stands beside what a calibrated model would show.",
         "[Cc]alibration error|off by", "ece.*|rmsce.*|mce.*|spiegelhalter.*|excess_surprise.*"),
    Term("log-loss", "Log loss", f"Mean of {MINUS}ln p of the true class, in nats; 0 is perfect, ln K is guessing.",
         "log loss", "log_loss.*|val_loss"),
    Term("brier", "Brier score", "Mean squared distance between predicted probabilities and the truth, from 0, which "
         "is perfect, to 2.", "Brier score", "brier.*"),
    Term("temperature", "Recalibration", "Changes probabilities after training, fitted on validation samples. A "
         "temperature T divides the logits: above 1 it makes predictions less sure.", "[Rr]ecalibrating",
         "temperature|recalibration"),
    Term("risk", "Risk, AURC", "Error rate of the samples that are kept when the most suspicious are left out, and the "
         "mean of it over all shares kept; lower is better."),
    Term("fpr95", "FPR95, AUPR", "Share of right predictions above the threshold that 95 % of the errors reach, lower "
         "is better; and mean precision in finding errors, higher is better."),
    Term("probe", "Linear probe", "Logistic regression on the representations of a layer: how linearly it separates "
         "the classes."),
)  # fmt: skip
REGRESSION = (
    Term("residual", "Residual", "True less predicted value, in units of the target.", "[Rr]esidual", "residual.*"),
    Term("rmse", "RMSE", "Root of the mean squared residual, in units of the target; 0 is perfect.", "RMSE", "rmse.*"),
    Term("mae", "MAE", "Mean absolute residual, in units of the target; 0 is perfect.", "off by|MAE", "mae.*"),
    Term("r2", "R²", "Share of the target's variance that the predictions explain; 1 is perfect, below 0 is worse than "
         "predicting the mean.", "R²", "r2.*"),
    Term("leverage", "Leverage", "How far a sample is from the training samples; its prediction is less certain where "
         "it is large.", "[Ll]everage", "leverage.*"),
)  # fmt: skip


def terms_of(task: str) -> Sequence[Term]:
    """Return the definitions that a page of the task needs."""
    return (*(REGRESSION if task == "regression" else CLASSIFICATION), *SHARED)


def glossary(task: str) -> str:
    """Build the list of definitions."""
    entries = "\n".join(
        f'<div><dt id="term-{term.key}">{safe(term.title)}</dt><dd>{safe(term.text)}</dd></div>'
        for term in terms_of(task)
    )
    return (
        f'<dl class="glossary">\n{entries}\n</dl>\n<p class="soft">Formulas, tests and the conditions under which '
        "intervals are given: <code>docs/methods.md</code>; every column of the files: <code>docs/tables.md</code>.</p>"
    )


def with_definitions(html: str, task: str) -> str:
    """Link the first occurrence of each term in a text that has no markup to its definition."""
    places: list[tuple[int, int, str]] = []
    for term in terms_of(task):
        found = re.search(term.words, html) if term.words else None
        if found and not any(start < found.end() and found.start() < end for start, end, _ in places):
            places.append((*found.span(), term.key))
    for start, end, key in sorted(places, reverse=True):
        html = f'{html[:start]}<a class="term" href="#term-{key}">{html[start:end]}</a>{html[end:]}'
    return html


def metric_link(name: str, task: str) -> str:
    """Return the name of a metric as HTML, linked to its definition where there is one."""
    shown = safe(name.replace("_", " "))
    found = next((term for term in terms_of(task) if term.metrics and re.fullmatch(term.metrics, name)), None)
    return f'<a class="term" href="#term-{found.key}">{shown}</a>' if found else shown
