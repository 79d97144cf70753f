"""Builds the page: key results in plain words, views to explore samples, figures and tables."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import sha256

from mlx.plots.page.escaping import safe
from mlx.plots.page.explorer import explorer
from mlx.plots.page.first_view import first_view
from mlx.plots.page.glossary import glossary, with_definitions
from mlx.plots.page.key_results import key_results
from mlx.plots.page.pictures import PagePicture, fit_pictures
from mlx.plots.page.sections import section_bodies, section_tables, without_doubles
from mlx.plots.page.template import PAGE, explorer_script, run_script, sorting_script, style_sheet
from mlx.plots.report.inputs import AnyReport
from mlx.plots.text import level_text, plural

MOST_BYTES = 4_900_000  # with the frame around the sections, a page stays below 5 MB
FRAME_BYTES = 100_000
LEAST_FOR_PICTURES = 400_000
COMMIT_SHOWN = 12  # characters
COMPRESSED = " The figures have less detail here to keep the page small; plots/ has them in full."


def render_page(report: AnyReport, images: Mapping[str, bytes], dark: Mapping[str, bytes] | None = None) -> str:
    """Build the page.

    Parameters
    ----------
    report
        What `draw_report` was given.
    images
        PNG files by the names of `draw_report`; a name that is missing is left out of the page.
    dark
        Variants for dark pages of those with photographs; others are inverted by the page.

    Returns
    -------
    str
        A complete HTML document, the same for the same arguments, of at most 5 MB: pictures are compressed
        further where they would not fit.
    """
    page_bytes = int(report.settings.page_megabytes * 1_000_000) - FRAME_BYTES
    views = explorer(report, page_bytes=page_bytes)
    scripts = [*([explorer_script()] if views else []), sorting_script(), run_script()]
    tables = section_tables(report)
    html = [table for section in tables.values() for table in (*section.narrow, *section.wide)]
    others = sum(map(len, scripts)) + len(views.encode()) + sum(len(table.encode()) for table in html)
    budget = max(page_bytes - others, LEAST_FOR_PICTURES)
    pictures = fit_pictures(without_doubles(images, views), dark, budget=budget)
    sections = [("explore", "Look at the samples", views)] if views else []
    sections += [
        *section_bodies(tables, pictures),
        ("glossary", "What the numbers mean", glossary(report.task)),
    ]
    return frame(
        report.provenance.name,
        _introduction(report),
        f"{first_view(report)}\n{_key_results(report)}",
        sections,
        level=report.residuals_metrics["confidence"],
        scripts=scripts,
        pictures=pictures.values(),
    )


def frame(
    name: str,
    introduction: str,
    first: str,
    sections: Sequence[tuple[str, str, str]],
    *,
    level: float,
    scripts: Sequence[str],
    pictures: Iterable[PagePicture],
) -> str:
    """Return a whole document.

    Parameters
    ----------
    name
        The heading.
    introduction, first
        HTML below the heading, and before the first section.
    sections
        Id, heading and HTML of each.
    level
        Of the intervals.
    scripts
        All that the page may run.
    pictures
        Those of the sections, which may be compressed.
    """
    return PAGE.substitute(
        name=safe(name),
        allowed=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        style=style_sheet(),
        introduction=introduction,
        level=level_text(level),
        links="\n".join(f'<li><a href="#{key}">{safe(title)}</a></li>' for key, title, _ in sections),
        key_results=first,
        sections="\n".join(f'<section id="{k}">\n<h2>{safe(t)}</h2>\n{body}\n</section>' for k, t, body in sections),
        compressed="" if not any(picture.has_loss for picture in pictures) else COMPRESSED,
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def _digest(script: str) -> str:
    """Return the hash by which the page's policy knows a script as its own, so that no other can run."""
    return b64encode(sha256(script.encode()).digest()).decode("ascii")


def _introduction(report: AnyReport) -> str:
    about = report.provenance
    description = f"<p>{safe(about.description)}</p>\n" if about.description else ""
    facts = [(name, safe(value)) for name, value in _facts(report) if value]
    if about.configuration_name:
        facts.insert(-1 if about.commit else len(facts), ("Configuration", _link("#setup", about.configuration_name)))
    if about.record:
        facts.append(("Run", f'<span id="run-name">date in</span> {_link(about.record, about.record.split("/")[-1])}'))
    listed = "\n".join(f"<li>{name}: {value}</li>" for name, value in facts)
    return f'{description}<ul class="about">\n{listed}\n</ul>'


def _facts(report: AnyReport) -> Iterator[tuple[str, str]]:
    about = report.provenance
    classes = f", {len(report.class_names)} class{'es' * (len(report.class_names) > 1)}" if report.class_names else ""
    yield report.task.capitalize(), f"{plural(len(report.samples), 'test sample')}{classes}"
    yield "Data", about.source
    for line in about.split:
        yield ("Split", line.removeprefix("Split: ")) if line.startswith("Split: ") else ("Note", line)
    yield "Commit", about.commit[:COMMIT_SHOWN]


def _link(address: str, text: str) -> str:
    return f'<a href="{safe(address)}">{safe(text)}</a>'


def _key_results(report: AnyReport) -> str:
    boxes = [
        f'<div class="key-result"><dt>{with_definitions(safe(one.label), report.task)}</dt>\n'
        f'<dd class="value">{safe(one.value)}</dd><dd class="interval">{safe(one.interval)}</dd>'
        f"<dd>{safe(one.sentence)}</dd></div>"
        for one in key_results(report)
    ]
    return '<dl class="key-results">\n' + "\n".join(boxes) + "\n</dl>" if boxes else ""
