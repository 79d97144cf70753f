"""How the objects of a notebook are shown: one text for a console, HTML for a notebook."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from mlx.core.errors import UnknownNameError
from mlx.core.settings import nearest
from mlx.plots.style import render_png

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from pandas import DataFrame

ROWS_SHOWN = 5
LONGEST = 120
"""Characters of a value that a console shows."""


class Described:
    """An object that is shown as its class with what it was made with."""

    def _shown(self) -> Mapping[str, Any]:
        """Return what is shown, by name."""
        return {name: value for name, value in vars(self).items() if not name.startswith("_")}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={_short(value)}' for name, value in self._shown().items())})"

    def _repr_html_(self) -> str:
        return f"<b>{type(self).__name__}</b>{html_rows(self._shown())}"


class Numbers(dict[str, Any]):
    """Numbers, and texts on them, by name."""

    def __missing__(self, name: str) -> Any:
        raise _unknown(name, self, "number")

    def _repr_html_(self) -> str:
        return html_rows(self)


class Tables(dict[str, "DataFrame"]):
    """Data frames by name."""

    def __missing__(self, name: str) -> DataFrame:
        raise _unknown(name, self, "table")

    def __repr__(self) -> str:
        return "\n".join(f"{name}: {len(table)} rows, {', '.join(map(str, table))}" for name, table in self.items())

    def _repr_html_(self) -> str:
        return "".join(
            f"<details><summary><b>{escape(name)}</b>: {len(table)} rows of {len(table.columns)} columns</summary>"
            f"{table.head(ROWS_SHOWN).to_html()}</details>"
            for name, table in self.items()
        )


class Figures(dict[str, "Figure"]):
    """Figures by name."""

    def __repr__(self) -> str:
        return f"Figures: {', '.join(self)}"

    def _repr_html_(self) -> str:
        return "".join(
            f'<figure><img alt="{escape(name)}" src="data:image/png;base64,{b64encode(render_png(figure)).decode()}">'
            f"<figcaption>{escape(name)}</figcaption></figure>"
            for name, figure in self.items()
        )


class Page:
    """A page of HTML that a notebook shows in a frame.

    Parameters
    ----------
    html
        The whole document.
    """

    def __init__(self, html: str) -> None:
        self.html = html

    def __str__(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"Page({len(self.html.encode()):,} bytes of HTML)"

    def _repr_html_(self) -> str:
        # The frame has an origin of its own: the page can neither read the notebook nor change it.
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts allow-downloads" '
            'style="width: 100%; height: 80vh; border: 1px solid #d9d9d9"></iframe>'
        )


def _unknown(name: object, known: Iterable[str], what: str) -> UnknownNameError:
    close = nearest(str(name), known)
    listed = "" if close else f"; there are {', '.join(known)}"
    return UnknownNameError(f"expected the name of a {what}, found {name!r}{close}{listed}")


def html_rows(values: Mapping[str, Any]) -> str:
    """Return a table with a row for each value."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(_short(value))}</td></tr>" for name, value in values.items()
    )
    return f"<table>{rows}</table>"


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
