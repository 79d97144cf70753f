"""Columns of a table in words: what they hold and what they are for, in a terminal and on the page."""

import re

import numpy as np
import pandas as pd
import pytest

from mlx.commands.show_data import WIDTH, column_lines
from mlx.core.array_types import Array
from mlx.core.column_descriptions import ColumnDescription
from mlx.plots.columns import ColumnSummary, FeatureCounts, column_counts, summarize_columns
from mlx.plots.page.tables import columns_table
from mlx.plots.text import MINUS

NAN = np.nan
FEATURES = [
    ColumnDescription(name="age", kind="numeric"),
    ColumnDescription(name="port", kind="categorical", categories=["C", "Q", "S"]),
    ColumnDescription(name="alone", kind="boolean"),
    ColumnDescription(name="date", kind="date"),
    ColumnDescription(name="empty", kind="numeric"),
]
OTHERS = [
    ColumnDescription(name="y", kind="categorical", use="target", gaps=2),
    ColumnDescription(name="patient", kind="text", use="group"),
    ColumnDescription(name="name", kind="text", use="left out", gaps=1, reason="it has 4 different texts"),
]
ROWS = np.array(
    [[-3.5, 0, 1, 10_000.5, NAN], [NAN, 2, NAN, 9_999, NAN], [40, 2, 0, 10_100, NAN], [1234567, 2, 0, NAN, NAN]]
)
BESIDE: dict[str, Array] = {
    "patient": np.array(["p1", "p2", None, "p3"], dtype=object),
    "site": np.array(["north", "north", "south", None], dtype=object),
    "when": np.array(["2020-01-05", "NaT", "2020-03-01", "2020-02-01"], dtype="datetime64[us]"),
    "dose": np.array([1.0, NAN, 0.5, 2.0]),
}


@pytest.fixture
def summaries() -> dict[str, ColumnSummary]:
    counts = FeatureCounts.of(FEATURES)
    for block in np.array_split(ROWS, 3):
        counts.add(block)
    found = summarize_columns(
        [*FEATURES, *OTHERS],
        counts,
        np.array([0, 1, 1, 1]),
        ["no", "yes"],
        BESIDE,
        {"patient": "group"},
        ["age", "patient", "site", "y", "name", "date"],
        {"date": "it holds dates"},
    )
    return {one.name: one for one in found}


def test_each_column_has_its_use_gaps_and_what_it_holds(summaries: dict[str, ColumnSummary]) -> None:
    assert {name: one.cells()[1:] for name, one in summaries.items()} == {
        "y": ("target", "categorical", 2, "yes 75 %, no 25 %"),
        "patient": ("group, factor", "text", 1, "3 different, p1 to p3"),
        "site": ("factor", "categorical", 1, "2 different, north to south"),
        "when": ("factor", "date", 1, "2020-01-05 to 2020-03-01"),
        "dose": ("factor", "numeric", 1, "0.5 to 2"),
        "age": ("feature, factor", "numeric", 1, "-3.5 to 1.23457e+06"),
        "port": ("feature", "categorical", 0, "S 75 %, C 25 %"),
        "alone": ("feature", "boolean", 1, "false 67 %, true 33 %"),
        "empty": ("feature", "numeric", 4, "no values"),
        "date": ("left out, factor", "date", 1, "1997-05-18 to 1997-08-27; it holds dates"),
        "name": ("left out", "text", 1, "it has 4 different texts"),
    }
    assert list(summaries) == ["y", "patient", "site", "when", "dose", "age", "port", "alone", "empty", "date", "name"]
    assert column_counts(list(summaries.values())) == (
        "11 columns: 1 target, 1 group, 3 factors, 4 features, 2 left out; factors, which may explain errors: 6"
    )


def test_frequent_texts_are_named_and_the_rest_is_counted() -> None:
    values = np.array([f"c{k}" for k in range(8) for _ in range(k + 1)], dtype=object)
    (one,) = summarize_columns((), FeatureCounts.of(()), np.empty(0), (), {"site": values}, {}, [], {})
    assert one.contents == "c7 22 %, c6 19 %, c5 17 %, c4 14 % and 4 more"


def test_ranges_are_those_of_pandas() -> None:
    rng = np.random.default_rng(0)
    table = pd.DataFrame(rng.normal(size=(500, 6)).round(2)).where(rng.random((500, 6)) < 0.8)
    counts = FeatureCounts.of([ColumnDescription(name=str(k), kind="numeric") for k in range(6)])
    for start in range(0, 500, 37):
        counts.add(table.to_numpy()[start : start + 37])
    for place, column in enumerate(counts.columns):
        found = counts.summary(place, column)
        assert found.contents == f"{table[place].min():.6g} to {table[place].max():.6g}"
        assert found.gaps == table[place].isna().sum()


def test_a_terminal_of_80_columns_shows_all_and_folds_wide_tables() -> None:
    many = [ColumnSummary(f"a feature of a long name, {k}", "feature", "numeric", k % 2, "0 to 1") for k in range(300)]
    columns = [*many, ColumnSummary("note", "left out", "text", 0, "it has 900 different texts in 1000 rows " * 3)]
    lines = "\n".join(column_lines(columns)).split("\n")
    assert max(map(len, lines)) <= WIDTH
    assert "  and 280 more columns (feature): 280 numeric; 140 with gaps; --all lists them" in lines
    assert sum("a feature of" in line for line in lines) == 20
    assert " ".join(" ".join(lines[23:]).split()).count("it has 900 different texts in 1000 rows") == 3
    assert sum("a feature of" in line for line in column_lines(columns, most=301)) == 300


def test_all_uses_at_once_fit_80_columns(summaries: dict[str, ColumnSummary]) -> None:
    assert max(len(line) for rows in column_lines(list(summaries.values())) for line in rows.split("\n")) <= WIDTH


def test_the_page_has_the_same_table_folded(summaries: dict[str, ColumnSummary]) -> None:
    html = columns_table(list(summaries.values()))
    assert "<caption>Columns of the raw data: 11 columns: 1 target" in html
    assert "<summary>All 11 rows<" in html
    assert [re.sub("<[^>]+>", "", cell) for cell in re.findall(r"<th scope=\"row\".*?</th>", html)] == list(summaries)
    assert f"{MINUS}3.5 to 1.23457e+06" in html
