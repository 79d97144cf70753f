"""Characters that nobody sees, which copying from pages and documents leaves in texts."""

import re

INVISIBLE = re.compile(
    "[\0-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls that are no blanks
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Characters without a shape of their own: the property Default_Ignorable_Code_Point of Unicode, and controls."""

_BLANK = "\u2800"
"""The empty Braille pattern, a blank that Unicode does not count among them."""


def visible(text: str) -> str:
    """Return `text` without invisible characters, and with one space for each run of blanks."""
    return " ".join(INVISIBLE.sub("", text).replace(_BLANK, " ").split())
