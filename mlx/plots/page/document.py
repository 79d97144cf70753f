"""Puts the page together: what was found in plain words, views to explore it, pictures and tables."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from mlx.plots.confusion import room
from mlx.plots.figures import first_layer
from mlx.plots.inputs import ReportInputs
from mlx.plots.page.captions import SECTIONS, caption, placed
from mlx.plots.page.explorer import explorer
from mlx.plots.page.headline import headlines
from mlx.plots.page.tables import classes_table, frame_table, metrics_table, mistakes_table, names_table, safe
from mlx.plots.page.template import PAGE, explorer_script, sorting_script, style_sheet
from mlx.plots.page.thumbnails import fit_pictures
from mlx.plots.page.views import bokeh_script
from mlx.plots.style import COLUMN
from mlx.plots.text import level_text, plural, signed

if TYPE_CHECKING:
    from pandas import DataFrame

WIDE = ("similarity_entropy_by_class", "map_pca", "map_tsne", "map_umap")
TEST_COLUMNS = ("name", "scope", "class", "layer", "statistic", "estimate", "low", "high", "p", "p_method",
                "p_holm", "n", "status")  # fmt: skip
FACTOR_COLUMNS = ("factor", "target", "statistic", "bin", "lower", "upper", "estimate", "low", "high", "p", "p_holm",
                  "n", "n_errors", "entropy_mean", "similarity_mean", "status")  # fmt: skip


MOST_BYTES = 4_900_000  # with what stands round the sections, a page stays below 5 MB
LEAST_FOR_PICTURES = 400_000
PNG = "data:image/png;"
COMPRESSED = " The pictures are compressed here, so that the page stays below 5 MB; they stand whole in plots/."


def render_page(inputs: ReportInputs, images: Mapping[str, bytes]) -> str:
    """Build the page.

    Parameters
    ----------
    inputs : ReportInputs
        What `draw_report` was given.
    images : mapping of str to bytes
        PNG files by the names of `draw_report`; a name that is missing is left out of the page.

    Returns
    -------
    str
        A complete HTML document, the same for the same arguments, of at most 5 MB: pictures are compressed
        further where they would not fit.
    """
    views = explorer(inputs)
    scripts = [*([bokeh_script(), explorer_script()] if views else []), sorting_script()]
    tables = {key: (_narrow_tables(key, inputs), _wide_tables(key, inputs)) for key, _, _ in SECTIONS}
    others = sum(map(len, scripts)) + len(views.encode()) + sum(_size(*pair) for pair in tables.values())
    pictures = fit_pictures(images, budget=max(MOST_BYTES - others, LEAST_FOR_PICTURES))
    where = placed(list(images))
    sections = [("explore", "Look at the samples", views)] if views else []
    spread = _wide_names(inputs)
    for key, title, _ in SECTIONS:
        narrow, wide = tables[key]
        body = _grid([_figure(n, *pictures[n], scrolls=n in spread) for n in where[key]] + narrow, spread) + wide
        if body:
            sections.append((key, title, body))
    return PAGE.substitute(
        name=safe(inputs.name),
        allowed=" ".join(f"'sha256-{_digest(script)}'" for script in scripts),
        style=style_sheet(),
        introduction=_introduction(inputs),
        level=level_text(inputs.confidence),
        links="\n".join(f'<li><a href="#{key}">{safe(title)}</a></li>' for key, title, _ in sections),
        headlines=_headlines(inputs),
        sections="\n".join(f'<section id="{k}">\n<h2>{safe(t)}</h2>\n{body}\n</section>' for k, t, body in sections),
        compressed="" if all(url.startswith(PNG) for url, _, _ in pictures.values()) else COMPRESSED,
        scripts="\n".join(f"<script>{script}</script>" for script in scripts),
    )


def _size(narrow: list[str], wide: str) -> int:
    return len("".join([*narrow, wide]).encode())


def _digest(script: str) -> str:
    """Return by what the page's policy knows a script as its own, so that no other can run."""
    return b64encode(sha256(script.encode()).digest()).decode("ascii")


def _introduction(inputs: ReportInputs) -> str:
    about = f"<p>{safe(inputs.description)}</p>\n" if inputs.description else ""
    size = plural(len(inputs.samples), "test sample")
    classes = f", {len(inputs.class_names)} classes" if inputs.task == "classification" else ""
    source = f"<br>Data: {safe(inputs.source)}" if inputs.source else ""
    return f'{about}<p class="soft">{inputs.task.capitalize()}: {size}{classes}{source}</p>'


