"""Text as HTML."""

from html import escape


def safe(text: object) -> str:
    """Escape `text` for HTML; half of a surrogate pair, which UTF-8 cannot hold, becomes ``?``."""
    return escape(str(text).encode("utf-8", "replace").decode("utf-8"))
