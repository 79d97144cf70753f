"""Names, numbers and colors as figures and page show them."""

import re

import numpy as np
import pandas as pd
import pytest
from drawn_reports import ODD_NAMES
from matplotlib.path import Path
from matplotlib.textpath import TextPath

from mlx.plots import plot_residuals_fitted, plot_target_histogram
from mlx.plots.page.tables import frame_table
from mlx.plots.study import plot_searched
from mlx.plots.style import category_style, figure, render_pdf, render_png, style, text_width
from mlx.plots.text import (
    DASH,
    MINUS,
    PValue,
    class_labels,
    drawn_lines,
    fixed,
    p_text,
    quoted_names,
    readable,
    short_names,
    shorten,
    significant,
)


def test_columns_of_a_table_are_numbers_only_if_nothing_else_is_in_them():
    frame = pd.DataFrame({"bin": [0, 1], "layer": [np.nan, "conv"], "n": [3, np.nan], "status": ["ok", "ok"]})
    table = frame_table("Bins", frame)
    assert re.findall(r'<th scope="col"([^>]*)>(\w+)', table) == [("", "bin"), ("", "layer"), (' class="n"', "samples")]


def test_class_labels_are_distinct_legible_and_no_formula():
    labels = class_labels(ODD_NAMES)
    assert len(set(labels)) == len(labels)
    assert labels[1] == "#1 □"
    assert labels[3] == r"\$\alpha_1\$ \$"
    assert labels[6] == "#6"
    assert all(len(label.replace("\\$", "$")) <= 18 for label in labels)
    with style():
        made = figure()
        made.add_subplot().set_title("\n".join(labels))
        render_png(made, 50)


def test_a_long_name_keeps_both_its_ends():
    assert shorten("a rather long class name", 12) == "a rather…ame"
    assert class_labels(["x" * 30, "x" * 31]) == [
        "#0 " + "x" * 9 + "…" + "x" * 5,
        "#1 " + "x" * 9 + "…" + "x" * 5,
    ]


def test_names_that_would_be_alike_keep_the_words_in_which_they_differ():
    names = [f"species number {k} of the northern hemisphere" for k in (9, 10, 101)]
    told = ["species nu…9…phere", "species nu…10…here", "species n…101…here"]
    assert class_labels(names) == short_names(names) == told
    assert class_labels([*names, told[0]])[3] == told[0]


def test_a_number_stays_behind_a_name_that_runs_from_right_to_left(classification):
    assert class_labels(["قطة", "cat"]) == ["\N{LEFT-TO-RIGHT MARK}قطة\N{LEFT-TO-RIGHT MARK}", "cat"]
    assert quoted_names(["قطة"]) == ["“\N{LEFT-TO-RIGHT MARK}قطة\N{LEFT-TO-RIGHT MARK}”"]
    assert classification().plain("قطة > 1") == "\N{LEFT-TO-RIGHT MARK}قطة\N{LEFT-TO-RIGHT MARK} > 1"
    (label,) = class_labels(["a > قطة قطة > 0.5"])
    assert label == "\N{LEFT-TO-RIGHT MARK}a > قطة قطة\N{LEFT-TO-RIGHT MARK} > 0.5"


