"""The cells of a study as a LaTeX table, for booktabs."""

import math
from collections.abc import Sequence

from mlx.plots.text import DASH, MINUS
from mlx.results.comparison import LABELS, LOWER_IS_BETTER, UNORDERED, Metric
from mlx.results.study import CellDifference, CellEstimate, Question
from mlx.studies.finished import FinishedStudy

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "%": r"\%", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "²": r"$^2$", MINUS: "$-$", DASH: "--", "…": r"\dots{}", "→": r"$\to$", "≤": r"$\le$", "≥": r"$\ge$",
}  # fmt: skip
"""Characters that LaTeX does not print as they are."""


def latex_table(study: FinishedStudy, metrics: Sequence[Metric]) -> str:
    """Return a table of the cells: a column for each metric, with its interval.

    The best estimate of a metric is bold; a dagger marks what is not shown to differ from it, by p-values adjusted for
    all pairs.
    """
    by_metric = {metric: study.estimates(metric) for metric in metrics}
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{_caption(study, by_metric)}}}",
        rf"\begin{{tabular}}{{l{'c' * len(metrics)}}}",
        r"\toprule",
        " & ".join(["", *(rf"{escaped(LABELS[metric])}{_arrow(metric)}" for metric in metrics)]) + r" \\",
        r"\midrule",
    ]
    for name in study.names:
        cells = [_cell(name, by_metric[metric], study.differences, study.about["confidence"]) for metric in metrics]
        lines.append(" & ".join([escaped(name), *cells]) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", r"\end{table}"])


def escaped(text: str) -> str:
    """Return a text as LaTeX prints it."""
    return "".join(SPECIAL.get(character, character) for character in text)


def _arrow(metric: Metric) -> str:
    if metric in UNORDERED:
        return ""
    return r" $\downarrow$" if metric in LOWER_IS_BETTER else r" $\uparrow$"


def _cell(name: str, rows: dict[str, CellEstimate], differences: Sequence[CellDifference], level: float) -> str:
    row = rows.get(name)
    if row is None or math.isnan(row.estimate):
        return "--"
    digits = _digits(row)
    number = f"{row.estimate:.{digits}f}".replace("-", "$-$")
    best = _best(rows)
    if best is not None and name == best.cell:
        number = rf"\textbf{{{number}}}"
    elif best is not None and not _differ(name, best, differences, level):
        number += r"$^\dagger$"
    if math.isnan(row.low) or math.isnan(row.high):
        return number
    low, high = (f"{end:.{digits}f}".replace("-", "$-$") for end in (row.low, row.high))
    return f"{number} [{low}, {high}]"


def _digits(row: CellEstimate) -> int:
    """Return the decimals with which two digits of half the interval are seen; three without an interval."""
    half = (row.high - row.low) / 2
    if not half > 0:
        return 3
    return min(6, max(0, 1 - math.floor(math.log10(half))))


def _best(rows: dict[str, CellEstimate]) -> CellEstimate | None:
    known = [row for row in rows.values() if not math.isnan(row.estimate)]
    if not known or known[0].metric in UNORDERED:
        return None
    sign = 1 if known[0].metric in LOWER_IS_BETTER else -1
    return min(known, key=lambda row: sign * row.estimate)


def _differ(name: str, best: CellEstimate, differences: Sequence[CellDifference], level: float) -> bool:
    pairs = [row for row in differences if row.metric == best.metric and {row.first, row.second} == {name, best.cell}]
    return any(row.p_holm <= round(1 - level, 12) for row in pairs)


def _caption(study: FinishedStudy, by_metric: dict[Metric, dict[str, CellEstimate]]) -> str:
    questions = {row.question for rows in by_metric.values() for row in rows.values()}
    asked = " or ".join(f"“{question}”" for question in Question if question in questions)
    about, counts = study.about, sorted({row.n_seeds for rows in by_metric.values() for row in rows.values()})
    runs = " to ".join(map(str, counts[:1] + counts[-1:] if len(counts) > 1 else counts))
    intervals = f"{100 * about['confidence']:.4g} % intervals for {asked}" if asked else "no intervals"
    lost = f"; {about['n_failed']} of {about['n_runs']} runs failed" if about["n_failed"] else ""
    said = f"{about['name']}: means of {runs} runs with {intervals}{lost}. Bold: best estimate."
    return escaped(said) + r" $\dagger$: not shown to differ from the best (Holm)."
