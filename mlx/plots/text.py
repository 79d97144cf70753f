"""Words and numbers as pictures and page show them."""

from __future__ import annotations

import math
import re
import sys
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile
from typing import Any

import numpy as np

from mlx.plots.style import font_families
from mlx.stats.status import OK
from mlx.stats.studentized import SMALLEST_P

MISSING = "□"
LEFT_TO_RIGHT = "\N{LEFT-TO-RIGHT MARK}"
LEFTWARD = re.compile(r"[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+( [\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]+)*")
"""Words of scripts that run from right to left."""

MINUS, DASH, RHO = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{GREEK SMALL LETTER RHO}"


def class_labels(names: Sequence[str], *, width: int = 18) -> list[str]:
    """Class names that matplotlib draws as they are: any script, no mathtext, no two alike.

    Control characters become spaces, long names lose their middle, or of those that would be alike what they have in
    common, ``$`` is escaped. A name with a character that no installed font has shows ``□`` for it and is preceded by
    its class number, as is a name that would look like another one.

    Parameters
    ----------
    names
        n_classes names.
    width
        Longest label in characters.
    """
    shown = [_drawable(str(name)) for name in names]
    short = _told_apart(shown, width)
    times = Counter(short)
    unclear = [not s or MISSING in s or times[s] > 1 for s in short]
    numbered = [shorten(f"#{k} {name}".strip(), width) if unclear[k] else short[k] for k, name in enumerate(shown)]
    return [escape_math(set_apart(name)) for name in numbered]


def _told_apart(names: Sequence[str], width: int) -> list[str]:
    """Shorten names; of those that would be alike then, keep the words in which they differ, if these have room."""
    short = [shorten(name, width) for name in names]
    times = Counter(short)
    for one in [one for one, count in times.items() if count > 1]:
        places = [k for k, name in enumerate(short) if name == one]
        found = _differing_words([names[k] for k in places], width)
        if found and not {*found} & {*short}:
            for k, words in zip(places, found, strict=True):
                short[k] = words
    return short


def _differing_words(names: Sequence[str], width: int) -> list[str]:
    """Return the words in which long names differ, with as much of both their common ends as has room beside them.

    Empty where the words of a name have no room, or there are none.
    """
    head = _common(names)
    tail = min(_common([name[::-1] for name in names]), min(map(len, names)) - head)
    found = []
    for name in names:
        words, room = name[head : len(name) - tail], width - (len(name) - tail - head) - 2
        if not words or room < 0:
            return []
        before, after = name[:head], name[len(name) - tail :]
        last = min(tail, room // 3)
        before = before if head <= room - last + 1 else f"{before[: room - last].rstrip()}…"
        found.append(f"{before}{words}{after if tail <= last else f'…{after[tail - last :].lstrip()}'}")
    return found


def _common(names: Sequence[str]) -> int:
    """Return the number of characters of the whole words with which all `names` begin."""
    alike = sum(1 for _ in takewhile(lambda characters: len({*characters}) == 1, zip(*names, strict=False)))
    return len(re.sub(r"[^\W_]*$", "", names[0][:alike]))


def drawn_label(text: str, *, width: int) -> str:
    """`text` in one line of at most `width` characters, as `class_labels` shows names; two may be alike."""
    return escape_math(set_apart(shorten(_drawable(text), width)))


def drawn_lines(text: str, *, width: int) -> str:
    """`text` in about two lines of `width` characters, as matplotlib draws them, without its middle if need be."""
    kept = re.sub("([≤>]) ", "\\1\N{NO-BREAK SPACE}", shorten(_drawable(text), 2 * width - 4))  # a sign by its number
    lines = textwrap.wrap(kept, width)
    return "\n".join(escape_math(set_apart(line)) for line in lines)


def short_names(names: Sequence[str], *, width: int = 18) -> list[str]:
    """Class names for the page, which draws any script: long ones lose their middle, and no two are alike."""
    short = _told_apart([" ".join(str(name).split()) for name in names], width)
    times = Counter(short)
    return [shorten(f"#{k} {one}", width) if not one or times[one] > 1 else one for k, one in enumerate(short)]


def quoted_names(names: Sequence[str]) -> list[str]:
    """`short_names` in quotation marks, for sentences: a class may be called "no", or "8"."""
    return [f"“{set_apart(name)}”" for name in short_names(names)]


def set_apart(name: str) -> str:
    """`name`, what runs from right to left in it set apart: else a number after it would be drawn before it."""
    plain = name.replace(LEFT_TO_RIGHT, "")
    apart = LEFTWARD.sub(rf"\g<0>{LEFT_TO_RIGHT}", plain)
    return plain if apart == plain else LEFT_TO_RIGHT + apart


def escape_math(text: str) -> str:
    """`text` with every ``$`` escaped, so that matplotlib draws it and parses no formula."""
    return text.replace("$", r"\$")


def shorten(text: str, width: int) -> str:
    """`text` in at most `width` characters, without its middle if need be: both ends tell names apart."""
    if len(text) <= width:
        return text
    tail = (width - 1) // 3
    return f"{text[: width - 1 - tail].rstrip()}…{text[len(text) - tail :].lstrip()}"


def _drawable(name: str) -> str:
    spaced = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in name)
    return "".join(c if _has_glyph(c) else MISSING for c in " ".join(spaced.split()))


@cache
def _has_glyph(character: str) -> bool:
    if unicodedata.category(character) == "Cs":
        return False  # half of a surrogate pair is no character
    return any(font.get_char_index(ord(character)) for font in _fonts())


