"""The top of the page: the answer in a paragraph, mistakes to look at, and what to do next."""

from __future__ import annotations

from base64 import b64encode
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.page.escaping import safe
from mlx.plots.page.summary import NextStep, next_steps, paragraph
from mlx.plots.page.thumbnails import thumbnails_of
from mlx.plots.report.inputs import AnyReport, ClassificationReport
from mlx.plots.text import class_labels, percent

if TYPE_CHECKING:
    from mlx.core.array_types import Array

MISTAKES_SHOWN = 6


def first_view(report: AnyReport) -> str:
    """Build the body: the paragraph, a strip of mistakes where there are images, and the list of what to do next."""
    steps = next_steps(report)
    listed = "\n".join(f"<li>{_link(step)}</li>" for step in steps)
    next_list = f'<h2 id="next">Next</h2>\n<ol class="next">\n{listed}\n</ol>' if steps else ""
    return f'<div class="answer">\n<p>{safe(paragraph(report))}</p>\n{_mistakes(report)}\n{next_list}\n</div>'


def _link(step: NextStep) -> str:
    numbers = f' data-samples="{",".join(map(str, step.samples))}"' if step.samples else ""
    return f'<a href="#{step.section}"{numbers}>{safe(step.text)}</a>'


def _mistakes(report: AnyReport) -> str:
    """Build the strip of the mistakes that the model was surest of; empty without images or mistakes."""
    if not isinstance(report, ClassificationReport) or report.images is None:
        return ""
    wrong = report.samples[~report.samples["correct"].to_numpy(bool)]
    shown = wrong.sort_values("confidence", ascending=False, kind="stable", na_position="last")[:MISTAKES_SHOWN]
    if not len(shown):
        return ""
    images, names = thumbnails_of(report.images, report.image_rows(shown)), class_labels(report.class_names)
    columns = (shown[name].tolist() for name in ("index", "y_true", "y_pred", "confidence"))
    cards = "\n".join(
        _card(image, number, names[true], names[predicted], confidence)
        for image, number, true, predicted, confidence in zip(images, *columns, strict=True)
    )
    return f'<ul class="mistakes" aria-label="The mistakes that it was surest of">\n{cards}\n</ul>'


def _card(image: Array, number: int, true: str, predicted: str, confidence: float) -> str:
    sure = "" if np.isnan(confidence) else f", {percent(confidence)} sure"
    alt = safe(f"sample {number}: {true}, taken for {predicted}{sure}")
    return (
        f'<li><a href="#explore" data-samples="{number}"><img src="{_url(image)}" alt="{alt}"></a>'
        f"<span>{safe(true)} → <b>{safe(predicted)}</b>{safe(sure)}</span></li>"
    )


def _url(image: Array) -> str:
    from PIL import Image

    stream = BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    return f"data:image/png;base64,{b64encode(stream.getvalue()).decode('ascii')}"
