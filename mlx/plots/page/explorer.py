"""The section of the page that explores samples: linked plots, confusion matrix, gallery and table."""

from __future__ import annotations

from collections.abc import Iterator

from mlx.plots.page.escaping import safe
from mlx.plots.page.explorer_data import MOST_CLASSES, ExplorerData, explorer_data
from mlx.plots.page.sheets import Sheets
from mlx.plots.page.views import View
from mlx.plots.report.inputs import AnyReport
from mlx.plots.text import plural, thousands

HINT = (
    "Drag in a plot to select samples, {cell}or set filters: they combine, and all views show the same selection. "
    "Links from the answer, the tables and the figures of this page select here, too. "
)
CELL = "click a cell of the confusion matrix, "
PARTS = {"val": "validation", "train": "training"}
MOST_NAMED = 8  # of the columns that are left out


def explorer(report: AnyReport, *, page_bytes: int) -> str:
    """Build the section's body: frames that the scripts fill, and the data that they fill them with."""
    data = explorer_data(report, page_bytes=page_bytes)
    if data is None:
        return ""
    frames = "\n".join(_frame(view) for view in data.views)
    hint = HINT.format(cell=CELL if 0 < len(report.class_names) <= MOST_CLASSES else "")
    sheet = f"<style>{_style(data.sheets)}</style>" if data.sheets else ""
    return (
        f'<p id="explore-shown">{safe(" ".join(_shown(report, data)))}</p>\n'
        f'<p class="soft">{safe(hint)}<button type="button" class="as-link" data-help>Keys and help</button></p>\n'
        f"<noscript><p>Without JavaScript, the figures and tables below show the same results.</p></noscript>\n"
        f'<div id="filters" class="filters" role="group" aria-label="Filters"></div>\n{_BAR}\n'
        f'<div class="views">\n{frames}\n{_MATRIX if data.has_matrix else ""}\n</div>\n'
        f"{_GALLERY if data.n_shown else ''}\n{_TABLE}\n"
        f'{sheet}<script type="application/json" id="explorer-data">{data.json}</script>'
    )


def _shown(report: AnyReport, data: ExplorerData) -> list[str]:
    """Say which samples, images and columns the page has."""
    n, count = len(report.samples), data.sizes["test"]
    said = []
    if count == n:
        said.append(f"All {plural(n, 'test sample')}." if n > 1 else "The only test sample.")
    else:
        first = "wrong predictions first" if report.task == "classification" else "the largest errors first"
        said.append(
            f"{thousands(count)} of {plural(n, 'test sample')}: {first}, up to half of those shown, the others evenly "
            "spread. Counts in the confusion matrix, intervals and figures are those of all samples."
        )
    said += _other_parts(report, data)
    if 0 < data.n_shown < data.n_points:
        what = "an image" if data.sheets else "their text"
        by_turns = ", test samples and others by turns" if len(data.sizes) > 1 else ""
        said.append(
            f"{thousands(data.n_shown)} of them have {what} here: mistakes first, then issues, then a random "
            f"sample{by_turns}, as many as the size of the page allows (report.page_megabytes)."
        )
    if data.left_out:
        rest = len(data.left_out) - MOST_NAMED
        names = ", ".join(data.left_out[:MOST_NAMED]) + (f" and {rest} more" if rest > 0 else "")
        said.append(f"Columns left out for their size, see samples.parquet: {names}.")
    return said


def _other_parts(report: AnyReport, data: ExplorerData) -> Iterator[str]:
    """Say which samples of other parts the page has, or that it has none of those with issues."""
    if report.others is None:
        if parts := sorted({issue.split for issue in report.residuals.issues} - {"test"}):
            named = " and ".join(PARTS.get(part, part) for part in parts)
            yield f"Of {named} samples the page has the issues alone."
        return
    recorded = report.others.sizes()
    whole = " and ".join(f"{thousands(n)} {PARTS.get(split, split)}" for split, n in recorded.items())
    if len(data.sizes) == 1:
        yield f"This page has no room for the {whole} samples that were recorded."
        return
    shown, which = f"the {whole}", ""
    if any(data.sizes.get(split, 0) < n for split, n in recorded.items()):
        shown = " and ".join(
            f"{thousands(data.sizes.get(split, 0))} of {thousands(n)} {PARTS.get(split, split)}"
            for split, n in recorded.items()
        )
        which = " (those with an issue first, then a random sample, as many as there is room for)"
    yield (
        f"Also {shown} samples that were recorded{which}, which Split adds; what is computed of test samples alone, "
        "such as similarity and the map, is missing there."
    )


def _style(sheets: Sheets) -> str:
    return "".join(f".sheet-{k}{{background-image:url({url})}}" for k, url in enumerate(sheets.urls))


def _frame(view: View) -> str:
    return (
        f'<figure class="view" id="view-{view.key}"><figcaption><h3>{safe(view.title)}</h3>'
        f'<p>{safe(view.text)}</p><div class="controls"></div></figcaption>\n'
        f'<div class="plot" id="plot-{view.key}" tabindex="0" role="application" '
        f'aria-label="{safe(view.title)}: {safe(view.x_label)} across, {safe(view.y_label)} up. Arrow keys move from '
        f'sample to sample, Enter selects, Space shows."></div><ul class="legend"></ul></figure>'
    )


_BAR = (
    '<div class="bar"><p id="selection" role="status" tabindex="-1">Nothing is selected.</p>'
    '<ul id="chips" aria-label="Filters in use"></ul>'
    '<div class="actions"><button type="button" id="clear" disabled>Clear selection</button>'
    '<button type="button" id="csv" title="Of the selected samples, or of all: every column of this page, rounded as '
    'the page shows it; samples.parquet has the full numbers">Download CSV</button>'
    '<button type="button" id="copy-ids" title="Numbers of the selected samples in the raw data, where '
    'there are several parts after the name of theirs">Copy ids</button>'
    '<button type="button" id="copy-link" title="Address of this page with the filters in use">Copy link</button>'
    '<button type="button" data-help aria-label="Keys and help">?</button></div></div>'
)
_MATRIX = (
    '<figure class="view" id="view-confusion"><figcaption><h3>Clickable confusion matrix</h3><p>Rows are actual, '
    "columns predicted classes, shaded by share of the row; a cell selects its samples.</p></figcaption>"
    '<div class="scroll-box" tabindex="0" role="region" aria-label="Confusion matrix"><table id="matrix"><caption '
    'class="hidden">Number of samples by true and predicted class</caption></table></div></figure>'
)
_GALLERY = (
    '<figure class="view" id="view-gallery"><figcaption><h3>Gallery</h3><div class="controls"></div></figcaption>'
    '<ul id="gallery" aria-label="Images or texts of the samples"></ul><div class="pager"></div></figure>'
)
_TABLE = (
    '<figure class="view" id="view-table"><figcaption><h3>Samples</h3><p>A number opens its sample. Columns that '
    "color, size or a filter uses are added.</p></figcaption>"
    '<div class="scroll-box" tabindex="0" role="region" aria-label="Table of samples"><table id="rows"><caption '
    'class="hidden">Test samples; only the selected ones where any are selected</caption><thead></thead><tbody></tbody>'
    '</table></div><div class="pager"></div></figure>\n'
    '<dialog id="viewer" aria-labelledby="viewer-title"></dialog>\n<dialog id="help" aria-labelledby="help-title">'
    '</dialog>\n<div id="tip" hidden></div>'
)
