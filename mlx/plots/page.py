"""The report page: one HTML file that holds everything it shows and asks the network for nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from mlx.plots.figures import first_layer
from mlx.plots.headline import headlines
from mlx.plots.inputs import ReportInputs
from mlx.plots.tables import classes_table, frame_table, metrics_table, mistakes_table, safe
from mlx.plots.template import PAGE, STYLE
from mlx.plots.text import level_text, plural

# name of a picture: heading, and how to read it (also its text alternative)
CAPTIONS = {
    "samples": ("Samples", "What the data look like, by class or by target value."),
    "learning_curves": (
        "Learning curves",
        "Training against validation; the dotted line is the epoch with the lowest validation loss.",
    ),
    "confusion": (
        "Confusion matrix",
        "Rows are actual, columns predicted classes; everything off the diagonal is a mistake.",
    ),
    "roc": ("ROC curves", "Each class against all others; the nearer to the upper left corner, the better."),
    "reliability": (
        "Reliability",
        "How often predictions of a given confidence are right; below the dotted line it is overconfident.",
    ),
    "entropy_histogram": (
        "Entropy of correct and wrong predictions",
        "The further apart the two, the better entropy tells mistakes; dashed lines are medians.",
    ),
    "similarity_entropy": (
        "Similarity against entropy",
        "Each point is a test sample; the band of the least-squares line describes, and tests nothing.",
    ),
    "similarity_entropy_by_class": (
        "The same for each predicted class",
        "A relation over all samples may come from differences between classes; here it is within each.",
    ),
    "uncertain_samples": (
        "Samples to look at",
        "Under each: actual → predicted class and entropy; mistakes in orange.",
    ),
    "residuals_fitted": (
        "Residuals against predictions",
        "A median that leaves zero shows a relation the model misses; a widening cloud, errors that grow.",
    ),
    "residual_qq": (
        "Normal quantiles",
        "Points outside the band are larger or smaller than normal errors would be.",
    ),
    "residual_histogram": (
        "Residuals",
        "How large the errors are, with the normal curve of the same spread.",
    ),
}

SECTIONS = (
    (
        "wrong",
        "What it gets wrong",
        ("confusion", "roc", "residuals_fitted", "residual_qq", "residual_histogram"),
    ),
    ("unsure", "Where it is unsure", ("entropy_histogram", "reliability", "uncertain_samples")),
    (
        "geometry",
        "Does the geometry of representations tell?",
        ("similarity_entropy", "similarity_entropy_by_class"),
    ),
    ("training", "Training and data", ("learning_curves", "samples")),
)

WIDE = "similarity_entropy_by_class"
TEST_COLUMNS = ("name", "scope", "class", "layer", "statistic", "estimate", "low", "high", "p", "p_method",
                "p_holm", "n", "status")  # fmt: skip


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
        A complete HTML document, the same for the same arguments.
    """
    sections = []
    for key, title, names in SECTIONS:
        cells = [_figure(name, images[name]) for name in names if name in images]
        body = _grid(cells + _narrow_tables(key, inputs), wide=WIDE) + _wide_tables(key, inputs)
        if body:
            sections.append((key, title, body))
    links = [f'<li><a href="#{key}">{safe(title)}</a></li>' for key, title, _ in sections]
    return PAGE.substitute(
        name=safe(inputs.name),
        style=STYLE,
        introduction=_introduction(inputs),
        level=level_text(inputs.confidence),
        links="\n".join(links),
        headlines=_headlines(inputs),
        sections="\n".join(f'<section id="{k}">\n<h2>{safe(t)}</h2>\n{body}\n</section>' for k, t, body in sections),
    )


def _introduction(inputs: ReportInputs) -> str:
    about = f"<p>{safe(inputs.description)}</p>\n" if inputs.description else ""
    size = plural(len(inputs.samples), "test sample")
    classes = f", {len(inputs.class_names)} classes" if inputs.task == "classification" else ""
    return f'{about}<p class="soft">{inputs.task.capitalize()}: {size}{classes}</p>'


def _headlines(inputs: ReportInputs) -> str:
    boxes = [
        f'<div class="headline"><dt>{safe(h.label)}</dt><dd class="value">{safe(h.value)}</dd>'
        f'<dd class="interval">{safe(h.interval)}</dd><dd>{safe(h.sentence)}</dd></div>'
        for h in headlines(inputs)
    ]
    return '<dl class="headlines">\n' + "\n".join(boxes) + "\n</dl>" if boxes else ""


def _grid(cells: list[str], *, wide: str) -> str:
    """Put `cells` two by two, those that hold the figure `wide` below the others."""
    shown = sorted(filter(None, cells), key=lambda cell: cell.startswith(f'<figure id="{wide}"'))
    return '<div class="figures">\n' + "\n".join(shown) + "\n</div>\n" if shown else ""


def _figure(name: str, png: bytes) -> str:
    title, text = CAPTIONS.get(name, (name.replace("_", " ").capitalize(), ""))
    width, height = (int.from_bytes(png[k : k + 4], "big") for k in (16, 20))  # of the PNG's IHDR chunk
    alt = safe(f"{title}. {text}")
    # Too wide for a phone: it scrolls there, and must be reachable by keyboard to do so.
    scrolls = f' tabindex="0" role="region" aria-label="{safe(title)}"' if name == WIDE else ""
    return (
        f'<figure id="{safe(name)}"><figcaption><h3>{safe(title)}</h3><p>{safe(text)}</p></figcaption>\n'
        f'<div class="picture"{scrolls}><img width="{width}" height="{height}" '
        f'style="--natural:{width}px" alt="{alt}" '
        f'src="data:image/png;base64,{b64encode(png).decode("ascii")}"></div></figure>'
    )


def _narrow_tables(section: str, inputs: ReportInputs) -> list[str]:
    residuals = metrics_table("Residuals analysis", inputs.residuals, level=inputs.confidence)
    if section == "wrong":
        mistakes = "" if inputs.confusion is None else mistakes_table(inputs.confusion, inputs.class_names)
        evaluation = metrics_table("Evaluation", inputs.evaluation)
        return [mistakes, evaluation] if inputs.task == "classification" else [evaluation, residuals]
    if section == "geometry":
        return [residuals] if inputs.task == "classification" else []
    return [metrics_table("Training", inputs.training)] if section == "training" else []


def _wide_tables(section: str, inputs: ReportInputs) -> str:
    if section != "geometry":
        return ""
    found = []
    if inputs.classes is not None and len(inputs.classes):
        classes = first_layer(inputs.classes)
        found.append(classes_table(classes, inputs.class_scores, level=inputs.confidence))
    if inputs.tests is not None:
        found.append(frame_table("Tests", inputs.tests, TEST_COLUMNS))
    return "\n".join(found)
