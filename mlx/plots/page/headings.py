"""Plain names of the columns of the page's tables, with their units."""

from __future__ import annotations

HEADINGS = {
    "name": "test",
    "n": "samples",
    "n_errors": "errors",
    "n_missing": "without a value",
    "n_issues": "found",
    "n_train": "training samples",
    "n_validation": "validation samples",
    "n_calibration": "validation samples",
    "n_empty": "empty sets",
    "n_features": "features",
    "n_seeds": "runs",
    "p_method": "p by",
    "p_holm": "p (Holm)",
    "p_holm_baseline": "p (Holm), with the baseline",
    "p_bh": "p (Benjamini\N{EN DASH}Hochberg)",
    "abs_residual": "size of the residual",
    "aurc": "AURC",
    "eaurc": "excess AURC",
    "auroc_difference": "difference of AUROC",
    "auroc": "AUROC",
    "aupr": "AUPR",
    "fpr95": "FPR95",
    "augrc": "AUGRC",
    "cv_brier": "Brier, cross-validated",
    "alpha": "share to miss",
    "size_mean": "mean size (classes, or units of y)",
    "entropy_mean": "mean entropy (nats)",
    "similarity_mean": "mean similarity (cosine)",
    "error_rate_found": "error rate when chosen",
    "n_rest": "samples elsewhere",
    "rest_error_rate": "error rate elsewhere",
    "abs_residual_mean": "mean error (units of y)",
    "abs_residual_mean_found": "mean error when chosen",
    "rest_abs_residual_mean": "mean error elsewhere",
    "index": "sample",
    "related_index": "repeats sample",
    "why": "finding",
    "count": "samples",
    "low": "interval",
    "band_low": "range by chance",
    "lower": "confidence from, to",
    "sd": "standard deviation",
}
"""By column; of a lower end, the heading of the column that both ends share."""

UPPER_ENDS = {"low": "high", "lower": "upper", "least": "greatest"}


def heading(column: str) -> str:
    """Return what stands above a column."""
    if column in HEADINGS:
        return HEADINGS[column]
    if column == "least":
        return "least to greatest"
    name = column.replace("_", " ")
    return (
        f"{HEADINGS.get(column.removesuffix('_low'), name.removesuffix(' low'))}, interval"
        if upper_end(column)
        else name
    )


def upper_end(column: str) -> str:
    """Return the column of the upper end that belongs to one of a lower end; empty for any other column."""
    *before, last = column.split("_")
    return "_".join([*before, UPPER_ENDS[last]]) if last in UPPER_ENDS else ""