def test_numbers_are_written_for_reading():
    assert readable("a ≤ -12.5312 and b > 1234.56 and c = -3 and d-1 > 0.50") == (
        f"a ≤ {MINUS}12.5 and b > 1235 and c = {MINUS}3 and d-1 > 0.5"
    )
    assert readable("a is -4.023e-09 to 5e+12") == f"a is {MINUS}4.02e{MINUS}09 to 5.00e+12"
    assert [fixed(v) for v in (-0.004, -1.5, float("nan"), None)] == ["0.00", f"{MINUS}1.50", DASH, DASH]
    assert [significant(v) for v in (0, 1234.5, 0.012345, 1e-9, -2e9)] == [
        "0",
        "1234",
        "0.0123",
        f"1.00e{MINUS}09",
        f"{MINUS}2.00e+09",
    ]
    assert [significant(float(np.nextafter(0, end))) for end in (-1, 1)] == [f"{MINUS}0", "0"]
    assert [p_text(v) for v in (0.001, 0.5, float("nan"))] == ["p = 0.001", "p = 0.5", "p unknown"]
    bounds = [p_text(PValue(v, at_floor=True)) for v in (1e-4, 1e-7, 1.0, float("nan"))]
    assert bounds == ["p ≤ 0.0001", "p < 1e-6", "p = 1", "p unknown"]
    assert [str(PValue(v)) for v in (2e-5, 9e-7)] == [f"2e{MINUS}05", "< 1e-6"]


def test_a_hundred_categories_look_different():
    assert len({(look.color, look.marker) for look in map(category_style, range(100))}) == 100


def test_a_condition_is_broken_into_lines_and_a_sign_stays_by_its_number():
    assert drawn_lines("distance from the top ≤ 0.464", width=26) == "distance from the top\n≤\N{NO-BREAK SPACE}0.464"
    assert drawn_lines("price in $ > 3", width=26) == "price in \\$ >\N{NO-BREAK SPACE}3"
    assert max(map(len, drawn_lines("x" * 300, width=20).splitlines())) == 20


def test_the_power_of_ten_of_an_axis_is_in_its_label_where_no_other_text_is():
    noise = np.random.default_rng(0).normal(size=200)
    ax = plot_residuals_fitted(1e13 + 1e12 * noise, 1e-9 * noise)
    assert ax.get_xlabel() == "predicted value (target units, in 1e13)"
    assert ax.get_ylabel() == f"residual (target units, in 1e{MINUS}9)"
    assert not ax.xaxis.offsetText.get_visible()
    tried = {"cell": ([1, 2], np.array([1e12, 3e12]))}
    ax = plot_searched(tried, key="k", label="mean absolute error (units of y)")
    assert ax.get_ylabel() == "mean absolute error\n(units of y, in 1e12)"  # longer than the figure is high
    for add, words in ((1e9, "plus 1e9"), (-1e9, "minus 1e9")):
        assert plot_target_histogram(add + noise).get_xlabel() == f"value to predict (target units, {words})"


@pytest.mark.parametrize("text", ["cosine similarity", f"{MINUS}0.75 · λ", "W", "$10^{3}$ per class", "two\nlines"])
def test_the_width_of_a_text_is_that_of_its_curves(text: str) -> None:
    with style():
        assert text_width([text, " "], 8) == TextPath((0, 0), text, size=8).get_extents().width / 72


@pytest.mark.parametrize(
    ("codes", "places"),
    [
        ([Path.MOVETO, Path.CURVE3, Path.CURVE3, Path.CLOSEPOLY], [(2, 0), (9, 4), (1, 6), (0, 0)]),
        ([Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4], [(2, 0), (-9, 4), (3, 4), (3, 6)]),
    ],
)
def test_a_curve_that_is_wider_than_its_ends_is_measured(
    codes: list[int], places: list[tuple[int, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    curve = Path(places, codes)
    monkeypatch.setattr("matplotlib.textpath.TextPath", lambda *_, **__: curve)
    ends = np.ptp(curve.vertices[[0, len(places) - 1 - (codes[-1] == Path.CLOSEPOLY)], 0])
    assert text_width([f"a curve of {len(codes)} {codes[1]}"], 8) * 72 == curve.get_extents().width > ends


@pytest.mark.slow
def test_a_pdf_carries_no_date_and_its_fonts():
    made = figure()
    made.add_subplot().set_title("a title")
    content = render_pdf(made)
    assert render_pdf(made) == content
    assert content.startswith(b"%PDF")
    assert b"CreationDate" not in content
    assert b"/Type3" not in content
