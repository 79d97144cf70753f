"""The one style of all pictures: sizes, colors, a context that does not leak, and byte-stable PNGs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, lru_cache, wraps
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from PIL.Image import Image

    from mlx.core.array_types import Array, Floats

P = ParamSpec("P")
R = TypeVar("R")

COLUMN = 3.3  # inches: one column of a two-column paper
PAGE = 7.0  # both columns
UPRIGHT = 1.9  # inches for which the label of a vertical axis has room in every figure
NOTE = 7.0  # points: the smallest text that is read in print, so nothing is smaller

# Okabe & Ito (2008), https://jfly.uni-koeln.de/color/, without yellow, which vanishes on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">", "*", "p", "h", "d", "8", "H")
LINES: tuple[Any, ...] = ("-", (0, (4, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
CORRECT, WRONG, INK, MUTED, FAINT = COLORS[0], COLORS[1], "#222222", "#5F5F5F", "#D9D9D9"
WRONG_TEXT = "#A84300"  # small text needs a darker orange than a mark does (contrast 4.5 on white)

# Tried in this order after DejaVu Sans, which ships with matplotlib, for scripts that it lacks.
FALLBACK_FONTS = (
    "Noto Sans", "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans Devanagari",
    "Noto Sans Thai", "Noto Sans Bengali", "Noto Sans Tamil", "WenQuanYi Zen Hei", "PingFang SC",
    "Hiragino Sans", "Microsoft YaHei", "Yu Gothic", "Malgun Gothic", "Arial Unicode MS",
)  # fmt: skip

RC: dict[str, Any] = {
    "font.size": 8.0,
    "axes.titlesize": 8.0, "axes.titleweight": "bold", "axes.titlelocation": "left", "axes.titlepad": 5.0,
    "axes.labelsize": 8.0, "axes.labelcolor": INK, "axes.edgecolor": "#8A8A8A", "axes.linewidth": 0.6,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "grid.color": "#E6E6E6", "grid.linewidth": 0.6,
    "xtick.labelsize": 7.0, "ytick.labelsize": 7.0, "xtick.color": "#8A8A8A", "ytick.color": "#8A8A8A",
    "xtick.labelcolor": INK, "ytick.labelcolor": INK, "xtick.major.size": 2.5, "ytick.major.size": 2.5,
    "xtick.major.width": 0.6, "ytick.major.width": 0.6,
    "legend.fontsize": 7.0, "legend.frameon": False, "legend.handlelength": 1.6, "legend.handletextpad": 0.5,
    "legend.labelspacing": 0.3, "legend.borderaxespad": 0.2,
    "lines.linewidth": 1.4, "lines.markersize": 4.0, "text.color": INK,
    "figure.constrained_layout.h_pad": 0.03, "figure.constrained_layout.w_pad": 0.05,
    "pdf.fonttype": 42,  # TrueType: journals reject Type 3
}  # fmt: skip


class CategoryStyle(NamedTuple):
    """How one of many categories is drawn, so that color is never the only difference."""

    color: str
    marker: str
    linestyle: Any


def category_style(k: int) -> CategoryStyle:
    """Return the look of category `k`; neighbors differ in all three.

    7 colors have no divisor in common with 15 markers and 4 lines, so that 105 points and 28 curves
    look different.
    """
    return CategoryStyle(COLORS[k % len(COLORS)], MARKERS[k % len(MARKERS)], LINES[k % len(LINES)])


@cache
def font_families() -> tuple[str, ...]:
    """DejaVu Sans and those of `FALLBACK_FONTS` that are installed here."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    return ("DejaVu Sans", *(name for name in FALLBACK_FONTS if name in installed))


_STYLED = ContextVar("styled", default=False)


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib's defaults with `RC` on top, inside the block only; the matplotlibrc of the user is ignored.

    Within another such block it does nothing, as setting and restoring the 300 parameters takes as long as drawing a
    few labels.
    """
    if _STYLED.get():
        yield
        return
    import matplotlib

    defaults = {key: value for key, value in matplotlib.rcParamsDefault.items() if "backend" not in key}
    with matplotlib.rc_context(defaults | RC | {"font.family": list(font_families())}):  # type: ignore[arg-type]
        token = _STYLED.set(True)
        try:
            yield
        finally:
            _STYLED.reset(token)


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Decorate a plot function so that all that it makes has the style of `style`, and the labels of axes room."""

    @wraps(draw)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        from matplotlib.axes import Axes

        with style():
            drawn = draw(*args, **kwargs)
            if isinstance(drawn, Axes):
                _label_powers(drawn)
                _place_label(drawn)
            return drawn

    return wrapper


def _label_powers(ax: Axes) -> None:
    """Move a power of ten from the end of an axis, where it is drawn over other text, into the label of the axis."""
    for axis in (ax.xaxis, ax.yaxis):
        formatter, locations = axis.get_major_formatter(), list(axis.get_majorticklocs())
        formatter.set_locs(locations)
        if (power := formatter.get_offset()) and axis.offsetText.get_visible() and axis.get_label_text():
            axis.offsetText.set_visible(False)
            low, high = sorted(axis.get_view_interval())
            axis.set_ticks([place for place in locations if low <= place <= high])  # others may have another power
            label, bracket, unit = axis.get_label_text().removesuffix(")").partition("(")
            words = _in_words(power, formatter)
            found = f"{label}{bracket}{unit}, {words})" if bracket else f"{label} ({words})"
            long = axis is ax.yaxis and text_width([found], RC["axes.labelsize"]) > UPRIGHT
            axis.set_label_text(found.replace(" (", "\n(", 1) if long else found)


