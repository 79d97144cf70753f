"""The names of classes, which tables and pages tell classes apart by: no two may read the same."""

import unicodedata
from collections.abc import Iterable

from mlx.core.invisible import visible

LONGEST_SHOWN = 40


def reading_of(name: str) -> str:
    """Return what a person reads: what is `visible`, with compatibility characters composed (Unicode NFKC)."""
    return visible(unicodedata.normalize("NFKC", visible(name)))


def clash_of(names: Iterable[str], of: str = "classes") -> str | None:
    """Say which two of `names` read the same, or return None.

    Equal names clash, and so do names that differ only in how Unicode writes their characters (``é`` as one character
    or as two), in blanks, or in invisible characters. Names may be `of` something else, such as "cells".
    """
    seen: dict[str, tuple[int, str]] = {}
    for label, name in enumerate(names):
        reading = reading_of(name)
        if reading in seen:
            first, other = seen[reading]
            if other == name:
                return f"{_shown(name)} for {of} {first} and {label}"
            return (
                f"{_shown(other)} and {_shown(name)} for {of} {first} and {label}, which differ only in how Unicode "
                "writes them, in spaces or in invisible characters"
            )
        seen[reading] = (label, name)
    return None


def _shown(name: str) -> str:
    """Quote a name; characters that are not ASCII as code points beside it, as two names may look the same."""
    text = repr(name if len(name) <= LONGEST_SHOWN else name[:LONGEST_SHOWN] + "…")
    others = [f"U+{ord(character):04X}" for character in name if not character.isascii()]
    return f"{text} ({' '.join(others[:12])})" if others else text
