"""The page of a comparison: what the tests say in words, where the models disagree, and all numbers."""

import json
import os
from collections.abc import Iterator, Sequence
from math import isnan
from pathlib import Path
from urllib.parse import quote

from mlx.plots.comparison import plot_tests
from mlx.plots.page.document import LEAST_FOR_PICTURES, MOST_BYTES, frame
from mlx.plots.page.escaping import safe
from mlx.plots.page.html_table import html_table
from mlx.plots.page.pictures import PagePicture, fit_pictures
from mlx.plots.page.sections import cells_html, figure_html
from mlx.plots.page.template import sorting_script
from mlx.plots.style import render_png
from mlx.plots.text import MINUS, PValue, level_text, listed, plural, significant
from mlx.results.comparison import LABELS, Metric, PairedTest
from mlx.results.numbers import or_none
from mlx.runs.compare import Comparison, with_intervals
from mlx.runs.comparison_samples import Pair, counts_table, galleries, pair_of, strip
from mlx.runs.run import Run
from mlx.runs.shared_samples import SharedOutputs
from mlx.runs.verdicts import Verdict, compared

DPI = 110
MOST_NEXT = 5
UNITS = {Metric.LOG_LOSS: "nats", Metric.MAE: "units of y", Metric.RMSE: "units of y"}
"""Metrics that are no shares; those of a unit are drawn beside each other."""