def _in_words(power: str, formatter: Any) -> str:
    """Return what ticks are to be multiplied by, and what is to be added, which matplotlib writes as ``1e3+1e9``."""
    if not formatter.offset:
        return f"in {power}"
    added = formatter.format_data(abs(formatter.offset))
    scale = power[: -len(added) - 1]
    return f"{f'in {scale}, ' if scale else ''}{'plus' if formatter.offset > 0 else 'minus'} {added}"


def _place_label(ax: Axes) -> None:
    """Let a label that is wider than the room beside named rows end where the axes do, and begin below the names."""
    from matplotlib.ticker import FuncFormatter

    place, named = ax.get_subplotspec(), isinstance(ax.yaxis.get_major_formatter(), FuncFormatter)  # of names
    if ax.figure is None or place is None or not named:
        return
    names = [line for tick in ax.get_yticklabels() for line in tick.get_text().split("\n")]
    width = ax.figure.bbox.width / ax.figure.dpi / place.get_gridspec().ncols
    room = width - text_width(names, NOTE) - 0.2
    if text_width([ax.get_xlabel()], RC["axes.labelsize"]) > room:
        ax.xaxis.label.set_horizontalalignment("right")
        ax.xaxis.label.set_x(1.0)


def figure(width: float = COLUMN, height: float = 2.7, *, constrained: bool = True) -> Figure:
    """Make a Figure of `width` × `height` inches with its own Agg canvas, unknown to pyplot.

    Constrained layout costs a second measuring of all text: figures of many panels turn it off
    and set their margins themselves.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    made = _shown_in_notebooks()(
        figsize=(width, height), layout="constrained" if constrained else None, facecolor="white"
    )
    FigureCanvasAgg(made)
    return made


@cache
def _shown_in_notebooks() -> type[Figure]:
    """Return the type of figures, which IPython shows even where pyplot, which registers its own, is not imported."""
    from matplotlib.figure import Figure

    class ShownFigure(Figure):
        def _repr_png_(self) -> bytes:
            return render_png(self)

    return ShownFigure


def axes_or_new(ax: Axes | None, width: float = COLUMN, height: float = 2.7) -> Axes:
    """Return `ax` itself, or the only Axes of a new figure of `width` × `height` inches."""
    return figure(width, height).add_subplot() if ax is None else ax


def unit_square(ax: Axes, xlabel: str, ylabel: str) -> None:
    """Give `ax` two shares from 0 to 1 on equal scales, with the diagonal."""
    ax.plot([0, 1], [0, 1], color=MUTED, linestyle=":", linewidth=1, zorder=1)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xlabel=xlabel, ylabel=ylabel, aspect="equal")


def few_ticks(ax: Axes) -> None:
    """Leave at most 7 ticks on the horizontal axis of a column, so that labels such as ``−0.075`` stand apart."""
    ax.locator_params(axis="x", nbins=6)


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name rows from 0 downward at the left of `ax`, without ticks and grid lines."""
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(max(len(names), 1) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="y", visible=False)


def draw_interval_lines(ax: Axes, place: Array, value: Floats, low: Floats, high: Floats, color: str) -> None:
    """Draw a horizontal line from `low` to `high` at each `place`; an end that is unknown is the `value`."""
    low, high = np.where(np.isfinite(low), low, value), np.where(np.isfinite(high), high, value)
    ax.hlines(place, low, high, color=color, linewidth=1.3)


def text_width(texts: Sequence[str], size: float) -> float:
    """Width in inches of the widest of `texts` at `size` points, for margins set by hand."""
    from matplotlib import rcParams

    fonts = tuple(rcParams["font.family"])
    return max((_points(text, size, fonts) for text in texts if text.strip()), default=0) / 72


@lru_cache(maxsize=10_000)
def _points(text: str, size: float, _: tuple[str, ...]) -> float:
    """Width of a text in points, as ``TextPath.get_extents`` finds it curve by curve, which takes 30 ms a text.

    Glyphs mostly end where an end of their curves is. No curve leaves its control points, so if none is beyond the
    ends, the ends tell.
    """
    from matplotlib.textpath import TextPath

    path = TextPath((0, 0), text, size=size)
    codes, x = path.codes, path.vertices[:, 0]
    curves = (np.flatnonzero(codes == code)[n - 1 :: n] for code, n in ((path.CURVE3, 2), (path.CURVE4, 3)))
    ends = x[np.concatenate([np.flatnonzero(codes <= path.LINETO), *curves])]
    held = x[codes != path.CLOSEPOLY]
    if held.min() < ends.min() or held.max() > ends.max():
        return float(path.get_extents().width)
    return float(ends.max() - ends.min())


def render_png(figure: Figure, dpi: int = 150) -> bytes:
    """Encode `figure` as a PNG: the same picture gives the same bytes, without date or version."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL.Image import frombuffer

    with style():
        figure.set_dpi(dpi)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
    rgba = canvas.buffer_rgba()  # type: ignore[no-untyped-call]
    pixels = frombuffer("RGBA", canvas.get_width_height(), rgba, "raw", "RGBA", 0, 1)
    encoded = pixels.convert("RGB")
    if _is_gray(encoded):
        encoded = encoded.convert("L")  # gray photographs take a third less
    stream = BytesIO()
    encoded.save(stream, format="png", dpi=(dpi, dpi), compress_level=6)
    return stream.getvalue()


def render_pdf(figure: Figure) -> bytes:
    """Encode `figure` as a PDF with its fonts embedded: the same picture gives the same bytes, without a date."""
    stream = BytesIO()
    with style():
        figure.savefig(stream, format="pdf", metadata={"CreationDate": None, "Producer": None, "Creator": None})
    return stream.getvalue()


def _is_gray(pixels: Image) -> bool:
    colors = pixels.getcolors(256)
    return colors is not None and all(len(set(color)) == 1 for _, color in colors if isinstance(color, tuple))
