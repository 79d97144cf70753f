"""Mistakes at the top of the page: the six with the highest confidence, and which classes are predicted as which."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mlx.plots.confusion import confused_pairs
from mlx.plots.page.escaping import safe
from mlx.plots.page.sample_texts import texts_of
from mlx.plots.page.thumbnails import image_url, thumbnails_of
from mlx.plots.report.inputs import AnyReport, ClassificationReport
from mlx.plots.text import percent, plural, short_names, shorten, significant, thousands

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame

    from mlx.core.array_types import Array

MISTAKES_SHOWN = 6
MATRIX_UP_TO = 10
"""Classes of a matrix that fits beside the answer; of more, the most frequent confusions are listed."""

PAIRS_SHOWN = 8
LARGEST = "The largest errors"
NAME_WIDTH = 12  # characters


def surest_mistakes(report: AnyReport) -> str:
    """Build the list of the mistakes with the highest confidence, or of the largest errors; empty without any."""
    is_classification = isinstance(report, ClassificationReport)
    shown = _surest(report.samples) if is_classification else _largest(report.samples)
    if not len(shown):
        return ""
    pictures: Sequence[Array | str | None] = texts_of(report, shown["index"]) or [None] * len(shown)
    if report.images is not None:
        pictures = list(thumbnails_of(report.images, report.image_rows(shown)))
    texts = _classes(report, shown) if is_classification else _values(shown)
    numbers = shown["index"].tolist()
    cards = "\n".join(_card(*one) for one in zip(pictures, numbers, texts, strict=True))
    title, rest = _surest_title(report, len(shown)) if isinstance(report, ClassificationReport) else (LARGEST, "")
    title += f' <span class="aside">(true → <b>predicted</b>{rest})</span>'
    return f'<h2 id="surest">{title}</h2>\n<ul class="mistakes" aria-labelledby="surest">\n{cards}\n</ul>'


def _surest_title(report: ClassificationReport, shown: int) -> tuple[str, str]:
    """Return the title, and beside some of the mistakes what is typical of all: those shown are the extreme ones."""
    wrong = report.samples[~report.samples["correct"].to_numpy(bool)]
    if len(wrong) <= shown:
        return "The mistakes, highest confidence first", ""
    typical = float(np.median(wrong["confidence"]))
    rest = "" if np.isnan(typical) else f"; median confidence of all mistakes: {percent(typical)}"
    return f"The {shown} of {thousands(len(wrong))} mistakes with the highest confidence", rest


def _surest(samples: DataFrame) -> DataFrame:
    wrong = samples[~samples["correct"].to_numpy(bool)]
    return wrong.sort_values("confidence", ascending=False, kind="stable", na_position="last")[:MISTAKES_SHOWN]


def _largest(samples: DataFrame) -> DataFrame:
    size = samples["residual"].abs()
    return samples.loc[size[size > 0].sort_values(ascending=False, kind="stable").index[:MISTAKES_SHOWN]]


Said = tuple[str, str, str]
"""What is right, what is predicted, and the model's confidence in it, or how far it is off."""


def _classes(report: AnyReport, shown: DataFrame) -> list[Said]:
    columns = (shown[name].tolist() for name in ("y_true", "y_pred", "confidence"))
    return [
        (report.class_names[true], report.class_names[predicted], "" if np.isnan(p) else f"confidence {percent(p)}")
        for true, predicted, p in zip(*columns, strict=True)
    ]


def _values(shown: DataFrame) -> list[Said]:
    columns = (shown[name].tolist() for name in ("y_true", "y_pred", "residual"))
    return [
        (significant(true), significant(predicted), f"off by {significant(abs(residual))}")
        for true, predicted, residual in zip(*columns, strict=True)
    ]


def _card(picture: Array | str | None, number: int, said: Said) -> str:
    true, predicted, sure = (safe(shorten(text, 2 * NAME_WIDTH)) for text in said)
    shown = f"sample {number}"
    if isinstance(picture, str):
        shown = f'<q class="sample-text">{safe(picture)}</q>'
    elif picture is not None:
        alt = f"sample {number}: true {true}, predicted {predicted}{sure and f', {sure}'}"
        shown = f'<img src="{image_url(picture)}" alt="{alt}">'
    text = f"{true} → <b>{predicted}</b>{sure and f'<br>{sure}'}"
    return f'<li><a href="#explore" data-samples="{number}">{shown}</a><span>{text}</span></li>'


def confusions(report: AnyReport) -> str:
    """Build the confusion matrix of few classes, else the most frequent confusions; each count selects its samples."""
    if not isinstance(report, ClassificationReport):
        return ""
    counts = report.evaluation.confusion
    if len(counts) <= MATRIX_UP_TO:
        return _matrix(counts, short_names(report.class_names, width=NAME_WIDTH))
    names = short_names(report.class_names, width=2 * NAME_WIDTH)
    pairs = confused_pairs(counts, PAIRS_SHOWN)
    if not pairs:
        return ""
    rows = "\n".join(
        f'<tr><th scope="row">{safe(names[actual])}</th><td>{safe(names[predicted])}</td>'
        f'<td class="n">{_link(actual, predicted, n, names)}</td></tr>'
        for actual, predicted, n in pairs
    )
    rest = plural(int(counts.sum() - np.trace(counts)), "mistake")
    head = '<tr><th scope="col">true</th><th scope="col">predicted</th><th scope="col" class="n">samples</th></tr>'
    return (
        f'<table class="pairs"><caption>Most frequent of {rest}</caption>\n<thead>{head}</thead>\n'
        f"<tbody>\n{rows}\n</tbody></table>"
    )


def _matrix(counts: Array, names: Sequence[str]) -> str:
    head = "".join(f'<th scope="col"><span>{safe(name)}</span></th>' for name in names)
    cells = ("".join(_cell(actual, k, counts, names) for k in range(len(names))) for actual in range(len(names)))
    rows = "\n".join(f'<tr><th scope="row">{safe(name)}</th>{own}</tr>' for name, own in zip(names, cells, strict=True))
    return (
        '<div class="scroll-box" tabindex="0" role="region" aria-label="Counts of true and predicted classes">'
        '<table class="confusions"><caption>Samples by true class (rows) and predicted class (columns)'
        f"</caption>\n<thead><tr><td></td>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _cell(actual: int, predicted: int, counts: Array, names: Sequence[str]) -> str:
    n = int(counts[actual, predicted])
    if not n:
        return "<td></td>"
    share = n / int(counts[actual].sum())
    kind = "hit" if actual == predicted else "miss"
    return f'<td class="{kind}" style="--share:{share:.2f}">{_link(actual, predicted, n, names)}</td>'


def _link(actual: int, predicted: int, n: int, names: Sequence[str]) -> str:
    said = f"true {names[actual]} predicted as {names[predicted]}: {plural(n, 'sample')}"
    return (
        f'<a href="#explore" data-cell="{actual},{predicted}" data-count="{n}" aria-label="{safe(said)}" '
        f'title="{safe(said)}">{thousands(n)}</a>'
    )
