"""The report page: one HTML file that holds everything it shows and asks the network for nothing."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping

from mlx.plots.figures import first_layer
from mlx.plots.headline import headlines
from mlx.plots.inputs import ReportInputs
from mlx.plots.tables import classes_table, frame_table, metrics_table, mistakes_table, safe
from mlx.plots.template import PAGE, STYLE
from mlx.plots.text import plural

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
        body = _figures([name for name in names if name in images], images) + _tables(key, inputs)
        if body:
            sections.append((key, title, body))
    links = [f'<li><a href="#{key}">{safe(title)}</a></li>' for key, title, _ in sections]
    return PAGE.substitute(
        name=safe(inputs.name),
        style=STYLE,
        introduction=_introduction(inputs),
        links="\n".join(links),
        headlines=_headlines(inputs),
        sections="\n".join(
            f'<section id="{k}">\n<h2>{safe(t)}</h2>\n{body}\n</section>' for k, t, body in sections
        ),
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


def _figures(names: list[str], images: Mapping[str, bytes]) -> str:
    if not names:
        return ""
    return '<div class="figures">\n' + "\n".join(_figure(name, images[name]) for name in names) + "\n</div>\n"


def _figure(name: str, png: bytes) -> str:
    title, text = CAPTIONS.get(name, (name.replace("_", " ").capitalize(), ""))
    width, height = (int.from_bytes(png[k : k + 4], "big") for k in (16, 20))  # of the PNG's IHDR chunk
    wide = ' class="wide"' if width > 1.7 * height or name == "similarity_entropy_by_class" else ""
    alt = safe(f"{title}. {text}")
    return (
        f"<figure{wide}><figcaption><h3>{safe(title)}</h3><p>{safe(text)}</p></figcaption>\n"
        f'<img width="{width}" height="{height}" style="--natural:{width}px" alt="{alt}" '
        f'src="data:image/png;base64,{b64encode(png).decode("ascii")}"></figure>'
    )


def _tables(section: str, inputs: ReportInputs) -> str:
    if section == "wrong":
        mistakes = "" if inputs.confusion is None else mistakes_table(inputs.confusion, inputs.class_names)
        return _side_by_side(mistakes, metrics_table("Evaluation", inputs.evaluation))
    if section == "geometry":
        return _geometry_tables(inputs)
    return metrics_table("Training", inputs.training) if section == "training" else ""


def _geometry_tables(inputs: ReportInputs) -> str:
    found = []
    if inputs.classes is not None and len(inputs.classes):
        found.append(classes_table(first_layer(inputs.classes), inputs.class_scores))
    if inputs.tests is not None:
        found.append(frame_table("Tests", inputs.tests, TEST_COLUMNS))
    return "\n".join([*found, metrics_table("Residuals analysis", inputs.residuals)])


def _side_by_side(*tables: str) -> str:
    shown = [f"<div>{table}</div>" for table in tables if table]
    return '<div class="pair">\n' + "\n".join(shown) + "\n</div>" if shown else ""