def _headlines(inputs: ReportInputs) -> str:
    boxes = [
        f'<div class="headline"><dt>{safe(h.label)}</dt><dd class="value">{safe(h.value)}</dd>'
        f'<dd class="interval">{safe(h.interval)}</dd><dd>{safe(h.sentence)}</dd></div>'
        for h in headlines(inputs)
    ]
    return '<dl class="headlines">\n' + "\n".join(boxes) + "\n</dl>" if boxes else ""


def _wide_names(inputs: ReportInputs) -> tuple[str, ...]:
    """Names of the pictures that are drawn for both columns of a paper, and need the whole width here."""
    wide = inputs.confusion is not None and room(inputs.confusion, inputs.class_names)[0] > COLUMN
    return (*WIDE, "confusion") if wide else WIDE


def _grid(cells: list[str], wide: Sequence[str]) -> str:
    """Put `cells` into two columns, those that hold a figure of `wide` below them over the whole width."""
    starts = tuple(f'<figure id="{name}"' for name in wide)
    groups: dict[str, list[str]] = {"figures": [], "wide": []}
    for cell in filter(None, cells):
        groups["wide" if cell.startswith(starts) else "figures"].append(f'<div class="cell">{cell}</div>')
    return "".join(f'<div class="{key}">\n' + "\n".join(group) + "\n</div>\n" for key, group in groups.items() if group)


def _figure(name: str, url: str, width: int, height: int, *, scrolls: bool) -> str:
    title, text = caption(name)
    alt = safe(f"{title}. {text}")
    # Too wide for a phone: it scrolls there, and must be reachable by keyboard to do so.
    reached = f' tabindex="0" role="region" aria-label="{safe(title)}"' if scrolls else ""
    return (
        f'<figure id="{safe(name)}"><figcaption><h3>{safe(title)}</h3><p>{safe(text)}</p></figcaption>\n'
        f'<div class="picture"{reached}><img width="{width}" height="{height}" '
        f'style="--natural:{width}px" alt="{alt}" src="{url}"></div></figure>'
    )


def _narrow_tables(section: str, inputs: ReportInputs) -> list[str]:
    residuals = metrics_table("Residuals analysis", inputs.residuals, level=inputs.confidence)
    if section == "wrong":
        mistakes = "" if inputs.confusion is None else mistakes_table(inputs.confusion, inputs.class_names)
        evaluation = metrics_table("Evaluation", inputs.evaluation, level=inputs.evaluation_confidence)
        return [mistakes, evaluation] if inputs.task == "classification" else [evaluation, residuals]
    if section == "geometry":
        return [residuals] if inputs.task == "classification" else []
    if section == "setup":
        return [names_table("Configuration", inputs.configuration), names_table("Environment", inputs.environment)]
    return [metrics_table("Training", inputs.training)] if section == "training" else []


def _parts(name: str, title: str, table: DataFrame) -> list[tuple[str, DataFrame]]:
    """Factors in two tables, since tests have no bins, and bins have no tests; slices with true minus signs."""
    if name == "factors" and "bin" in table:
        tests = table["bin"].isna()
        bins = table[~tests].assign(n_errors=table.loc[~tests, "n_errors"].astype(int))
        return [(title, table[tests]), (f"{title}: error rate in bins", bins)]
    if "description" in table:
        table = table.assign(description=[signed(str(text)) for text in table["description"]])
    return [(title, table)]


def _wide_tables(section: str, inputs: ReportInputs) -> str:
    found = []
    if section == "unsure" and inputs.reliability is not None:
        found.append(frame_table("Reliability", inputs.reliability, tuple(inputs.reliability.columns)))
    if section == "geometry" and inputs.classes is not None and len(inputs.classes):
        classes = first_layer(inputs.classes)
        found.append(classes_table(classes, inputs.class_scores, level=inputs.confidence))
    if section == "geometry" and inputs.tests is not None:
        found.append(frame_table("Tests", inputs.tests, TEST_COLUMNS))
    if section == "why":
        for name, title, columns in (("slices", "Weak slices", ()), ("factors", "Factors", FACTOR_COLUMNS)):
            table = inputs.tables.get(name)
            if table is not None:
                found += [frame_table(*part, columns or tuple(table.columns)) for part in _parts(name, title, table)]
    return "\n".join(filter(None, found))
