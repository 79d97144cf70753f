"""Fonts that are embedded again as they were: to find what a PDF needs of a font takes half of the time of a PDF."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from matplotlib.backends import _backend_pdf_ps

_asked: dict[Any, frozenset[int]] = defaultdict(frozenset)
_made: dict[Any, SimpleNamespace] = {}


@contextmanager
def embedded_once() -> Iterator[None]:
    """Embed of a font what earlier figures in this process needed, too, so that most figures embed the same."""
    before = dict(_asked)
    subset_of, written = _backend_pdf_ps.get_glyphs_subset, _backend_pdf_ps.font_as_file

    def subset(font: Any, glyphs: Any) -> Any:
        key = font, before.get(font, frozenset()) | frozenset(glyphs)
        _asked[font] |= key[1]
        if key not in _made:
            with subset_of(font, set(key[1])) as found:
                _made[key] = SimpleNamespace(font=written(found.font).getvalue(), glyph_index_map=found.glyph_index_map)
        return nullcontext(_made[key])

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_backend_pdf_ps, "get_glyphs_subset", subset)
        patch.setattr(_backend_pdf_ps, "font_as_file", BytesIO)
        yield
