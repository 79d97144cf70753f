"""Numbers that a table has as text: which are read, as what, and which are refused; separators of its cells."""

import numpy as np
import pandas as pd
import pytest
from own_data import categories_of, everything, features_of, opened, refused
from own_data import saved_csv as saved

from mlx.core.errors import SettingsError

KIND = np.array(["a", "b"] * 15)


def column(pattern, n=30):
    return [pattern.format(k + 1) for k in range(n)]


COUNT = np.arange(30) + 1


@pytest.mark.parametrize(
    ("texts", "numbers"),
    [
        (column("{},5"), COUNT + 0.5),
        (column("0,{:03}"), COUNT / 1000),
        (column("1.{:03},25"), 1000.25 + COUNT),
        (column("{}%"), COUNT),
        (column("{},5 %"), COUNT + 0.5),
        (column("1,{:03},000"), 1e6 + 1000 * COUNT),
        (column("1,{:03}.5"), 1000.5 + COUNT),
        (column("12,34,{:03}"), 1234000 + COUNT),
        (column("1 {:03}"), 1000 + COUNT),
        (column("1'{:03}"), 1000 + COUNT),
        (column("1\u202f{:03},5"), 1000.5 + COUNT),
        (column("\u2212{}"), -COUNT),
        (column("\u200e{}\ufeff"), COUNT),
        (column("{}\u066b5"), COUNT + 0.5),
        (["".join(chr(0x660 + int(digit)) for digit in str(k)) for k in COUNT], COUNT),
        ([*column("1,{:03}", 29), "0,5"], [*(1 + COUNT[:29] / 1000), 0.5]),  # one that is no thousand decides
        ([*column("1,{:03}", 29), "1,000,000"], [*(1000 + COUNT[:29]), 1e6]),
        ([*column("{}", 29), "1e3"], [*COUNT[:29], 1000]),
    ],
    ids=lambda value: value[0] if isinstance(value, list) and isinstance(value[0], str) else "",
)
def test_numbers_as_spreadsheets_write_them_are_read_as_numbers(tmp_path, texts, numbers):
    dataset = opened(saved(tmp_path, x=texts, y=KIND), target="y")
    assert features_of(dataset) == ["x"]
    np.testing.assert_array_equal(everything(dataset)[0][:, 0], numbers)
    pd.DataFrame({"x": texts, "y": KIND}).to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(everything(opened(tmp_path / "t.parquet", target="y"))[0][:, 0], numbers)


@pytest.mark.parametrize(
    ("texts", "point", "comma"), [(column("{},500"), COUNT * 1000 + 500, COUNT + 0.5), (column("{},125%"), None, None)]
)
def test_what_is_a_fraction_or_thousands_is_asked_for_by_its_key(tmp_path, texts, point, comma):
    path = saved(tmp_path, x=texts, y=KIND)
    error = refused(
        path, r"expected '.' or ','.* column 'x' has '1,\d+%?', which is 1\d+ or 1.\d+", SettingsError, target="y"
    )
    assert error.key == ("dataset", "params", "decimal")
    if point is not None:
        for mark, numbers in ((".", point), (",", comma)):
            read, _ = everything(opened(path, target="y", decimal=mark))
            np.testing.assert_array_equal(read[:, 0], numbers)


def test_another_column_of_the_file_says_which_it_is(tmp_path):
    grouped = column("{},500")
    for other, expected in ((column("0,{}"), COUNT + 0.5), (column("{}.25"), COUNT * 1000 + 500)):
        dataset = opened(saved(tmp_path, x=grouped, z=other, y=KIND), target="y")
        np.testing.assert_array_equal(everything(dataset)[0][:, 0], expected)
    mixed = saved(tmp_path, x=grouped, z=column("0,{}"), w=column("{}.25"), y=KIND)
    refused(mixed, "column 'x' has '1,500'", SettingsError, target="y")
    read, _ = everything(opened(mixed, target="y", features=["z", "w"]))  # each is clear by itself
    np.testing.assert_allclose(read[0], [0.1, 1.25])