def render_comparison(
    comparison: Comparison, runs: Sequence[Run], shared: Sequence[SharedOutputs], *, beside: Path
) -> str:
    """Return a complete HTML document, the same for the same runs.

    Parameters
    ----------
    comparison, shared
        As `compare_outputs` returns them of the `runs`.
    beside
        Folder of the page, from which it links to the pages of the runs.
    """
    letters = dict(zip(comparison.runs, map(letter_of, range(len(runs))), strict=True))
    pages = {run.id: _page(run, beside) for run in runs}
    pairs = [
        pair_of(runs[0], one, "A", letters[second], (pages[runs[0].id], pages[second]))
        for one in shared
        if one.outputs and (second := one.samples.second)
    ]
    pictures = _figures(comparison, letters)
    shown = fit_pictures({key: png for key, _, _, png in pictures}, budget=max(MOST_BYTES // 2, LEAST_FOR_PICTURES))
    tested = [compared(test, len(comparison.samples)) for test in comparison.tests if test.metric is not None]
    metrics = [row for row in with_intervals(comparison.metrics) if not row[0].endswith(("_status", "_permutations"))]
    settings = [(name, tuple(map(_as_json, values))) for name, values in comparison.configuration]
    sections = [
        ("disagree", "Where they disagree", "\n".join(html for pair in pairs for html in galleries(pair))),
        ("differences", "How they differ", _differences(comparison, letters, pictures, shown, tested)),
        ("samples", "What they are compared on", _samples_table(comparison, letters)),
        ("metrics", "Each on its own test samples", _values_table("Metrics", metrics, letters)),
        ("configuration", "How they were made", _values_table("Settings that differ", settings, letters)),
    ]
    level = next((test.confidence for test in comparison.tests if not isnan(test.confidence)), 0.95)
    return frame(
        f"{listed(comparison.runs)} compared",
        _introduction(letters, pages),
        _first_view(comparison, pairs, tested),
        [section for section in sections if section[2]],
        level=level,
        scripts=[sorting_script()],
        pictures=shown.values(),
    )


def letter_of(place: int) -> str:
    """Return the short name of a run: A to Z, then A1 and so on."""
    return f"{chr(ord('A') + place % 26)}{place // 26 or ''}"


def _page(run: Run, beside: Path) -> str:
    """Return the address of the page of a run; empty without one."""
    page = run.workspace.report / "report.html"
    return quote(Path(os.path.relpath(page, beside)).as_posix()) if page.is_file() else ""


def _introduction(letters: dict[str, str], pages: dict[str, str]) -> str:
    names = ((one, f'<a href="{safe(page)}">{safe(one)}</a>' if page else safe(one)) for one, page in pages.items())
    return '<ul class="about">\n' + "\n".join(f"<li>{letters[one]}: {name}</li>" for one, name in names) + "\n</ul>"


def _first_view(comparison: Comparison, pairs: Sequence[Pair], tested: Sequence[Verdict]) -> str:
    """Return the verdicts in words, what to look at next, and the clearest disagreements."""
    said = "\n".join(f"<p>{safe(verdict.sentence)}</p>" for verdict in comparison.verdicts())
    why = [f"<p>{safe(s.second)} and {safe(s.first)}: {safe(s.status)}.</p>" for s in comparison.samples if not s.n]
    steps = "\n".join(f"<li>{step}</li>" for step in list(_next_steps(comparison, pairs, tested))[:MOST_NEXT])
    after = f'<h2 id="next">Next</h2>\n<ol class="next">\n{steps}\n</ol>' if steps else ""
    beside = "\n".join(f"{strip(pair)}\n{counts_table(pair)}" for pair in pairs[:1])
    answer = "\n".join([said, *why, after])
    return f'<section id="verdicts" class="answer">\n<div>\n{answer}\n</div>\n<div>\n{beside}\n</div>\n</section>'


def _next_steps(comparison: Comparison, pairs: Sequence[Pair], tested: Sequence[Verdict]) -> Iterator[str]:
    """Yield links: to what both models get differently, to test sets that differ, and to other metrics that do."""
    for pair in pairs:
        alone = f"{plural(len(pair.only_first), 'sample')} that {pair.first} alone {pair.verb}"
        other = f"{len(pair.only_second)} that {pair.second} alone does"
        if len(pair.only_first) or len(pair.only_second):
            yield f'<a href="#disagree">Look at the {safe(alone)}, and the {safe(other)}</a>'
    for samples in comparison.samples:
        if samples.n and not samples.status.is_ok:
            yield f'<a href="#samples">{safe(f"Check the test samples of {samples.second}: {samples.status}")}</a>'
    primary = {(test.second, test.metric) for test in comparison.tests if test.primary}
    for verdict in tested:
        if verdict.outcome in {"better", "worse", "different"} and (verdict.second, verdict.metric) not in primary:
            yield f'<a href="#differences">See what else differs: {safe(verdict.sentence)}</a>'


Figure = tuple[str, str, str, bytes]


def _figures(comparison: Comparison, letters: dict[str, str]) -> list[Figure]:
    """Return key, title, text and picture: a figure for each unit."""
    units: dict[str, list[PairedTest]] = {}
    for test in comparison.tests:
        if test.metric is not None and test.difference == test.difference:
            units.setdefault(UNITS.get(test.metric, "no unit"), []).append(test)
    several = len(comparison.samples) > 1
    found = []
    for unit, tests in units.items():
        names = [f"{LABELS[t.metric]}{f', {letters[t.second]}' if several else ''}" for t in tests if t.metric]
        other = "the others" if several else "B"
        figure = plot_tests(tests, names, label=f"{other} {MINUS} A ({unit})").get_figure(root=True)
        assert figure is not None, "drawn on a figure"
        text = (
            f"{other[0].upper()}{other[1:]} minus A; where the interval contains 0, no difference is shown. A hollow "
            "point has no interval: the table says why."
        )
        key = f"differences_{unit.replace(' ', '_')}"
        found.append((key, f"Differences ({unit})", text, render_png(figure, dpi=DPI)))
    return found


def _differences(
    comparison: Comparison,
    letters: dict[str, str],
    figures: Sequence[Figure],
    pictures: dict[str, PagePicture],
    tested: Sequence[Verdict],
) -> str:
    drawn = cells_html("figures", [figure_html(key, title, text, pictures[key]) for key, title, text, _ in figures])
    rows = [
        (
            LABELS[test.metric],
            letters[test.second],
            *map(or_none, (test.estimate_first, test.estimate_second, test.difference)),
            "" if isnan(test.low_holm) else f"{significant(test.low_holm)} to {significant(test.high_holm)}",
            level_text(test.confidence_holm) if test.confidence_holm == test.confidence_holm else "",
            *(PValue(p) if p == p else None for p in (test.p, test.p_holm)),
            test.n,
            "" if test.status.is_ok else str(test.status),
        )
        for test in comparison.tests
        if test.metric is not None
    ]
    head = ["metric", "run", "of A", "of the run", "difference", "interval", "level", "p", "p (Holm)", "n", "status"]
    items = "\n".join(f"<li>{safe(verdict.sentence)}</li>" for verdict in tested)
    words = (
        f"<details><summary>{plural(len(tested), 'comparison')} in words</summary>\n<ul>\n{items}\n</ul></details>\n"
    )
    return drawn + html_table("Paired tests, the run minus A", head, rows) + words if rows else ""


def _samples_table(comparison: Comparison, letters: dict[str, str]) -> str:
    head = ["run", "own test samples", "those of A", "in both", "trained on", "compared", "groups", "status"]
    rows = [
        (letters[s.second], s.n_second, s.n_first, s.n_shared, s.n_trained, s.n, s.n_groups, str(s.status))
        for s in comparison.samples
    ]
    return html_table("Test samples that a run shares with A, and that neither was trained on", head, rows)


def _values_table(caption: str, rows: Sequence[tuple[str, tuple[object, ...]]], letters: dict[str, str]) -> str:
    shown = [(name, *("" if value is None else value for value in values)) for name, values in rows]
    return html_table(caption, ["name", *letters.values()], shown) if shown else ""


def _as_json(value: object) -> str:
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