@cache
def _fonts() -> tuple[Any, ...]:
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return tuple(get_font(findfont(FontProperties(family=name))) for name in font_families())


def fixed(value: float, digits: int = 2) -> str:
    """`value` with `digits` decimals and a true minus sign; an unknown value is a dash."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:.{digits}f}"
    return text[1:] if text.startswith("-") and float(text) == 0 else text.replace("-", MINUS)


def fixed_or_below(value: float, digits: int = 2) -> str:
    """`fixed`, but ``<0.01`` for a positive value that would read as zero."""
    least = 10.0**-digits
    return f"<{least:g}" if 0 < value < least / 2 else fixed(value, digits)


def signed(text: str) -> str:
    """`text` with a true minus sign before each negative number."""
    return re.sub(r"(?<!\S)-(?=\d)", MINUS, text)


def readable(condition: str) -> str:
    """Round the numbers of a slice, ``size ≤ 0.434496``, to at most three significant digits."""

    def rounded(found: re.Match[str]) -> str:
        text = significant(float(found[0]))
        return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text

    return signed(re.sub(r"(?<!\S)-?\d+(\.\d+(e[+-]?\d+)?|e[+-]?\d+)(?!\S)", rounded, condition))


def significant(value: float, digits: int = 3) -> str:
    """`value` with `digits` significant digits, in powers of ten only where it is very small or large."""
    if value is None or not math.isfinite(value):
        return DASH
    if abs(value) < sys.float_info.min:  # zero, or the end of an interval just beyond it
        return f"{MINUS}0" if value < 0 else "0"
    size = math.floor(math.log10(abs(value)))
    if size < -4 or size > 6:
        return f"{value:.{digits - 1}e}".replace("-", MINUS)
    return fixed(value, max(0, digits - 1 - size))


@dataclass(frozen=True)
class PValue:
    """A p-value as it is written: with "≤" where more permutations could give a smaller one, and never below 1e-6.

    Attributes
    ----------
    value
        The number itself.
    at_floor
        Whether it, or what it was adjusted from, is the smallest that its permutations allow.
    """

    value: float
    at_floor: bool = False

    def __float__(self) -> float:
        return float(self.value)

    def __str__(self) -> str:
        sign = self.sign
        return self.digits if sign == "=" else f"{sign} {self.digits}"

    @property
    def sign(self) -> str:
        """How the p-value relates to `digits`: "=", "≤" or "<"."""
        if self.value < SMALLEST_P:
            return "<"
        return "≤" if self.at_floor and self.value < 1 else "="

    @property
    def digits(self) -> str:
        """Two significant digits."""
        return "1e-6" if self.value < SMALLEST_P else f"{self.value:.2g}".replace("-", MINUS)


def p_text(p: float | PValue) -> str:
    """Write a p-value as ``p = 0.012``, ``p ≤ 0.0001``, ``p < 1e-6`` or ``p unknown``."""
    shown = p if isinstance(p, PValue) else PValue(math.nan if p is None else p)
    return f"p {shown.sign} {shown.digits}" if math.isfinite(shown.value) else "p unknown"


def with_interval(value: float, low: float, high: float, digits: int = 2) -> str:
    """``−0.62 [−0.70, −0.52]``; the value alone where the interval is unknown."""
    if low is None or high is None or not (math.isfinite(low) and math.isfinite(high)):
        return fixed(value, digits)
    return f"{fixed(value, digits)} [{fixed(low, digits)}, {fixed(high, digits)}]"


def number(metrics: Mapping[str, Any], key: str) -> float:
    """Return the metric `key` as a float; NaN where it is absent, null or no number."""
    value = metrics.get(key)
    known = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return float(value) if known and value is not None else math.nan


def percent(share: float) -> str:
    """``91.5 %``, without decimals at 0 and 100."""
    digits = 0 if share in (0, 1) else 1
    return f"{fixed(100 * share, digits)}\N{NO-BREAK SPACE}%"


def of_all(count: int, n: int) -> str:
    """``16 of 80 (20.0 %)``."""
    return f"{thousands(count)} of {thousands(n)}{f' ({percent(count / n)})' if n else ''}"


def level_text(level: float) -> str:
    """``95 %``: the level of an interval."""
    return f"{100 * level:g} %"


def interval_text(low: float, high: float, level: float, write: Callable[[float], str] = fixed) -> str:
    """``95 % interval 0.87 to 0.95``, as `write` writes numbers; empty where an end is unknown."""
    if not (math.isfinite(low) and math.isfinite(high)):
        return ""
    return f"{level_text(level)} interval {write(low)} to {write(high)}"


def status_text(status: object) -> str:
    """Return the sentence of a status, without an ``ok`` at its beginning; the empty text for ``ok``."""
    return "" if str(status) == str(OK) else str(status).removeprefix(f"{OK}; ")


def thousands(count: int) -> str:
    """``9999``, ``12 000``: a narrow space between thousands from five digits on."""
    if abs(count) < 10_000:
        return str(count)
    return f"{count:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def listed(texts: Sequence[str]) -> str:
    """Write one or more texts as a list in a sentence."""
    *first, last = texts
    return f"{', '.join(first)} and {last}" if first else last


def plural(count: int, noun: str) -> str:
    """``1 sample``, ``2 samples``, ``12 000 samples``."""
    return f"{thousands(count)} {noun}{'' if count == 1 else 's'}"