def test_a_point_beside_decimal_commas_may_group_thousands(tmp_path):
    path = saved(tmp_path, separator=";", x=column("{}.500"), z=column("0,{}"), y=KIND)
    error = refused(path, "column 'x' has '1.500', which is 1.5 or 1500", SettingsError, target="y")
    assert error.key == ("dataset", "params", "decimal")
    read, _ = everything(opened(path, target="y", decimal=","))
    np.testing.assert_array_equal(read[:, 0], COUNT * 1000 + 500)
    plain = saved(tmp_path, x=column("{}.500"), y=KIND)
    np.testing.assert_array_equal(everything(opened(plain, target="y"))[0][:, 0], COUNT + 0.5)


def test_semicolons_speak_for_decimal_commas(tmp_path):
    grouped, plain = column("{}.500"), column("{}.25")
    path = saved(tmp_path, separator=";", x=grouped, y=KIND)
    refused(path, "column 'x' has '1.500', which is 1.5 or 1500", SettingsError, target="y")
    for mark, expected in ((".", COUNT + 0.5), (",", COUNT * 1000 + 500)):
        np.testing.assert_array_equal(everything(opened(path, target="y", decimal=mark))[0][:, 0], expected)
    shown, _ = everything(opened(saved(tmp_path, separator=";", x=grouped, z=plain, y=KIND), target="y"))
    np.testing.assert_array_equal(shown[0], [1.5, 1.25])
    target = saved(tmp_path, separator=";", x=COUNT, y=grouped)
    assert refused(target, "column 'y' has '1.500'", SettingsError, target="y").key[-1] == "decimal"


def test_the_separator_that_a_spreadsheet_says_in_the_first_line_is_taken(tmp_path):
    path = saved(tmp_path, separator="|", x=COUNT, y=KIND)
    path.write_text("sep=|\n" + path.read_text())
    assert features_of(opened(path, target="y")) == ["x"]


