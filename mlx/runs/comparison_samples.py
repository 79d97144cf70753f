"""The samples of a comparison as parts of its page: how many each model gets right, and a gallery of disagreements."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mlx.core.array_types import Array, Indices
from mlx.core.descriptions import DatasetDescription, read_description
from mlx.core.paths import Workspace
from mlx.pipeline.report import open_raw
from mlx.plots.page.escaping import safe
from mlx.plots.page.html_table import html_table
from mlx.plots.page.thumbnails import image_url, thumbnails_of
from mlx.plots.text import percent, plural, shorten, significant, thousands
from mlx.runs.disagreements import Predicted, better_predicted, predicted
from mlx.runs.run import Run
from mlx.runs.shared_samples import SharedOutputs

IN_GALLERY, IN_TABLE, IN_STRIP = 24, 200, 3
NAME_WIDTH = 24  # characters


@dataclass(frozen=True)
class Pair:
    """Two models on the samples that they are compared on.

    Attributes
    ----------
    first, second
        Short names of the runs.
    workspace
        Of the first, which has the raw samples.
    class_names
        Empty for a regression.
    index
        (n,), numbers of the samples.
    outputs
        What both predict.
    only_first, only_second
        Places of the samples that one alone gets right, or gets closer to, the clearest first.
    pages
        Those of the runs, relative to that of the comparison; empty where there is none.
    """

    first: str
    second: str
    workspace: Workspace
    class_names: tuple[str, ...]
    index: Array
    outputs: tuple[Predicted, Predicted]
    only_first: Indices
    only_second: Indices
    pages: tuple[str, str] = ("", "")

    @property
    def verb(self) -> str:
        """What a model does to a sample that it alone predicts."""
        return "gets right" if self.class_names else "comes closer to"


def pair_of(run: Run, shared: SharedOutputs, first: str, second: str, pages: tuple[str, str]) -> Pair:
    """Return two models by their short names, the first that of `run`, with their pages."""
    one, other = predicted(shared)
    recorded = shared.outputs[0]
    return Pair(
        first,
        second,
        run.workspace,
        recorded.class_names,
        recorded.index[shared.rows[0]],
        (one, other),
        better_predicted(one, other),
        better_predicted(other, one),
        pages,
    )


def counts_table(pair: Pair) -> str:
    """Return how many samples both, one and none of the models get right; or which is closer, for a regression."""
    n, alone = len(pair.index), (len(pair.only_first), len(pair.only_second))
    if pair.class_names:
        both = int((pair.outputs[0].correct & pair.outputs[1].correct).sum())
        rows = [("both right", both), (f"{pair.first} alone right", alone[0]), (f"{pair.second} alone right", alone[1])]
        rows.append(("both wrong", n - both - sum(alone)))
    else:
        rows = [(f"{pair.first} closer", alone[0]), (f"{pair.second} closer", alone[1])]
        rows.append(("equally close", n - sum(alone)))
    body = "\n".join(
        f'<tr><th scope="row">{safe(name)}</th><td class="n">{thousands(count)}</td>'
        f'<td class="n">{percent(count / n)}</td></tr>'
        for name, count in rows
    )
    head = "".join(f'<th scope="col"{kind}>{name}</th>' for name, kind in HEAD)
    caption = f"{plural(n, 'test sample')} of {pair.first} and {pair.second}"
    return (
        f'<table class="pairs"><caption>{safe(caption)}</caption>\n<thead><tr>{head}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table>"
    )


HEAD = (("samples", ""), ("count", ' class="n"'), ("share", ' class="n"'))


def strip(pair: Pair) -> str:
    """Return the clearest disagreements of either kind, as cards; empty without any."""
    places = np.concatenate([pair.only_first[:IN_STRIP], pair.only_second[:IN_STRIP]])
    title = "Where they disagree most clearly"
    return f'<h2 id="clearest">{title}</h2>\n{_cards(pair, places, title)}' if places.size else ""


def galleries(pair: Pair) -> Iterator[str]:
    """Yield a gallery of the samples that one model alone gets right, and one for the other; then their table."""
    for mine, other, places in (
        (pair.first, pair.second, pair.only_first),
        (pair.second, pair.first, pair.only_second),
    ):
        title = f"{mine} right, {other} wrong" if pair.class_names else f"{mine} closer than {other}"
        if not places.size:
            yield f"<h3>{safe(title)}</h3>\n<p>No sample.</p>"
            continue
        shown = f", the {IN_GALLERY} clearest" if places.size > IN_GALLERY else ""
        gallery = _cards(pair, places[:IN_GALLERY], title)
        heading = f"<h3>{safe(title)}: {plural(int(places.size), 'sample')}{shown}</h3>"
        yield f"{heading}\n{gallery}\n{_table(pair, places, title)}"


def _cards(pair: Pair, places: Indices, title: str) -> str:
    index = pair.index[places]
    pictures = _pictures(pair.workspace, index)
    cards = "\n".join(
        _card(
            int(number), picture, _said(pair, int(place)), [_is_worse(pair, int(place), k) for k in (0, 1)], pair.pages
        )
        for number, place, picture in zip(index, places, pictures, strict=True)
    )
    return f'<ul class="mistakes" aria-label="{safe(title)}">\n{cards}\n</ul>'


def _pictures(workspace: Workspace, index: Array) -> Sequence[Array | None]:
    """Return thumbnails of samples by their numbers; None where they are not images, or not at hand."""
    if not all((workspace.raw / name).exists() for name in ("dataset.json", "X.npy")):
        return [None] * len(index)
    described = read_description(workspace.raw / "dataset.json", DatasetDescription)
    if len(described.shape) != 4:
        return [None] * len(index)
    raw = open_raw(workspace, described)
    has = [raw.has(int(number)) for number in index]
    if raw.inputs is None or not all(has):
        return [None] * len(index)
    return list(thumbnails_of(raw.inputs, raw.rows(index)))


def _card(
    number: int, picture: Array | None, said: tuple[str, str, str], wrong: Sequence[bool], pages: tuple[str, str]
) -> str:
    """Return a sample; what each model says links to the sample on the page of its run."""
    lines = [safe(shorten(text, 2 * NAME_WIDTH)) for text in said]
    lines = [
        f'<a href="{safe(page)}#explore?samples={number}&amp;at={number}">{line}</a>' if page else line
        for page, line in zip(("", *pages), lines, strict=True)
    ]
    true, first, second = (f"<b>{line}</b>" if bad else line for line, bad in zip(lines, (False, *wrong), strict=True))
    image = f"sample {number}"
    if picture is not None:
        alt = safe("; ".join((image, *said)))
        image = f'<img src="{image_url(picture)}" alt="{alt}">'
    return f"<li>{image}<span>{'<br>'.join((true, first, second))}</span></li>"


def _is_worse(pair: Pair, place: int, which: int) -> bool:
    return bool(pair.outputs[which].right[place] < pair.outputs[1 - which].right[place])


def _said(pair: Pair, place: int) -> tuple[str, str, str]:
    """Return what is right, and what each model says."""
    true = f"true: {_value(pair, pair.outputs[0].y_true[place])}"
    first, second = (
        f"{name}: {_value(pair, one.y_pred[place])}{_sure(one, place)}"
        for name, one in zip((pair.first, pair.second), pair.outputs, strict=True)
    )
    return true, first, second


def _sure(one: Predicted, place: int) -> str:
    return "" if one.confidence is None else f", confidence {percent(float(one.confidence[place]))}"


def _value(pair: Pair, value: object) -> str:
    return pair.class_names[int(str(value))] if pair.class_names else significant(float(str(value)))


def _table(pair: Pair, places: Indices, title: str) -> str:
    """Return the samples as a table, folded: numbers to look them up, and what each model says."""
    head = ["sample", "true", pair.first, pair.second]
    if pair.class_names:
        head += [f"{name}: probability of the true class" for name in (pair.first, pair.second)]
    rows = []
    for place in places[:IN_TABLE].tolist():
        values = [pair.outputs[0].y_true[place], *(one.y_pred[place] for one in pair.outputs)]
        scores = [float(one.right[place]) for one in pair.outputs] if pair.class_names else []
        cells = [_value(pair, value) if pair.class_names else float(value) for value in values]
        rows.append((int(pair.index[place]), *cells, *scores))
    cut = f"the {IN_TABLE} clearest of {thousands(len(places))}" if len(places) > IN_TABLE else "all of them"
    return f"<details><summary>As a table: {cut}</summary>\n{html_table(title, head, rows)}\n</details>"
