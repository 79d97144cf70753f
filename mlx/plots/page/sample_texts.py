"""Texts of samples, which the page shows where other samples have images."""

from collections.abc import Iterable, Sequence

from mlx.plots.page.packing import pack_json
from mlx.plots.report.inputs import AnyReport

SHOWN = 200
"""Characters of a text in a list of samples."""


def texts_of(report: AnyReport, numbers: Iterable[int]) -> list[str]:
    """Return the beginning of the text of each sample by its number; none where the samples are no texts."""
    if report.texts is None:
        return []
    found = (" ".join(report.texts.get(int(number), "").split()) for number in numbers)
    return [text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…" for text in found]


def pack_texts(texts: Sequence[str], budget: int) -> tuple[str, int]:
    """Pack as many of the texts, in this order, as fit into `budget` characters; return them and how many they are."""
    count = len(texts)
    while (packed := pack_json(texts[:count])) and len(packed) > budget and count:
        count = min(count - 1, int(0.9 * count * budget / len(packed)))
    return packed, count