def test_a_stated_mark_is_kept_to(tmp_path):
    path = saved(tmp_path, x=[*column("{},5", 29), "1.5"], y=KIND)
    refused(path, "expected numbers in column 'x', found '1.5' in row 30", target="y", decimal=",")
    refused(path, "expected numbers in column 'x', found '1,5' in row 1", target="y", decimal=".")
    refused(path, "expected numbers in column 'x', found '1.5' in row 30", target="y")


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (["?" if k % 5 else str(k) for k in range(30)], r"expected numbers in column 'x', found '\?' in row 2"),
        ([*column("{}", 20), *["low"] * 10], "expected numbers in column 'x', found 'low' in row 21"),
        ([*column("{}%", 29), "0.5"], "expected percentages in column 'x', found '0.5' in row 30"),
        (column("${}"), r"expected numbers in column 'x', found '\$1' in row 1"),
        (column("({})"), r"expected numbers in column 'x', found '\(1\)' in row 1"),
        (
            column("{} kg"),
            "expected numbers in column 'x', found '1 kg' in row 1 .* without brackets, currency or unit",
        ),
        (
            [f"{k} {'g' if k % 2 else 'kg'}" for k in range(1, 31)],
            "expected numbers in column 'x', found '1 g' in row 1",
        ),
        (column("{}€"), "expected numbers in column 'x', found '1€' in row 1"),
        (["01.02.2024", "03.02.2024"] * 15, "column 'x' .* dates or times, such as '01.02.2024' in row 1"),
        (["1/2/2024", "12/31/24"] * 15, "dates or times, .* not all of them written as YYYY-MM-DD"),
        (["3 Jan 2024", "March 3, 2024"] * 15, "dates or times"),
        (["10:30", "9:15 PM"] * 15, "dates or times"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_what_nobody_wants_as_categories_is_refused_with_its_row(tmp_path, texts, message):
    path = saved(tmp_path, x=texts, y=KIND)
    remedy = r".*(dataset\.params\.roles: {x: ignore}|and no other can)"
    refused(path, message + remedy, target="y")
    assert features_of(opened(saved(tmp_path, x=texts, z=COUNT, y=KIND), target="y", roles={"x": "ignore"})) == ["z"]
    pd.DataFrame({"x": texts, "y": KIND}).to_parquet(tmp_path / "t.parquet")
    refused(tmp_path / "t.parquet", message, target="y")


@pytest.mark.parametrize("texts", [["2024-01-01", "2024-02-03"], ["2024-01-01T12:00:00+02:00", "2024-02-03"]])
def test_dates_are_days_since_1970(tmp_path, texts):
    frame = pd.DataFrame({"x": [*np.resize(texts, 29), ""], "z": COUNT, "y": KIND})
    frame.to_csv(tmp_path / "t.csv", index=False)
    frame.to_parquet(tmp_path / "t.parquet")
    for name in ("t.csv", "t.parquet"):
        dataset = opened(tmp_path / name, target="y")
        assert [column.kind for column in dataset.features] == ["date", "numeric"]
        days = everything(dataset)[0][:, 0]
        np.testing.assert_array_equal(days[:2], [19723 if len(texts[0]) == 10 else 19723 + 10 / 24, 19756])
        assert np.isnan(days[29])


def test_dates_may_stand_for_never_and_always(tmp_path):
    path = saved(tmp_path, x=np.resize(["2024-01-01", "9999-12-31", "0001-01-01"], 30), y=KIND)
    days = [19723, 2932896, -719162]
    np.testing.assert_array_equal(everything(opened(path, target="y"))[0][:3, 0], days)


def test_blanks_around_texts_do_not_count(tmp_path):
    texts = {"x": ["k", " k", "l ", " "], "z": [" TRUE", "false", "  ", "False "], "q": ["u", " NA", "v", "u"]}
    dataset = opened(saved(tmp_path, **{name: np.resize(of, 30) for name, of in texts.items()}, y=KIND), target="y")
    assert [column.kind for column in dataset.features] == ["categorical", "boolean", "categorical"]
    assert categories_of(dataset) == {"x": ["k", "l"], "q": ["u", "v"]}
    nan = np.nan
    np.testing.assert_array_equal(everything(dataset)[0][:4], [[0, 1, 0], [0, 0, nan], [1, nan, 1], [nan, 0, 0]])


@pytest.mark.parametrize(
    "words",
    [["low", "high", "3"], ["2x", "4x"], ["18-25", "26-40"], ["<5", "5-10"], ["1.2.3", "1.2.4"], ["Q1", "Q2"],
     ["5 doors", "3 doors"], ["a,b", "c"], ["16:9", "4:3"]],
)  # fmt: skip
def test_words_with_digits_in_them_are_categories(tmp_path, words):
    dataset = opened(saved(tmp_path, x=np.resize(words, 30), y=KIND), target="y")
    assert categories_of(dataset) == {"x": sorted(words)}


@pytest.mark.parametrize(
    ("words", "doubtful"),
    [(["1_000", "2_000", "10_500"], True), (["5‰", "7‰", "8‰"], True), (["#1", "#2", "#3"], True),
     (["16:9", "4:3", "1:1"], False), (["Q1", "Q2", "Q3"], False), (["<5", "5-10", "10-20"], False)],
)  # fmt: skip
def test_a_line_names_categories_that_look_like_numbers(tmp_path, words, doubtful):
    dataset = opened(saved(tmp_path, x=np.resize(words, 30), y=KIND), target="y")
    assert categories_of(dataset) == {"x": sorted(words)}
    said = f"column 'x' has 3 different texts that look like numbers, such as {min(words)!r}, taken for categories"
    assert any(said in note for note in dataset.notes) == doubtful


@pytest.mark.parametrize(
    ("words", "alike"),
    [(["red", "red\u200b"], True), (["blue sky", "blue\u00a0 sky"], True), (["caf\u00e9", "cafe\u0301"], True),
     (["red", "Red"], False), (["a b", "ab"], False)],
)  # fmt: skip
def test_a_line_names_categories_that_read_the_same(tmp_path, words, alike):
    dataset = opened(saved(tmp_path, x=np.resize(words, 30), y=KIND), target="y")
    assert categories_of(dataset) == {"x": sorted(words)}
    said = [note for note in dataset.notes if "column 'x' has" in note and "differ only in how Unicode" in note]
    assert len(said) == alike


def test_a_declared_category_stays_one(tmp_path):
    frame = pd.DataFrame({"x": pd.Categorical(np.resize(["1", "2", "10"], 30)), "y": KIND})
    frame.to_parquet(tmp_path / "t.parquet")
    assert features_of(opened(tmp_path / "t.parquet", target="y")) == ["x"]
    assert categories_of(opened(tmp_path / "t.parquet", target="y")) == {"x": ["1", "10", "2"]}


@pytest.mark.parametrize(("rows", "most"), [(100, 50), (500, 50), (1000, 100)])
def test_a_text_column_may_have_a_tenth_as_many_categories_as_rows_and_always_fifty(tmp_path, rows, most):
    y = np.resize(["a", "b"], rows)
    names = np.array([f"n{k:04}" for k in range(most + 1)])
    allowed = opened(saved(tmp_path, x=np.resize(names[:most], rows), y=y), target="y")
    assert len(categories_of(allowed)["x"]) == most
    message = f"column 'x' can't be a feature, as it has {most + 1} different texts in {rows} rows.* at most {most} are"
    refused(saved(tmp_path, x=np.resize(names, rows), y=y), message, target="y")


def test_truth_is_a_number_beside_gaps_and_commas_too(tmp_path):
    truth = ["True", "False", ""] * 10
    dataset = opened(saved(tmp_path, x=truth, z=column("{},5"), y=KIND), target="y")
    assert everything(dataset)[0][:2].tolist() == [[1, 1.5], [0, 2.5]]


@pytest.mark.parametrize(
    ("texts", "params", "values"),
    [
        (column("{},5"), {}, COUNT + 0.5),
        (column("{}%"), {}, COUNT),
        (column("{},500"), {"decimal": ","}, COUNT + 0.5),
        (column("{},500"), {"decimal": "."}, COUNT * 1000 + 500),
        (column("{:03}"), {"task": "regression"}, COUNT),
        (column("{}E2"), {"task": "regression"}, COUNT * 100),
    ],
)
def test_the_target_of_a_regression_is_read_alike(tmp_path, texts, params, values):
    dataset = opened(saved(tmp_path, x=COUNT, y=texts), target="y", **params)
    assert dataset.task == "regression"
    np.testing.assert_array_equal(everything(dataset)[1], values)
    pd.DataFrame({"x": COUNT, "y": texts}).to_parquet(tmp_path / "t.parquet")
    np.testing.assert_array_equal(everything(opened(tmp_path / "t.parquet", target="y", **params))[1], values)


def test_a_target_that_is_no_clear_number_is_refused(tmp_path):
    ambiguous = saved(tmp_path, x=COUNT, y=column("{},500"))
    assert refused(ambiguous, "column 'y' has '1,500'", SettingsError, target="y").key[-1] == "decimal"
    assert opened(ambiguous, target="y", task="classification").class_names[0] == "1,500"
    spoilt = saved(tmp_path, x=COUNT, y=[*column("{}.5", 29), "NA"])
    message = (
        "expected numbers in column 'y', the target, found 'NA' in row 30 .*set dataset.params.task: classification"
    )
    refused(spoilt, message, target="y")
    assert "NA" in opened(spoilt, target="y", task="classification").class_names
    refused(
        spoilt, "for task regression in column 'y', the target, found 'NA' in row 30", target="y", task="regression"
    )
    dates = saved(tmp_path, x=COUNT, y=["2024-01-01", "2024-01-02"] * 15)
    refused(dates, "found dates or times, such as '2024-01-01' in row 1 .*task: classification", target="y")
    assert opened(dates, target="y", task="classification").class_names == ("2024-01-01", "2024-01-02")
