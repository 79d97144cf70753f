"""Numbers as people and spreadsheets write them: decimal commas, groups of thousands, percent signs."""

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from mlx.core.invisible import INVISIBLE, visible

Mark = Literal[".", ","]
MARKS: tuple[Mark, Mark] = (".", ",")

TRUTH = {"True": 1.0, "TRUE": 1.0, "true": 1.0, "False": 0.0, "FALSE": 0.0, "false": 0.0}
"""Truth values as files write them."""

_BLANKS = str.maketrans(
    {"\u2212": "-", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2019": "'", "\u066b": ".", "\u066c": "'"}
)
_GROUPED = r"[1-9]\d{0,2}(?P<group>[ '.])\d{3}(?:(?P=group)\d{3})*"  # not from 0, so that 0.125 is a fraction
_LAKHS = r"[1-9]\d?,(?:\d\d,)+\d{3}"
_END = r"(?:[eE][-+]?\d+)?(?P<percent> ?%)?"
_FORMS: dict[Mark, re.Pattern[str]] = {
    ".": re.compile(rf"[-+]?(?:(?:\d+|{_GROUPED.replace('.]', ',]')}|{_LAKHS})(?:\.\d*)?|\.\d+){_END}", re.ASCII),
    ",": re.compile(rf"[-+]?(?:(?:\d+|{_GROUPED})(?:,\d*)?|,\d+){_END}", re.ASCII),
}
_MISSING = frozenset({"", "na", "n/a", "#n/a", "<na>", "nan", "-nan", "null", "none"})
_INFINITE = re.compile(r"[-+]?inf(inity)?", re.IGNORECASE)


def number(text: str, mark: Mark) -> float | None:
    """Return `text` as a number whose decimal mark is `mark`; None where it is not a number.

    Thousands may be grouped by blanks, apostrophes, and by the comma or point that is not `mark`. A percentage
    is the number before the sign: ``7%`` is 7.
    """
    text = _plain(text.strip())
    found = _FORMS[mark].fullmatch(text)
    if found is None:
        return float(text) if _INFINITE.fullmatch(text) else None
    text = text[: found.start("percent")] if found["percent"] else text
    for group in {" ", "'", ",", "."} - {mark}:
        text = text.replace(group, "")
    return float(text.replace(mark, "."))


def looks_like_number(text: str) -> bool:
    """Return whether `text` has one number in it and otherwise only marks: ``1_000``, ``5‰``, ``#3``."""
    return _MARKED.fullmatch(text) is not None


_MARKED = re.compile(r"\W*\d+(_\d+)*([.,·]\d+)?\W*")


def means_missing(text: str) -> bool:
    """Return whether `text`, among numbers, stands for a missing value: blanks, NaN, None and the like."""
    return visible(text).lower() in _MISSING


def _plain(text: str) -> str:
    """Return the text with ASCII digits, blanks, signs and marks, without invisible characters."""
    if text.isascii():
        return text
    digits = (str(unicodedata.decimal(mark)) if mark.isdecimal() else mark for mark in INVISIBLE.sub("", text))
    return "".join(digits).translate(_BLANKS)


def without_percent(texts: Iterable[str]) -> set[str]:
    """Return the texts without a percent sign if others have one, as their units differ."""
    texts = set(texts)
    plain = {text for text in texts if not text.rstrip().endswith("%")}
    return plain if len(plain) < len(texts) else set()


@dataclass(frozen=True)
class Written:
    """The different texts of a column, read with a point and with a comma before the fraction.

    Attributes
    ----------
    counts
        How often each text occurs.
    read
        By mark: what each text is as a number; without those that are not numbers.
    """

    counts: Mapping[str, int]
    read: Mapping[Mark, Mapping[str, float]]

    def share(self, *marks: Mark) -> float:
        """Return the share of the rows, 0 to 1, that are numbers with one of these marks."""
        texts = set().union(*(self.read[mark] for mark in marks))
        if len(texts) == len(self.counts):
            return 1.0
        return sum(map(self.counts.__getitem__, texts)) / sum(self.counts.values())

    def words(self) -> set[str]:
        """Return the texts that are numbers with neither mark."""
        return self.counts.keys() - self.read["."].keys() - self.read[","].keys()

    def mostly_numbers(self) -> bool:
        """Return whether half the rows, or more than half of the distinct texts, are numbers with either mark."""
        n_numbers = len(self.read["."].keys() | self.read[","].keys())
        return self.share(*MARKS) >= 0.5 or 1 < n_numbers > len(self.counts) - n_numbers

    def shows(self) -> Collection[Mark]:
        """Return the marks that some text needs to be a number, where at least half the rows are numbers."""
        if self.share(*MARKS) < 0.5:
            return set()
        point, comma = (self.read[mark].keys() for mark in MARKS)
        return {mark for mark, only in zip(MARKS, (point - comma, comma - point), strict=True) if only}

    def ambiguous(self) -> str | None:
        """Return a text that each mark reads as another number, such as ``1,500``; None if there is none.

        One with a comma is preferred, as the decimal mark is a point unless something contradicts it.
        """
        point, comma = (self.read[mark] for mark in MARKS)
        found = [text for text, value in point.items() if comma.get(text, value) != value]
        return min(found, key=lambda text: "," not in text, default=None)


@dataclass(frozen=True)
class Seen:
    """What is known of the decimal mark of a column whose cells are all numbers.

    Attributes
    ----------
    read
        The mark that its cells were read with; None where none has a fraction.
    only
        The marks that some cell needs to be a number.
    text
        A cell that each mark reads as another number.
    """

    read: Mark | None = None
    only: frozenset[Mark] = frozenset()
    text: str | None = None

    def share(self, mark: Mark) -> float:
        """Return 1 for the mark that the cells were read with, else 0."""
        return float(mark == self.read)

    def shows(self) -> frozenset[Mark]:
        """Return the marks that some cell needs."""
        return self.only

    def ambiguous(self) -> str | None:
        """Return a cell that each mark reads as another number; None if there is none."""
        return self.text


def read_written(texts: Iterable[str] | Mapping[str, int]) -> Written:
    """Read the distinct texts of a column, and count them unless it is known how often each occurs."""
    counts = Counter(texts)
    both = {text: _either_way(text) for text in counts}
    read = {mark: {text: v[k] for text, v in both.items() if v[k] is not None} for k, mark in enumerate(MARKS)}
    return Written(counts, read)  # type: ignore[arg-type]  # None was left out


_SIMPLE = re.compile(r"[-+]?\d+(?:(?P<mark>[.,])(?P<rest>\d*))?", re.ASCII)


def _either_way(text: str) -> tuple[float | None, float | None]:
    """Return `number` with a point and with a comma; fast for plain numbers."""
    found = _SIMPLE.fullmatch(text)
    if found is None or (found["rest"] is not None and len(found["rest"]) == 3):
        return number(text, "."), number(text, ",")
    if found["mark"] is None:
        return float(text), float(text)
    return (float(text), None) if found["mark"] == "." else (None, float(text.replace(",", ".")))


@dataclass(frozen=True)
class Marks:
    """What is known of the decimal mark of a file.

    Attributes
    ----------
    stated
        The mark in the settings.
    shown
        The marks that some column needs.
    commas_likely
        Whether semicolons separate the cells, as is usual where the decimal mark is a comma.
    """

    stated: Mark | None = None
    shown: frozenset[Mark] = frozenset()
    commas_likely: bool = False


def mark_of(column: Written | Seen, known: Marks) -> Mark | None:
    """Return the decimal mark of a column; None where it is ambiguous."""
    if known.stated is not None:
        return known.stated
    shown = column.shows()
    if len(shown) == 1:
        return next(iter(shown))
    if shown:  # some texts are no numbers, whichever it is
        return max(MARKS, key=column.share)
    text = column.ambiguous()
    if text is None:
        return "."
    if len(known.shown) == 1 and ("," in text or "." in known.shown):
        return next(iter(known.shown))
    return "." if "," not in text and not known.shown and not known.commas_likely else None
