"""The names of classes, which tables and pages tell classes apart by: no two may read the same."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST_SHOWN = 40

_INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls that are no blanks
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters without a shape of their own: the property Default_Ignorable_Code_Point of Unicode, and controls."""

_BLANK = "\u2800"
"""The empty Braille pattern, a blank that Unicode does not count among them."""


def visible(text: str) -> str:
    """Return `text` without invisible characters, and with one space for each run of blanks."""
    return " ".join(_INVISIBLE.sub("", text).replace(_BLANK, " ").split())


def reading_of(name: str) -> str:
    """Return what a person reads: what is `visible`, with compatibility characters composed (Unicode NFKC)."""
    return visible(unicodedata.normalize("NFKC", visible(name)))


def clash_of(names: Iterable[str]) -> str | None:
    """Say which two of `names` read the same, or return None.

    Equal names clash, and so do names that differ only in how Unicode writes their characters (``é`` as one character
    or as two), in blanks, or in invisible characters.
    """
    seen: dict[str, tuple[int, str]] = {}
    for label, name in enumerate(names):
        reading = reading_of(name)
        if reading in seen:
            first, other = seen[reading]
            if other == name:
                return f"{_shown(name)} for classes {first} and {label}"
            return (
                f"{_shown(other)} and {_shown(name)} for classes {first} and {label}, which differ only in how Unicode "
                "writes them, in spaces or in invisible characters"
            )
        seen[reading] = (label, name)
    return None


def _shown(name: str) -> str:
    """Quote a name; characters that are not ASCII as code points beside it, as two names may look the same."""
    text = repr(name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "…")
    others = [f"U+{ord(character):04X}" for character in name if not character.isascii()]
    return f"{text} ({' '.join(others[:12])})" if others else text
