"""The page of a study: verdicts in words, then what cells reach, how they differ, learn, fail, and what was tried."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mlx.core.artifacts import write_bytes
from mlx.plots.page.document import LEAST_FOR_PICTURES, MOST_BYTES, frame
from mlx.plots.page.escaping import safe
from mlx.plots.page.html_table import html_table
from mlx.plots.page.pictures import fit_pictures
from mlx.plots.page.sections import cells_html, figure_html
from mlx.plots.page.tables import rows_table
from mlx.plots.page.template import sorting_script
from mlx.plots.text import plural
from mlx.results.study import CELLS, DIFFERENCES, ENSEMBLES, RUNS, TRIALS, VARIANCE
from mlx.runs.verdicts import Verdict
from mlx.studies.page_figures import study_figures
from mlx.studies.results import StudyResults
from mlx.studies.verdicts import verdicts

PAGE = "study.html"


def write_page(results: StudyResults) -> None:
    """Write ``study.html`` into the folder of the study, the same bytes for the same results."""
    write_bytes(results.done.study.folder / PAGE, render_study(results).encode())


def render_study(results: StudyResults) -> str:
    """Return the page, a complete HTML document."""
    figures = list(study_figures(results))
    tables = _tables(results)
    said = verdicts(results.inference, results.level)
    scripts = [sorting_script()]
    others = sum(map(len, scripts)) + sum(len(html.encode()) for html in tables)
    budget = max(MOST_BYTES - others, LEAST_FOR_PICTURES)
    dark = {figure.key: figure.dark for figure in figures if figure.dark is not None}
    pictures = fit_pictures({figure.key: figure.png for figure in figures}, dark, budget=budget)
    sections = []
    for key, title in SECTIONS.items():
        body = ""
        for kind, is_wide in (("figures", False), ("wide", True)):
            own = [figure for figure in figures if (figure.section, figure.wide) == (key, is_wide)]
            html = [figure_html(f.key, f.title, f.text, pictures[f.key], scrolls=is_wide) for f in own]
            body += cells_html(kind, html)
        if key == "differences":
            body += _all_verdicts(said)
        if key == "ensembles" and (table := rows_table("Ensembles", ENSEMBLES, results.ensembles)):
            body += f"<p>{OF_ENSEMBLES}</p>\n{table}"
        if key == "tables":
            body += "\n".join(tables)
        if body:
            sections.append((key, title, body))
    return frame(
        results.done.study.settings.name,
        _introduction(results),
        _first_verdicts(results, said),
        sections,
        level=results.level,
        scripts=scripts,
        pictures=pictures.values(),
    )


SECTIONS = {
    "cells": "What the cells reach",
    "differences": "How they differ",
    "ensembles": "What an ensemble of the runs reaches",
    "learning": "How they learn",
    "samples": "One right, the other wrong",
    "tried": "What was tried",
    "tables": "Tables",
}


OF_ENSEMBLES = (
    "An ensemble predicts by the mean of the probabilities of the runs of a cell. Its intervals say what other test "
    "samples would give. How well a score ranks its mistakes is an AUROC: 0.5 is chance. Mutual information and "
    "disagreement are higher where the runs contradict each other."
)


def _introduction(results: StudyResults) -> str:
    study = results.done.study
    about = f"<p>{safe(study.settings.description)}</p>\n" if study.settings.description else ""
    failed = sum(run.status == "failed" for run in results.runs)
    lost = f", {failed} of them failed" if failed else ""
    size = f"{plural(len(study.cells), 'cell')}, {plural(len(results.runs), 'run')}{lost}"
    asked = f"<br>Intervals for {safe(results.repeats.question)}, unless a table says otherwise"
    tried = ""
    if study.settings.search is not None:
        tried = f"<br>{plural(len(results.trials), 'configuration')} tried on validation samples before any was tested"
    return f'{about}<p class="soft">{results.task.capitalize()}: {size}{asked}{tried}</p>'


def _first_verdicts(results: StudyResults, said: Sequence[Verdict]) -> str:
    """Return the verdicts of the first metric, in words, those with the baseline alone where there are others."""
    first = next((row.metric for row in results.inference.cells), None)
    own = [verdict for verdict in said if verdict.metric == first and verdict.baseline]
    items = "\n".join(f"<li>{safe(verdict.sentence)}</li>" for verdict in own)
    return f'<section id="verdicts">\n<h2>In words</h2>\n<ul>\n{items}\n</ul>\n</section>' if items else ""


def _all_verdicts(said: Sequence[Verdict]) -> str:
    if not said:
        return ""
    items = "\n".join(f"<li>{safe(verdict.sentence)}</li>" for verdict in said)
    return f"<details><summary>{plural(len(said), 'comparison')} in words</summary>\n<ul>\n{items}\n</ul></details>\n"


def _tables(results: StudyResults) -> list[str]:
    inference = results.inference
    tables = [
        rows_table("Cells", CELLS, inference.cells, folder=""),
        rows_table("Differences, second minus first", DIFFERENCES, inference.differences, folder=""),
        rows_table("Components of variance", VARIANCE, inference.variance, folder=""),
        rows_table("Runs", RUNS, results.runs, folder=""),
        rows_table("Trials of the search", TRIALS, results.trials, folder=""),
        html_table("Configurations", ["cell", "values"], list(_configurations(results))),
    ]
    return [table for table in tables if table]


def _configurations(results: StudyResults) -> Iterator[tuple[str, str]]:
    """Yield each cell with what sets it apart from the base, as JSON."""
    documents: Mapping[str, Any] = {cell.name: cell.document for cell in results.done.study.cells}
    for name, document in documents.items():
        keys = [key for key in document.set_by if key != ("name",)]
        yield name, "; ".join(f"{'.'.join(key)}: {json.dumps(_at(document.values, key))}" for key in keys) or "the base"


def _at(values: Any, key: Sequence[str]) -> Any:
    for name in key:
        values = values.get(name) if isinstance(values, Mapping) else None
    return values
